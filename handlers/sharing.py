"""Pieces that people share, rename, and make after one another."""

from __future__ import annotations

import re
from dataclasses import replace

from handlers.accounts import named
from handlers.command import Option
from handlers.errors import InvalidInputError
from handlers.generation import PIECE, piece_named
from handlers.lookup import button
from handlers.model import Entry, Reply, Request
from handlers.pieces import show
from handlers.ports import House
from handlers.reading import take_apart

TITLE_CHARACTERS = 100
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_TITLE = "title"
OPEN_OPTIONS = (Option("token", "What the one who shares it gave you", example="kJ3v…"),)
RENAME_OPTIONS = (*PIECE, Option(_TITLE, "Its new name", example="Rain over the ghats"))

_NOTHING = (
    "Nothing is shared under that. Perhaps it is shared no longer; who gave it to you can share it again."
)


async def share(house: House, request: Request) -> Reply:
    """Let others open one of one's own pieces."""
    ident = piece_named(request)
    token = await house.sharing.share(request.actor, ident, key=f"share:{request.event}")
    address = house.doors.address(f"/open {token}")
    telegram = "" if address is None else f"\nOn Telegram: {address}"
    return Reply(
        text=(
            "Whoever has this can play the piece, keep it, and have another one made after it. In any chat with me:\n"
            f"/open {token}{telegram}"
        ),
        buttons=(button("Stop sharing it", f"/unshare {ident}"),),
        private=True,
    )


async def unshare(house: House, request: Request) -> Reply:
    """Share a piece no longer."""
    await house.sharing.revoke(request.actor, piece_named(request))
    text = "It is shared no longer. Those who keep it by heart still have it; nobody else can open it."
    return Reply(text=text, private=True, replaces=True)


async def open_shared(house: House, request: Request) -> Reply:
    """A piece that somebody shares."""
    line = take_apart(request, ("token",))
    token = line.named.get("token") or line.rest
    if not _TOKEN.fullmatch(token):
        return Reply(text=_NOTHING, private=True, ok=False)
    opened = await house.sharing.open(request.actor, token)
    if opened is None:
        return Reply(text=_NOTHING, private=True, ok=False)
    reply = show(opened.generation)
    by = "" if opened.by is None or opened.generation.own else f"\nShared by {named(opened.by)}"
    return replace(reply, text=f"{reply.text}{by}")


async def rename(house: House, request: Request) -> Reply:
    """Give a piece of one's own a name."""
    line = take_apart(request, ("piece", _TITLE))
    ident = piece_named(request, _TITLE)
    title = (
        line.named.get(_TITLE) or " ".join(line.words if "piece" in line.named else line.words[1:])
    ).strip()
    if not title:
        return Reply(
            text=f"How shall it be called? Send me: /rename {ident} title:Its new name",
            private=True,
            ok=False,
        )
    if len(title) > TITLE_CHARACTERS or not title.isprintable():
        raise InvalidInputError(
            f"A name has at most {TITLE_CHARACTERS} letters, and nothing that cannot be seen."
        )
    await house.sharing.rename(request.actor, ident, title)
    return Reply(text=f"It is called “{title}” now.", private=True)


async def chain(house: House, request: Request) -> Reply:
    """After which pieces one was made."""
    found = await house.sharing.chain(request.actor, request.place, piece_named(request))
    if len(found) < 2:
        return Reply(text="It was made after no other piece.", private=True)
    return Reply(
        text="Each was made after the next one:",
        entries=tuple(
            Entry(
                one.title,
                "yours" if one.own else "" if one.by is None else f"by {named(one.by)}",
                () if one.generation is None else button("Play", f"/play {one.generation}"),
            )
            for one in found
        ),
        private=True,
    )
