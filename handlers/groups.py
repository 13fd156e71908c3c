"""Looking after a server or group: where pieces are made, how many, how long, who has none made, and who changed it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from handlers import values
from handlers.accounts import named
from handlers.command import Option
from handlers.community import AuditEntry, Ban, GroupAdmin, GroupSettings, Setting
from handlers.errors import ForbiddenError, InvalidInputError
from handlers.lookup import button
from handlers.model import Button, ButtonRows, Card, Entry, Field, Menu, Reply, Request
from handlers.pages import SIZE, listed
from handlers.pieces import length
from handlers.ports import House
from handlers.reading import take_apart
from handlers.values import shown

PER_HOUR = ("5", "10", "20", "30", "60")
LONGEST = ("30s", "60s", "90s", "2min", "3min", "5min")
PER_HOUR_MAX = 10_000
CHATS_MAX = 100

_NONE = "none"
"""Said of a limit to have none any more."""

_ALL = "all"
_BACK = ("back",)
_SHOWN = 25

SETTINGS_OPTIONS = (
    Option("hour", "At most so many pieces an hour here; none: no limit", "choice", (*PER_HOUR, _NONE), "20"),
    Option("longest", "How long a piece may be here; none: no limit", "choice", (*LONGEST, _NONE), "2min"),
    Option("allow", "A channel in which pieces are made; the others are closed then", "room"),
    Option("remove", "A channel in which no more pieces are made", "room"),
)
BLOCK_OPTIONS = (Option("person", "Who may have no pieces made here", "person"),)
UNBLOCK_OPTIONS = (
    Option("person", "Who may have pieces made here again; without one, a list", "person"),
    Option("page", "The page of the list", "number", example="2"),
)

_ELSEWHERE = (
    "That is for those who look after a server or a group. Please send it there, not in our private chat: "
    "a Discord server, or a Telegram group."
)
_NO_RIGHT = (
    "That is for those who look after this place: on Discord who may manage the server, "
    "on Telegram its administrators."
)
_WHOM = "Whom? Choose them as the person, or answer a message of theirs with /{command}. A name alone does not tell me."


def _admin(request: Request) -> GroupAdmin:
    """Who asks, if they look after the group. Every command here begins with this. Raises ForbiddenError."""
    if request.place.group is None:
        raise ForbiddenError(_ELSEWHERE)
    if not request.manages:
        raise ForbiddenError(_NO_RIGHT)
    return GroupAdmin(request.actor, request.place.platform, request.place.group)


def _key(request: Request) -> str:
    return f"{request.command}:{request.event}"


async def settings(house: House, request: Request) -> Reply:
    """What is set here, with menus that change it; options change it too."""
    admin = _admin(request)
    line = take_apart(request, tuple(option.name for option in SETTINGS_OPTIONS))
    if line.words not in ((), _BACK):
        raise InvalidInputError(
            "A setting goes by its name, as in /settings hour:20 longest:2min; none takes a limit away."
        )
    changes: dict[str, Setting] = {}
    if (hour := line.read("hour", _per_hour)) is not None:
        changes["per_hour"] = hour or None
    if (longest := line.read("longest", _longest_s)) is not None:
        changes["longest_s"] = longest or None
    allow, remove = line.named.get("allow"), line.named.get("remove")
    if allow or remove:
        now = (await house.groups.show(admin)).allowed_chats
        changes["allowed_chats"] = _chats(request, now, allow, remove)
    if changes:
        await house.groups.configure(admin, changes, key=_key(request))
    return _card(request, await house.groups.show(admin), replaces=bool(changes) or line.words == _BACK)


def _per_hour(text: str) -> int:
    """A number of pieces; 0 for no limit."""
    plain = text.strip().casefold()
    if plain == _NONE:
        return 0
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 5 and 1 <= int(plain) <= PER_HOUR_MAX):
        raise InvalidInputError(
            f"A limit is a whole number of pieces from 1, or none; “{shown(text)}” is neither. Try hour:20."
        )
    return int(plain)


def _longest_s(text: str) -> float:
    """A length in whole seconds; 0 for no limit."""
    return 0.0 if text.strip().casefold() == _NONE else float(round(values.duration_s(text)))


def _chats(
    request: Request, now: tuple[str, ...] | None, allow: str | None, remove: str | None
) -> tuple[str, ...] | None:
    """The channels in which pieces are made, after a change; None for all of them."""
    if request.place.room is None and not request.rooms:
        raise InvalidInputError("This group is one chat, so there is nothing to choose among.")
    if allow == _ALL:
        return None
    chats = list(now or ())
    if allow:
        if allow not in request.rooms:
            raise InvalidInputError("I see no such channel here. Please choose one from the list.")
        chats += [] if allow in chats else [allow]
    if remove:
        if now is None:
            raise InvalidInputError("Pieces are made in every channel. Allow one, and the others are closed.")
        chats = [one for one in chats if one != remove]
    if len(chats) > CHATS_MAX:
        raise InvalidInputError(f"At most {CHATS_MAX} channels can be named.")
    return tuple(chats) or None


def _card(request: Request, now: GroupSettings, *, replaces: bool) -> Reply:
    own_hour = "no limit of its own" if now.per_hour is None else f"{now.per_hour}"
    fields = [
        Field("Pieces an hour", own_hour),
        Field("Left now", f"{now.pieces.left} of {now.pieces.of}"),
        Field("Longest piece", "no limit of its own" if now.longest_s is None else length(now.longest_s)),
        Field("Blocked", f"{len(now.banned)}{' or more' if len(now.banned) >= 100 else ''}"),
    ]
    if request.rooms:
        fields.append(Field("Channels for pieces", _rooms(request.rooms, now.allowed_chats)))
    menus = [
        _menu("Pieces an hour", "hour", PER_HOUR),
        _menu("The longest piece", "longest", LONGEST),
    ]
    if request.rooms and now.allowed_chats:
        chats = now.allowed_chats[:_SHOWN]
        names = [(one, request.rooms.get(one, "a channel that is gone")) for one in chats]
        lines = [one for chat, name in names for one in button(name, f"/settings remove:{chat}")]
        menus.append(Menu("Close a channel again", tuple(lines)))
    rows = (
        _room_buttons(request, now),
        (*button("Blocked people", "/unblock"), *button("What was changed", "/audit")),
    )
    return Reply(
        card=Card(
            title="Settings of this place",
            fields=tuple(fields),
            footer="As in /settings hour:20 longest:2min; none takes a limit away. /block shuts somebody out.",
        ),
        menus=tuple(menus),
        buttons=tuple(row for row in rows if row),
        private=True,
        replaces=replaces,
    )


def _menu(title: str, name: str, choices: tuple[str, ...]) -> Menu:
    lines = [(choice, f"/settings {name}:{choice}") for choice in choices]
    lines.append(("No limit of its own", f"/settings {name}:{_NONE}"))
    return Menu(title, tuple(one for label, line in lines for one in button(label, line)))


def _rooms(rooms: Mapping[str, str], allowed: tuple[str, ...] | None) -> str:
    if allowed is None:
        return "all"
    names = [rooms.get(one, "one that is gone") for one in allowed]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _room_buttons(request: Request, now: GroupSettings) -> tuple[Button, ...]:
    room, allowed = request.place.room, now.allowed_chats
    if not request.rooms or room is None:
        return ()
    here = () if room in (allowed or ()) else button("Pieces in this channel", f"/settings allow:{room}")
    return (*here, *(() if allowed is None else button("In every channel", f"/settings allow:{_ALL}")))


async def block(house: House, request: Request) -> Reply:
    """Let somebody have no pieces made here."""
    admin = _admin(request)
    subject = request.subject
    if subject is None:
        raise InvalidInputError(_WHOM.format(command="block"))
    if subject.bot:
        raise InvalidInputError(
            "That is a bot, or nobody whom I could tell apart. It has no pieces made anyway."
        )
    if subject.account == request.actor.account:
        raise InvalidInputError("That is you. Please choose somebody else.")
    await house.groups.ban(admin, subject.account, subject.name, key=_key(request))
    return Reply(
        text=(
            f"{subject.name or 'They'} can have no more pieces made here; looking things up still works. "
            "/unblock takes it back."
        ),
        buttons=(button("Blocked people", "/unblock"),),
        private=True,
    )


async def unblock(house: House, request: Request) -> Reply:
    """Let somebody have pieces made here again; without anybody named, who is blocked."""
    admin = _admin(request)
    line = take_apart(request, ("page",), {"page": values.page})
    if request.subject is not None:
        await house.groups.unban(admin, account=request.subject.account, key=_key(request))
        return Reply(text=f"{request.subject.name or 'They'} can have pieces made here again.", private=True)
    ident = next(iter(line.words), "")
    if ident:
        if not (ident.isascii() and ident.isalnum() and len(ident) <= 64):
            raise InvalidInputError(_WHOM.format(command="unblock"))
        await house.groups.unban(admin, ban=ident, key=_key(request))
    number = line.read("page", values.page)
    banned = (await house.groups.show(admin)).banned
    return _blocked(banned, number or 1, replaces=bool(ident) or number is not None)


def _blocked(banned: tuple[Ban, ...], number: int, *, replaces: bool) -> Reply:
    back = button("Settings", "/settings back")
    at = SIZE * (number - 1)
    some = banned[at : at + SIZE]
    if not some:
        text = "Nobody is blocked here." if not banned else "There is nobody on that page."
        return Reply(text=text, buttons=(back,), private=True, replaces=replaces)
    turns = (
        *(button("Back", f"/unblock page:{number - 1}") if number > 1 else ()),
        *(button("More", f"/unblock page:{number + 1}") if len(banned) > at + SIZE else ()),
    )
    rows: ButtonRows = (turns, back)
    return Reply(
        text="Who can have no pieces made here",
        entries=tuple(
            Entry(one.name, f"since {_day(one.created_at_ms)}", button("Unblock", f"/unblock {one.id}"))
            for one in some
        ),
        buttons=tuple(row for row in rows if row),
        private=True,
        replaces=replaces,
    )


async def audit(house: House, request: Request) -> Reply:
    """Who changed what here, newest first."""
    admin = _admin(request)
    return await listed(
        request,
        "What was changed here",
        "Nothing has been changed here yet.",
        partial(house.groups.audit, admin),
        partial(_entry, request.rooms),
    )


def _entry(rooms: Mapping[str, str], entry: AuditEntry) -> Entry:
    by = "Somebody who is gone" if entry.by is None else named(entry.by)
    at = datetime.fromtimestamp(entry.created_at_ms / 1000.0, UTC)
    return Entry(f"{by} {done(entry, rooms)}", f"{_day(entry.created_at_ms)}, {at:%H:%M} UTC")


def _day(at_ms: float) -> str:
    at = datetime.fromtimestamp(at_ms / 1000.0, UTC)
    return f"{at.day} {at:%B} {at.year}"


def done(entry: AuditEntry, rooms: Mapping[str, str]) -> str:
    """What somebody did, such as ``blocked Asha`` or ``set pieces an hour: 20``."""
    match entry.action:
        case "banned":
            return f"blocked {entry.whom or 'somebody'}"
        case "unbanned":
            return f"unblocked {entry.whom or 'somebody'}"
        case "announced":
            words = entry.details.get("text")
            return f"announced “{words}”" if words else "took the announcement back"
    parts = []
    if "perHour" in entry.details:
        parts.append(f"pieces an hour: {_limit(entry.details['perHour'])}")
    if "longestS" in entry.details:
        value = entry.details["longestS"]
        parts.append(f"longest piece: {length(value) if isinstance(value, float) else 'no limit'}")
    if "allowedChats" in entry.details:
        chats = entry.details["allowedChats"]
        parts.append(f"channels: {_rooms(rooms, chats) if isinstance(chats, tuple) else 'all'}")
    return f"set {'; '.join(parts)}"


def _limit(value: Setting) -> str:
    return f"{value:g}" if isinstance(value, float) else "no limit"
