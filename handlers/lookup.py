"""From the name that was typed to a raga, or to the question which one was meant."""

from __future__ import annotations

from collections.abc import Callable

from handlers.model import BUTTON_LINE_BYTES, Button, Entry, Reply
from handlers.values import shown
from music.catalogue import TRADITIONS, Catalogue, Match, Raga, Tradition
from music.swaras import sargam


def button(label: str, line: str) -> tuple[Button, ...]:
    """A button, or none where its line would not fit."""
    return (Button(label, line),) if len(line.encode()) <= BUTTON_LINE_BYTES else ()


def scale(raga: Raga, *, down: bool = False) -> str:
    """A raga's arohana or avarohana in the sargam of its tradition."""
    return " ".join(sargam(swara, raga.tradition) for swara in (raga.avarohana if down else raga.arohana))


def unambiguous(catalogue: Catalogue, raga: Raga) -> str:
    """The name that finds this raga again: with its tradition, where the other one has a raga of that name."""
    twin = catalogue.get(raga.name, next(name for name in TRADITIONS if name != raga.tradition))
    clear = twin is None or (twin.name != raga.name and catalogue.get(raga.name) is raga)
    return raga.name if clear else f"{raga.name} {raga.tradition}"


def family(raga: Raga) -> str:
    """Where a raga belongs, such as ``Kalyan thaat`` or ``65th melakarta``."""
    if raga.chakra is not None and raga.melakarta is not None:
        return f"melakarta {raga.melakarta}, {raga.chakra} chakra"
    if raga.thaat is not None:
        return f"{raga.thaat} thaat"
    if raga.parent is not None:
        number = "" if raga.melakarta is None else f" ({raga.melakarta})"
        return f"janya of {raga.parent}{number}"
    return ""


def telling(raga: Raga) -> str:
    """What tells a raga apart from others of a like name."""
    return " · ".join(part for part in (raga.tradition, family(raga), scale(raga)) if part)


def find(catalogue: Catalogue, text: str, prefer: Tradition | None = None) -> Match:
    """The raga that a text means; a stated tradition counts."""
    match = catalogue.find(text, prefer)
    if prefer is not None and match.raga is not None and match.raga.tradition != prefer:
        own = next((raga for raga in match.others if raga.tradition == prefer), None)
        if own is not None:
            others = tuple(raga for raga in match.others if raga is not own)
            return Match(match.kind, own, (match.raga, *others))
    return match


def which(catalogue: Catalogue, text: str, match: Match, line: Callable[[str], str]) -> Reply:
    """The answer to a name that is none or could be several; ``line`` makes the command for a name."""
    if not match.others:
        return Reply(
            text=f"I know no raga named “{shown(text)}”. /search finds one by a part of a name, by mood or hour.",
            ok=False,
            private=True,
        )
    entries = tuple(
        Entry(raga.name, telling(raga), button(f"{raga.name}", line(unambiguous(catalogue, raga))))
        for raga in match.others
    )
    return Reply(
        text=f"I know no raga named “{shown(text)}”. Is it one of these?",
        entries=entries,
        ok=False,
        private=True,
    )
