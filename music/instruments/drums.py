"""Tabla and mridangam: a stroke is a few damped modes and a little noise, made once and set on the grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from music.instruments.wavetable import SAMPLE_RATE_HZ, fade
from music.theory import key_hz

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from music.score import Score

    Report = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Ring:
    """The tuned head: levels of its harmonic modes 1 to 5, and the T60 of the first."""

    levels: tuple[float, ...]
    ring_s: float


@dataclass(frozen=True, slots=True)
class Bass:
    """The bass head: its pitch glides from ``start_hz`` to ``end_hz``, with a T60."""

    start_hz: float
    end_hz: float
    ring_s: float
    level: float


@dataclass(frozen=True, slots=True)
class Slap:
    """A damped stroke: noise around a center, with a T60."""

    center_hz: float
    ring_s: float
    level: float


Parts = tuple[Ring | Bass | Slap, ...]

_NA: Final = Ring((0.12, 0.75, 0.5, 0.3, 0.16), 0.85)
_TIN: Final = Ring((0.75, 0.4, 0.12, 0.08, 0.03), 1.1)
_TU: Final = Ring((1.0, 0.25, 0.08, 0.03, 0.0), 1.4)
_GE: Final = Bass(112.0, 76.0, 0.9, 0.95)
_GHE: Final = Bass(74.0, 92.0, 0.8, 0.85)
_SNAP: Final = Slap(2800.0, 0.03, 0.35)
_NAM: Final = Ring((0.15, 0.8, 0.45, 0.25, 0.2), 0.6)
_DHIN: Final = Ring((0.85, 0.35, 0.15, 0.06, 0.0), 0.75)
_THOM: Final = Bass(82.0, 78.0, 0.6, 1.0)

BOLS: Final[dict[str, dict[str, Parts]]] = {
    "tabla": {
        "Na": (_NA, _SNAP),
        "Ta": (_NA, _SNAP),
        "Tin": (_TIN, Slap(1800.0, 0.02, 0.15)),
        "Tu": (_TU, Slap(1500.0, 0.02, 0.1)),
        "Ti": (Slap(900.0, 0.06, 0.6), Slap(2400.0, 0.03, 0.3)),
        "Ra": (Slap(1150.0, 0.05, 0.5), Slap(2600.0, 0.025, 0.25)),
        "Ki": (Slap(330.0, 0.07, 0.7), Slap(1400.0, 0.03, 0.25)),
        "Ka": (Slap(330.0, 0.08, 0.7), Slap(1400.0, 0.03, 0.25)),
        "Kat": (Slap(280.0, 0.1, 0.9), Slap(1200.0, 0.04, 0.4), _SNAP),
        "Ge": (_GE,),
        "Dha": (_NA, _SNAP, _GE),
        "Dhin": (_TIN, Slap(1800.0, 0.02, 0.15), _GE),
        "Dhi": (_TIN, Slap(1800.0, 0.02, 0.15), _GHE),
    },
    "mridangam": {
        "Nam": (_NAM, Slap(3000.0, 0.025, 0.35)),
        "Dhin": (_DHIN, Slap(1600.0, 0.02, 0.15)),
        "Dhom": (_DHIN, Slap(1600.0, 0.02, 0.15), _THOM),
        "Ta": (Slap(1000.0, 0.05, 0.6), Slap(2800.0, 0.03, 0.35)),
        "Ki": (Slap(300.0, 0.07, 0.75), Slap(1100.0, 0.03, 0.25)),
        "Thom": (_THOM,),
        "Tham": (_NAM, Slap(3000.0, 0.025, 0.35), _THOM),
    },
}
"""The strokes of each drum, by bol."""


def head_hz(tonic_hz: float) -> float:
    """The tuned head's first mode: the tonic's octave from G#3 to G4 (208 to 392 Hz)."""
    return float(tonic_hz * 2.0 ** (-np.floor(np.log2(tonic_hz / key_hz("G#", 3)) + 1e-9)))


def _decay(time: NDArray[np.float64], ring_s: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-np.log(1000.0) * time / ring_s))


def _part(
    part: Ring | Bass | Slap, time: NDArray[np.float64], sa_hz: float, seed: int
) -> NDArray[np.float64]:
    if isinstance(part, Ring):
        sound = np.zeros_like(time)
        for mode, level in enumerate(part.levels, start=1):
            # Higher modes are damped faster; the head's tension is a shade higher just after the stroke.
            bend = 1.0 + 0.0035 * np.exp(-time / 0.018)
            phase = 2.0 * np.pi * mode * sa_hz * np.cumsum(bend) / SAMPLE_RATE_HZ
            sound += level * np.sin(phase) * _decay(time, part.ring_s / mode**0.6)
        return sound
    if isinstance(part, Bass):
        hz = part.end_hz + (part.start_hz - part.end_hz) * np.exp(-time / 0.09)
        phase = 2.0 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ
        body = np.sin(phase) + 0.22 * np.sin(2.0 * phase) * _decay(time, 0.25)
        return np.asarray(part.level * body * _decay(time, part.ring_s))
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(time)))
    bins_hz = np.fft.rfftfreq(len(time), 1.0 / SAMPLE_RATE_HZ)
    spectrum /= np.sqrt(1.0 + ((bins_hz - part.center_hz) / (0.3 * part.center_hz)) ** 4)
    noise = np.fft.irfft(spectrum, len(time))
    noise /= np.sqrt(np.mean(noise**2))
    return np.asarray(part.level * noise * _decay(time, 4.0 * part.ring_s) * 0.5)


@lru_cache(maxsize=128)
def stroke(drum: str, bol: str, sa_hz: float) -> NDArray[np.float32]:
    """One stroke at full velocity; mono float32, at most 1.2 s."""
    parts = BOLS[drum][bol]
    longest = max(4.0 * part.ring_s if isinstance(part, Slap) else part.ring_s for part in parts)
    count = int(min(1.2, longest) * SAMPLE_RATE_HZ)
    time = np.arange(count) / SAMPLE_RATE_HZ
    sound = np.zeros(count)
    for number, part in enumerate(parts):
        sound += _part(part, time, sa_hz, seed=sum(map(ord, bol)) * 10 + number)
    sound[:33] *= fade(33)
    fall = min(count, 882)
    sound[count - fall :] *= fade(fall)[::-1]
    return sound.astype(np.float32)


def render_drums(score: Score, report: Report) -> NDArray[np.float32]:
    """All strokes of a score; mono float32, (duration x rate,). ``report`` gets the fraction done."""
    line = np.zeros(round(score.duration_s * SAMPLE_RATE_HZ), dtype=np.float32)
    sa_hz = round(head_hz(score.tonic_hz), 4)
    for number, struck in enumerate(score.strokes):
        at = round(struck.onset_s * SAMPLE_RATE_HZ)
        sound = stroke(struck.drum, struck.bol, sa_hz)
        end = min(len(line), at + len(sound))
        if end > at:
            line[at:end] += sound[: end - at] * np.float32(struck.velocity**1.3)
        if number % 256 == 255:
            report((number + 1) / len(score.strokes))
    report(1.0)
    return line
