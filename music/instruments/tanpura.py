"""The drone: four strings, plucked one after the other for as long as the piece lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from music.instruments.plucked import string_path, string_table
from music.instruments.wavetable import SAMPLE_RATE_HZ, fade, read, steady_phase
from music.theory import drone_sa_hz

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from music.score import Score

    Report = Callable[[float], None]

CYCLE_S: Final = 4.4
"""One round of the four strings."""

_PLACES: Final = (0.0, 0.27, 0.5, 0.73)
"""When each string is plucked within the round."""

_LEVELS: Final = (0.9, 0.8, 0.8, 1.0)
_UNISON_CENTS: Final = (0.0, 0.4, -0.4, 0.0)
"""The two middle strings stand a hair apart, which makes them breathe together every few seconds."""


def strings_hz(score: Score) -> tuple[float, ...]:
    """The pitches of the four strings."""
    sa_hz = drone_sa_hz(score.tonic_hz)
    return tuple(
        sa_hz * ratio * 2.0 ** (cents / 1200.0)
        for ratio, cents in zip(score.drone_ratios, _UNISON_CENTS, strict=True)
    )


_CHIKARI_LEVEL: Final = 0.5
_CHIKARI_RING_S: Final = 0.7


def _add_chikari(line: NDArray[np.float32], score: Score) -> None:
    """The player's own drone strings, Sa and the Sa above it, struck together."""
    along = string_path("sitar")
    count = int(_CHIKARI_RING_S * SAMPLE_RATE_HZ)
    sound = np.zeros(count, dtype=np.float32)
    sa_hz = 2.0 * drone_sa_hz(score.tonic_hz)
    for hz, level in ((sa_hz, 0.6), (2.0 * sa_hz, 0.4)):
        source = string_table("sitar", round(hz, 4), 0.6)
        sound += read(source, steady_phase(hz, count), along) * np.float32(level * _CHIKARI_LEVEL)
    sound[:66] *= fade(66)
    sound[-count // 2 :] *= fade(count - count // 2)[::-1]
    for onset in score.chikari:
        at = round(onset * SAMPLE_RATE_HZ)
        end = min(len(line), at + count)
        line[at:end] += sound[: end - at]


@dataclass(frozen=True, slots=True)
class Pluck:
    """One string plucked: when (a first round before the beginning is negative), which, and how strongly."""

    onset_s: float
    string: int
    touch: float


def plucks(score: Score) -> Iterator[Pluck]:
    """The strings as they are plucked, round after round; what the score's seed fixes.

    They have been sounding for a round before the piece begins, so that nobody waits for the fourth string.
    """
    generator = np.random.default_rng([score.seed, 4])
    for number in range(-1, int(np.ceil(score.duration_s / CYCLE_S)) + 1):
        for string, place in enumerate(_PLACES):
            late_s = float(generator.normal(0.0, 0.02))
            yield Pluck((number + place) * CYCLE_S + late_s, string, float(generator.uniform(0.88, 1.0)))


def render_drone(score: Score, report: Report) -> NDArray[np.float32]:
    """The tanpura under a piece; mono float32, (duration x rate,). ``report`` gets the fraction done."""
    total = round(score.duration_s * SAMPLE_RATE_HZ)
    line = np.zeros(total, dtype=np.float32)
    along = string_path("tanpura")
    # In full also where the piece is shorter: what was plucked before its beginning ends within it.
    count = len(along.row)
    rise, fall = int(0.012 * SAMPLE_RATE_HZ), int(0.8 * SAMPLE_RATE_HZ)
    strings = []
    for hz, level in zip(strings_hz(score), _LEVELS, strict=True):
        source = string_table("tanpura", round(hz, 4), 1.0)
        # The table stands on a rounded pitch; the phase keeps the exact one.
        sound = read(source, steady_phase(hz, count), along) * np.float32(level)
        sound[:rise] *= fade(rise)
        sound[-fall:] *= fade(fall)[::-1]
        strings.append(sound)
    scratch = np.empty(count, dtype=np.float32)
    for pluck in plucks(score):
        at = round(pluck.onset_s * SAMPLE_RATE_HZ)
        sound = strings[pluck.string]
        begin, end = max(0, at), min(total, at + len(sound))
        if end > begin:
            touched = np.multiply(
                sound[begin - at : end - at], np.float32(pluck.touch), out=scratch[: end - begin]
            )
            line[begin:end] += touched
        if pluck.string == 0:
            report(min(1.0, max(0.0, pluck.onset_s / score.duration_s)))
    report(1.0)
    _add_chikari(line, score)
    opening = min(total, int(0.25 * SAMPLE_RATE_HZ))
    line[:opening] *= fade(opening)
    return line
