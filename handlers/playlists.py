"""Playlists: an owner, editors who add pieces, listeners; joined by a link."""

from __future__ import annotations

import re
from functools import partial

from handlers.accounts import named
from handlers.command import Option
from handlers.errors import InvalidInputError, NotFoundError
from handlers.generation import piece_named
from handlers.lookup import button
from handlers.model import (
    ButtonRows,
    Entry,
    Playlist,
    PlaylistEntry,
    PlaylistMember,
    PlaylistRole,
    Reply,
    Request,
)
from handlers.pages import SIZE, Pages
from handlers.pieces import parameters
from handlers.ports import House
from handlers.reading import take_apart
from handlers.values import page as page_number
from handlers.values import shown

NAME_CHARACTERS = 100
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_SHORT = 10
"""A playlist's id is cut to its end where another id has to fit into the same button."""

OPTIONS = (
    Option("name", "A new playlist with this name; without one, the list of yours", example="Monsoon"),
)
JOIN_OPTIONS = (Option("token", "What the playlist's owner gave you", example="kJ3v…"),)
_NOWHERE = "That leads to no playlist. An invitation holds for a week; the owner can make a new one."
_NONE = "You have no playlist yet. /playlists name:Monsoon makes one; the Playlist button below a piece adds to it."
_ROLES: dict[PlaylistRole, str] = {
    "owner": "yours",
    "editor": "you may add pieces",
    "listener": "to listen to",
}
_SHOWN = 25


async def playlists(house: House, request: Request) -> Reply:
    """The playlists of somebody; with a name, a new one."""
    line = take_apart(request, ("name",))
    name = (line.named.get("name") or line.rest).strip()
    if name:
        return await _created(house, request, name)
    found = await house.playlists.mine(request.actor)
    if not found:
        return Reply(text=_NONE, private=True)
    return Reply(
        text="Your playlists",
        entries=tuple(
            Entry(one.name, _about(one), button("Open", f"/playlist {one.id}")) for one in found[:_SHOWN]
        ),
        private=True,
    )


async def _created(house: House, request: Request, name: str) -> Reply:
    if len(name) > NAME_CHARACTERS or not name.isprintable():
        raise InvalidInputError(
            f"A name has at most {NAME_CHARACTERS} letters, and nothing that cannot be seen."
        )
    ident = await house.playlists.create(request.actor, name, key=f"playlist:{request.event}")
    return Reply(
        text=f"“{name}” is there. The Playlist button below a piece adds it.",
        buttons=(button("Open it", f"/playlist {ident}"),),
        private=True,
    )


def _about(playlist: Playlist) -> str:
    by = "" if playlist.role == "owner" or playlist.owner is None else f", by {named(playlist.owner)}"
    return f"{_ROLES[playlist.role]}{by}"


async def _belonging(house: House, request: Request, ident: str) -> Playlist:
    """The playlist of this id, or of an id that ends so, among those that the asker belongs to."""
    if not (ident.isascii() and ident.isalnum() and len(ident) >= _SHORT):
        raise NotFoundError
    found = [one for one in await house.playlists.mine(request.actor) if one.id.endswith(ident)]
    if len(found) != 1:
        raise NotFoundError
    return found[0]


async def playlist(house: House, request: Request) -> Reply:
    """One playlist: its pieces, and what may be done with it."""
    line = take_apart(request, ("page",), {"page": page_number})
    ident, *words = line.words or ("",)
    one = await _belonging(house, request, ident)
    match words:
        case []:
            return await _pieces(house, request, one, line.read("page", page_number))
        case ["invite", "editor"]:
            return await _invited(house, request, one, "editor")
        case ["invite", "listener"]:
            return await _invited(house, request, one, "listener")
        case ["members"]:
            return await _members(house, request, one)
        case ["leave"]:
            await house.playlists.leave(request.actor, one.id)
            return Reply(text=f"You belong to “{one.name}” no more.", private=True, replaces=True)
        case ["remove"]:
            text = f"Remove “{one.name}” for all who belong to it? The pieces stay with whose they are."
            yes = button("Yes, remove it", f"/playlist {one.id} remove yes")
            row = (*yes, *button("Keep it", f"/playlist {one.id}"))
            return Reply(text=text, buttons=(row,), private=True, replaces=True)
        case ["remove", "yes"]:
            await house.playlists.remove(request.actor, one.id)
            return Reply(text=f"“{one.name}” is gone.", private=True, replaces=True)
    raise InvalidInputError("I do not know what to do with that playlist. /playlists shows yours.")


