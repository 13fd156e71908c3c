"""How far the making of a piece has come, stage by stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

STAGES: Final = ("compose", "melody", "drone", "percussion", "mix", "encode")
"""What a report may name, in order."""

_SHARES: Final = {
    "compose": 0.06,
    "melody": 0.17,
    "drone": 0.05,
    "percussion": 0.02,
    "mix": 0.13,
    "encode": 0.57,
}
"""How much of the time each stage takes, as measured for a piece of one minute."""

Report = Callable[[str, float], None]
"""Called with a stage and with the fraction of the whole piece that is done, 0 to 1, never falling."""


class Progress:
    """Turns a stage's own fraction into the whole piece's."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._stage = STAGES[0]
        self._highest = 0.0

    def begin(self, stage: str) -> None:
        """The next stage begins."""
        self._stage = stage
        self(0.0)

    def __call__(self, fraction: float) -> None:
        """So much of the stage is done."""
        before = sum(_SHARES[stage] for stage in STAGES[: STAGES.index(self._stage)])
        whole = before + _SHARES[self._stage] * min(1.0, max(0.0, fraction))
        self._highest = max(self._highest, min(1.0, whole))
        self._report(self._stage, self._highest)

    def part(self, number: int, count: int) -> Callable[[float], None]:
        """A report for one of several equal parts of the stage."""
        return lambda fraction: self((number + fraction) / count)
