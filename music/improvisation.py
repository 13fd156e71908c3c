"""The melody and the drums, part by part: alap, gat, tihai."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from music import rhythm
from music.instruments import plucked
from music.melody import SA, Melody, Slot, slots
from music.request import VOICES
from music.score import Section, Stroke
from music.swaras import semitone
from music.theory import REGISTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from music.form import Plan

_ALAP_ARC: Final = (1.0, 0.0, 2.5, 4.5, 6.5, 9.0, 11.5, 8.0, 4.0, 1.0)
_GAT_ARC: Final = (3.0, 4.0, 3.0, 6.5, 9.0, 11.0, 8.0, 5.0, 7.0, 10.0, 6.0, 3.0)
"""Where the melody's middle lies along a section, in semitones above the middle Sa."""

_SHORT_S: Final = 20.0
"""A piece without an alap may begin on its vadi."""

_TIHAI_FROM_S: Final = 8.0
"""A shorter gat comes home without a tihai, which would leave no room for the raga."""


def _along(arc: Sequence[float], fraction: float) -> float:
    return float(np.interp(fraction, np.linspace(0.0, 1.0, len(arc)), arc))


def _broken(ticks: int) -> list[int]:
    """A long note before the tihai gives way to shorter ones: the line must not come to rest there."""
    parts = [2] * (ticks // 2)
    return parts + [1] * (ticks - sum(parts))


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
        self.turn = 0

    def _player(self) -> int:
        """Whose phrase it is: a voice sings two of three, instruments take turns."""
        count = len(self.plan.players)
        if count == 1:
            return 0
        self.turn += 1
        if self.plan.players[0] in VOICES:
            return (self.turn // 3) % (count - 1) + 1 if self.turn % 3 == 2 else 0
        return (self.turn - 1) % count

    def _pakad(self, start_s: float, longest_s: float, unit_s: float) -> list[tuple[list[int], list[Slot]]]:
        """The raga's own phrases that fit into a time, each with its rhythm.

        Phrases that take every step of the lines go before those that skip one.
        """
        allows = self.melody.grammar.allows
        phrases = self.plan.raga.pakad
        stepwise = [phrase for phrase in phrases if all(allows(a, b) for a, b in pairwise(phrase))]
        found = []
        for phrase in stepwise or phrases:
            path = self.melody.stated(phrase)
            if path is None or len(path) < 2:
                continue
            lengths = [unit_s * (2 if self.rng.random() < 0.25 else 1) for _ in path[:-1]] + [2.5 * unit_s]
            if sum(lengths) <= longest_s:
                found.append((path, slots(start_s, lengths)))
        return found

    def _entering(self, path: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        grammar = self.melody.grammar
        first = grammar.places[path[0]].swara
        allowed = [grammar.allows(place.swara, first) for place in grammar.places]
        return np.array(allowed)

    # --- alap -----------------------------------------------------------------------------------------

    def _free_rhythm(self, length_s: float) -> list[float]:
        """A phrase of the alap: a few short notes, some held ones, and a long one to rest on."""
        rest = length_s * self.rng.uniform(0.25, 0.36)
        left = length_s - rest
        # The very first note is Sa, and is given time to be heard against the drone.
        opening = min(0.8, 0.25 * left) if not self.melody.notes else 0.0
        lengths: list[float] = [float(opening)] if opening else []
        left -= opening
        while left > 0.0:
            kind = self.rng.random()
            if kind < 0.35 + 0.2 * self.plan.energy:
                length = self.rng.uniform(0.16, 0.34)
            elif kind < 0.85:
                length = self.rng.uniform(0.4, 0.9)
            else:
                length = self.rng.uniform(0.9, 1.6)
            if left - length < 0.15:
                length = left
            lengths.append(float(length))
            left -= length
        return [*lengths, float(rest)]

    def alap(self) -> None:
        """Free phrases that climb from the middle Sa to the upper one and come back."""
        fixed, melody = self.plan, self.melody
        total = fixed.alap_to_s - fixed.alap_from_s
        if total < 1.5:
            return
        count = max(1, round(total / (5.6 - 2.0 * fixed.energy)))
        weights = self.rng.uniform(0.8, 1.25, count)
        lengths = total * weights / weights.sum()
        at = fixed.alap_from_s
        # Short alaps keep to the lower half of the arc.
        reach = min(1.0, 0.35 + total / 60.0)
        for number, length in enumerate(lengths):
            center = 1.0 + (_along(_ALAP_ARC, number / max(1, count - 1)) - 1.0) * reach
            goal = melody.goal(center)
            pakads = self._pakad(at, float(length) * 0.95, 0.5) if number in (1, count // 2 + 1) else []
            if pakads and melody.place is not None:
                path, places = pakads[int(self.rng.integers(len(pakads)))]
                if self._entering(path)[melody.place]:
                    stretch = float(length) / (places[-1].onset_s + places[-1].duration_s - at)
                    places = slots(at, [slot.duration_s * stretch for slot in places])
                    melody.add(path, places, player=self._player(), velocity=0.7)
                    at += float(length)
                    continue
            if number == count - 1:
                goal = melody.grammar.at(SA)
            melody.phrase(
                slots(at, self._free_rhythm(float(length))),
                goal,
                center=center,
                player=self._player(),
                velocity=0.66,
                turning=0.35,
            )
            at += float(length)
        name = "alapana" if fixed.raga.tradition == "Carnatic" else "alap"
        self.sections.append(Section(name, fixed.alap_from_s, fixed.alap_to_s))

    def settle_alap(self) -> None:
        """Stretches and shortens the alap's free notes to bring the whole melody nearer to its balance."""
        fixed, melody = self.plan, self.melody
        count = sum(note.onset_s < fixed.alap_to_s - 1e-6 for note in melody.notes)
        if not self.sections or count < 2:
            return
        alap, rest = melody.notes[:count], melody.notes[count:]
        keys = [semitone(note.swara) % 12 for note in alap]
        lengths = np.array([note.duration_s for note in alap])
        total = lengths.sum()
        fixed_s = np.zeros(12)
        for note in rest:
            fixed_s[semitone(note.swara) % 12] += note.duration_s
        least = np.maximum(0.14, 0.5 * lengths)
        least[[0, -1]] = 0.9 * lengths[[0, -1]]
        for _ in range(4):
            held = fixed_s + np.bincount(keys, lengths, minlength=12)
            wanted = np.clip(melody.shares * held.sum() / np.maximum(held, 1e-6), 0.6, 1.6)
            lengths = np.clip(lengths * wanted[keys] ** 0.6, least, 3.4)
            lengths *= total / lengths.sum()
        onsets = alap[0].onset_s + np.concatenate(([0.0], np.cumsum(lengths)[:-1]))
        melody.notes = [
            replace(note, onset_s=float(onset), duration_s=float(length))
            for note, onset, length in zip(alap, onsets, lengths, strict=True)
        ] + rest

    # --- gat ------------------------------------------------------------------------------------------

    def _tihai_ticks(self, ticks: int) -> tuple[int, int]:
        """The lengths of a tihai's run and of its landings, in ticks; three runs and two landings fit."""
        most = min(ticks // 3, round(6.0 / self.plan.pulse.tick_s))
        run = max(2, min(12, int(self.rng.integers(6, 11)), (most - 2) // 3))
        landing = max(1, min(run // 2, (most - 3 * run) // 2))
        # In slow talas both are whole quarters of a matra, so that the drums can strike with the melody.
        quarter = max(1, round(self.plan.pulse.per_matra / 4.0))
        return -(-run // quarter) * quarter, -(-landing // quarter) * quarter

    def gat(self) -> list[tuple[float, bool]]:
        """The melody in the tala up to the tihai; returns the tihai's onsets (True: a landing)."""
        fixed, melody = self.plan, self.melody
        tick = fixed.pulse.tick_s
        ticks = round(fixed.gat_matras * fixed.pulse.per_matra)
        with_tihai = ticks * tick >= _TIHAI_FROM_S
        run, landing = self._tihai_ticks(ticks) if with_tihai else (0, 0)
        tihai_ticks = 3 * run + 2 * landing
        free = ticks - tihai_ticks
        phrase_s = 5.6 - 2.4 * fixed.energy
        ends = [
            min(free, round(end * fixed.pulse.per_matra))
            for end in rhythm.phrase_ends(
                fixed.tala, fixed.first_matra, fixed.gat_matras, fixed.matra_s, phrase_s
            )
        ]
        ends = sorted({end for end in ends if end > 2 and (end == free or free - end >= 14)} | {free})
        begun = 0
        pakad_due = bool(fixed.raga.pakad)
        theme: tuple[list[int], list[int]] | None = None
        for number, end in enumerate(ends):
            if end - begun < 2:
                continue
            fraction = end / max(1, free)
            center = _along(_GAT_ARC, fraction)
            at = fixed.gat_s + begun * tick
            length = end - begun
            last = end == free
            energy = min(1.0, max(0.0, fixed.energy * 0.7 + 0.45 * fraction + self.rng.uniform(-0.2, 0.2)))
            player = self._player()
            if pakad_due and not last and melody.place is not None:
                stated = self._state_pakad(at, length, player)
                pakad_due = not stated
                if stated:
                    begun = end
                    continue
            if (
                theme is not None
                and not last
                and number % 5 == 4
                and self._restate(theme, at, length, player)
            ):
                begun = end
                continue
            divided = self._divided(length, energy)
            if last:
                divided = [*divided[:-1], *_broken(divided[-1])]
            goal = melody.goal(center)
            if last:
                home = melody.grammar.at(SA)
                goal = home if with_tihai else melody.grammar.before(home) & ~home
            path, places = melody.phrase(
                slots(at, [n * tick for n in divided]),
                goal,
                center=center if not last else 2.0,
                player=player,
                velocity=0.72 + 0.1 * energy,
                turning=0.3,
            )
            if theme is None and len(path) > 4:
                theme = (path, [max(1, round(slot.duration_s / tick)) for slot in places])
            begun = end
        if with_tihai:
            return self._tihai(fixed.sam_s - tihai_ticks * tick, run, landing)
        sa = int(np.flatnonzero(melody.grammar.at(SA))[0])
        for player in range(len(fixed.players)):
            close = Slot(fixed.sam_s, fixed.duration_s - fixed.sam_s)
            melody.add([sa], [close], player=player, velocity=0.82)
        return [(fixed.sam_s, True)]

    def _divided(self, ticks: int, energy: float) -> list[int]:
        """A phrase's durations in ticks: runs at the shortest tick are for quick plucked strings only."""
        fixed = self.plan
        quick = fixed.energy >= 0.4 and all(name in plucked.STRINGS for name in fixed.players)
        if ticks < 6 or quick or fixed.pulse.tick_s >= 0.13:
            return rhythm.durations(self.rng, ticks, energy)
        doubled = [2 * n for n in rhythm.durations(self.rng, ticks // 2, energy)]
        return [*doubled[:-1], doubled[-1] + ticks % 2]

    def _state_pakad(self, at: float, length: int, player: int) -> bool:
        tick = self.plan.pulse.tick_s
        unit = tick * (2 if self.plan.energy < 0.75 else 1)
        here = self.melody.place
        choices = [
            found for found in self._pakad(at, length * tick, unit) if self._entering(found[0])[here or 0]
        ]
        if not choices or here is None:
            return False
        path, places = choices[int(self.rng.integers(len(choices)))]
        ticks = [max(1, round(slot.duration_s / tick)) for slot in places]
        if sum(ticks[:-1]) >= length:
            return False
        ticks[-1] = length - sum(ticks[:-1])
        self.melody.add(path, slots(at, [n * tick for n in ticks]), player=player, velocity=0.8)
        return True

    def _restate(self, theme: tuple[list[int], list[int]], at: float, length: int, player: int) -> bool:
        """The gat's first phrase again, where the line can enter it and it has the same length."""
        path, divided = theme
        here = self.melody.place
        if here is None or sum(divided) != length or not self._entering(path)[here]:
            return False
        tick = self.plan.pulse.tick_s
        self.melody.add(path, slots(at, [n * tick for n in divided]), player=player, velocity=0.8)
        return True

    def _tihai(self, start_s: float, run: int, landing: int) -> list[tuple[float, bool]]:
        """A run three times, landing on Sa; the third landing is the sam and rings to the end."""
        fixed, melody = self.plan, self.melody
        tick = fixed.pulse.tick_s
        grammar = melody.grammar
        divided: list[int] = []
        while sum(divided) < run:
            divided.append(min(run - sum(divided), int(self.rng.choice((1, 2, 2)))))
        home = grammar.at(SA)
        once = slots(start_s, [n * tick for n in divided])
        melody.promised_s = 0.0
        melody.openings = {SA}
        melody.place = melody.place if melody.place is not None and home[melody.place] else None
        goal = grammar.before(home)
        path = melody.draw(once, goal, center=4.0, turning=0.5, again=0.15)
        if path is not None and not self._returns(path):
            path = None
        if path is None:
            path = [int(np.flatnonzero(home)[0])] * len(once)
        sa = int(np.flatnonzero(home)[0])
        onsets: list[tuple[float, bool]] = []
        everyone = range(len(fixed.players))
        for repeat in range(3):
            at = start_s + repeat * (run + landing) * tick
            # The first two landings are short, with silence after them; only the third one rings.
            end = fixed.duration_s - at - run * tick if repeat == 2 else min(2, landing) * tick
            places = [*slots(at, [n * tick for n in divided]), Slot(at + run * tick, end)]
            onsets += [(slot.onset_s, False) for slot in places[:-1]] + [(places[-1].onset_s, True)]
            for player in everyone:
                melody.add([*path, sa], places, player=player, velocity=0.82)
        return onsets

    def _returns(self, path: Sequence[int]) -> bool:
        """Whether a run may come from Sa and go to Sa."""
        places = self.melody.grammar.places
        allows = self.melody.grammar.allows
        return allows("S", places[path[0]].swara) and allows(places[path[-1]].swara, "S")

    # --- drums ----------------------------------------------------------------------------------------

    def drums(self, tihai: Sequence[tuple[float, bool]]) -> None:
        """The theka up to the tihai, which the drums strike with the melody."""
        fixed = self.plan
        first, start, matras = fixed.first_matra, fixed.gat_s, fixed.gat_matras
        lead_in = -first % fixed.tala.matras
        if not fixed.drums_lead and fixed.gat_matras - lead_in >= 2 * fixed.tala.matras:
            # The melody's pickup calls the drums, which come in on the sam.
            start, matras, first = start + lead_in * fixed.matra_s, matras - lead_in, 0
        busy = 0.9 if fixed.drums_lead else 0.25 + 0.4 * fixed.energy
        for drum in fixed.drums:
            beats = rhythm.theka(
                self.rng,
                fixed.tala,
                drum,
                start_s=start,
                first_matra=first,
                matras=matras,
                matra_s=fixed.matra_s,
                busy=busy,
            )
            self.strokes += [stroke for stroke in beats if stroke.onset_s < tihai[0][0] - 1e-6]
            self.strokes += rhythm.tihai_strokes(fixed.tala, drum, tihai, fixed.sam_s, fixed.matra_s)
        self.strokes.sort(key=lambda stroke: (stroke.onset_s, stroke.drum, stroke.bol))
