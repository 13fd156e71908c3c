"""The ways around the wheel: where the swaras lie, and that a way can be followed by eye."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.drawing.spiral import Point, breadth, runs, spiral

YAMAN = (-1, 2, 4, 6, 9, 11, 12)
DARBARI_DOWN = (12, 8, 10, 7, 5, 7, 3, 5, 2, 0)


def step(point: Point) -> float:
    """The twelfth of the wheel that a point lies at, clockwise from the top."""
    return math.degrees(math.atan2(point[0], -point[1])) / 30.0 % 12.0


def radius(point: Point) -> float:
    return math.hypot(*point)


@pytest.mark.parametrize("way", [YAMAN, DARBARI_DOWN, (12, 11, 9, 7, 6, 4, 2, 0), (0, 5, 5, 7, 3, 3, 12, 12)])
def test_every_swara_lies_on_its_spoke(way: tuple[int, ...]) -> None:
    drawn = spiral(way, 200.0, 10.0)
    assert len(drawn.stops) == len(way)
    for semitone, stop in zip(way, drawn.stops, strict=True):
        apart = (step(drawn.points[stop]) - semitone) % 12.0
        assert min(apart, 12.0 - apart) < 0.01


def test_a_way_up_goes_clockwise_and_a_way_down_back() -> None:
    for way, sign in (((0, 2, 4), 1.0), ((4, 2, 0), -1.0)):
        points = spiral(way, 200.0, 20.0).points
        crossed = [a[0] * b[1] - a[1] * b[0] for a, b in pairwise(points)]
        assert all(value * sign > 0 for value in crossed)


def test_an_octave_straight_up_ends_one_lane_after_its_beginning() -> None:
    drawn = spiral((0, 2, 4, 5, 7, 9, 11, 12), 200.0, 20.0)
    assert radius(drawn.points[0]) == pytest.approx(200.0)
    assert radius(drawn.points[-1]) == pytest.approx(220.0)
    radii = [radius(point) for point in drawn.points]
    assert radii == sorted(radii)


def test_a_way_with_negative_lanes_goes_inwards() -> None:
    assert radius(spiral((12, 7, 0), 200.0, -20.0).points[-1]) == pytest.approx(180.0)


def test_after_a_turn_a_way_comes_by_in_a_lane_of_its_own() -> None:
    drawn = spiral((0, 5, 2, 7), 200.0, 20.0)
    over_ga = sorted(radius(point) for point in drawn.points if abs(step(point) - 4.0) < 0.05)
    lanes = [one for one, later in pairwise([*over_ga, math.inf]) if later - one > 5.0]
    assert len(lanes) == 3
    assert all(later - one > 14.0 for one, later in pairwise(lanes))


def test_crooked_stretches_far_apart_share_their_lanes() -> None:
    near = breadth((0, 4, 2, 4, 2, 12))
    apart = breadth((0, 3, 1, 9, 7, 12))
    assert apart < near


def test_runs_part_a_way_at_its_turns() -> None:
    assert [(run.start, run.end) for run in runs(DARBARI_DOWN)] == [
        (12, 8),
        (8, 10),
        (10, 5),
        (5, 7),
        (7, 3),
        (3, 5),
        (5, 0),
    ]


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.integers(-5, 17), min_size=1, max_size=20), st.sampled_from([-6.0, 6.0]))
def test_any_way_is_one_unbroken_line_within_its_band(way: list[int], lane: float) -> None:
    drawn = spiral(way, 240.0, lane)
    assert len(drawn.stops) == len(way)
    fine = 0.05 * max(radius(point) for point in drawn.points) + abs(lane)
    assert all(math.dist(one, later) < fine for one, later in pairwise(drawn.points))
    ends = sorted((240.0, 240.0 + breadth(way) * lane))
    assert all(ends[0] - 1e-6 <= radius(point) <= ends[1] + 1e-6 for point in drawn.points)
