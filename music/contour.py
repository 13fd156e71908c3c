"""A score as a line to draw: the pitch of each player over time, and the swaras that it moves between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from music.ornament import curve

if TYPE_CHECKING:
    from music.score import Note, Score
    from music.swaras import Swara

_STEP_S: Final = 0.02
_JOINED_S: Final = 0.03

Moment = tuple[float, float]
"""Seconds from the beginning, and cents above the middle Sa."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Notes of one player without a breath between them: a line through moments."""

    player: int
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Degree:
    """A swara of the piece, octave marks included: where it stands, and for how long it was held."""

    swara: Swara
    cents: float
    held_s: float


def _moments(note: Note) -> list[Moment]:
    """A note's pitch: two moments, or many where an ornament moves it."""
    end_s = note.onset_s + note.duration_s
    if not note.ornament:
        return [(note.onset_s, note.cents), (end_s, note.cents)]
    times = np.arange(max(2, int(note.duration_s / _STEP_S) + 1), dtype=np.float64) * _STEP_S
    times = np.minimum(times, note.duration_s)
    pitch = curve(note, times)
    return [(note.onset_s + float(t), float(c)) for t, c in zip(times, pitch, strict=True)]


def phrases(score: Score) -> tuple[Phrase, ...]:
    """The melody's lines in order of time, each ornament drawn as it is played."""
    found: list[Phrase] = []
    for player in range(len(score.players)):
        moments: list[Moment] = []
        end_s = 0.0
        for note in (note for note in score.notes if note.player == player):
            if moments and note.onset_s - end_s > _JOINED_S:
                found.append(Phrase(player, tuple(moments)))
                moments = []
            moments += _moments(note)
            end_s = note.onset_s + note.duration_s
        if moments:
            found.append(Phrase(player, tuple(moments)))
    return tuple(sorted(found, key=lambda phrase: phrase.moments[0]))


def degrees(score: Score) -> tuple[Degree, ...]:
    """The swaras that are played, from the lowest to the highest."""
    held: dict[tuple[float, Swara], float] = {}
    for note in score.notes:
        place = (note.cents, note.swara)
        held[place] = held.get(place, 0.0) + note.duration_s
    return tuple(Degree(swara, cents, held_s) for (cents, swara), held_s in sorted(held.items()))
