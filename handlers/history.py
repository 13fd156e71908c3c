"""What was made for a person, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from handlers.lookup import button
from handlers.model import Entry, Generation, Reply, Request
from handlers.pages import PAGE_OPTION, listed
from handlers.pieces import CANCELLED, parameters
from handlers.ports import House

OPTIONS = (PAGE_OPTION,)

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


async def show(house: House, request: Request) -> Reply:
    """A page of the asker's own pieces, each with buttons."""
    now = house.clock.now()
    return await listed(
        request,
        "Your pieces",
        "Nothing has been made for you yet. Try /generate Yaman 30s.",
        partial(house.backend.history, request.actor),
        lambda piece: _entry(piece, now),
    )


def _entry(piece: Generation, now: datetime) -> Entry:
    ident = piece.id
    heart = "♥ " if piece.favorite else ""
    buttons = {
        "completed": (
            *button("Play", f"/play {ident}"),
            *button("Another take", f"/again {ident}"),
            *button("Rename", f"/rename {ident}"),
        ),
        "failed": button("Try again", f"/again {ident}"),
        "processing": (*button("Show", f"/play {ident}"), *button("Cancel", f"/cancel {ident}")),
    }[piece.status]
    removal = () if piece.status == "processing" else button("Remove", f"/remove {ident}")
    state = {"completed": "", "processing": "being made", "failed": "not made"}[piece.status]
    if piece.error_code == CANCELLED:
        state = "stopped"
    details = (state, parameters(piece).partition(" · ")[2], ago(piece.created_at_ms, now))
    return Entry(
        f"{heart}{piece.title or 'Raga ' + (piece.request.raga or '(any)')}",
        " · ".join(part for part in details if part),
        (*buttons, *removal),
    )


def ago(at_ms: float, now: datetime) -> str:
    """How long ago that was, in the largest unit that fits."""
    passed_s = (now - datetime.fromtimestamp(at_ms / 1000.0, UTC)).total_seconds()
    for unit_s, name in _UNITS:
        count = int(passed_s // unit_s)
        if count >= 1:
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
