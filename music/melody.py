"""The growing line of a melody: phrases drawn from a raga's grammar, held in balance between its swaras."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from music.grammar import grammar_of, walk
from music.score import Note
from music.swaras import semitone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from music.catalogue import Raga, Swara

SA = 0
SHORTEST_S = 0.1
"""No note of a melody is meant to be shorter."""


def shares(raga: Raga, vadi_weight: float) -> NDArray[np.float64]:
    """How much of the melody's time each key should get; (12,), sums to 1.

    The drone carries Sa and Pa, so the melody dwells on the others, most of all on the vadi.
    """
    weights = np.zeros(12)
    for swara in (*raga.arohana, *raga.avarohana):
        weights[semitone(swara) % 12] = 1.0
    weights[0] *= 0.7
    weights[7] *= 0.6
    for swara in raga.nyasa:
        key = semitone(swara) % 12
        if key not in (0, 7):
            weights[key] *= 1.1
    if raga.samvadi is not None:
        key = semitone(raga.samvadi) % 12
        weights[key] = max(1.0, weights[key]) * (1.0 + 0.4 * (vadi_weight - 1.0))
    if raga.vadi is not None:
        weights[semitone(raga.vadi) % 12] = vadi_weight
    return np.asarray(weights / weights.sum(), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Slot:
    """A note's place in time, still without a pitch."""

    onset_s: float
    duration_s: float


def slots(start_s: float, durations_s: Sequence[float]) -> list[Slot]:
    """Places one after the other."""
    onsets = start_s + np.concatenate(([0.0], np.cumsum(durations_s)[:-1]))
    return [Slot(float(onset), float(length)) for onset, length in zip(onsets, durations_s, strict=True)]


def divided(places: Sequence[Slot]) -> list[Slot]:
    """The same time with every slot that is long enough cut into halves."""
    halves: list[Slot] = []
    for slot in places:
        half = slot.duration_s / 2.0
        if half < SHORTEST_S:
            halves.append(slot)
        else:
            halves += [Slot(slot.onset_s, half), Slot(slot.onset_s + half, half)]
    return halves


