"""Where a raga's melody may go: its arohana and avarohana as a graph, and random walks over it.

A note stands for a place in one of the two lines, not only for a pitch: from a place the melody goes on
along its line, or crosses to the other line where that one holds the same note. So every step is one that
the arohana or the avarohana itself takes, crooked (vakra) turns are kept, and a note that only one direction
knows is met in that direction only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from music.swaras import base, semitone
from music.theory import tuned_cents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from music.catalogue import Raga, Swara

Line = Literal["up", "down"]

OCTAVES: Final = range(-2, 3)


@dataclass(frozen=True, slots=True)
class Place:
    """One note of one line in one octave. ``pitch`` is in semitones above the middle Sa."""

    line: Line
    index: int
    octave: int
    swara: Swara
    pitch: int


def in_octave(swara: Swara, octaves: int) -> Swara:
    """A swara moved by whole octaves (``in_octave("N3,", 1)`` is ``"N3"``)."""
    plain = base(swara)
    octave = (semitone(swara) - semitone(plain)) // 12 + octaves
    return plain + ("'" * octave if octave > 0 else "," * -octave)


class Grammar:
    """The moves of one raga between ``lowest`` and ``highest`` (semitones above the middle Sa).

    ``onward[i, j]`` says that place j follows place i along a line, ``turn[i, j]`` that it does so after a
    crossing to the other line. Both are boolean, (places, places). ``pitch`` is int, (places,).
    """

    def __init__(self, raga: Raga, lowest: int = -12, highest: int = 19) -> None:
        lines: dict[Line, tuple[Swara, ...]] = {"up": raga.arohana, "down": raga.avarohana}
        everywhere = [
            Place(line, index, octave, in_octave(swara, octave), semitone(swara) + 12 * octave)
            for line, swaras in lines.items()
            for octave in OCTAVES
            for index, swara in enumerate(swaras)
        ]
        self._number = {(place.line, place.index, place.octave): n for n, place in enumerate(everywhere)}
        self._lengths = {line: len(swaras) for line, swaras in lines.items()}
        onward = np.zeros((len(everywhere), len(everywhere)), dtype=bool)
        for n, place in enumerate(everywhere):
            onward[n, list(self._along(place, everywhere))] = True
        pitch = np.array([place.pitch for place in everywhere])
        rising = np.array([place.line == "up" for place in everywhere])
        turn = _turns(pitch, rising, onward)
        anywhere = np.ones(len(everywhere), dtype=bool)
        if len(np.unique(pitch[_kept(pitch, anywhere, onward | turn)] % 12)) < len(np.unique(pitch % 12)):
            # The lines do not meet where one ends, as in Shokavarali, which rises to Ni and descends from Dha:
            # that note would never sound. There the other line's beginning follows, as they are sung in turn.
            for n, place in enumerate(everywhere):
                onward[n, list(self._joined(place, everywhere))] = True
            turn = _turns(pitch, rising, onward)
        kept = _kept(pitch, (pitch >= lowest) & (pitch <= highest), onward | turn)
        self.places = tuple(everywhere[n] for n in kept)
        self.pitch = pitch[kept]
        self.onward = onward[np.ix_(kept, kept)]
        self.turn = turn[np.ix_(kept, kept)] & ~self.onward
        self.cents = np.array([tuned_cents(raga, place.swara) for place in self.places])
        self.key = self.pitch % 12
        self._moves: dict[tuple[float, float], NDArray[np.float64]] = {}
        self.pairs = frozenset(
            (int(self.pitch[i]), int(self.pitch[j]))
            for i, j in zip(*np.nonzero(self.onward | self.turn), strict=True)
        )

    def _along(self, place: Place, everywhere: Sequence[Place]) -> Iterator[int]:
        """What follows a place on its own line, where an octave's last note is the next one's first."""
        step = self._number.get((place.line, place.index + 1, place.octave))
        if step is not None:
            yield step
            return
        neighbor = place.octave + (1 if place.line == "up" else -1)
        for index in range(self._lengths[place.line] - 1):
            same = self._number.get((place.line, index, neighbor))
            if same is not None and everywhere[same].pitch == place.pitch:
                yield self._number[(place.line, index + 1, neighbor)]
                return

    def _joined(self, place: Place, everywhere: Sequence[Place]) -> Iterator[int]:
        """What follows the end of a line when the two are sung one after the other, if that is another note."""
        if place.index == self._lengths[place.line] - 1:
            other = self._number[("down" if place.line == "up" else "up", 0, place.octave)]
            if everywhere[other].pitch != place.pitch:
                yield other

    def allows(self, first: Swara, second: Swara) -> bool:
        """Whether one swara may follow another: a step of either line, or the same note again."""
        a, b = semitone(first), semitone(second)
        return a == b or (a, b) in self.pairs

    def leads(self, first: Swara, second: Swara) -> bool:
        """Whether a stated phrase may go from one swara to another: `allows`, or skipping along a line.

        Skipping keeps the line's direction: between the two the line does not turn, so nothing crooked is
        straightened.
        """
        if self.allows(first, second):
            return True
        target = semitone(second)
        for start in np.flatnonzero(self.at(semitone(first))):
            rising = target > self.pitch[start]
            here = int(start)
            while True:
                steps = np.flatnonzero(self.onward[here])
                if not len(steps) or (self.pitch[steps[0]] > self.pitch[here]) != rising:
                    break
                here = int(steps[0])
                if self.pitch[here] == target:
                    return True
        return False

    def at(self, pitch: int) -> NDArray[np.bool_]:
        """The places that hold a pitch; (places,)."""
        return np.asarray(self.pitch == pitch, dtype=np.bool_)

    def moves(self, turn_weight: float, repeat_weight: float) -> NDArray[np.float64]:
        """How readily each move is made; (places, places), not to be written to."""
        known = self._moves.get((turn_weight, repeat_weight))
        if known is None:
            known = self.onward + turn_weight * self.turn + repeat_weight * np.eye(len(self.pitch))
            self._moves[turn_weight, repeat_weight] = known
        return known

    def before(self, goal: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The places from which one move, or staying, reaches a goal; (places,)."""
        return np.asarray(goal | ((self.onward | self.turn)[:, goal].any(axis=1)))


