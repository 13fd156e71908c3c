"""What a person said or pressed, as the rest of this platform passes it on."""

from __future__ import annotations

from dataclasses import dataclass

from bot.platforms.telegram.spot import Spot
from handlers.model import Actor, Place, Subject

_MAKING = frozenset({"again", "vary", "longer"})


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a person did. ``spot``: the message that was said, or whose button was pressed.

    ``anonymous``: an administrator speaks in the group's own name, and nobody knows which. ``subject``: of whom they
    speak. ``manages``: as Telegram has just said.
    """

    actor: Actor
    user: int
    place: Place
    spot: Spot
    command: str
    text: str
    event: str
    query: str | None = None
    anonymous: bool = False
    subject: Subject | None = None
    manages: bool = False

    @property
    def line(self) -> str:
        """The command as a line."""
        return f"/{self.command} {self.text}".strip() if self.command else self.text

    @property
    def answer_spot(self) -> Spot:
        """Where an answer goes: behind what was said or pressed."""
        return Spot(self.spot.chat, 0, self.spot.message, self.spot.thread)

    @property
    def makes(self) -> bool:
        """Whether a piece or a file may come of it, whose progress needs a message."""
        return (
            self.command in _MAKING
            or (self.command == "generate" and bool(self.text))
            or (self.command == "guide" and self.text.split()[:1] == ["make"])
            # In a group the file goes to the private chat, and nothing is to be seen before.
            or (self.command == "download" and len(self.text.split()) > 1 and self.place.private)
        )
