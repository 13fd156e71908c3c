"""Chat platforms: each turns its events into requests and shows replies. None of them knows Convex."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from handlers.model import (
    AccountId,
    Actor,
    GenerationId,
    MessageRef,
    Picture,
    Place,
    Reply,
    Request,
    StorageId,
    Suggestion,
)


class MessageGoneError(Exception):
    """The message to be edited no longer exists, or its chat is closed to the bot."""


Theme = Literal["light", "dark"]
CoverSize = Literal["whole", "small"]
"""As it was drawn, as PNG; or 320 by 320 pixels, as JPEG."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as PNG, whose file's name changes when the picture does, and what it shows in words."""

    path: Path
    alt: str


@dataclass(frozen=True, slots=True)
class Services:
    """What a platform is given: the handlers' surface, and the bytes of finished audio."""

    respond: Callable[[Request], Awaitable[Reply]]
    """Answers any request; it never raises but for cancellation."""

    sign_in: Callable[[Actor, Actor], Awaitable[Reply]]
    """A visitor of the chat page, and the chat account that they have proven to be theirs; it never raises."""

    complete: Callable[[str], Sequence[Suggestion]]
    """Suggestions for a command line typed so far; instant, no network."""

    choices: Callable[[str, str, str], Sequence[Suggestion]]
    """What an option could be: command, option, and what was typed of it; at most 25, instant, no network."""

    audio: Callable[[StorageId], Awaitable[Path]]
    """The audio file on disk, fetched on first use. Raises handlers.errors.RagaBotError."""

    picture: Callable[[Picture, Theme], Awaitable[Drawn]]
    """The picture of a card, drawn on first use. Raises handlers.errors.RagaBotError."""

    smaller: Callable[[Path, float, int], Awaitable[Path | None]]
    """An audio file of so many seconds made small enough for so many bytes; None where it cannot be."""

    cover: Callable[[StorageId, CoverSize], Awaitable[Path | None]]
    """The picture that an audio file holds; None where it holds none. Raises handlers.errors.RagaBotError."""

    download: Callable[[str], Awaitable[Path]]
    """A file that a Download of a reply names. Raises handlers.errors.RagaBotError."""

    playable: Callable[[Actor, Place, GenerationId], Awaitable[StorageId]]
    """The audio of a piece that the actor may hear. Raises handlers.errors.RagaBotError."""

    left: Callable[[str, str | None, Sequence[str]], Awaitable[None]]
    """The bot is out of a platform's group, or of single chats: what is kept of them goes. Raises RagaBotError."""

    moved: Callable[[str, str, str], Awaitable[None]]
    """A platform's group goes on under another id. Raises RagaBotError."""


class Platform(Protocol):
    """One front end. ``start`` returns once people can use it."""

    name: str
    edit_interval_s: float
    """The least time between two edits in one chat."""

    async def start(self) -> str:
        """Begin to serve; returns the line for the start-up block, such as ``Open http://127.0.0.1:8080``."""

    async def stop(self) -> None:
        """Stop within two seconds."""

    async def edit(self, message: MessageRef, reply: Reply) -> None:
        """Show a new state in a message. Raises MessageGoneError; other errors are temporary."""

    async def deliver(self, message: MessageRef, reply: Reply, *, nonce: str, to: AccountId) -> None:
        """Show a finished piece as the answer to ``message``, so that ``to`` is notified, unless the reply is silent.

        The same nonce again shows nothing twice. Raises MessageGoneError; other errors are temporary.
        """

    async def tell(self, account: AccountId, reply: Reply, *, nonce: str) -> None:
        """Say something in private to an account that has not asked. Raises MessageGoneError where that is closed."""

    async def forget(self, account: AccountId) -> None:
        """Let go of what is kept here of an account; raises OSError."""
