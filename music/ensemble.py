"""Who sounds in a piece, where each line stands in the mix, and how loud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from music.instruments.drums import render_drums
from music.instruments.line import render_line
from music.instruments.tanpura import render_drone
from music.mix import gain, power
from music.theory import octave_shift, pitch_classes, tuned_cents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from music.catalogue import Raga
    from music.progress import Progress
    from music.score import Score

Kind = Literal["melody", "drone", "percussion"]


@dataclass(frozen=True, slots=True)
class Bus:
    """A line's place in the mix: its level in decibels, and its pan from -1 (left) to 1."""

    level_db: float
    pan: float


BUSES: Final = {
    "drone": Bus(-11.0, -0.08),
    "tabla": Bus(-4.0, 0.12),
    "mridangam": Bus(-4.5, 0.12),
}
"""Beside a melody at 0 dB."""

LEADING_DRUMS_DB: Final = 5.0
"""A drum that plays solo comes to the front."""

SYMPATHETIC: Final = {"sitar": 1.0, "sarod": 0.8, "sarangi": 0.7}
"""The instruments with sympathetic strings (tarab), and how readily they ring."""

_SPREAD: Final = 0.35
_REFERENCE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was played, mono float32, (n,), and the factor and the pan that it has in the mix."""

    name: str
    kind: Kind
    samples: NDArray[np.float32]
    level: float
    pan: float


def _level(samples: NDArray[np.float32], bus: Bus) -> float:
    """The factor that brings a line's loud parts to its bus, however it was played."""
    loud = power(samples)
    return gain(bus.level_db) * _REFERENCE / loud if loud > 1e-6 else 0.0


def melody_bus(number: int, count: int) -> Bus:
    """The players side by side, the first one on the left; the more there are, the softer each plays."""
    pan = 0.0 if count == 1 else float(np.linspace(-_SPREAD, _SPREAD, count)[number])
    return Bus(-1.5 * (count - 1) / 2.0, pan)


def lines(score: Score, progress: Progress, *, drums_lead: bool) -> Iterator[Line]:
    """A piece's lines one after the other, each rendered when it is asked for: players, drone, drums."""
    progress.begin("melody")
    count = len(score.players)
    for number, name in enumerate(score.players):
        octaves = 0 if number == 0 else octave_shift(name, score.tonic_hz)
        samples = render_line(score, number, octaves, progress.part(number, count))
        bus = melody_bus(number, count)
        yield Line(name, "melody", samples, _level(samples, bus), bus.pan)
        # Not to be held while the next one is rendered.
        del samples
    progress.begin("drone")
    samples = render_drone(score, progress)
    yield Line("tanpura", "drone", samples, _level(samples, BUSES["drone"]), BUSES["drone"].pan)
    del samples
    if score.strokes:
        progress.begin("percussion")
        drum = score.strokes[0].drum
        bus = Bus(BUSES[drum].level_db + (LEADING_DRUMS_DB if drums_lead else 0.0), BUSES[drum].pan)
        samples = render_drums(score, progress)
        yield Line(drum, "percussion", samples, _level(samples, bus), bus.pan)


def tarab_hz(raga: Raga, tonic_hz: float) -> tuple[float, ...]:
    """The sympathetic strings: the raga's notes over one octave and the upper Sa."""
    keys = sorted(pitch_classes((*raga.arohana, *raga.avarohana)))
    names = {k: s for s in (*raga.arohana, *raga.avarohana) for k in pitch_classes((s,))}
    above = [tuned_cents(raga, names[key]) % 1200.0 for key in keys]
    return (*(float(tonic_hz * 2.0 ** (cents / 1200.0)) for cents in above), tonic_hz * 2.0)
