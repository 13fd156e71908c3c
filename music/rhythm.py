"""Rhythms: how a phrase's time is divided, and what the drums play under it."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import numpy as np

from music.score import Stroke

if TYPE_CHECKING:
    from collections.abc import Sequence

    from music.theory import Tala

_CELLS: Final[tuple[tuple[tuple[int, ...], float, float], ...]] = (
    # durations in ticks, weight when calm, weight when lively
    ((4,), 2.0, 0.5),
    ((2, 2), 2.0, 1.6),
    ((6, 2), 1.4, 0.2),
    ((3, 1), 0.7, 0.9),
    ((2, 1, 1), 0.5, 1.6),
    ((1, 1, 2), 0.5, 1.4),
    ((1, 1, 1, 1), 0.15, 1.8),
    ((1, 2, 1), 0.1, 0.5),
    ((3, 3, 2), 0.4, 0.7),
    ((8,), 0.9, 0.1),
)


@dataclass(frozen=True, slots=True)
class Pulse:
    """The smallest division of a piece: ``per_matra`` ticks make a matra (0.5: a tick lasts two matras)."""

    tick_s: float
    per_matra: float


def pulse(tempo_bpm: float) -> Pulse:
    """The tick of 0.1 to 0.2 s that divides the matra, or that the matra divides, by a power of two."""
    matra_s = 60.0 / tempo_bpm
    per_matra = 1.0
    while matra_s / per_matra >= 0.2:
        per_matra *= 2.0
    while matra_s / per_matra < 0.1:
        per_matra /= 2.0
    return Pulse(matra_s / per_matra, per_matra)


def durations(rng: np.random.Generator, ticks: int, energy: float) -> list[int]:
    """Divides a phrase: durations in ticks that sum to ``ticks``, the last one long enough to rest on.

    ``energy`` from 0 (calm) to 1 (lively) turns long notes into runs.
    """
    rest = min(ticks, max(2, int(rng.integers(3, 9) * (1.3 - 0.7 * energy))))
    left = ticks - rest
    divided: list[int] = []
    weights = [calm + (lively - calm) * energy for _, calm, lively in _CELLS]
    drawn = rng.random(left + 1)
    while left > 0:
        fitting = [(cell, w) for (cell, _, _), w in zip(_CELLS, weights, strict=True) if sum(cell) <= left]
        if not fitting:
            divided.append(left)
            break
        bounds = list(accumulate(weight for _, weight in fitting))
        cell = fitting[min(bisect(bounds, drawn[len(divided)] * bounds[-1]), len(bounds) - 1)][0]
        divided.extend(cell)
        left -= sum(cell)
    return [*divided, rest]


def run(ticks: int, unit: int) -> list[int]:
    """A run: even notes of ``unit`` ticks, and a rest on the last one that fills what they leave."""
    count = max(1, int(0.75 * ticks / unit))
    while count > 1 and ticks - count * unit < 2 * unit:
        count -= 1
    return [unit] * count + [ticks - count * unit] if ticks > count * unit else [ticks]


def phrase_ends(tala: Tala, first_matra: int, matras: int, matra_s: float, phrase_s: float) -> list[int]:
    """Cuts ``matras`` matras, the first of which is ``first_matra`` of the cycle, into phrases.

    Returns the phrases' ends in matras from the beginning. They fall on the beginnings of vibhags, the last
    one on the end; each phrase lasts about ``phrase_s`` where the tala allows it.
    """
    bars = set(tala.bars)
    ends: list[int] = []
    begun = 0
    for matra in range(1, matras):
        place = (first_matra + matra) % tala.matras
        length_s = (matra - begun) * matra_s
        if (place in bars and length_s >= phrase_s) or (place == 0 and length_s >= 0.6 * phrase_s):
            ends.append(matra)
            begun = matra
    if ends and (matras - ends[-1]) * matra_s < 0.35 * phrase_s:
        ends.pop()
    return [*ends, matras]


_AS_MRIDANGAM: Final = {
    "Dha": "Tham",
    "Dhin": "Dhom",
    "Dhi": "Dhom",
    "Tin": "Dhin",
    "Tu": "Dhin",
    "Ta": "Nam",
    "Na": "Nam",
    "Ge": "Thom",
    "Ka": "Ki",
    "Kat": "Ki",
    "Ki": "Ki",
    "Ti": "Ta",
    "Ra": "Ki",
}
_AS_TABLA: Final = {
    "Tham": "Dha",
    "Nam": "Na",
    "Dhin": "Tin",
    "Dhom": "Dhin",
    "Thom": "Ge",
    "Ta": "Ti",
    "Ki": "Ka",
}
"""The nearest stroke of the other drum: a tala may be kept on either."""


def _bols(tala: Tala, matra: int, drum: str) -> tuple[str, ...]:
    bols = tala.theka[matra]
    if drum == tala.drum:
        return bols
    other = _AS_MRIDANGAM if drum == "mridangam" else _AS_TABLA
    return tuple(other[bol] for bol in bols)


_FILLERS: Final = {"tabla": ("Ti", "Ra", "Ki", "Ta"), "mridangam": ("Ta", "Ki", "Dhin", "Nam")}
_LANDING: Final = {"tabla": "Dha", "mridangam": "Tham"}
_RUN: Final = {"tabla": ("Ti", "Ta", "Ge", "Na"), "mridangam": ("Ta", "Dhin", "Nam", "Thom")}


def _level(tala: Tala, matra: int, index: int) -> float:
    """How strongly a bol is struck: the sam most, then the vibhags' beginnings, then the matras."""
    if index:
        return 0.5
    if matra == 0:
        return 1.0
    return 0.8 if matra in tala.bars else 0.68


