"""Rate limits as Discord keeps them: a bucket for each kind of call and channel, told in headers, and one over all."""

from __future__ import annotations

import hashlib
from collections import deque

from tests.peers.discord.world import HOUR_S, Clock, Limits, Refusal, born_s

Key = tuple[str, int]


class Buckets:
    """Counts calls; refuses those that come too fast, and says so in ``refused``."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self.limits = limits
        self._windows: dict[Key, tuple[float, int]] = {}
        self._all: deque[float] = deque()
        self.refused: list[str] = []

    def over_all(self) -> None:
        """A call of the bot that is no interaction's. Raises Refusal."""
        now = self._clock.now()
        while self._all and self._all[0] <= now - 1.0:
            self._all.popleft()
        if len(self._all) >= self.limits.all_a_second:
            self.refused.append("over all")
            raise too_many(self._all[0] + 1.0 - now, over_all=True)
        self._all.append(now)

    def post(self, channel: int) -> dict[str, str]:
        """A message is posted; the headers to be told. Raises Refusal."""
        return self._count(("post", channel), self.limits.posts)

    def edit(self, channel: int, message: int) -> dict[str, str]:
        """A message is changed; one that is older than an hour rarely may. Raises Refusal."""
        if born_s(message) < self._clock.now() - HOUR_S:
            self._count(("old edit", channel), self.limits.old_edits)
        return self._count(("edit", channel), self.limits.edits)

    def _count(self, key: Key, most: int) -> dict[str, str]:
        now = self._clock.now()
        began, count = self._windows.get(key, (now, 0))
        if now >= began + self.limits.window_s:
            began, count = now, 0
        left_s = began + self.limits.window_s - now
        if count >= most:
            self.refused.append(f"{key[0]} in {key[1]}")
            raise too_many(left_s)
        self._windows[key] = (began, count + 1)
        return {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(most - count - 1),
            "X-RateLimit-Reset": f"{now + left_s:.3f}",
            "X-RateLimit-Reset-After": f"{left_s:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(key[0].encode()).hexdigest()[:16],
        }


def too_many(retry_after: float, *, over_all: bool = False) -> Refusal:
    """The answer to a call that comes too fast."""
    said = "You are being rate limited."
    return Refusal(429, 0, said, retry_after=round(retry_after, 3), **{"global": over_all})
