"""Work that several ask for and that is done once; whoever stops waiting ends it for nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class OnceMade(Generic[Key, Made]):
    """What is under way, by what it is for. What is done is forgotten: to keep it is the maker's part."""

    def __init__(self) -> None:
        self._making: dict[Key, asyncio.Task[Made]] = {}

    async def get(self, key: Key, make: Callable[[], Coroutine[Any, Any, Made]], name: str) -> Made:
        """The outcome of ``make``, or of the one that is under way for this key. Raises what it raises."""
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(make(), name=name)
            self._making[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """End what is under way."""
        tasks = tuple(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, key: Key, task: asyncio.Task[Made]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it; if nobody did, nobody misses it
