"""Tells people in private what came of a link or a deletion, each notice once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from bot.backend.live import States
from bot.backoff import Backoff
from bot.platforms import MessageGoneError, Platform
from bot.upkeep import begin, end, keep_up
from handlers.errors import RagaBotError
from handlers.model import AccountId, Notice, Reply

log = logging.getLogger(__name__)

_DEADLINE_S = 60.0
_PAUSES_S = (1.0, 300.0)


class NoticeTeller:
    """Reads the live state; ``told`` marks a notice done in Convex, ``forget`` lets go of what is known of an account.

    A notice for a platform that does not run here is left for when it does.
    """

    def __init__(
        self,
        states: States,
        told: Callable[[str], Awaitable[None]],
        forget: Callable[[AccountId], Awaitable[None]],
        platforms: Mapping[str, Platform],
        show: Callable[[Notice], Reply],
    ) -> None:
        self._states = states
        self._told = told
        self._forget = forget
        self._platforms = dict(platforms)
        self._show = show
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch; returns at once."""
        self._task = keep_up(self._watch, "The notices")

    async def stop(self) -> None:
        """Let go; what is not told by now is told at the next start."""
        if self._task is not None:
            await end([self._task])
            self._task = None
        await end(tuple(self._telling.values()))
        self._telling.clear()

    async def _watch(self) -> None:
        async for state in self._states.states():
            open_ids = {notice.id for notice in state.notices}
            for gone in [
                ident for ident, task in self._telling.items() if task.done() and ident not in open_ids
            ]:
                del self._telling[gone]
            for notice in state.notices:
                if notice.platform in self._platforms and notice.id not in self._telling:
                    self._telling[notice.id] = begin(self._tell(notice), "A notice")

    async def _tell(self, notice: Notice) -> None:
        platform = self._platforms[notice.platform]
        trouble = Backoff(*_PAUSES_S)
        shown = False
        while True:
            try:
                async with asyncio.timeout(_DEADLINE_S):
                    if not shown:
                        if notice.kind == "deleted":
                            await self._forget(notice.account)
                            await platform.forget(notice.account)
                        await platform.tell(notice.account, self._show(notice), nonce=notice.id)
                        shown = True
                    await self._told(notice.id)
            except MessageGoneError:
                log.info("A notice has no place on %s any more.", platform.name)
                shown = True
            except Exception as error:
                what = error.code if isinstance(error, RagaBotError) else type(error).__name__
                log.warning("A notice on %s could not be told yet: %s", platform.name, what)
            else:
                return
            await asyncio.sleep(trouble.pause_s())
