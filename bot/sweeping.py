"""Lets go of what is kept on disk of pieces that are no longer there: deleted with their owner, or removed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bot.backoff import Backoff
from bot.upkeep import end, keep_up
from handlers.errors import RagaBotError

log = logging.getLogger(__name__)

EVERY_S = 86_400.0
"""A piece that somebody removes is gone from this disk within so long; a deletion is swept up at once."""

_PAUSES_S = (1.0, 300.0)


class Sweeper:
    """Looks through folders whose files bear the id of a stored file or of a piece, and asks Convex which have gone.

    ``gone`` tells which of some ids stand for nothing any more, and raises errors of handlers.errors.
    """

    def __init__(
        self, folders: Sequence[Path], gone: Callable[[Sequence[str]], Awaitable[frozenset[str]]]
    ) -> None:
        self._folders = tuple(folders)
        self._gone = gone
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; the first sweep is at once, for what went while nobody looked."""
        self._task = keep_up(self._sweep_for_ever, "The sweep")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            await end([self._task])
            self._task = None

    def wake(self) -> None:
        """Sweep now: something has gone."""
        self._wanted.set()

    async def sweep(self) -> int:
        """One sweep; how many files went. Raises errors of handlers.errors."""
        files = await asyncio.to_thread(self._files)
        gone = await self._gone(sorted(files)) if files else frozenset()
        return await asyncio.to_thread(_unlink, [path for ident in gone for path in files.get(ident, ())])

    async def _sweep_for_ever(self) -> None:
        trouble = Backoff(*_PAUSES_S)
        while True:
            self._wanted.clear()
            try:
                if count := await self.sweep():
                    log.info("%d kept files went with their pieces.", count)
                trouble.reset()
            except RagaBotError as error:
                log.warning("What is kept on disk could not be looked through yet: %s", error.code)
                await asyncio.sleep(trouble.pause_s())
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._wanted.wait()

    def _files(self) -> dict[str, list[Path]]:
        files: defaultdict[str, list[Path]] = defaultdict(list)
        for folder in self._folders:
            for path in folder.iterdir() if folder.exists() else ():
                if not path.name.startswith("."):  # a draft, which has no id for a name
                    files[path.stem].append(path)
        return files


def _unlink(paths: Sequence[Path]) -> int:
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)
