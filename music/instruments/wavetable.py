"""One period of a sound at several moments of its life, and reading it at any pitch.

A plucked string of Karplus and Strong is a loop: each period is the last one, filtered. Its n-th period has
the spectrum ``X H^n``, and a table of these periods, read with a phase of our own, is the same string without
the loop's rounding of the period to samples: its pitch is exact and may follow any curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE_RATE_HZ: Final = 44_100
TABLE_SIZE: Final = 2048
_PHASE_BITS: Final = np.uint32(21)
_PHASE_MASK: Final = np.uint32((1 << 21) - 1)
_PHASE_SCALE: Final = np.float32(2.0**-21)
_WIDTH: Final = TABLE_SIZE + 1
HIGHEST_HZ: Final = 15_000.0


@dataclass(frozen=True, slots=True)
class Table:
    """``waves`` is float32, (frames, TABLE_SIZE + 1); the last column repeats the first."""

    waves: NDArray[np.float32]

    @property
    def frames(self) -> int:
        """How many moments it holds."""
        return len(self.waves)


def harmonics(hz: float, most: int) -> NDArray[np.float64]:
    """The numbers of the harmonics of a pitch that are kept: 1, 2, ... up to 15 kHz; (harmonics,)."""
    return np.arange(1, max(2, min(most, int(HIGHEST_HZ / hz), TABLE_SIZE // 2 - 1)) + 1, dtype=np.float64)


def table(amplitudes: NDArray[np.float64], seed: int) -> Table:
    """The waves with given amplitudes of harmonics, (frames, harmonics), and phases that the seed fixes."""
    frames, count = amplitudes.shape
    phases = np.random.default_rng(seed).uniform(0.0, 2.0 * np.pi, 512)[:count]
    spectrum = np.zeros((frames, TABLE_SIZE // 2 + 1), dtype=np.complex64)
    spectrum[:, 1 : count + 1] = amplitudes * np.exp(1j * phases) * (TABLE_SIZE / 2)
    waves = np.empty((frames, _WIDTH), dtype=np.float32)
    waves[:, :-1] = np.fft.irfft(spectrum, TABLE_SIZE, axis=1)
    waves[:, -1] = waves[:, 0]
    return Table(waves)


def steady_phase(hz: float, count: int, start: int = 0) -> NDArray[np.uint32]:
    """The phase of a constant pitch; 2**32 is one period, so that it wraps by itself; (count,)."""
    step = np.uint32(round(hz / SAMPLE_RATE_HZ * 2.0**32))
    phase = np.arange(count, dtype=np.uint32)
    phase *= step
    phase += np.uint32(start)
    return phase


def gliding_phase(hz: NDArray[np.float64], start: int = 0) -> NDArray[np.uint32]:
    """The phase of a pitch that changes, ``hz`` for each sample; the shape of ``hz``."""
    steps = np.rint(hz * (2.0**32 / SAMPLE_RATE_HZ)).astype(np.uint32)
    steps[0] = start
    return np.cumsum(steps, dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Path:
    """Where in a table each sample is read: ``row`` (int32 offsets) and ``blend`` toward the next frame."""

    row: NDArray[np.int32]
    blend: NDArray[np.float32]


def path(position: NDArray[np.float64] | NDArray[np.float32], frames: int) -> Path:
    """The path through a table's frames, 0 to frames - 1 (may be fractional); the shape of ``position``."""
    clipped = np.clip(position, 0.0, frames - 1.0001).astype(np.float32)
    frame = clipped.astype(np.int32)
    blend = clipped
    blend -= frame
    frame *= np.int32(_WIDTH)
    return Path(frame, blend)


def read(source: Table, phase: NDArray[np.uint32], along: Path) -> NDArray[np.float32]:
    """Samples of a table at the given phases; float32, the shape of ``phase`` (at most the path's length)."""
    count = len(phase)
    part = (phase & _PHASE_MASK).astype(np.float32)
    part *= _PHASE_SCALE
    index = (phase >> _PHASE_BITS).astype(np.int32)
    index += along.row[:count]
    flat = source.waves.ravel()
    low: NDArray[np.float32] = flat.take(index)
    index += 1
    high = flat.take(index)
    high -= low
    high *= part
    low += high
    index += np.int32(_WIDTH - 1)
    late = flat.take(index)
    index += 1
    high = flat.take(index)
    high -= late
    high *= part
    late += high
    late -= low
    late *= along.blend[:count]
    low += late
    return low


def read_still(source: Table, phase: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Samples of a table's first frame; float32, the shape of ``phase``."""
    part = (phase & _PHASE_MASK).astype(np.float32)
    part *= _PHASE_SCALE
    index = (phase >> _PHASE_BITS).astype(np.int32)
    flat = source.waves[0]
    low: NDArray[np.float32] = flat.take(index)
    index += 1
    high: NDArray[np.float32] = flat.take(index)
    high -= low
    high *= part
    low += high
    return low


def fade(count: int) -> NDArray[np.float32]:
    """A rise from 0 to 1 in the shape of half a cosine; (count,)."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(1, count))).astype(np.float32)


def resonances(
    hz: NDArray[np.floating], peaks: tuple[tuple[float, float, float], ...], floor: float
) -> NDArray[np.float64]:
    """The gain of a body at some frequencies: peaks (center Hz, bandwidth Hz, gain) over a floor."""
    gain = np.full(hz.shape, floor)
    for center, bandwidth, level in peaks:
        gain = gain + level / np.sqrt(1.0 + ((hz - center) / (0.5 * bandwidth)) ** 2)
    return gain