async def _pieces(house: House, request: Request, one: Playlist, asked: int | None) -> Reply:
    number = asked or 1
    items, more = await Pages(partial(house.playlists.entries, request.actor, one.id)).nth(number)
    line = f"/playlist {one.id}"
    turns = (
        *(button("Back", f"{line} page:{number - 1}") if number > 1 else ()),
        *(button("More", f"{line} page:{number + 1}") if more else ()),
    )
    members = button("Members", f"{line} members")
    rows: ButtonRows = (turns, (*members, *button("Leave it", f"{line} leave")))
    if one.role == "owner":
        editors = button("Invite editors", f"{line} invite editor")
        listeners = button("Invite listeners", f"{line} invite listener")
        rows = (turns, (*editors, *listeners), (*members, *button("Remove it", f"{line} remove")))
    empty = "" if items else "\nThere is nothing in it yet. The Playlist button below a piece adds it."
    return Reply(
        text=f"{one.name} ({_about(one)}){f', page {number}' if number > 1 else ''}{empty}",
        entries=tuple(_entry(one, item) for item in items[:SIZE]),
        buttons=tuple(row for row in rows if row),
        private=True,
        replaces=asked is not None,
    )


def _entry(one: Playlist, item: PlaylistEntry) -> Entry:
    piece = item.generation
    by = "" if item.added_by is None else f" · added by {named(item.added_by)}"
    out = button("Take out", f"/drop {one.id[-_SHORT:]} {item.id}") if item.removable else ()
    return Entry(
        piece.title or f"Raga {piece.request.raga}",
        f"{parameters(piece)}{by}",
        (*button("Play", f"/play {piece.id}"), *out),
    )


async def _invited(house: House, request: Request, one: Playlist, role: PlaylistRole) -> Reply:
    token = await house.playlists.invite(request.actor, one.id, role)
    address = house.doors.address(f"/join {token}")
    telegram = "" if address is None else f"\nOn Telegram: {address}"
    may = "add pieces to" if role == "editor" else "listen to"
    return Reply(
        text=f"Whoever has this within a week may {may} “{one.name}”. In any chat with me:\n/join {token}{telegram}",
        private=True,
    )


async def join(house: House, request: Request) -> Reply:
    """Join a playlist."""
    line = take_apart(request, ("token",))
    token = line.named.get("token") or line.rest
    joined = await house.playlists.join(request.actor, token) if _TOKEN.fullmatch(token) else None
    if joined is None:
        return Reply(text=_NOWHERE, private=True, ok=False)
    return Reply(
        text=f"You belong to “{joined.name}” now: {_about(joined)}.",
        buttons=(button("Open it", f"/playlist {joined.id}"),),
        private=True,
    )


async def _members(house: House, request: Request, one: Playlist) -> Reply:
    found = await house.playlists.members(request.actor, one.id)
    return Reply(
        text=f"Who belongs to “{one.name}”",
        entries=tuple(_member(one, member) for member in found[:_SHOWN]),
        buttons=(button("Back to it", f"/playlist {one.id}"),),
        private=True,
    )


def _member(one: Playlist, member: PlaylistMember) -> Entry:
    title = f"{named(member.person)}{' (you)' if member.own else ''}"
    if one.role != "owner" or member.own:
        return Entry(title, member.role)
    other = "listener" if member.role == "editor" else "editor"
    short = one.id[-_SHORT:]
    turned = button(f"Make {other}", f"/role {short} {member.id} {other}")
    return Entry(title, member.role, (*turned, *button("Take out", f"/expel {short} {member.id}")))


async def role(house: House, request: Request) -> Reply:
    """Give a member another role."""
    one, member, given = await _three(house, request)
    if given not in ("editor", "listener"):
        raise InvalidInputError(f"A member is editor or listener; “{shown(given)}” is neither.")
    wanted: PlaylistRole = "editor" if given == "editor" else "listener"
    await house.playlists.set_role(request.actor, one.id, member, wanted)
    return await _members(house, request, one)


async def expel(house: House, request: Request) -> Reply:
    """Take a member out."""
    one, member, _ = await _three(house, request)
    await house.playlists.expel(request.actor, one.id, member)
    return await _members(house, request, one)


async def drop(house: House, request: Request) -> Reply:
    """Take an entry out."""
    one, entry, _ = await _three(house, request)
    await house.playlists.drop(request.actor, one.id, entry)
    return Reply(notice=f"It is out of “{one.name}”.", private=True)


async def _three(house: House, request: Request) -> tuple[Playlist, str, str]:
    """What such a button names: a playlist, something of it, and perhaps a word."""
    ident, other, word = (*take_apart(request, ()).words, "", "", "")[:3]
    if not (other.isascii() and other.isalnum() and len(other) <= 64):
        raise NotFoundError
    return await _belonging(house, request, ident), other, word


async def add(house: House, request: Request) -> Reply:
    """Add a piece to a playlist: the one that is named, or one to be chosen."""
    words = take_apart(request, ("piece",)).words
    ident = piece_named(request)
    if len(words) > 1:
        one = await _belonging(house, request, words[1])
        await house.playlists.add(request.actor, request.place, one.id, ident)
        return Reply(notice=f"It is in “{one.name}” now.", private=True)
    found = [one for one in await house.playlists.mine(request.actor) if one.role != "listener"]
    if not found:
        return Reply(text=_NONE, private=True)
    return Reply(
        text="To which playlist?",
        entries=tuple(
            Entry(one.name, _about(one), button("Add", f"/addto {ident} {one.id[-_SHORT:]}"))
            for one in found[:_SHOWN]
        ),
        private=True,
    )
