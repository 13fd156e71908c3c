"""The melody in the tala: a gat or a song with sthayi and antara, a kriti with its three parts; runs, dialogue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from music import cadence, rhythm
from music.form import CHIKARI
from music.improvisation import along
from music.instruments import plucked
from music.melody import Slot, slots
from music.score import Section
from music.theory import laya

if TYPE_CHECKING:
    from music.form import Plan
    from music.improvisation import Improvisation

_ARCS: Final[dict[str, tuple[float, ...]]] = {
    "gat": (3.0, 4.0, 3.0, 6.5, 9.0, 11.0, 8.0, 5.0, 7.0, 10.0, 6.0, 3.0),
    "kriti": (3.0, 4.0, 3.0, 6.5, 9.0, 11.0, 8.0, 5.0, 7.0, 10.0, 6.0, 3.0),
    "sthayi": (3.0, 2.0, 4.5, 3.0),
    "antara": (7.0, 10.5, 12.5, 10.0, 5.0),
    "taans": (5.0, 9.0, 6.0, 11.0, 7.0, 4.0),
    "layakari": (3.0, 6.0, 9.0, 5.0, 3.0),
    "sawal-jawab": (4.0, 8.0, 11.0, 7.0, 4.0),
    "jhala": (7.0, 11.0, 6.0, 3.0),
    "pallavi": (3.0, 4.0, 5.0, 3.5),
    "anupallavi": (7.0, 10.5, 12.5, 9.0, 5.0),
    "charanam": (3.0, 5.0, 8.0, 11.0, 6.0),
    "svaras": (4.0, 8.0, 11.0, 6.0, 4.0),
}
"""Where the melody's middle lies along a part, in semitones above the middle Sa."""

_TIHAI_FROM_S: Final = 8.0
"""A shorter gat comes home without a tihai, which would leave no room for the raga."""

_JHALA_FROM_S: Final = 90.0
_KEPT: Final = 0.55
"""So much of the refrain returns as it was; the rest is said anew, as in a sangati."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A phrase to be played: ticks from the gat's beginning, in which part, how far along that."""

    begin: int
    end: int
    part: str
    fraction: float
    returns: bool


def parts_of(fixed: Plan, phrases: int) -> list[tuple[str, float]]:
    """The gat's parts and the fractions of it at which they end."""
    carnatic = fixed.raga.tradition == "Carnatic"
    if phrases < 5:
        return [("kriti" if carnatic else "gat", 1.0)]
    dialogue = len(fixed.players) > 1
    fast = "sawal-jawab" if dialogue else fixed.manner.fast
    lively = fast == "layakari" or (fixed.energy >= 0.2 and laya(fixed.tempo_bpm) != "vilambit")
    if carnatic:
        if fast and lively and phrases >= 9:
            return [("pallavi", 0.28), ("anupallavi", 0.46), ("charanam", 0.72), (fast, 1.0)]
        return [("pallavi", 0.36), ("anupallavi", 0.62), ("charanam", 1.0)]
    parts = [("sthayi", 0.38), ("antara", 0.64), (fast if fast and lively else "sthayi", 1.0)]
    jhala = fixed.duration_s >= _JHALA_FROM_S and fixed.energy >= 0.4 and CHIKARI.intersection(fixed.players)
    if jhala and not dialogue:
        parts[-1:] = [(parts[-1][0], 0.84), ("jhala", 1.0)]
    return parts


def _phrases(fixed: Plan, ends: list[int]) -> list[_Phrase]:
    parts = parts_of(fixed, len(ends))
    whole = max(1, ends[-1])
    found: list[_Phrase] = []
    begin = 0
    part_from = 0.0
    at = 0
    for number, end in enumerate(ends):
        while begin / whole >= parts[at][1] - 1e-9 and at + 1 < len(parts):
            part_from = parts[at][1]
            at += 1
        name, part_to = parts[at]
        middle = 0.5 * (begin + end) / whole
        fraction = (middle - part_from) / max(1e-9, part_to - part_from)
        # The refrain leads from each part to the next one.
        returns = number + 1 < len(ends) and number > 0 and end / whole >= part_to - 1e-9
        found.append(_Phrase(begin, end, name, min(1.0, max(0.0, fraction)), returns))
        begin = end
    return found


