"""The growing line of a melody: phrases drawn from a raga's grammar, held in balance between its swaras."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from music.grammar import grammar_of, walk
from music.score import Note
from music.swaras import semitone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from music.catalogue import Raga, Swara

SA = 0
FORMS: Final = ((1, 2), (3, 4), (5, 6), (8, 9), (10, 11))
"""The two keys each of Re, Ga, Ma, Dha and Ni."""

SHORTEST_S = 0.1
"""No note of a melody is meant to be shorter."""


_DRONED: Final = {0: 0.5, 7: 0.5}
"""How much Sa and Pa get beside another swara: the drone carries them."""

_DRONED_SAMVADI: Final = 0.6
_TWOFOLD: Final = 0.55
"""What each of two forms of one swara, as the two Ni of Desh, gets beside a swara of one form."""


def shares(raga: Raga, vadi_weight: float) -> NDArray[np.float64]:
    """How much of the melody's time each key should get; (12,), sums to 1.

    The drone carries Sa and Pa, so the melody dwells on the others, most of all on the vadi.
    """
    weights = np.zeros(12)
    for swara in (*raga.arohana, *raga.avarohana):
        weights[semitone(swara) % 12] = 1.0
    for low, high in FORMS:
        if weights[low] and weights[high]:
            weights[[low, high]] = _TWOFOLD
    for key, weight in _DRONED.items():
        weights[key] *= weight
    for swara in raga.nyasa:
        key = semitone(swara) % 12
        if key not in _DRONED:
            weights[key] *= 1.1
    if raga.samvadi is not None:
        key = semitone(raga.samvadi) % 12
        least = _DRONED_SAMVADI if key in _DRONED else 1.0
        weights[key] = max(least, weights[key]) * (1.0 + 0.4 * (vadi_weight - 1.0))
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
    ``openings`` are the pitches on which it may begin, ``rests`` the numbers of the notes that keep their length
    when others are traded, such as those that end phrases.
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
        self.rests: set[int] = set()
        self.place: int | None = None
        resting = {semitone(swara) % 12 for swara in raga.nyasa}
        resting |= {semitone(s) % 12 for s in (raga.vadi, raga.samvadi) if s is not None}
        self._rest = np.array([3.0 if key in resting else (1.2 if key == 0 else 0.7) for key in range(12)])
        self._onward = (self.grammar.onward | self.grammar.turn).any(axis=1)

    def _wanting(self) -> NDArray[np.float64]:
        """How much each key wants to be held, around 1; (12,)."""
        held = self.held_s.copy()
        held[SA] += self.promised_s
        have = (held + 2.0 * self.shares) / (held.sum() + 2.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(self.shares > 0.0, self.shares / np.maximum(have, 1e-9), 0.0)
        return np.clip(ratio, 0.12, 6.0)

    def _liking(
        self, places: Sequence[Slot], center: float, spread: float, contour: Sequence[float] | None
    ) -> NDArray[np.float64]:
        """How welcome each place is in each slot: near the register's center, and long notes where wanted.

        With a contour, a pitch for each slot, the line follows it instead.
        """
        grammar = self.grammar
        if contour is None:
            near = (np.exp(-(((grammar.pitch - center) / spread) ** 2) / 2.0) + 1e-4)[None, :]
        else:
            off = (grammar.pitch[None, :] - np.asarray(contour)[:, None]) / 2.0
            near = np.exp(-(off**2) / 2.0) + 1e-4
        wanting = self._wanting()[grammar.key]
        lengths = np.array([slot.duration_s for slot in places])
        pull = np.clip(lengths / 0.22, 1.0, 4.0)
        return np.asarray(near * wanting[None, :] ** pull[:, None], dtype=np.float64)

    def _start(self, moves: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.place is None:
            return np.isin(self.grammar.pitch, sorted(self.openings)).astype(np.float64)
        return np.asarray(moves[self.place], dtype=np.float64)

    def goal(self, center: float) -> NDArray[np.bool_]:
        """A note to rest on, near the register's center; (places,)."""
        grammar = self.grammar
        near = np.exp(-(((grammar.pitch - center) / 4.0) ** 2) / 2.0) + 1e-4
        weights = near * self._rest[grammar.key] * self._wanting()[grammar.key] ** 3.0
        weights *= self._onward
        total = weights.cumsum()
        drawn = int(np.searchsorted(total, self.rng.random() * total[-1], side="right"))
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
        contour: Sequence[float] | None = None,
    ) -> list[int] | None:
        """Pitches for some slots, ending on the goal: places of the grammar, or None when none lead there."""
        moves = self.grammar.moves(turning, again)
        liking = self._liking(places, center, spread, contour)
        return walk(self.rng, self._start(moves), moves, liking, goal)

    def phrase(
        self,
        places: Sequence[Slot],
        goal: NDArray[np.bool_],
        *,
        center: float,
        player: int = 0,
        velocity: float = 0.75,
        turning: float = 0.3,
        again: float = 0.05,
    ) -> tuple[list[int], list[Slot]]:
        """Draws and adds a phrase; returns its places in the grammar and in time.

        A goal too far for so few notes is reached with more and shorter ones; one that is out of reach
        altogether is given up, and the phrase rests where it can.
        """
        path = self.draw(places, goal, center=center, turning=turning, again=again)
        while path is None and max(slot.duration_s for slot in places) >= 2.0 * SHORTEST_S:
            places = divided(places)
            path = self.draw(places, goal, center=center, turning=turning, again=again)
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
        shades = self.rng.uniform(-0.06, 0.06, len(path)).tolist()
        for place, slot, drawn in zip(path, places, shades, strict=True):
            shade = drawn + 0.04 * min(slot.duration_s, 1.5)
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
        self.rests.add(len(self.notes) - 1)
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

    def trade(self, first: int, last: int) -> None:
        """Lets neighbors among some notes exchange their lengths where that brings the whole into balance.

        The rhythm keeps its lengths, phrase by phrase, and each of the ``rests`` its own.
        """
        notes = self.notes
        keys = [semitone(note.swara) % 12 for note in notes]
        lengths = [note.duration_s for note in notes]
        total = sum(lengths)
        over = [-share * total for share in self.shares.tolist()]
        for key, length in zip(keys, lengths, strict=True):
            over[key] += length
        weight = [1.0 / max(share, 0.02) for share in self.shares.tolist()]
        changed = False
        for _ in range(3):
            for a in range(first, last - 1):
                b = a + 1
                more = lengths[b] - lengths[a]
                if (
                    abs(more) < 1e-9
                    or keys[a] == keys[b]
                    or a in self.rests
                    or b in self.rests
                    or notes[a].player != notes[b].player
                ):
                    continue
                # The change of the weighted sum of squares when a gets what b has more.
                gain = more * (
                    weight[keys[a]] * (2.0 * over[keys[a]] + more)
                    - weight[keys[b]] * (2.0 * over[keys[b]] - more)
                )
                if gain < -1e-9:
                    lengths[a], lengths[b] = lengths[b], lengths[a]
                    over[keys[a]] += more
                    over[keys[b]] -= more
                    changed = True
        if not changed:
            return
        for number in range(first, last):
            note = notes[number]
            begins = number == first or number - 1 in self.rests
            onset = note.onset_s if begins else notes[number - 1].onset_s + notes[number - 1].duration_s
            if lengths[number] != note.duration_s or onset != note.onset_s:
                notes[number] = replace(note, onset_s=onset, duration_s=lengths[number])
