"""How far it is: a bar with rate and time left on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

_WIDTH = 24
_BAR_EVERY_S = 0.1
_LINE_EVERY_S = 10.0


class Progress:
    """One stage after another. Everything goes to ``stream``, standard error by default."""

    def __init__(self, stream: TextIO | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._now = now
        self._bar = self._stream.isatty()
        self._stage = ""
        self._total = self._done = self._first = 0
        self._began = self._shown = 0.0
        self._drawn = False

    def start(self, stage: str, total: int, done: int = 0) -> None:
        """Begin a stage of so many rows; ``done`` of them were done by an earlier process."""
        self._stage, self._total, self._done, self._first = stage, total, done, done
        self._began = self._now()
        self._shown = self._began - (_BAR_EVERY_S if self._bar else 0.0)

    def step(self, count: int, what: str = "") -> None:
        """So many more are done."""
        self._done += count
        now = self._now()
        if now - self._shown >= (_BAR_EVERY_S if self._bar else _LINE_EVERY_S):
            self._shown = now
            self._show(self._line(what))

    def end(self) -> None:
        """The stage is done."""
        self._show(self._line(""))
        if self._drawn:
            self._stream.write("\n")
            self._drawn = False
        self._stream.flush()

    def say(self, text: str) -> None:
        """A sentence between."""
        if self._drawn:
            self._stream.write("\n")
            self._drawn = False
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def _line(self, what: str) -> str:
        taken_s = self._now() - self._began
        fresh = self._done - self._first
        rate = fresh / taken_s if taken_s > 0 else 0.0
        parts = [
            f"{self._stage:<9} {self._done:,} of {self._total:,}"
            if self._total
            else f"{self._stage:<9} {self._done:,}"
        ]
        if rate >= 1:
            parts.append(f"{rate:,.0f} a second")
        left = self._total - self._done
        if left > 0 and rate > 0:
            parts.append(f"{_span(left / rate)} left")
        elif left <= 0:
            parts.append(_span(taken_s))
        if what:
            parts.append(what)
        return ", ".join(parts)

    def _show(self, line: str) -> None:
        if not self._bar:
            self._stream.write(f"{line}\n")
            self._stream.flush()
            return
        share = min(1.0, self._done / self._total) if self._total else 1.0
        full = round(share * _WIDTH)
        # To the line's beginning, and clear what a longer line left.
        self._stream.write(f"\r\x1b[K[{'#' * full}{'.' * (_WIDTH - full)}] {line}"[:160])
        self._stream.flush()
        self._drawn = True


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
