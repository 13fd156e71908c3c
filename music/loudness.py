"""How loud a mix is (ITU-R BS.1770) and how high it peaks between samples, measured fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from music.instruments.wavetable import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HOP: Final = SAMPLE_RATE_HZ // 10
_BATCH: Final = 256


def k_weighting(hz: NDArray[np.floating]) -> NDArray[np.float64]:
    """The power gain of BS.1770's two filters: a head's high shelf, and a high pass."""

    def biquad(b: tuple[float, ...], a: tuple[float, ...]) -> NDArray[np.float64]:
        # The standard gives the coefficients for 48 kHz; as a curve over frequency they hold at any rate.
        z = np.exp(-2j * np.pi * np.minimum(hz, 23_999.0) / 48_000.0)
        return np.asarray(np.abs((b[0] + b[1] * z + b[2] * z**2) / (a[0] + a[1] * z + a[2] * z**2)) ** 2)

    shelf = biquad(
        (1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)
    )
    high_pass = biquad((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
    return shelf * high_pass


def hop_energy(mix: NDArray[np.float32]) -> NDArray[np.float64]:
    """The K-weighted power of every tenth of a second of a stereo mix, (n, 2), channels added; (hops,)."""
    hops = len(mix) // _HOP
    weights = k_weighting(np.fft.rfftfreq(_HOP, 1.0 / SAMPLE_RATE_HZ)).astype(np.float32)
    # By Parseval a hop's power is the sum over its spectrum, every bin but the first and last standing twice.
    weights[1:] *= 2.0
    weights /= np.float32(_HOP) ** 2
    energy = np.zeros(hops)
    for start in range(0, hops, _BATCH):
        part = mix[start * _HOP : min(hops, start + _BATCH) * _HOP]
        for channel in range(part.shape[1]):
            spectrum = fft.rfft(part[:, channel].reshape(-1, _HOP), axis=1)
            power = spectrum.real**2 + spectrum.imag**2
            energy[start : start + len(power)] += power @ weights
    return energy


def integrated_lufs(energy: NDArray[np.float64]) -> float:
    """The integrated loudness from the power of tenths of a second; -inf for silence."""
    if len(energy) < 4:
        blocks = np.array([energy.mean()]) if len(energy) else np.zeros(1)
    else:
        total = np.concatenate(([0.0], np.cumsum(energy)))
        blocks = (total[4:] - total[:-4]) / 4.0
    with np.errstate(divide="ignore"):
        loudness = -0.691 + 10.0 * np.log10(blocks)
    heard = blocks[loudness > -70.0]
    if not len(heard):
        return float("-inf")
    gate = -0.691 + 10.0 * np.log10(heard.mean()) - 10.0
    return float(-0.691 + 10.0 * np.log10(blocks[loudness > max(gate, -70.0)].mean()))


def _between_filters() -> NDArray[np.float32]:
    """Windowed sinc filters that give the signal at 1/4, 1/2 and 3/4 between samples; (3, 24)."""
    taps = np.arange(-11, 13)
    rows = []
    for part in (0.25, 0.5, 0.75):
        x = taps - part
        rows.append(np.sinc(x) * np.cos(np.pi * x / 25.0) ** 2)
    return np.array(rows, dtype=np.float32)


_BETWEEN: Final = _between_filters()


def true_peaks(channel: NDArray[np.float32], size: int, least: float) -> NDArray[np.float32]:
    """The highest value of each chunk of ``size`` samples, seen at four times the rate; (chunks,).

    Chunks whose samples stay below ``least`` are given their sample peak: they are of no concern.
    """
    chunks = -(-len(channel) // size)
    peaks = np.empty(chunks, dtype=np.float32)
    for first in range(0, chunks, 8192):
        count = min(8192, chunks - first)
        # Eleven samples before and twelve after belong to the filters' reach.
        padded = np.zeros(count * size + 24, dtype=np.float32)
        begin, end = first * size - 11, min(len(channel), (first + count) * size + 13)
        padded[max(0, -begin) : end - begin] = channel[max(0, begin) : end]
        peaks[first : first + count] = _chunk_peaks(padded, count, size, least)
    return peaks


def _chunk_peaks(padded: NDArray[np.float32], chunks: int, size: int, least: float) -> NDArray[np.float32]:
    peaks: NDArray[np.float32] = np.abs(padded[11 : 11 + chunks * size]).reshape(chunks, size).max(axis=1)
    loud = np.flatnonzero(peaks > least)
    for start in range(0, len(loud), 2048):
        some = loud[start : start + 2048]
        windows = np.lib.stride_tricks.sliding_window_view(padded, size + 23)[some * size]
        between = np.lib.stride_tricks.sliding_window_view(windows, 24, axis=1) @ _BETWEEN.T
        peaks[some] = np.maximum(peaks[some], np.abs(between).max(axis=(1, 2)))
    return peaks
