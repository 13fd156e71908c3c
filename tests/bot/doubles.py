"""Doubles for the bot's inner seams: a live state that a test sets, a platform that records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.backend.documents import Delivery, LiveState
from handlers.model import (
    AccountId,
    Generation,
    GenerationId,
    GenerationMetadata,
    GenerationRequest,
    MessageRef,
    Notice,
    Progress,
    Reply,
    StorageId,
)

REQUEST = GenerationRequest(
    raga="Yaman",
    tradition="Hindustani",
    music_type="instrumental",
    instruments=("sitar",),
    voice=None,
    mood="peaceful",
    theme="evening devotion",
    duration_s=30.0,
    seed=7,
)
METADATA = GenerationMetadata("Yaman", "Raga Bot", 30.0, 146.8, 60.0, "Teental", 5)


class LiveStates:
    """The newest state for any number of readers, as bot.backend.live.Live gives it."""

    def __init__(self) -> None:
        self._state: LiveState | None = None
        self._version = 0
        self._changed = asyncio.Condition()

    async def states(self) -> AsyncIterator[LiveState]:
        """The state as it is, then each changed one."""
        seen = 0
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._version != seen)  # noqa: B023 - read while it is waited
                seen, state = self._version, self._state
            if state is not None:
                yield state

    async def set(
        self,
        *deliveries: Delivery,
        waiting: str | None = None,
        version: str | None = None,
        notices: tuple[Notice, ...] = (),
    ) -> None:
        """Show a new state."""
        async with self._changed:
            self._state = LiveState(deliveries, waiting, version, notices)
            self._version += 1
            self._changed.notify_all()


def delivery(
    number: int = 1,
    status: Literal["processing", "completed", "failed"] = "processing",
    *,
    platform: str = "web",
    chat: str = "c1",
    progress: Progress | None = None,
    position: int | None = None,
    error_code: str | None = None,
) -> Delivery:
    """The delivery of piece ``number``."""
    done = status == "completed"
    return Delivery(
        id=f"d{number}",
        message=MessageRef(platform, chat, f"m{number}"),
        account=AccountId("web:1"),
        generation=Generation(
            id=GenerationId(f"g{number}"),
            status=status,
            request=REQUEST,
            created_at_ms=0.0,
            progress=progress,
            position=position,
            audio=StorageId(f"s{number}") if done else None,
            metadata=METADATA if done else None,
            error_code=error_code,
        ),
        audio_url=None,
    )


def show(generation: Generation) -> Reply:
    """A reply that tells the whole state."""
    if generation.status == "processing":
        waiting = "" if generation.position is None else f" {generation.position} before it"
        return Reply(text=f"{generation.id} is made{waiting}", progress=generation.progress)
    return Reply(text=f"{generation.id} {generation.error_code or generation.status}")


@dataclass(slots=True)
class Shown:
    """One thing that a platform was asked to show."""

    how: Literal["edit", "deliver", "tell"]
    message: str
    reply: Reply
    nonce: str = ""


Hook = Callable[[Shown], Awaitable[None]]


@dataclass(slots=True, eq=False)
class RecordingPlatform:
    """Keeps what it showed; ``before`` may wait or raise first, as a chat's server would."""

    name: str = "web"
    edit_interval_s: float = 0.0
    shown: list[Shown] = field(default_factory=list)
    before: Hook | None = None
    forgotten: list[AccountId] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> str:
        """Nothing to do."""
        return "ready"

    async def stop(self) -> None:
        """Nothing to do."""

    async def edit(self, message: MessageRef, reply: Reply) -> None:
        """Record."""
        await self._show(Shown("edit", message.message, reply))

    async def deliver(self, message: MessageRef, reply: Reply, *, nonce: str, to: AccountId) -> None:
        """Record, once a nonce."""
        assert to
        if not any(shown.nonce == nonce for shown in self.shown):
            await self._show(Shown("deliver", message.message, reply, nonce))

    async def tell(self, account: AccountId, reply: Reply, *, nonce: str) -> None:
        """Record, once a nonce."""
        if not any(shown.nonce == nonce for shown in self.shown):
            await self._show(Shown("tell", account, reply, nonce))

    async def forget(self, account: AccountId) -> None:
        """Record."""
        self.forgotten.append(account)

    async def _show(self, shown: Shown) -> None:
        if self.before is not None:
            await self.before(shown)
        self.shown.append(shown)
        self._changed.set()

    async def until(self, true: Callable[[list[Shown]], bool]) -> list[Shown]:
        """Wait until what was shown fulfils a condition."""
        while not true(self.shown):
            self._changed.clear()
            await self._changed.wait()
        return self.shown

    def texts(self, how: str = "") -> list[str]:
        """The texts of what was shown."""
        return [shown.reply.text for shown in self.shown if how in ("", shown.how)]
