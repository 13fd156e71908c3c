"""Shows every asked-for piece in the message that asked for it: its progress, and once, what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.backend.audio import AudioStore
from bot.backend.documents import Delivery, LiveState
from bot.backend.live import States
from bot.backoff import Backoff
from bot.platforms import MessageGoneError, Platform
from bot.progress import ProgressBoard, newer
from bot.upkeep import begin, end, keep_up
from handlers.errors import NotFoundError, RagaBotError
from handlers.model import AccountId, Generation, GenerationId, Progress, Reply

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 16
"""To one platform; another platform has its own."""

_EDIT_DEADLINE_S = 30.0
_DELIVER_DEADLINE_S = 180.0
_GRACE_S = 1.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 300.0
_TICK_S = 5.0
_NEVER = float("inf")
_LOST = "The audio of this piece is no longer there. Please ask for it once more."

ChatName = tuple[str, str]
"""Platform and chat."""


@dataclass(frozen=True, slots=True)
class _Ports:
    delivered: Callable[[str], Awaitable[None]]
    board: ProgressBoard
    audio: AudioStore
    show: Callable[[Generation], Reply]
    silent: Callable[[AccountId], Awaitable[bool]]


@dataclass(slots=True, eq=False)
class _Open:
    """One open delivery. ``settled``: the end of it is shown, and only the mark in Convex is missing."""

    delivery: Delivery
    dirty: bool = True
    seen: Progress | None = None
    seen_at: float = 0.0
    shown: Reply | None = None
    shown_at: float = 0.0
    not_before: float = 0.0
    settled: bool = False
    done: bool = False
    trouble: Backoff = field(default_factory=lambda: Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S))

    @property
    def final(self) -> bool:
        return self.settled or self.delivery.generation.status != "processing"


class DeliveryWatcher:
    """Reads the live state, and gives each chat a task of its own, so that none waits for another.

    ``show`` makes the reply for a generation, progress or result; ``delivered`` marks a delivery done in Convex;
    ``silent`` says whether an account does not want to be called to what is ready.
    A delivery to a platform that does not run here is left open.
    """

    def __init__(
        self,
        states: States,
        delivered: Callable[[str], Awaitable[None]],
        platforms: Mapping[str, Platform],
        board: ProgressBoard,
        audio: AudioStore,
        show: Callable[[Generation], Reply],
        silent: Callable[[AccountId], Awaitable[bool]],
    ) -> None:
        self._states = states
        self._ports = _Ports(delivered, board, audio, show, silent)
        self._platforms = dict(platforms)
        self._slots = {name: asyncio.Semaphore(CALLS_AT_ONCE) for name in platforms}
        self._chats: dict[ChatName, _Chat] = {}
        self._tasks: dict[ChatName, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch; returns at once."""
        self._task = keep_up(self._watch, "The delivery watcher")

    async def stop(self) -> None:
        """Let go of everything; what is not shown by now is shown at the next start."""
        if self._task is not None:
            await end([self._task])
            self._task = None
        await end((*self._tasks.values(), *self._ending))
        self._chats.clear()
        self._tasks.clear()

    async def _watch(self) -> None:
        with self._ports.board.watched(self._reported):
            async for state in self._states.states():
                self._take(state)

    def _reported(self, generation: GenerationId) -> None:
        for chat in self._chats.values():
            chat.reported(generation)

    def _take(self, state: LiveState) -> None:
        by_chat: dict[ChatName, list[Delivery]] = {name: [] for name in self._chats}
        for delivery in state.deliveries:
            name = (delivery.message.platform, delivery.message.chat)
            if name[0] in self._platforms:
                by_chat.setdefault(name, []).append(delivery)
            if delivery.generation.status == "failed":
                # Cancelled, perhaps on another machine: what is made of it here stops now.
                self._ports.board.cancel(delivery.generation.id)
        for name, deliveries in by_chat.items():
            if name not in self._chats:
                self._chats[name] = _Chat(self._platforms[name[0]], self._slots[name[0]], self._ports)
            for vanished in self._chats[name].take(deliveries):
                if not vanished.final:
                    # Nobody but us marks deliveries done, so the piece itself was removed.
                    self._ports.board.cancel(vanished.delivery.generation.id)
            if not self._chats[name].empty and name not in self._tasks:
                self._tasks[name] = keep_up(self._chats[name].run, f"A chat of {name[0]}")
            elif self._chats[name].empty:
                self._close(name)

    def _close(self, name: ChatName) -> None:
        del self._chats[name]
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


