"""Progress shown at each chat's pace: only the newest state of a message is kept, and nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from bot.platforms import MessageGoneError
from bot.platforms.telegram.post import BusyError, Post, PostError
from bot.platforms.telegram.sheet import whole
from bot.platforms.telegram.spot import Spot
from bot.upkeep import begin, end
from handlers.model import Reply

log = logging.getLogger(__name__)

_LAST_EDIT_S = 5.0
_REMEMBERED = 4096

Place = tuple[int, int]
"""Chat and message."""


class LateEditError(PostError):
    """An edit with an older state is still on its way; what is final must not be overtaken by it."""


class ProgressEdits:
    """Takes states of messages, and shows each chat's in turn; a message that has ended takes none any more."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._waiting: dict[int, OrderedDict[int, tuple[Spot, Reply]]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._under_way: dict[Place, asyncio.Event] = {}
        self._offered: OrderedDict[Place, None] = OrderedDict()
        self._ended: OrderedDict[Place, None] = OrderedDict()
        self._gone: OrderedDict[Place, None] = OrderedDict()

    def first(self, spot: Spot, reply: Reply) -> None:
        """The state with which a message begins, unless it has a newer one by now."""
        if (spot.chat, spot.message) not in self._offered:
            self.offer(spot, reply)

    def offer(self, spot: Spot, reply: Reply) -> None:
        """A newer state. Raises MessageGoneError where an earlier one found no message."""
        place = (spot.chat, spot.message)
        if place in self._gone:
            raise MessageGoneError
        if place in self._ended:
            return
        _remember(self._offered, place)
        chat = self._waiting.setdefault(spot.chat, OrderedDict())
        chat[spot.message] = (spot, reply)  # the place in the queue is kept
        if spot.chat not in self._tasks:
            task = begin(self._show(spot.chat), "Progress on Telegram")
            self._tasks[spot.chat] = task
            task.add_done_callback(lambda _: self._tasks.pop(spot.chat, None))

    def end(self, spot: Spot) -> None:
        """The message has come to its end: what waits for it is dropped."""
        place = (spot.chat, spot.message)
        _remember(self._ended, place)
        self._waiting.get(spot.chat, OrderedDict()).pop(spot.message, None)

    async def settled(self, spot: Spot) -> None:
        """End the message, and wait until no edit of it is on its way. Raises LateEditError."""
        self.end(spot)
        event = self._under_way.get((spot.chat, spot.message))
        if event is not None:
            try:
                async with asyncio.timeout(_LAST_EDIT_S):
                    await event.wait()
            except TimeoutError:
                raise LateEditError("an older edit is still on its way") from None

    async def stop(self) -> None:
        """Show nothing more."""
        await end(tuple(self._tasks.values()))

    async def _show(self, chat: int) -> None:
        waiting = self._waiting[chat]
        try:
            while waiting:
                if wait_s := self._post.pace.progress_wait_s(chat):
                    await asyncio.sleep(wait_s)
                    continue
                _, (spot, reply) = waiting.popitem(last=False)
                await self._edit(spot, reply)
        finally:
            del self._waiting[chat]

    async def _edit(self, spot: Spot, reply: Reply) -> None:
        place = (spot.chat, spot.message)
        self._post.pace.take(spot.chat, progress=True)
        self._under_way[place] = event = asyncio.Event()
        try:
            page = whole(reply)
            await self._post.edit_text(spot, page.first, page.keyboard, progress=True)
        except MessageGoneError:
            _remember(self._gone, place)
        except BusyError as error:
            log.info("Progress rests in a chat of Telegram: %s", error)
        except PostError as error:
            # The next state comes soon, and with it another try.
            log.info("A state of a piece was not shown on Telegram: %s", error)
        finally:
            del self._under_way[place]
            event.set()


def _remember(places: OrderedDict[Place, None], place: Place) -> None:
    places[place] = None
    places.move_to_end(place)
    while len(places) > _REMEMBERED:
        places.popitem(last=False)