@lru_cache(maxsize=64)
def grammar_of(raga: Raga, lowest: int, highest: int) -> Grammar:
    """A raga's grammar, made once: a piece is drawn several times, and ragas return."""
    return Grammar(raga, lowest, highest)


def _turns(
    pitch: NDArray[np.int64], rising: NDArray[np.bool_], onward: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The moves that cross to the other line, where that one holds the same note, and go on there."""
    crossing = (pitch[:, None] == pitch[None, :]) & (rising[:, None] != rising[None, :])
    return np.asarray((crossing.astype(np.int64) @ onward.astype(np.int64)) > 0, dtype=np.bool_)


def _kept(pitch: NDArray[np.int64], within: NDArray[np.bool_], moves: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The numbers of the places that lie on a way from the middle Sa and back to it.

    Where a line ends without a way on (ragas that close on Ni or Pa), the melody would be caught.
    """
    joined = moves & within[:, None] & within[None, :]
    sa = (pitch == 0) & within
    return np.flatnonzero(_reached(joined, sa) & _reached(joined.T, sa))


def _reached(joined: NDArray[np.bool_], start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Everything that moves lead to from a start, itself included; (places,)."""
    reached: NDArray[np.bool_] = start
    while True:
        further: NDArray[np.bool_] = np.asarray(reached | joined[reached].any(axis=0), dtype=np.bool_)
        if (further == reached).all():
            return reached
        reached = further


_STEPS_BETWEEN: Final = 8
"""Weights are scaled once in so many steps: one step makes them at most 10^8 times smaller or some 100 times larger."""


def walk(
    rng: np.random.Generator,
    start: NDArray[np.float64],
    moves: NDArray[np.float64],
    liking: NDArray[np.float64],
    goal: NDArray[np.bool_],
) -> list[int] | None:
    """A random walk of ``len(liking)`` places that ends on the goal, or None when there is none.

    ``start`` weighs the first place, ``moves`` each step, ``liking`` (steps, places) each place at each step.
    A walk is drawn with the probability that its weights' product has among all walks that reach the goal.
    """
    steps = len(liking)
    ahead = np.empty_like(liking)
    ahead[-1] = liking[-1] * goal
    for step in range(steps - 2, -1, -1):
        here = ahead[step]
        np.matmul(moves, ahead[step + 1], out=here)
        here *= liking[step]
        if step % _STEPS_BETWEEN == 0:
            peak = here.max()
            if peak <= 0.0:
                return None
            here /= peak
    weights = start * ahead[0]
    path: list[int] = []
    for step, drawn in enumerate(rng.random(steps).tolist(), start=1):
        total = weights.cumsum()
        most = total[-1]
        if most <= 0.0:
            return None
        path.append(int(total.searchsorted(drawn * most, side="right")))
        if step < steps:
            weights = moves[path[-1]] * ahead[step]
    return path
