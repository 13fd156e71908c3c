"""The way through a scale as a spiral around the wheel: the angle is the swara, the radius keeps order.

Sa is at the top, and a semitone up is a twelfth clockwise. A way that comes over a step once more runs in a lane
farther along, so that each turn of a crooked (vakra) scale can be followed; where it has the wheel for itself it
comes back to the first lane.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]

_STEP_DEG = 30.0
_FINE_DEG = 2.5  # how far apart the points of a curve lie
_SOFT = 0.45  # semitones before and after a change of lanes in which the curve is bent
_CAP = 8  # points on each half of a turn
_FALL = 0.2  # lanes that a way comes back in a semitone, at most: more would look like a turn
_RISE = 1.0 / 12.0  # lanes that it moves on in a semitone while it can see to it in time


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a way without a turn: semitones above Sa, and the lane at each semitone of it, ends included."""

    start: int
    end: int
    lanes: tuple[float, ...]

    @property
    def way(self) -> int:
        """1 upwards, -1 downwards."""
        return 1 if self.end >= self.start else -1

    def lane(self, share: float) -> float:
        """The lane where a share (0 to 1) of the run is gone, smoothly changed: level at both ends."""
        steps = len(self.lanes) - 1
        soft = min(_SOFT, steps / 4.0)
        places = ((share * steps + soft * (part / 3.0 - 1.0)) / (steps - 2.0 * soft) for part in range(-3, 4))
        return sum(self._at(min(max(0.0, place), 1.0) * steps) for place in places) / 7.0

    def _at(self, semitones: float) -> float:
        before = min(math.floor(semitones), len(self.lanes) - 2)
        share = semitones - before
        return self.lanes[before] * (1.0 - share) + self.lanes[before + 1] * share


@dataclass(frozen=True, slots=True)
class Spiral:
    """A way as ``points`` in pixels around the center; ``stops`` are those of its swaras, by their number."""

    points: tuple[Point, ...]
    stops: tuple[int, ...]

    @property
    def legs(self) -> list[tuple[Point, ...]]:
        """The points between each swara and the next, both ends included."""
        return [self.points[start : end + 1] for start, end in pairwise(self.stops)]


def runs(semitones: Sequence[int]) -> list[Run]:
    """A way's parts from turn to turn. At a turn, the next run begins a lane after the one that ends."""
    corners = [semitones[0]]
    for before, after in pairwise(semitones):
        if len(corners) > 1 and (after - before) * (corners[-1] - corners[-2]) >= 0:
            corners[-1] = after
        elif after != before:
            corners.append(after)
    found: list[Run] = []
    taken: dict[int, float] = {}
    for start, end in pairwise(corners):
        way = 1 if end > start else -1
        steps = [semitone % 12 for semitone in range(start, end + way, way)]
        first = found[-1].lanes[-1] + 1.0 if found else 0.0
        lanes = [first] + [0.0] * (len(steps) - 1)
        # Over more than an octave a run meets itself, and what is moved there moves the rest: a few rounds settle it.
        for _ in range(4):
            passed = {**taken, steps[0]: first}
            for number, step in enumerate(steps[1:], 1):
                lanes[number] = max(lanes[number], lanes[number - 1] - _FALL, passed.get(step, -1.0) + 1.0)
                passed[step] = lanes[number]
            for number in range(len(steps) - 2, 0, -1):
                lanes[number] = max(lanes[number], lanes[number + 1] - _RISE)
        taken.update(passed)
        found.append(Run(start, end, tuple(lanes)))
    return found or [Run(semitones[0], semitones[0], (0.0,))]


def breadth(semitones: Sequence[int]) -> float:
    """How many lanes lie between the first of a way and the last."""
    return max(lane for run in runs(semitones) for lane in run.lanes)


def spiral(semitones: Sequence[int], radius: float, lane: float) -> Spiral:
    """The way through ``semitones`` above Sa. Lanes are ``lane`` pixels apart, inwards where it is negative."""
    parts = runs(semitones)
    angle = parts[0].start * _STEP_DEG
    points = [_at(angle, radius)]
    stops = [0]
    following = iter(semitones[1:])
    before = semitones[0]
    for run, later in zip(parts, [*parts[1:], None], strict=True):
        middle = radius + lane * (run.lanes[-1] + 0.5)
        # A turn is half a circle whose crown touches the swara's spoke; the way there ends a little before.
        reach = run.way * math.degrees(abs(lane) / 2.0 / middle) if later else 0.0
        begin, end = angle, run.end * _STEP_DEG - reach
        for semitone in following:
            if semitone == before:  # sung again: no way in between
                stops.append(stops[-1])
                continue
            before = semitone
            to = end if semitone == run.end else semitone * _STEP_DEG
            fine = max(1, math.ceil(abs(to - angle) / _FINE_DEG))
            for part in range(1, fine + 1):
                at = angle + (to - angle) * part / fine
                points.append(_at(at, radius + lane * run.lane((at - begin) / (end - begin))))
            angle = to
            stops.append(len(points) - 1)
            if later and semitone == run.end:
                break
        if later:
            for part in range(1, 2 * _CAP + 1):
                bow = math.pi * part / (2 * _CAP)
                points.append(_at(angle + reach * math.sin(bow), middle - lane / 2.0 * math.cos(bow)))
            stops[-1] = len(points) - 1 - _CAP
    return Spiral(tuple(points), tuple(stops))


def _at(angle_deg: float, radius: float) -> Point:
    angle = math.radians(angle_deg)
    return radius * math.sin(angle), -radius * math.cos(angle)
