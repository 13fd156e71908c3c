"""How far the pieces made in this process have come, told straight to whoever shows it."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator

from handlers.model import GenerationId, Progress

_REMEMBERED = 512


def newer(old: Progress | None, new: Progress | None) -> Progress | None:
    """The one of two reports that a person should see: a later attempt, or what has come further."""
    if old is None or new is None:
        return new or old
    return new if (new.attempt, new.fraction) >= (old.attempt, old.fraction) else old


class ProgressBoard:
    """The newest report by piece, never going back within an attempt; and a bell for pieces to be stopped.

    It belongs to one event loop.
    """

    def __init__(self) -> None:
        self._reports: OrderedDict[GenerationId, Progress] = OrderedDict()
        self._watchers: list[Callable[[GenerationId], None]] = []
        self._stops: dict[GenerationId, Callable[[], None]] = {}

    def report(self, generation: GenerationId, progress: Progress) -> None:
        """Put up how far a piece has come; a report that would go back is dropped."""
        if newer(self._reports.get(generation), progress) is not progress:
            return
        self._reports[generation] = progress
        self._reports.move_to_end(generation)
        while len(self._reports) > _REMEMBERED:
            self._reports.popitem(last=False)
        for watcher in tuple(self._watchers):
            watcher(generation)

    def newest(self, generation: GenerationId) -> Progress | None:
        """The last report of a piece that was made here."""
        return self._reports.get(generation)

    def forget(self, generation: GenerationId) -> None:
        """Take a piece off the board."""
        self._reports.pop(generation, None)

    @contextlib.contextmanager
    def watched(self, watcher: Callable[[GenerationId], None]) -> Iterator[None]:
        """Call ``watcher`` at every report, for as long as the context lasts. It must not raise."""
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)

    @contextlib.contextmanager
    def stoppable(self, generation: GenerationId, stop: Callable[[], None]) -> Iterator[None]:
        """While the context lasts, cancelling the piece calls ``stop``."""
        self._stops[generation] = stop
        try:
            yield
        finally:
            if self._stops.get(generation) is stop:
                del self._stops[generation]

    def cancel(self, generation: GenerationId) -> bool:
        """Stop a piece if it is being made here; says whether it was."""
        stop = self._stops.get(generation)
        if stop is None:
            return False
        stop()
        return True
