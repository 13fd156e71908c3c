"""Hearing a rendered melody with a pitch tracker that knows nothing of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from swift_f0 import SwiftF0

from tests.grading.signals import RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

TRACKER_HZ = 16_000
_WHOLE = RATE_HZ // 10


@cache
def _tracker() -> SwiftF0:
    return SwiftF0(threads=1)


def at_16_khz(line: NDArray[np.float32]) -> NDArray[np.float32]:
    """A line at the tracker's rate, by cutting its spectrum; float32, (n,)."""
    # Whole tenths of a second, so that both rates hold a whole number of samples.
    whole = line[: len(line) // _WHOLE * _WHOLE].astype(np.float64)
    target = len(whole) // _WHOLE * (TRACKER_HZ // 10)
    spectrum = np.fft.rfft(whole)[: target // 2 + 1]
    return (np.fft.irfft(spectrum, target) * (target / len(whole))).astype(np.float32)


@dataclass(frozen=True)
class Heard:
    """What the tracker heard where it was sure: cents above the tonic, and when."""

    cents: NDArray[np.float64]
    time_s: NDArray[np.float64]

    def distances(self, keys_cents: Iterable[float]) -> NDArray[np.float64]:
        """How far each moment is from the nearest of some pitches, octaves set aside; cents, signed."""
        targets = np.array(sorted(keys_cents))
        away = (self.cents[:, None] - targets[None, :] + 600.0) % 1200.0 - 600.0
        return np.asarray(away[np.arange(len(away)), np.abs(away).argmin(axis=1)], dtype=np.float64)

    def share(self, keys_cents: Iterable[float], within_cents: float = 35.0) -> float:
        """The share of the voiced time within some cents of a set of pitches."""
        return float((np.abs(self.distances(keys_cents)) <= within_cents).mean())

    def held(self, keys_cents: dict[int, float], within_cents: float = 35.0) -> dict[int, float]:
        """The share of the time on the swaras that each key has; sums to 1 where any was heard."""
        keys = sorted(keys_cents)
        targets = np.array([keys_cents[key] for key in keys])
        away = np.abs((self.cents[:, None] - targets[None, :] + 600.0) % 1200.0 - 600.0)
        nearest = away.argmin(axis=1)[away.min(axis=1) <= within_cents]
        counts = np.bincount(nearest, minlength=len(keys))
        return {key: float(count) / max(1, len(nearest)) for key, count in zip(keys, counts, strict=True)}

    def notes(self, keys_cents: dict[int, float], least_s: float = 0.08) -> list[tuple[int, float, float]]:
        """Stretches of at least ``least_s`` on one swara: (key + 12 x octave, begin, end)."""
        labels = np.full(len(self.cents), -1000)
        for key, cents in keys_cents.items():
            octave = np.rint((self.cents - cents) / 1200.0)
            near = np.abs(self.cents - cents - 1200.0 * octave) <= 35.0
            labels[near] = (key + 12 * octave[near]).astype(int)
        found: list[tuple[int, float, float]] = []
        begun = 0
        for index in range(1, len(labels) + 1):
            ends = index == len(labels) or labels[index] != labels[begun]
            if not ends and self.time_s[index] - self.time_s[index - 1] < 0.03:
                continue
            last = self.time_s[index - 1] + 0.016
            if labels[begun] > -1000 and last - self.time_s[begun] >= least_s:
                found.append((int(labels[begun]), float(self.time_s[begun]), float(last)))
            begun = index
        return found


def listen(line: NDArray[np.float32], tonic_hz: float, sure: float = 0.8) -> Heard:
    """Tracks a mono line, float32 (n,) at `RATE_HZ`."""
    peak = max(float(np.abs(line).max(initial=0.0)), 1e-9)
    heard = _tracker().detect(at_16_khz(line * np.float32(0.7 / peak)), TRACKER_HZ)
    voiced = heard.confidence >= sure
    cents = 1200.0 * np.log2(heard.pitch_hz[voiced] / tonic_hz)
    return Heard(cents, heard.timestamps[voiced])
