"""How long to wait before something is tried again."""

from __future__ import annotations

import random


class Backoff:
    """Growing pauses with jitter, so that many who failed together do not come back together."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def pause_s(self) -> float:
        """The next pause; each is about twice the one before."""
        pause_s = self._next_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
        self._next_s = min(self._next_s * 2.0, self._longest_s)
        return pause_s

    def reset(self) -> None:
        """It worked: begin anew at the shortest pause."""
        self._next_s = self._first_s