class _Chat:
    """The open deliveries of one chat, shown one after another."""

    def __init__(self, platform: Platform, slots: asyncio.Semaphore, ports: _Ports) -> None:
        self._platform = platform
        self._slots = slots
        self._ports = ports
        self._open: dict[str, _Open] = {}
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._edited_at = 0.0
        self._clock = asyncio.get_running_loop().time

    @property
    def empty(self) -> bool:
        """Whether nothing is open."""
        return not self._open

    def take(self, deliveries: Sequence[Delivery]) -> list[_Open]:
        """The open deliveries as they are now; returns those that are no longer among them."""
        known: dict[str, _Open] = self._open
        self._open = {one.id: known.pop(one.id) if one.id in known else _Open(one) for one in deliveries}
        for delivery in deliveries:
            item = self._open[delivery.id]
            if item.delivery != delivery:
                was_final = item.final
                item.delivery = delivery
                item.dirty = True
                if item.final and not was_final:
                    item.not_before = 0.0  # a chat that was slow with edits gets the result at once
                    item.trouble.reset()
            if item.final and not item.done:
                self._urgent.set()
        self._wake.set()
        return list(known.values())

    def reported(self, generation: GenerationId) -> None:
        """The board has news of a piece."""
        for item in self._open.values():
            if item.delivery.generation.id == generation:
                item.dirty = True
                self._wake.set()

    async def run(self) -> None:
        """Show what is due, results before progress; the owner cancels this when nothing is left."""
        while True:
            self._wake.clear()
            self._urgent.clear()
            now = self._clock()
            item, due_at = self._next()
            if item is None or due_at > now:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(None if due_at == _NEVER else due_at):
                        await self._wake.wait()
            elif item.final:
                await self._settle(item)
            else:
                await self._edit_unless_urgent(item)

    def _next(self) -> tuple[_Open | None, float]:
        """What is to be shown next, and when; never, if nothing is."""
        best: tuple[int, float, float] = (1, _NEVER, 0.0)
        chosen: _Open | None = None
        now = self._clock()
        for item in self._open.values():
            if item.done:
                continue
            if item.final:
                rank = (0, item.not_before, 0.0) if item.not_before <= now else (1, item.not_before, 0.0)
            else:
                ticks_at = item.shown_at + _TICK_S if item.seen and item.seen.seconds_left else _NEVER
                changed_at = 0.0 if item.dirty else ticks_at
                free_at = self._edited_at + self._platform.edit_interval_s
                rank = (1, max(changed_at, free_at, item.not_before), item.shown_at)
            if rank < best:
                best, chosen = rank, item
        return chosen, best[1]

    async def _settle(self, item: _Open) -> None:
        """Show what came of a piece, and mark it in Convex; whichever fails is tried again later, alone."""
        delivery = item.delivery
        try:
            if not item.settled:
                async with self._slots, asyncio.timeout(_DELIVER_DEADLINE_S):
                    await self._show_end(delivery)
        except MessageGoneError:
            log.info("The message of a piece has gone from %s.", self._platform.name)
        except Exception as error:
            self._postpone(item, error)
            return
        item.settled = True
        self._edited_at = self._clock()
        try:
            await self._ports.delivered(delivery.id)
        except NotFoundError:
            pass  # the piece was removed meanwhile, and its delivery with it
        except Exception as error:
            self._postpone(item, error)
            return
        item.done = True
        self._ports.board.forget(delivery.generation.id)

    async def _show_end(self, delivery: Delivery) -> None:
        generation = delivery.generation
        if generation.status == "failed":
            await self._platform.edit(delivery.message, self._ports.show(generation))
            return
        if generation.audio is not None:
            try:
                await self._ports.audio.path(generation.audio, delivery.audio_url)
            except NotFoundError:
                lost = Reply(text=_LOST, generation=generation.id, ok=False)
                await self._platform.edit(delivery.message, lost)
                return
        reply = replace(self._ports.show(generation), silent=await self._ports.silent(delivery.account))
        await self._platform.deliver(delivery.message, reply, nonce=delivery.id, to=delivery.account)

    async def _edit_unless_urgent(self, item: _Open) -> None:
        """Show progress; a result that comes in meanwhile waits for a second at most."""
        editing = begin(self._edit(item), "An edit")
        urgent = begin(_set(self._urgent), "A result")
        try:
            await asyncio.wait((editing, urgent), return_when=asyncio.FIRST_COMPLETED)
            if not editing.done():
                await asyncio.wait((editing,), timeout=_GRACE_S)
        finally:
            await end((editing, urgent))

    async def _edit(self, item: _Open) -> None:
        reply = self._progress_reply(item)
        item.dirty = False
        now = self._clock()
        if reply == item.shown:
            item.shown_at = now
            return
        self._edited_at = item.shown_at = now
        try:
            async with self._slots, asyncio.timeout(_EDIT_DEADLINE_S):
                await self._platform.edit(item.delivery.message, reply)
            item.shown = reply
            item.trouble.reset()
        except MessageGoneError:
            log.info("The message of a piece has gone from %s.", self._platform.name)
            item.settled = True
        except Exception as error:
            self._postpone(item, error)
        finally:
            item.dirty = item.dirty or item.shown is not reply
            self._edited_at = self._clock()

    def _progress_reply(self, item: _Open) -> Reply:
        generation = item.delivery.generation
        if generation.position is not None:
            return self._ports.show(generation)
        now = self._clock()
        reported = newer(generation.progress, self._ports.board.newest(generation.id))
        progress = newer(item.seen, reported)
        if progress != item.seen:
            item.seen, item.seen_at = progress, now
        if progress is not None and progress.seconds_left is not None:
            # Between two reports the time left runs on; the share done never does by itself.
            left_s = max(1.0, float(round(progress.seconds_left - (now - item.seen_at))))
            progress = replace(progress, seconds_left=left_s)
        return self._ports.show(replace(generation, progress=progress))

    def _postpone(self, item: _Open, error: Exception) -> None:
        item.not_before = self._clock() + item.trouble.pause_s()
        what = error.code if isinstance(error, RagaBotError) else f"{type(error).__name__}: {error}"
        log.warning("A message on %s could not be brought up to date yet: %s", self._platform.name, what)


async def _set(event: asyncio.Event) -> None:
    await event.wait()
