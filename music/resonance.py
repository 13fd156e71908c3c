"""What sounds along: the sympathetic strings that ring with what is played, and the hall that all of it sounds in.

Both are convolutions, done block by block in one pass over the mix, so that there is one transform back for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from music.instruments.wavetable import SAMPLE_RATE_HZ, fade, sine, steady_phase
from music.memory import kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Report = Callable[[float], None]

ROOM_S: Final = 1.1
_BLOCK: Final = 1 << 18
_ROWS: Final = 4
_NEAR: Final = 1 << 17
_SPARE: Final = 4
"""The strings are driven by every fourth sample: the highest overtone of theirs that counts lies below 3 kHz."""


@kept(1)
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


@kept(4)
def sympathetic(strings_hz: tuple[float, ...]) -> NDArray[np.float32]:
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
    response *= np.float32(1.0 / np.sqrt(SAMPLE_RATE_HZ) / 6.0)
    return response


class Tarab:
    """Sympathetic strings, and what drives them over a whole piece, at a quarter of the rate."""

    def __init__(self, strings_hz: tuple[float, ...], total: int) -> None:
        self.response = sympathetic(strings_hz)
        self.driven = np.zeros(-(-total // _SPARE), dtype=np.float32)

    def hear(self, line: NDArray[np.float32], level: float) -> None:
        """Another line drives them; mono float32, as long as the piece or shorter."""
        # Seven samples around every fourth, weighted like a tent: what would fold onto the strings' pitches is gone.
        rising = np.array([1.0, 2.0, 3.0, 4.0], dtype=np.float32) * np.float32(level / _SPARE**2)
        falling = np.array([3.0, 2.0, 1.0, 0.0], dtype=np.float32) * np.float32(level / _SPARE**2)
        whole = len(line) // _SPARE
        for start in range(0, whole, _NEAR):
            count = min(_NEAR, whole - start)
            fours = line[start * _SPARE : (start + count) * _SPARE].reshape(count, _SPARE)
            self.driven[start : start + count] += fours @ rising
            before = self.driven[max(0, start - 1) : start + count - 1]
            before += (fours @ falling)[count - len(before) :]


def resound(
    mix: NDArray[np.float32],
    hall: NDArray[np.float32],
    level: float,
    report: Report,
    tarab: Tarab | None = None,
) -> None:
    """Adds to a mix, (n, 2), in place, what it sounds like in a hall, (taps, 2): both its sides are heard together.

    The strings' ringing is added too, and is heard in the hall like everything else.
    """
    longest = max(len(hall), 0 if tarab is None else len(tarab.response))
    total, beyond = len(mix), -(-longest // _SPARE) * _SPARE
    step = _BLOCK - beyond
    rows = min(_ROWS, -(-total // step))
    shaped = fft.rfft((hall * np.float32(level)).T, _BLOCK, axis=1)
    low = _BLOCK // (2 * _SPARE) + 1
    ring = None if tarab is None else _ringing(tarab, shaped, low)
    # What a stretch leaves ringing is kept back until the next one has been read.
    left = np.zeros((2, beyond), dtype=np.float32)
    stretch = np.zeros((rows, step), dtype=np.float32)
    for start in range(0, total, rows * step):
        end = min(total, start + rows * step)
        flat = stretch.reshape(-1)
        np.add(mix[start:end, 0], mix[start:end, 1], out=flat[: end - start])
        flat[end - start :] = 0.0
        # Several blocks at once: the transform works on them side by side, twice as fast as one by one.
        spectrum = fft.rfft(stretch, _BLOCK, axis=1)
        driven = None if tarab is None else _driven(tarab, start, rows, step)
        for side in range(2):
            both = spectrum * shaped[side]
            if ring is not None and driven is not None:
                both[:, :low] += driven * ring[side]
            wet = fft.irfft(both, _BLOCK, axis=1)
            sounding = wet[:, :step]
            sounding[1:, :beyond] += wet[:-1, step:]
            sounding[0, :beyond] += left[side]
            left[side] = wet[-1, step:]
            for row in range(rows):
                begin = start + row * step
                mix[begin : begin + step, side] += sounding[row, : max(0, total - begin)]
        report(end / total)


def _ringing(tarab: Tarab, shaped: NDArray[np.complex64], low: int) -> NDArray[np.complex64]:
    """The strings' own spectrum for each side, with their echo from the hall; (2, low)."""
    strings = fft.rfft(tarab.response.T, _BLOCK, axis=1)[:, :low]
    strings *= _unthinned(low)
    together = strings[0] + strings[1]
    return np.asarray(strings + together * shaped[:, :low], dtype=np.complex64)


def _unthinned(low: int) -> NDArray[np.complex64]:
    """What undoes the thinning of `Tarab.hear`: a quarter of the height, three samples early, dulled by the tent."""
    turn = np.pi * np.arange(low) / _BLOCK
    with np.errstate(invalid="ignore"):
        tent = (np.sin(_SPARE * turn) / (_SPARE * np.sin(turn))) ** 2
    tent[0] = 1.0
    undone = _SPARE * np.exp(-2j * (_SPARE - 1) * turn) / np.maximum(tent, 0.5)
    return np.asarray(undone, dtype=np.complex64)


def _driven(tarab: Tarab, start: int, rows: int, step: int) -> NDArray[np.complex64]:
    """The spectrum of what drives the strings in a stretch, as far as it reaches; (rows, low)."""
    part = np.zeros((rows, step // _SPARE), dtype=np.float32)
    given = tarab.driven[start // _SPARE :][: part.size]
    part.reshape(-1)[: len(given)] = given
    return np.asarray(fft.rfft(part, _BLOCK // _SPARE, axis=1), dtype=np.complex64)
