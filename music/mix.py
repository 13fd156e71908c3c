"""From lines to a mastered stereo mix: places, loudness, and a ceiling for peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from music.instruments.wavetable import SAMPLE_RATE_HZ, fade
from music.loudness import hop_energy, integrated_lufs, true_peaks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Report = Callable[[float], None]

LOUDNESS_LUFS: Final = -16.0
CEILING_DBTP: Final = -1.7
"""The limiter's ceiling. Lossy coding adds up to about a decibel, and the promise is -1 dBTP when decoded."""

_NEAR: Final = 1 << 15
"""So many samples stay in a core's own cache."""


def gain(level_db: float) -> float:
    """A level in decibels as a factor."""
    return float(10.0 ** (level_db / 20.0))


def power(line: NDArray[np.float32]) -> float:
    """The RMS of a line where it sounds: over its hops that lie within 25 dB of the loudest."""
    hops = len(line) // 4410
    if not hops:
        return 0.0
    windows = line[: hops * 4410].reshape(hops, 4410)
    squares = np.einsum("ij,ij->i", windows, windows) / 4410.0
    loud = squares[squares > squares.max() * 10.0**-2.5]
    return float(np.sqrt(loud.mean())) if len(loud) else 0.0


def place(mix: NDArray[np.float32], line: NDArray[np.float32], level: float, pan: float) -> None:
    """Adds a mono line to a stereo mix, (n, 2), in place: panned with equal power."""
    angle = (pan + 1.0) * np.pi / 4.0
    sides = np.array([np.cos(angle), np.sin(angle)]) * (level * np.sqrt(2.0))
    factors = sides.astype(np.float32)
    for start in range(0, len(line), _NEAR):
        part = line[start : start + _NEAR]
        for side in range(2):
            mix[start : start + len(part), side] += part * factors[side]


_CHUNK: Final = 64
_REACH: Final = 63
"""The limiter works in chunks of 64 samples and looks so many of them to either side: 91 ms."""


def _lowest_around(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """The least value within ``reach`` places to either side; the shape of ``values``."""
    width = 2 * reach + 1
    lowest = np.concatenate((np.ones(reach), values, np.ones(reach)))
    covered = 1
    # A window twice as wide is the lesser of two that overlap or touch.
    while covered < width:
        step = min(covered, width - covered)
        lowest = np.minimum(lowest[:-step], lowest[step:])
        covered += step
    return lowest


def limiter_gain(peaks: NDArray[np.float64], ceiling: float) -> NDArray[np.float64]:
    """The gain of each chunk that keeps its peak below the ceiling; (chunks,).

    It goes down a little before a peak and comes back after it, without a corner anywhere: the least gain
    around is smoothed by a window no wider than what it was taken over.
    """
    wanted = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    if wanted.min() >= 1.0:
        return np.ones(len(peaks))
    kernel = np.hanning(2 * _REACH + 1)[1:-1]
    kernel /= kernel.sum()
    half = len(kernel) // 2
    lowest = _lowest_around(wanted, _REACH)
    padded = np.concatenate((np.full(half, lowest[0]), lowest, np.full(half, lowest[-1])))
    return np.asarray(np.convolve(padded, kernel, "valid"), dtype=np.float64)


def master(mix: NDArray[np.float32], fade_out_s: float, report: Report) -> None:
    """Brings a stereo mix, (n, 2) float32, to its loudness below the ceiling, in place.

    The last ``fade_out_s`` seconds fade out. Silence stays silence.
    """
    rise, fall = int(0.02 * SAMPLE_RATE_HZ), min(len(mix), int(fade_out_s * SAMPLE_RATE_HZ))
    mix[:rise] *= fade(rise)[:, None]
    mix[len(mix) - fall :] *= fade(fall)[::-1, None]
    ceiling = gain(CEILING_DBTP)
    energy = hop_energy(mix)
    report(0.3)
    loudness = integrated_lufs(energy)
    if not np.isfinite(loudness):
        return
    factor = gain(LOUDNESS_LUFS - loudness)
    peaks = np.maximum(*(true_peaks(mix[:, side], _CHUNK, 0.6 * ceiling / factor) for side in range(2)))
    report(0.6)
    chunk_s = (np.arange(len(peaks)) + 0.5) * _CHUNK / SAMPLE_RATE_HZ
    hop_s = (np.arange(len(energy)) + 0.5) / 10.0
    # What the limiter takes away is given back; peaks and loudness are known without measuring anew.
    curve = limiter_gain(factor * peaks, ceiling)
    for _ in range(4):
        held = np.interp(hop_s, chunk_s, curve**2)
        short = LOUDNESS_LUFS - integrated_lufs(energy * held * factor**2)
        if abs(short) < 0.03:
            break
        factor *= gain(short)
        curve = limiter_gain(factor * peaks, ceiling)
    _apply(mix, np.float32(factor) * curve.astype(np.float32))
    report(1.0)


def _apply(mix: NDArray[np.float32], curve: NDArray[np.float32]) -> None:
    """Multiplies a mix by a gain that is given for the middle of each chunk and is straight between them."""
    half = _CHUNK // 2
    ramp = (np.arange(_CHUNK, dtype=np.float32) + np.float32(0.5)) / np.float32(_CHUNK)
    edges = np.concatenate((curve[:1], curve, curve[-1:]))
    chunks = _NEAR // _CHUNK
    for first in range(0, len(edges) - 1, chunks):
        low, high = edges[first : first + chunks + 1][:-1], edges[first + 1 : first + chunks + 1]
        start = first * _CHUNK - half
        steps = (low[:, None] + (high - low)[:, None] * ramp).reshape(-1)
        part = mix[max(0, start) : start + len(steps)]
        part *= steps[max(0, -start) :][: len(part), None]