class Melody:
    """Notes so far, where the line stands in the grammar, and how long each key was held.

    ``promised_s`` is the time that the ending will give to Sa: until then the line keeps off it.
    ``openings`` are the pitches on which it may begin.
    """

    def __init__(self, raga: Raga, rng: np.random.Generator, lowest: int, highest: int, vadi: float) -> None:
        self.raga = raga
        self.rng = rng
        self.grammar = grammar_of(raga, lowest, highest)
        self.shares = shares(raga, vadi)
        self.held_s = np.zeros(12)
        self.promised_s = 0.0
        self.openings = {SA}
        self.notes: list[Note] = []
        self.place: int | None = None
        self.resting = {semitone(swara) % 12 for swara in raga.nyasa}
        self.resting |= {semitone(s) % 12 for s in (raga.vadi, raga.samvadi) if s is not None}

    def _wanting(self) -> NDArray[np.float64]:
        """How much each key wants to be held, around 1; (12,)."""
        held = self.held_s.copy()
        held[SA] += self.promised_s
        have = (held + 2.0 * self.shares) / (held.sum() + 2.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(self.shares > 0.0, self.shares / np.maximum(have, 1e-9), 0.0)
        return np.clip(ratio, 0.2, 5.0)

    def _liking(self, places: Sequence[Slot], center: float, spread: float) -> NDArray[np.float64]:
        """How welcome each place is in each slot: near the register's center, and long notes where wanted."""
        grammar = self.grammar
        near = np.exp(-(((grammar.pitch - center) / spread) ** 2) / 2.0) + 1e-4
        wanting = self._wanting()[grammar.key]
        lengths = np.array([slot.duration_s for slot in places])
        pull = np.clip(lengths / 0.25, 0.8, 4.0)
        return np.asarray(near[None, :] * wanting[None, :] ** pull[:, None], dtype=np.float64)

    def _start(self, moves: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.place is None:
            return np.isin(self.grammar.pitch, sorted(self.openings)).astype(np.float64)
        return np.asarray(moves[self.place], dtype=np.float64)

    def goal(self, center: float) -> NDArray[np.bool_]:
        """A note to rest on, near the register's center; (places,)."""
        grammar = self.grammar
        rest = np.array([3.0 if key in self.resting else (1.2 if key == 0 else 0.7) for key in range(12)])
        near = np.exp(-(((grammar.pitch - center) / 4.0) ** 2) / 2.0) + 1e-4
        weights = near * rest[grammar.key] * self._wanting()[grammar.key] ** 3.0
        weights *= (grammar.onward | grammar.turn).any(axis=1)
        drawn = int(self.rng.choice(len(weights), p=weights / weights.sum()))
        return grammar.at(int(grammar.pitch[drawn]))

    def draw(
        self,
        places: Sequence[Slot],
        goal: NDArray[np.bool_],
        *,
        center: float,
        spread: float = 4.5,
        turning: float = 0.3,
        again: float = 0.05,
    ) -> list[int] | None:
        """Pitches for some slots, ending on the goal: places of the grammar, or None when none lead there."""
        moves = self.grammar.moves(turning, again)
        return walk(self.rng, self._start(moves), moves, self._liking(places, center, spread), goal)

    def phrase(
        self,
        places: Sequence[Slot],
        goal: NDArray[np.bool_],
        *,
        center: float,
        player: int = 0,
        velocity: float = 0.75,
        turning: float = 0.3,
    ) -> tuple[list[int], list[Slot]]:
        """Draws and adds a phrase; returns its places in the grammar and in time.

        A goal too far for so few notes is reached with more and shorter ones; one that is out of reach
        altogether is given up, and the phrase rests where it can.
        """
        path = self.draw(places, goal, center=center, turning=turning)
        while path is None and max(slot.duration_s for slot in places) >= 2.0 * SHORTEST_S:
            places = divided(places)
            path = self.draw(places, goal, center=center, turning=turning)
        if path is None:
            anywhere = np.ones(len(self.grammar.pitch), dtype=bool)
            path = self.draw(places, anywhere, center=center, spread=8.0, again=0.3)
        if path is None:
            here = self.place if self.place is not None else int(np.flatnonzero(self.grammar.at(SA))[0])
            path = [here] * len(places)
        self.add(path, places, player=player, velocity=velocity)
        return path, list(places)

    def add(
        self, path: Sequence[int], places: Sequence[Slot], *, player: int = 0, velocity: float = 0.75
    ) -> None:
        """Adds notes at known places of the grammar."""
        grammar = self.grammar
        for place, slot in zip(path, places, strict=True):
            shade = float(self.rng.uniform(-0.06, 0.06)) + 0.04 * min(slot.duration_s, 1.5)
            self.notes.append(
                Note(
                    onset_s=slot.onset_s,
                    duration_s=slot.duration_s,
                    swara=grammar.places[place].swara,
                    cents=float(grammar.cents[place]),
                    velocity=min(1.0, max(0.3, velocity + shade)),
                    player=player,
                )
            )
            self.held_s[grammar.key[place]] += slot.duration_s
        self.place = path[-1]

    def stated(self, swaras: Sequence[Swara]) -> list[int] | None:
        """The places of a known phrase, or None where the raga's lines or the compass do not hold it."""
        grammar = self.grammar
        if any(not grammar.leads(a, b) for a, b in pairwise(swaras)):
            return None
        options = [np.flatnonzero(grammar.at(semitone(swara))) for swara in swaras]
        if any(len(found) == 0 for found in options):
            return None
        joined = grammar.onward | grammar.turn
        path = [int(options[0][0])]
        for found in options[1:]:
            following = [int(place) for place in found if joined[path[-1], place]]
            path.append(following[0] if following else int(found[0]))
        return path
