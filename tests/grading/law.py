"""A raga's law as a grader reads it from the catalogue's two lines, by its own means: no code of the engine's."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from music.swaras import semitone
from music.theory import JUST_RATIOS, cents, tuned_cents

if TYPE_CHECKING:
    from collections.abc import Iterable

    from music.raga import Raga

Pair = tuple[int, int]
"""Two pitches that follow one another, in semitones above the middle Sa."""

_SIBLINGS = ((3, 4), (10, 11), (8, 9), (1, 2), (5, 6))
"""The keys that share a name: Ga, Ni, Dha, Re, Ma."""


def keys_of(raga: Raga) -> dict[int, float]:
    """The raga's keys, 0 (Sa) to 11, and where each is tuned within the octave, in cents."""
    return {semitone(s) % 12: tuned_cents(raga, s) % 1200.0 for s in (*raga.arohana, *raga.avarohana)}


def foils(raga: Raga) -> list[dict[int, float]]:
    """Ragas that differ in two swaras, each moved to the other key of its name: the one to grade by first.

    A swara whose other key the raga has as well cannot move. The first foil moves those by which the raga is
    known: the vadi, the samvadi and the nyasa where they can, then Ga, Ni, Dha, Re and Ma.
    """
    keys = keys_of(raga)
    known = [semitone(s) % 12 for s in (raga.vadi, raga.samvadi, *raga.nyasa) if s is not None]
    movable = [(low, high) for low, high in _SIBLINGS if (low in keys) != (high in keys)]
    movable.sort(key=lambda pair: min((known.index(key) for key in pair if key in known), default=len(known)))
    found = []
    for first, one in enumerate(movable):
        for other in movable[first + 1 :]:
            moved = dict(keys)
            for low, high in (one, other):
                here, there = (low, high) if low in keys else (high, low)
                del moved[here]
                moved[there] = cents(JUST_RATIOS[there])
            found.append(moved)
    return found


class Law:
    """Which pitch may follow which: neighbors in the arohana, the avarohana or the pakad, in any octave."""

    def __init__(self, raga: Raga) -> None:
        self._steps = {
            (semitone(a) % 12, semitone(b) - semitone(a))
            for line in (raga.arohana, raga.avarohana, *raga.pakad)
            for a, b in pairwise(line)
        }
        if semitone(raga.arohana[-1]) != semitone(raga.avarohana[0]):
            # The two lines do not meet. Sung in turn, the one still follows upon the other.
            turns = ((raga.arohana[-1], raga.avarohana[0]), (raga.avarohana[-1], raga.arohana[0]))
            self._steps |= {(semitone(a) % 12, semitone(b) - semitone(a)) for a, b in turns}

    def allows(self, pair: Pair) -> bool:
        """Whether the raga makes that step; the same note again is none."""
        first, second = pair
        return first == second or (first % 12, second - first) in self._steps

    def forbidden(self, pitches: Iterable[int]) -> tuple[list[Pair], int]:
        """The steps of a line that the raga does not make, and how many steps there are."""
        steps = [pair for pair in pairwise(pitches) if pair[0] != pair[1]]
        return [pair for pair in steps if not self.allows(pair)], len(steps)
