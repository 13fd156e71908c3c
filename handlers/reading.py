"""Taking a command's line apart: ``name:value`` anywhere, and the words that are left."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from handlers.errors import InvalidInputError
from handlers.model import Request
from handlers.values import shown

Value = TypeVar("Value")

LINE_CHARACTERS = 1000
"""A longer line says nothing that a shorter one could not."""

_NAMED = re.compile(r"(?<!\S)([A-Za-z]{2,20}):\s*")
_QUOTES = "\"'“”‘’«»"


@dataclass(frozen=True, slots=True)
class Line:
    """What was asked: raw values by option name, and the words that belong to no name."""

    named: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    @property
    def rest(self) -> str:
        """The words as one text."""
        return " ".join(self.words)

    def read(self, name: str, reader: Callable[[str], Value]) -> Value | None:
        """A named value as the reader understands it; None when it was not given. Raises InvalidInputError."""
        text = self.named.get(name)
        return None if text is None else reader(text)


def take_apart(
    request: Request,
    names: Sequence[str],
    readers: Mapping[str, Callable[[str], Any]] | None = None,
) -> Line:
    """The line of a request for a command that takes these options.

    A name that has one of the ``readers`` takes as many words as its reader understands, and leaves the rest to the
    line; any other takes everything up to the next name. Raises InvalidInputError.
    """
    if len(request.text) > LINE_CHARACTERS:
        raise InvalidInputError(
            f"That is more than I can take in: at most {LINE_CHARACTERS} characters, please."
        )
    named = {name: _as_text(name, value) for name, value in request.options.items() if name in names}
    words: list[str] = []
    marks = list(_NAMED.finditer(request.text))
    starts = [mark.start() for mark in marks] + [len(request.text)]
    words += _bare(request.text[: starts[0]]).split()
    for mark, end in zip(marks, starts[1:], strict=True):
        name, text = mark[1].casefold(), _bare(request.text[mark.end() : end])
        if name not in names:
            raise InvalidInputError(
                f"I know no “{shown(mark[1])}:” here. /{request.command} takes "
                f"{', '.join(f'{known}:' for known in names) or 'nothing'}."
            )
        if not text:
            continue
        reader = (readers or {}).get(name)
        used, left = (text, []) if reader is None else _longest(text.split(), reader)
        named[name] = used
        words += left
    return Line(named, tuple(words))


def _longest(words: list[str], reader: Callable[[str], Any]) -> tuple[str, list[str]]:
    """As many of the first words as the reader understands, and the others; the first alone if it understands none."""
    for count in range(min(len(words), 6), 0, -1):
        text = " ".join(words[:count])
        try:
            reader(text)
        except InvalidInputError:
            continue
        return text, words[count:]
    return words[0], words[1:]


def _bare(text: str) -> str:
    return text.strip().strip(_QUOTES).strip()


def _as_text(name: str, value: object) -> str:
    if isinstance(value, str):
        if len(value) > LINE_CHARACTERS:
            raise InvalidInputError(f"The {name} is too long: at most {LINE_CHARACTERS} characters, please.")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(f"I could not read the {name}. /help shows what each command takes.")
    return (
        str(int(value))
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15
        else str(value)
    )
