"""From lines to a mastered stereo mix: places, a room, loudness, and a ceiling for peaks."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from music.instruments.wavetable import SAMPLE_RATE_HZ, fade, sine, steady_phase
from music.loudness import hop_energy, integrated_lufs, true_peaks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Report = Callable[[float], None]

LOUDNESS_LUFS: Final = -16.0
CEILING_DBTP: Final = -1.7
"""The limiter's ceiling. Lossy coding adds up to about a decibel, and the promise is -1 dBTP when decoded."""

ROOM_S: Final = 1.1
_BLOCK: Final = 1 << 18
_ROWS: Final = 4
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


@lru_cache(maxsize=1)
def room() -> NDArray[np.float32]:
    """The impulse response of a small hall: a few early echoes and a diffuse tail, no direct sound.

    Float32, (taps, 2).
    """
    generator = np.random.default_rng(1729)
    count = int(ROOM_S * SAMPLE_RATE_HZ)
    time = np.arange(count) / SAMPLE_RATE_HZ
    response = np.zeros((count, 2))
    hz = np.fft.rfftfreq(count, 1.0 / SAMPLE_RATE_HZ)
    for channel in range(2):
        tail = np.zeros(count)
        noise = np.fft.rfft(generator.standard_normal(count))
        # Air and walls swallow the treble first: each band has a T60 of its own.
        for low, high, ring_s in ((120, 700, 1.0), (700, 2800, 0.85), (2800, 9000, 0.45)):
            band = noise * ((hz >= low) & (hz < high))
            tail += np.fft.irfft(band, count) * np.exp(-6.91 * time / ring_s)
        tail *= np.clip((time - 0.012) / 0.02, 0.0, 1.0)
        response[:, channel] = tail / np.sqrt((tail**2).sum())
        for echo_s in generator.uniform(0.007, 0.045, 7):
            response[int(echo_s * SAMPLE_RATE_HZ), channel] += 0.28 * generator.choice((-1.0, 1.0))
    return response.astype(np.float32)


@lru_cache(maxsize=4)
def sympathetic(strings_hz: tuple[float, ...], level: float) -> NDArray[np.float32]:
    """The response of sympathetic strings to what is played: they ring where it meets their pitch.

    Float32, (taps, 2).
    """
    count = int(1.6 * SAMPLE_RATE_HZ)
    time = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE_HZ)
    ringing = np.exp(-3.2 * time) * (1.0 - np.exp(-time / 0.03))
    response = np.zeros((count, 2), dtype=np.float32)
    for number, hz in enumerate(strings_hz):
        for harmonic, share in ((1, 1.0), (2, 0.5), (3, 0.25)):
            pan = 0.5 + 0.35 * np.sin(2.4 * number + harmonic)
            sound = sine(steady_phase(harmonic * hz, count))
            response[:, 0] += sound * np.float32(share * np.sqrt(1.0 - pan))
            response[:, 1] += sound * np.float32(share * np.sqrt(pan))
    response *= ringing[:, None]
    response[-4410:] *= fade(4410)[::-1, None]
    response *= np.float32(level / np.sqrt(SAMPLE_RATE_HZ) / 6.0)
    return response


def place(mix: NDArray[np.float32], line: NDArray[np.float32], level: float, pan: float) -> None:
    """Adds a mono line to a stereo mix, (n, 2), in place: panned with equal power."""
    angle = (pan + 1.0) * np.pi / 4.0
    sides = np.array([np.cos(angle), np.sin(angle)]) * (level * np.sqrt(2.0))
    factors = sides.astype(np.float32)
    for start in range(0, len(line), _NEAR):
        part = line[start : start + _NEAR]
        for side in range(2):
            mix[start : start + len(part), side] += part * factors[side]


def resound(
    mix: NDArray[np.float32],
    line: NDArray[np.float32] | None,
    response: NDArray[np.float32],
    level: float,
    report: Report,
) -> None:
    """Adds what a mono line sounds like through a response, (taps, 2), to a mix, (n, 2), in place.

    Without a line it is the mix itself, both its sides together, that sounds through the response.
    """
    total, beyond = len(mix), len(response) - 1
    step = _BLOCK - beyond
    rows = min(_ROWS, -(-total // step))
    shaped = fft.rfft((response * np.float32(level)).T, _BLOCK, axis=1)
    # What a stretch leaves ringing is kept back until the next one has been read.
    ringing = np.zeros((2, beyond), dtype=np.float32)
    stretch = np.zeros((rows, step), dtype=np.float32)
    for start in range(0, total, rows * step):
        end = min(total, start + rows * step)
        flat = stretch.reshape(-1)
        if line is None:
            np.add(mix[start:end, 0], mix[start:end, 1], out=flat[: end - start])
        else:
            flat[: end - start] = line[start:end]
        flat[end - start :] = 0.0
        # Several blocks at once: the transform works on them side by side, twice as fast as one by one.
        spectrum = fft.rfft(stretch, _BLOCK, axis=1)
        for side in range(2):
            wet = fft.irfft(spectrum * shaped[side], _BLOCK, axis=1)
            sounding = wet[:, :step]
            sounding[1:, :beyond] += wet[:-1, step:]
            sounding[0, :beyond] += ringing[side]
            ringing[side] = wet[-1, step:]
            for row in range(rows):
                begin = start + row * step
                mix[begin : begin + step, side] += sounding[row, : max(0, total - begin)]
        report(end / total)


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
