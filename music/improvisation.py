"""What every part of a piece is played with: whose turn it is, the raga's own phrases, what was said before."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from music.melody import SA, Melody, Slot, slots
from music.request import VOICES
from music.swaras import semitone
from music.theory import REGISTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from music.form import Plan
    from music.score import Section, Stroke

_SHORT_S: Final = 20.0
"""A piece without an alap may begin on its vadi."""


def along(arc: Sequence[float], fraction: float) -> float:
    """The height of a curve, given by points at even distances, at a fraction of its length."""
    at = min(1.0, max(0.0, fraction)) * (len(arc) - 1)
    left = min(int(at), len(arc) - 2) if len(arc) > 1 else 0
    return arc[left] if len(arc) == 1 else arc[left] + (at - left) * (arc[left + 1] - arc[left])


class Improvisation:
    """The parts of a piece, played one after the other; each part goes on where the last one ended."""

    def __init__(self, fixed: Plan, rng: np.random.Generator, vadi_weight: float) -> None:
        self.plan = fixed
        self.rng = rng
        lowest = max(REGISTERS[name].lowest for name in fixed.players)
        highest = min(REGISTERS[name].highest for name in fixed.players)
        self.melody = Melody(fixed.raga, rng, lowest, highest, vadi_weight)
        self.melody.promised_s = fixed.duration_s - fixed.sam_s
        if fixed.duration_s < _SHORT_S and fixed.raga.vadi is not None:
            self.melody.openings = {SA, semitone(fixed.raga.vadi) % 12}
        self.sections: list[Section] = []
        self.strokes: list[Stroke] = []
        self.alap_notes = 0
        self._turn = 0

    def player(self) -> int:
        """Whose phrase it is: a voice sings two of three, instruments take turns."""
        count = len(self.plan.players)
        if count == 1:
            return 0
        self._turn += 1
        if self.plan.players[0] in VOICES:
            return (self._turn // 3) % (count - 1) + 1 if self._turn % 3 == 2 else 0
        return (self._turn - 1) % count

    def pakad(self, start_s: float, longest_s: float, unit_s: float) -> list[tuple[list[int], list[Slot]]]:
        """The raga's own phrases that the line can enter and that fit into a time, each with its rhythm.

        Phrases that take every step of the lines go before those that skip one.
        """
        allows = self.melody.grammar.allows
        phrases = self.plan.raga.pakad
        stepwise = [phrase for phrase in phrases if all(allows(a, b) for a, b in pairwise(phrase))]
        found = []
        for phrase in stepwise or phrases:
            path = self.melody.stated(phrase)
            if path is None or len(path) < 2 or not self.enters(path):
                continue
            lengths = [unit_s * (2 if self.rng.random() < 0.25 else 1) for _ in path[:-1]] + [2.5 * unit_s]
            if sum(lengths) <= longest_s:
                found.append((path, slots(start_s, lengths)))
        return found

    def enters(self, path: Sequence[int]) -> bool:
        """Whether a known path may follow where the line stands."""
        here = self.melody.place
        places = self.melody.grammar.places
        return here is not None and self.melody.grammar.allows(places[here].swara, places[path[0]].swara)

    def home(self) -> NDArray[np.bool_]:
        """The places of the middle Sa."""
        return self.melody.grammar.at(SA)
