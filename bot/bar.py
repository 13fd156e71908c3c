"""A bar on the terminal: how far something has come that somebody waits for."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_CELLS = 24
_COLUMNS = 78


class Bar:
    """One line drawn again and again where somebody watches, a line now and then elsewhere; on stderr by default.

    As a context it is cleared at its end, however that comes.
    """

    def __init__(self, stream: TextIO | None = None, gap_s: float = 0.2) -> None:
        self._stream = stream or sys.stderr
        self._gap_s = gap_s
        self._next_at = 0.0
        self._drawn = False
        self._last = ""

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, fraction: float, said: str) -> None:
        """So much is done, 0 to 1; what comes too soon after the last is passed over, but for the end."""
        now = time.monotonic()
        if fraction < 1.0 and now < self._next_at:
            return
        self._next_at = now + self._gap_s
        filled = round(max(0.0, min(1.0, fraction)) * _CELLS)
        line = f"[{'#' * filled}{'.' * (_CELLS - filled)}] {fraction:4.0%} {said}"
        if line == self._last:
            return
        self._last = line
        if self._stream.isatty():
            self._stream.write(f"\r{line[:_COLUMNS]:<{_COLUMNS}}")
            self._drawn = True
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()

    def clear(self) -> None:
        """Leave the line to what is written next."""
        if self._drawn:
            self._stream.write(f"\r{' ' * _COLUMNS}\r")
            self._stream.flush()
            self._drawn = False