def theka(
    rng: np.random.Generator,
    tala: Tala,
    drum: str,
    *,
    start_s: float,
    first_matra: int,
    matras: int,
    matra_s: float,
    busy: float,
) -> list[Stroke]:
    """The theka over a stretch of matras, with fillers between slow beats.

    ``busy`` from 0 to 1 is how often a fill takes a matra's place. At fast tempi a matra keeps its first bol.
    """
    strokes: list[Stroke] = []
    for number in range(matras):
        matra = (first_matra + number) % tala.matras
        onset = start_s + number * matra_s
        bols: Sequence[str] = _bols(tala, matra, drum)
        if matra_s / len(bols) < 0.09:
            bols = bols[:1]
        chance = rng.random()
        room = matra_s >= 0.36
        if room and matra != 0 and chance < busy * (0.5 if matra == tala.matras - 1 else 0.12):
            bols = (bols[0], *_FILLERS[drum][1:])
        elif matra_s > 1.0 and len(bols) == 1 and chance < 0.5:
            bols = (bols[0], *_FILLERS[drum][:1])
        for index, bol in enumerate(bols):
            part = index / len(bols)
            velocity = _level(tala, matra, index) * (0.94 + 0.06 * rng.random())
            strokes.append(Stroke(onset + part * matra_s, bol, drum, velocity, matra + part))
    return strokes


def tihai_strokes(
    tala: Tala, drum: str, onsets: Sequence[tuple[float, bool]], sam_s: float, matra_s: float
) -> list[Stroke]:
    """The drum's part of a tihai: landings (True) get the full stroke.

    It strikes with the melody on quarters of the matra, and leaves out what the melody divides further.
    """
    strokes = []
    for number, (onset, landing) in enumerate(onsets):
        bol = _LANDING[drum] if landing else _RUN[drum][number % 4]
        matra = round((onset - sam_s) / matra_s, 6) % tala.matras
        if abs(4.0 * matra - round(4.0 * matra)) > 1e-3:
            continue
        strokes.append(Stroke(onset, bol, drum, 0.95 if landing else 0.7, matra))
    return strokes
