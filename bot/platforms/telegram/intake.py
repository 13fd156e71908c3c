"""Updates on their way in: each handled once, a person's in their order, and none able to hold up the others."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from telegram import Bot, Update

from bot.platforms import MessageGoneError
from bot.platforms.shelf import Shelf
from bot.platforms.telegram.post import PostError
from bot.upkeep import end, keep_up

log = logging.getLogger(__name__)

SEEN_KEPT = 1000
WAITING_MAX = 20
"""So many updates of one person wait; what they do beyond that is dropped."""

OPEN_MAX = 1000
_FAREWELL_S = 0.5

Raw = Mapping[str, Any]
"""An update as it came."""

Key = tuple[int, int]
"""Chat and person, whose updates are handled in their order; what has neither goes by its own number."""


class Intake:
    """Takes raw updates; which of them are still open stands on the shelf, for a start after a crash."""

    def __init__(self, bot: Bot, shelf: Shelf, handle: Callable[[Update], Awaitable[None]]) -> None:
        self._bot = bot
        self._shelf = shelf
        self._handle = handle
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._open: dict[int, Raw] = {}
        self._tails: dict[Key, asyncio.Task[None]] = {}
        self._lengths: dict[Key, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._room.set()
        self._changed = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what was open when the bot last ended; a second call changes nothing."""
        if self._writing is not None:
            return
        try:
            kept = json.loads(await self._shelf.get("inbox", "updates") or "{}")
        except (OSError, ValueError):
            kept = {}
        for ident in kept.get("seen", ()):
            self._seen[ident] = None
        for raw in kept.get("open", ()):
            self._seen.pop(raw["update_id"], None)
            self.take(raw)
        self._writing = keep_up(self._write, "The inbox of Telegram")

    async def stop(self) -> None:
        """Let what is nearly done finish; the rest is taken up at the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_FAREWELL_S)
        if self._writing is not None:
            await end([self._writing])
            self._writing = None
            await self.remember()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def remember(self) -> None:
        """Write down what is open, before Telegram is told that it has arrived."""
        state = {"seen": list(self._seen)[-200:], "open": list(self._open.values())}
        try:
            await self._shelf.put("inbox", "updates", json.dumps(state))
        except OSError as error:
            log.warning("What is open could not be written down: %s", error)

    async def _write(self) -> None:
        """What has been answered is written down too, or a start after a crash would answer it again."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.remember()

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    def take(self, raw: object) -> None:
        """Begin to handle an update; one that was seen before, or that cannot be read, is passed over."""
        if not isinstance(raw, dict) or type(ident := raw.get("update_id")) is not int or ident in self._seen:
            return
        self._seen[ident] = None
        while len(self._seen) > SEEN_KEPT:
            self._seen.popitem(last=False)
        try:
            update = Update.de_json(raw, self._bot)
            key = _key(update)
        except Exception as error:
            log.warning("An update could not be read: %s", type(error).__name__)
            return
        before = self._tails.get(key)
        if self._lengths.get(key, 0) >= WAITING_MAX:
            log.info("Somebody asks faster than they can be answered; an update is dropped.")
            return
        self._open[ident] = raw
        self._lengths[key] = self._lengths.get(key, 0) + 1
        task = asyncio.create_task(self._run(update, before), name=f"telegram: update {ident}")
        self._tails[key] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(done, key, ident))
        if len(self._open) >= OPEN_MAX:
            self._room.clear()

    def _done(self, task: asyncio.Task[None], key: Key, ident: int) -> None:
        self._tasks.discard(task)
        if self._tails.get(key) is task:
            del self._tails[key]
        self._lengths[key] -= 1
        if not self._lengths[key]:
            del self._lengths[key]
        if not task.cancelled():
            self._open.pop(ident, None)
            self._changed.set()
        if len(self._open) < OPEN_MAX:
            self._room.set()

    async def _run(self, update: Update, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait((before,))
        try:
            await self._handle(update)
        except MessageGoneError as error:
            log.info("An answer has no place on Telegram any more: %s", error)
        except PostError as error:
            log.warning("An answer could not be given on Telegram: %s", error)
        except Exception:
            log.exception("An update of Telegram could not be handled.")


def _key(update: Update) -> Key:
    """Raises TypeError for what is no number; an inline query, asked anew with every letter, waits for nothing."""
    person, chat = update.effective_user, update.effective_chat
    if person is None or chat is None or update.inline_query is not None:
        return (0, update.update_id)
    if type(chat.id) is not int or type(person.id) is not int:
        raise TypeError("an id is no number")
    return (chat.id, person.id)
