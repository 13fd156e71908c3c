"""One period of a sound at several moments of its life, and reading it at any pitch.

A plucked string of Karplus and Strong is a loop: each period is the last one, filtered. Its n-th period has
the spectrum ``X H^n``, and a table of these periods, read with a phase of our own, is the same string without
the loop's rounding of the period to samples: its pitch is exact and may follow any curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from music.memory import kept

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


CONTROL: Final = 32
"""Pitches that change are computed once in so many samples, 0.7 ms, and are straight between."""


def control_times(count: int) -> NDArray[np.float64]:
    """The moments at which the pitch of ``count`` samples is asked for; seconds, (count // CONTROL + 2,)."""
    return np.arange(count // CONTROL + 2, dtype=np.float64) * (CONTROL / SAMPLE_RATE_HZ)


_STEPS: Final = np.arange(CONTROL, dtype=np.uint32)
_SUMS: Final = _STEPS * (_STEPS - np.uint32(1)) // np.uint32(2)
"""After k samples the first step has been taken k times and its growth k (k - 1) / 2 times."""


def gliding_phase(hz: NDArray[np.floating], count: int, start: int = 0) -> NDArray[np.uint32]:
    """The phase of a pitch that changes: ``hz`` at `control_times`; (count,).

    Where the pitch is straight the phase is a parabola, which needs no running sum over the samples. All of it wraps
    at a whole period, as the phase itself does.
    """
    pitch = hz * (2.0**32 / SAMPLE_RATE_HZ)
    step = np.rint(pitch[:-1]).astype(np.int64)
    growth = np.rint(np.diff(pitch) / CONTROL).astype(np.int64)
    passed = step * CONTROL + growth * (CONTROL * (CONTROL - 1) // 2)
    base = start + np.cumsum(passed) - passed
    phase = np.multiply.outer(growth.astype(np.uint32), _SUMS)
    phase += np.multiply.outer(step.astype(np.uint32), _STEPS)
    phase += base.astype(np.uint32)[:, None]
    return phase.reshape(-1)[:count]


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


_NEAR: Final = 1 << 14
"""So many samples at a time stay in a core's own cache, which makes a long reading three times as fast."""


def read(source: Table, phase: NDArray[np.uint32], along: Path) -> NDArray[np.float32]:
    """Samples of a table at the given phases; float32, the shape of ``phase`` (at most the path's length)."""
    count = len(phase)
    sound = np.empty(count, dtype=np.float32)
    flat = source.waves.ravel()
    for start in range(0, count, _NEAR):
        near = slice(start, min(count, start + _NEAR))
        part = (phase[near] & _PHASE_MASK).astype(np.float32)
        part *= _PHASE_SCALE
        index = (phase[near] >> _PHASE_BITS).astype(np.intp)
        index += along.row[near]
        low: NDArray[np.float32] = flat.take(index)
        index += 1
        high = flat.take(index)
        high -= low
        high *= part
        low += high
        index += _WIDTH - 1
        late = flat.take(index)
        index += 1
        high = flat.take(index)
        high -= late
        high *= part
        late += high
        late -= low
        late *= along.blend[near]
        np.add(low, late, out=sound[near])
    return sound


def read_still(source: Table, phase: NDArray[np.uint32], frame: int = 0) -> NDArray[np.float32]:
    """Samples of one frame of a table, twice as fast as `read`; float32, the shape of ``phase``."""
    count = len(phase)
    sound = np.empty(count, dtype=np.float32)
    flat = source.waves[frame]
    for start in range(0, count, _NEAR):
        near = slice(start, min(count, start + _NEAR))
        part = (phase[near] & _PHASE_MASK).astype(np.float32)
        part *= _PHASE_SCALE
        index = (phase[near] >> _PHASE_BITS).astype(np.intp)
        low: NDArray[np.float32] = flat.take(index)
        index += 1
        high: NDArray[np.float32] = flat.take(index)
        high -= low
        high *= part
        np.add(low, high, out=sound[near])
    return sound


def sine(phase: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The sine of a phase; float32, its shape."""
    angle = phase.view(np.int32).astype(np.float32)
    angle *= np.float32(np.pi * 2.0**-31)
    return np.asarray(np.sin(angle, out=angle), dtype=np.float32)


@kept(256)
def fade(count: int) -> NDArray[np.float32]:
    """A rise from 0 to 1 in the shape of half a cosine, not to be written to; (count,)."""
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(1, count))).astype(np.float32)
    rise.flags.writeable = False
    return rise


def resonances(
    hz: NDArray[np.floating], peaks: tuple[tuple[float, float, float], ...], floor: float
) -> NDArray[np.float64]:
    """The gain of a body at some frequencies: peaks (center Hz, bandwidth Hz, gain) over a floor."""
    gain = np.full(hz.shape, floor)
    for center, bandwidth, level in peaks:
        gain = gain + level / np.sqrt(1.0 + ((hz - center) / (0.5 * bandwidth)) ** 2)
    return gain