class Gat:
    """The melody from the first matra to the tihai. ``refrain`` is its first phrase, to which it returns."""

    def __init__(self, played: Improvisation) -> None:
        self.played = played
        self.plan = played.plan
        self.melody = played.melody
        self.tick = self.plan.pulse.tick_s
        self.refrain: tuple[list[int], list[int]] | None = None
        self.answers = 0

    def play(self) -> list[tuple[float, bool]]:
        """Plays; returns the onsets of the cadence (True: a landing)."""
        fixed = self.plan
        ticks = round(fixed.gat_matras * fixed.pulse.per_matra)
        with_tihai = ticks * self.tick >= _TIHAI_FROM_S
        run, landing = cadence.lengths(self.played, ticks) if with_tihai else (0, 0)
        free = ticks - 3 * run - 2 * landing
        ends = [
            min(free, round(end * fixed.pulse.per_matra))
            for end in rhythm.phrase_ends(
                fixed.tala, fixed.first_matra, fixed.gat_matras, fixed.matra_s, 5.6 - 2.4 * fixed.energy
            )
        ]
        ends = sorted({end for end in ends if end > 2 and (end == free or free - end >= 14)} | {free})
        phrases = [phrase for phrase in _phrases(fixed, ends) if phrase.end - phrase.begin >= 2]
        pakad_due = bool(fixed.raga.pakad)
        for number, phrase in enumerate(phrases):
            if phrase.end == free:
                self._last(phrase, with_tihai)
            elif pakad_due and self._pakad(phrase):
                pakad_due = False
            elif phrase.returns and self._return(phrase):
                pass
            elif phrase.part == "sawal-jawab":
                self._dialogue(phrase)
            elif phrase.part in ("taans", "svaras", "layakari") and number % 2 == 0:
                self._run(phrase)
            else:
                self._free(phrase)
        self._name_parts(phrases, fixed.sam_s - (3 * run + 2 * landing) * self.tick)
        if with_tihai:
            return cadence.play(self.played, fixed.sam_s - (ticks - free) * self.tick, run, landing)
        return cadence.close(self.played)

    def _name_parts(self, phrases: list[_Phrase], end_s: float) -> None:
        for phrase in phrases:
            start = self.plan.gat_s + phrase.begin * self.tick
            known = self.played.sections
            if known and known[-1].name == phrase.part and known[-1].end_s > self.plan.gat_s:
                start = known.pop().start_s
            known.append(Section(phrase.part, start, self.plan.gat_s + phrase.end * self.tick))
        if phrases:
            last = self.played.sections.pop()
            self.played.sections.append(Section(last.name, last.start_s, end_s))

    # --- one phrase ---------------------------------------------------------------------------------

    def _slots(self, begin: int, lengths: list[int]) -> list[Slot]:
        return slots(self.plan.gat_s + begin * self.tick, [n * self.tick for n in lengths])

    def _center(self, phrase: _Phrase) -> float:
        return along(_ARCS[phrase.part], phrase.fraction) + self.plan.register

    def _energy(self, phrase: _Phrase) -> float:
        grown = phrase.end / max(1.0, self.plan.gat_matras * self.plan.pulse.per_matra)
        value = 0.7 * self.plan.energy + 0.45 * grown + float(self.played.rng.uniform(-0.2, 0.2))
        return min(1.0, max(0.0, value + 0.15 * (phrase.part == "jhala")))

    def _quick(self) -> bool:
        """Whether notes of one tick are playable: on slow ticks by all, else by lively plucked strings."""
        fixed = self.plan
        lively = fixed.energy >= 0.4 and all(name in plucked.STRINGS for name in fixed.players)
        return lively or fixed.pulse.tick_s >= 0.13

    def _divided(self, ticks: int, energy: float) -> list[int]:
        if ticks < 6 or self._quick():
            return rhythm.durations(self.played.rng, ticks, energy)
        doubled = [2 * n for n in rhythm.durations(self.played.rng, ticks // 2, energy)]
        return [*doubled[:-1], doubled[-1] + ticks % 2]

    def _say(
        self,
        begin: int,
        lengths: list[int],
        center: float,
        player: int,
        velocity: float,
        turning: float = 0.3,
    ) -> list[int]:
        path, _ = self.melody.phrase(
            self._slots(begin, lengths),
            self.melody.goal(center),
            center=center,
            player=player,
            velocity=velocity,
            turning=turning,
        )
        return path

    def _free(self, phrase: _Phrase) -> None:
        energy = self._energy(phrase)
        lengths = self._divided(phrase.end - phrase.begin, energy)
        center = self._center(phrase)
        path = self._say(phrase.begin, lengths, center, self.played.player(), 0.72 + 0.1 * energy)
        if self.refrain is None and len(path) == len(lengths) > 4:
            self.refrain = (path, lengths)

    def _run(self, phrase: _Phrase) -> None:
        """A taan: even quick notes that sweep through the register, then a rest. Layakari: threes on the pulse."""
        ticks = phrase.end - phrase.begin
        unit = (1 if self._quick() else 2) if phrase.part != "layakari" else 3
        self._say(
            phrase.begin,
            rhythm.run(ticks, unit),
            self._center(phrase),
            self.played.player(),
            0.78,
            turning=0.12 if phrase.part == "taans" else 0.3,
        )

    def _pakad(self, phrase: _Phrase) -> bool:
        """States one of the raga's own phrases, its last note held."""
        length = phrase.end - phrase.begin
        unit = self.tick * (2 if self.plan.energy < 0.75 else 1)
        at = self.plan.gat_s + phrase.begin * self.tick
        choices = self.played.pakad(at, length * self.tick, unit)
        if not choices:
            return False
        path, places = choices[int(self.played.rng.integers(len(choices)))]
        ticks = [max(1, round(slot.duration_s / self.tick)) for slot in places]
        if sum(ticks[:-1]) >= length:
            return False
        ticks[-1] = length - sum(ticks[:-1])
        self.melody.add(path, self._slots(phrase.begin, ticks), player=self.played.player(), velocity=0.8)
        return True

    def _return(self, phrase: _Phrase) -> bool:
        """The refrain's beginning as it was, and another ending."""
        if self.refrain is None or not self.played.enters(self.refrain[0]):
            return False
        path, lengths = self.refrain
        kept = max(2, int(_KEPT * len(path)))
        left = phrase.end - phrase.begin - sum(lengths[:kept])
        if left < 4:
            return False
        player = self.played.player()
        self.melody.add(path[:kept], self._slots(phrase.begin, lengths[:kept]), player=player, velocity=0.8)
        rest = self._divided(left, self._energy(phrase))
        self._say(phrase.end - left, rest, self._center(phrase), player, 0.76)
        return True

    def _dialogue(self, phrase: _Phrase) -> None:
        """Sawal-jawab: a question, its rhythm and shape given back by another player, ever shorter."""
        fixed, melody = self.plan, self.melody
        pairs = 1 if phrase.fraction < 0.4 else 2 if phrase.fraction < 0.75 else 3
        length = phrase.end - phrase.begin
        least = 2 * max(4, round(0.7 / self.tick))
        pairs = max(1, min(pairs, length // least))
        bounds = [phrase.begin + 2 * (length * number // (2 * pairs)) for number in range(pairs)] + [
            phrase.end
        ]
        center = self._center(phrase)
        first = len(melody.notes)
        for begin, end in pairwise(bounds):
            # The first player asks, the others answer in turn.
            asking = 0
            answering = 1 + self.answers % (len(fixed.players) - 1)
            self.answers += 1
            half = (end - begin) // 2
            lengths = self._divided(half, self._energy(phrase))
            asked = len(melody.notes)
            path = self._say(begin, lengths, center, asking, 0.78)
            # The rhythm as it was played: a question may have come out with more notes than it was meant to have.
            places = [Slot(note.onset_s + half * self.tick, note.duration_s) for note in melody.notes[asked:]]
            left_s = (end - begin - 2 * half) * self.tick
            places[-1] = replace(places[-1], duration_s=places[-1].duration_s + left_s)
            contour = [float(melody.grammar.pitch[place]) for place in path]
            contour[-1] = center
            answer = None
            for goal in (melody.goal(center), np.ones(len(melody.grammar.pitch), dtype=bool)):
                answer = answer or melody.draw(places, goal, center=center, contour=contour)
            if answer is None:
                melody.phrase(places, melody.goal(center), center=center, player=answering, velocity=0.8)
            else:
                melody.add(answer, places, player=answering, velocity=0.8)
        # Question and answer keep their one rhythm when lengths are traded.
        melody.rests.update(range(first, len(melody.notes)))

    def _last(self, phrase: _Phrase, with_tihai: bool) -> None:
        """The phrase before the cadence: it must not come to rest, and ends where the cadence begins."""
        energy = self._energy(phrase)
        lengths = self._divided(phrase.end - phrase.begin, energy)
        lengths = [*lengths[:-1], *_broken(lengths[-1])]
        home = self.played.home()
        goal = home if with_tihai else self.melody.grammar.before(home) & ~home
        self.melody.phrase(
            self._slots(phrase.begin, lengths),
            goal,
            center=2.0,
            player=self.played.player(),
            velocity=0.72 + 0.1 * energy,
        )


def _broken(ticks: int) -> list[int]:
    """A long note before the cadence gives way to shorter ones."""
    parts = [2] * (ticks // 2)
    return parts + [1] * (ticks - sum(parts))
