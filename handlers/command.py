"""What a command is: one row of the table from which every platform registers, and /help is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from handlers.model import Reply, Request
from handlers.ports import House

Kind = Literal["raga", "text", "choice", "number", "piece", "person", "room"]
"""How a platform should ask for an option: with autocomplete, as free text, from a menu, as a number, as an id, as
somebody of the group (who comes as the request's subject), as a chat of the group (by its id)."""

Handler = Callable[[House, Request], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a command takes. ``choices`` are what a menu offers; typed text may say more."""

    name: str
    description: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    ``listed``: people type it; the others are what buttons send. ``private``: its answers are for the asker alone.
    ``asker_only``: in a shared place, only who asked for the message may press its buttons of this command.
    ``manages``: it is for those who look after a server or group, so that a platform looks up whether the actor does,
    and offers it to them alone. ``announces``: what the operator has announced is told with its answers.
    """

    name: str
    description: str
    run: Handler
    options: tuple[Option, ...] = ()
    listed: bool = True
    private: bool = False
    asker_only: bool = False
    manages: bool = False
    announces: bool = False

    @property
    def option_names(self) -> tuple[str, ...]:
        """The names by which ``name:value`` gives an option."""
        return tuple(option.name for option in self.options)
