"""What can be measured in a recording without knowing what it should be: loudness, peaks, partials, strokes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyloudnorm
from scipy.signal import resample_poly

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

RATE_HZ = 44_100
_CLICK_BLOCK = 2048


def lufs(samples: Samples) -> float:
    """Integrated loudness by pyloudnorm's BS.1770 meter; (n,) or (n, channels)."""
    return float(pyloudnorm.Meter(RATE_HZ).integrated_loudness(samples.astype(np.float64)))


def true_peak_dbtp(samples: Samples) -> float:
    """The highest value at four times the rate, in decibels under full scale; (n,) or (n, channels)."""
    channels = samples.reshape(len(samples), -1)
    highest = 0.0
    for channel in channels.T:
        for start in range(0, len(channel), 1 << 19):
            # 64 samples of overlap are more than the filter reaches.
            part = channel[max(0, start - 64) : start + (1 << 19) + 64]
            highest = max(highest, float(np.abs(resample_poly(part, 4, 1)).max(initial=0.0)))
    return 20.0 * float(np.log10(max(highest, 1e-12)))


_SLOW = 10
_FRAME_S = 1.0
_HOP_S = 0.1


def slowed(line: Samples) -> NDArray[np.float64]:
    """A line at a tenth of the rate, for the partials below 2 kHz."""
    return np.asarray(resample_poly(line.astype(np.float64), 1, _SLOW))


def partial(slow: NDArray[np.float64], near_hz: float) -> tuple[float, float]:
    """How many cents the partial near a frequency is off it, and its level; of a `slowed` line.

    From the turning of its phase in frames of a second, the median weighed by power: a string that is
    plucked anew begins another phase, which would shift the peak of one long spectrum.
    """
    rate = RATE_HZ / _SLOW
    size, hop = int(_FRAME_S * rate), int(_HOP_S * rate)
    turned = slow * np.exp(-2j * np.pi * near_hz / rate * np.arange(len(slow)))
    frames = np.lib.stride_tricks.sliding_window_view(turned, size)[::hop] @ np.hanning(size) / (size / 2)
    steps = frames[1:] * np.conj(frames[:-1])
    order = np.argsort(np.angle(steps))
    weights = np.abs(steps)[order].cumsum()
    middle = order[int(np.searchsorted(weights, weights[-1] / 2.0))]
    off_hz = float(np.angle(steps[middle])) / (2.0 * np.pi * hop / rate)
    return 1200.0 * float(np.log2(1.0 + off_hz / near_hz)), float(np.sqrt(np.abs(steps).mean()))


def onsets(line: Samples) -> NDArray[np.float64]:
    """When strokes begin, from rises of the level of the upper spectrum; seconds, (strokes,)."""
    hop, size = 220, 880
    if len(line) < 8 * size or not np.abs(line).max(initial=0.0):
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(line, size)[::hop] * np.hanning(size).astype(
        np.float32
    )
    spectrum = np.log10(np.abs(np.fft.rfft(windows, axis=1))[:, 2:160] + 1e-2)
    rise = np.maximum(0.0, np.diff(spectrum, axis=0)).mean(axis=1)
    least = 0.25 * float(np.percentile(rise, 99.5))
    peaks = [i for i in range(3, len(rise) - 3) if rise[i] == rise[i - 3 : i + 4].max() and rise[i] > least]
    # A level rises most between two windows the later of which has just reached the stroke with its end.
    return (np.array(peaks) * hop + size) / RATE_HZ


def tempo_bpm(strokes_s: NDArray[np.float64], near_bpm: float, divisions: int = 4) -> float:
    """The tempo, within 8 % of another one, on whose divided matras the strokes fall together best."""
    factors = np.arange(0.92, 1.08, 0.0005)
    turns = 2.0 * np.pi * divisions * near_bpm / 60.0 * factors[:, None] * strokes_s[None, :]
    together = np.abs(np.exp(1j * turns).mean(axis=1))
    return float(near_bpm * factors[int(together.argmax())])


def off_grid_s(strokes_s: NDArray[np.float64], grid_s: float, anchor_s: float) -> NDArray[np.float64]:
    """How far each stroke is from the nearest line of a grid; seconds, (strokes,)."""
    return np.asarray(np.abs((strokes_s - anchor_s + grid_s / 2.0) % grid_s - grid_s / 2.0))


def clicks(line: Samples) -> NDArray[np.float64]:
    """Where the waveform jumps against all that surrounds it; seconds, (clicks,).

    A jump is two or three samples of the second difference that stand out by three times from the seventh
    highest around, which a sound's own corners, one in each of its periods, do not.
    """
    second = np.abs(np.diff(line.astype(np.float64), 2))
    blocks = len(second) // _CLICK_BLOCK
    if blocks < 3:
        return np.zeros(0)
    cut = second[: blocks * _CLICK_BLOCK].reshape(blocks, _CLICK_BLOCK)
    usual = np.partition(cut, -7, axis=1)[:, -7]
    padded = np.concatenate((usual[:1], usual, usual[-1:]))
    around = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    floor = 2e-3 * float(np.abs(line).max(initial=0.0)) + 1e-4
    found = np.flatnonzero((cut > np.maximum(3.0 * around, floor)[:, None]).ravel())
    if not len(found):
        return np.zeros(0)
    # Neighbors are one click.
    first = np.concatenate(([True], np.diff(found) > 64))
    return found[first] / RATE_HZ
