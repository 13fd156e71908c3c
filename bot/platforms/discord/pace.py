"""What the library does not keep: the calls a second over all, and the long pauses of single chats."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

ALL_A_SECOND = 44
"""Discord takes 50 from a bot, whatever they are for; interactions do not count."""

PROGRESS_A_SECOND = 24
"""Progress may use so many of them, so that a result never finds none left."""

PROGRESS_GAP_S = 1.7
"""Between two states of progress in one chat: three in five seconds of the five edits that a channel takes, so that
there is one left for what comes to its end."""


class Pace:
    """Counts calls; a chat that must rest is remembered until it may speak again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: deque[float] = deque()
        self._rests: dict[tuple[int, str], float] = {}
        self._progress: dict[int, float] = {}

    def rest(self, channel: int, kind: str, seconds: float) -> None:
        """Calls of a kind are not taken in a channel for so long."""
        now = self._clock()
        self._rests = {place: until for place, until in self._rests.items() if until > now}
        self._rests[channel, kind] = now + seconds

    def rests_s(self, channel: int, kind: str) -> float:
        """So long such calls still have to wait; 0 where they need not."""
        return max(0.0, self._rests.get((channel, kind), 0.0) - self._clock())

    def progress_may_show(self, channel: int) -> bool:
        """Whether there is room for a state of progress; a later one is shown instead of one for which there is not."""
        now = self._clock()
        if self._calls_in_last_second(now) >= PROGRESS_A_SECOND:
            return False
        if now < self._progress.get(channel, 0.0) + PROGRESS_GAP_S:
            return False
        if len(self._progress) > 4096:
            self._progress = {one: at for one, at in self._progress.items() if at > now - PROGRESS_GAP_S}
        self._progress[channel] = now
        return True

    async def turn(self, *, urgent: bool) -> None:
        """Wait for one's turn among all calls; ``urgent`` ones may use the last places."""
        most = ALL_A_SECOND if urgent else ALL_A_SECOND - 6
        while True:
            now = self._clock()
            if self._calls_in_last_second(now) < most:
                self._calls.append(now)
                return
            await asyncio.sleep(max(0.01, self._calls[0] + 1.0 - now))

    def _calls_in_last_second(self, now: float) -> int:
        while self._calls and self._calls[0] <= now - 1.0:
            self._calls.popleft()
        return len(self._calls)
