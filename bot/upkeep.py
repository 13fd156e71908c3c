"""Tasks that have an owner: their failures are logged, their end is waited for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable

from bot.backoff import Backoff

log = logging.getLogger(__name__)

Work = Callable[[], Coroutine[object, object, None]]


def begin(work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
    """A task whose failure is logged at once, whoever waits for it."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_log_failure)
    return task


def keep_up(work: Work, name: str) -> asyncio.Task[None]:
    """A task for work that should never end: a failure of it is logged, and it begins anew after a pause."""
    return begin(_for_ever(work, name), name)


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended."""
    ending = tuple(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def _for_ever(work: Work, name: str) -> None:
    backoff = Backoff(0.5, 30.0)
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        try:
            await work()
            log.error("%s ended, and begins anew.", name)
        except Exception:
            log.exception("%s failed, and begins anew.", name)
        if clock() - began > 60.0:
            backoff.reset()
        await asyncio.sleep(backoff.pause_s())


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed.", task.get_name(), exc_info=error)
