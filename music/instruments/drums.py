"""Tabla and mridangam: a stroke is a few damped modes and a little noise, made once and set on the grid."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import fft

from music.instruments.wavetable import SAMPLE_RATE_HZ, control_times, fade, gliding_phase, sine
from music.memory import kept
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
    glide_s: float = 0.09

    def hz(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The pitch at some times after the stroke."""
        return self.end_hz + (self.start_hz - self.end_hz) * np.exp(-time_s / self.glide_s)


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
GLIDES: Final = (_GE, Bass(74.0, 106.0, 1.1, 0.95, glide_s=0.16), Bass(124.0, 70.0, 1.1, 0.95, glide_s=0.2))
"""The wrist on the bayan: a short fall, a slow rise, a deep fall. The last two need time to be heard."""

_GLIDES_FROM_S: Final = 0.4
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


def _decay(time: NDArray[np.float32], ring_s: float) -> NDArray[np.float32]:
    return np.asarray(np.exp(time * np.float32(-np.log(1000.0) / ring_s)), dtype=np.float32)


@kept(64)
def _part(part: Ring | Bass | Slap, count: int, sa_hz: float) -> NDArray[np.float32]:
    """One component of a stroke; several bols share it. Float32, (count,)."""
    time = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE_HZ)
    control = control_times(count)
    if isinstance(part, Ring):
        sound = np.zeros(count, dtype=np.float32)
        # Higher modes are damped faster; the head's tension is a shade higher just after the stroke.
        phase = gliding_phase(sa_hz * (1.0 + 0.0035 * np.exp(-control / 0.018)), count)
        for mode, level in enumerate(part.levels, start=1):
            if level:
                ringing = sine(phase * np.uint32(mode)) * _decay(time, part.ring_s / mode**0.6)
                sound += np.float32(level) * ringing
        return sound
    if isinstance(part, Bass):
        phase = gliding_phase(part.hz(control), count)
        body = sine(phase) + np.float32(0.22) * sine(phase * np.uint32(2)) * _decay(time, 0.25)
        return np.float32(part.level) * body * _decay(time, part.ring_s)
    generator = np.random.default_rng(round(part.center_hz))
    spectrum = fft.rfft(generator.standard_normal(count, dtype=np.float32))
    bins_hz = fft.rfftfreq(count, 1.0 / SAMPLE_RATE_HZ)
    spectrum /= np.sqrt(1.0 + ((bins_hz - part.center_hz) / (0.3 * part.center_hz)) ** 4).astype(np.float32)
    noise = fft.irfft(spectrum, count)
    noise *= np.float32(0.5 * part.level / np.sqrt(np.mean(noise**2)))
    return np.asarray(noise * _decay(time, 4.0 * part.ring_s), dtype=np.float32)


def _length(part: Ring | Bass | Slap) -> int:
    """How many samples of a component are heard: down to 60 dB, at most 1.2 s."""
    ring_s = 4.0 * part.ring_s if isinstance(part, Slap) else part.ring_s
    return fft.next_fast_len(int(min(1.2, ring_s) * SAMPLE_RATE_HZ), real=True)


@kept(128)
def stroke(drum: str, bol: str, sa_hz: float, glide: int = 0) -> NDArray[np.float32]:
    """One stroke at full velocity; mono float32, at most 1.2 s. ``glide`` is the bayan's, of `GLIDES`."""
    parts = tuple(GLIDES[glide] if part == _GE else part for part in BOLS[drum][bol])
    count = max(map(_length, parts))
    sound = np.zeros(count, dtype=np.float32)
    for part in parts:
        own = _length(part)
        # A part that ends before the others has died away by then.
        sound[:own] += _part(part, own, sa_hz)
    sound[:33] *= fade(33)
    fall = min(count, 882)
    sound[count - fall :] *= fade(fall)[::-1]
    return sound


def glides(score: Score) -> list[int]:
    """Which of `GLIDES` each stroke takes: where the bayan has time before its next stroke, it sings."""
    taken = [0] * len(score.strokes)
    bass = [
        place for place, struck in enumerate(score.strokes) if _GE in BOLS[struck.drum].get(struck.bol, ())
    ]
    for number, (place, following) in enumerate(pairwise(bass)):
        room_s = score.strokes[following].onset_s - score.strokes[place].onset_s
        if room_s >= _GLIDES_FROM_S:
            # By turns rather than drawn, so that the score alone fixes the sound.
            taken[place] = (1, 0, 2, 0, 0)[number % 5]
    return taken


def render_drums(score: Score, report: Report) -> NDArray[np.float32]:
    """All strokes of a score; mono float32, (duration x rate,). ``report`` gets the fraction done."""
    line = np.zeros(round(score.duration_s * SAMPLE_RATE_HZ), dtype=np.float32)
    sa_hz = round(head_hz(score.tonic_hz), 4)
    for number, (struck, glide) in enumerate(zip(score.strokes, glides(score), strict=True)):
        at = round(struck.onset_s * SAMPLE_RATE_HZ)
        sound = stroke(struck.drum, struck.bol, sa_hz, glide)
        end = min(len(line), at + len(sound))
        if end > at:
            line[at:end] += sound[: end - at] * np.float32(struck.velocity**1.3)
        if number % 256 == 255:
            report((number + 1) / len(score.strokes))
    report(1.0)
    return line
