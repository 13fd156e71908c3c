"""The graph of a raga's lines, and walks over it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from music.catalogue import load
from music.grammar import Grammar, in_octave, walk
from music.swaras import semitone
from tests.grading.law import Law
from tests.music.ragas import BHAIRAV, DESH, MALKAUNS, NADANAMAKRIYA, REETIGOWLA, YAMAN


def test_octave_marks_are_added_and_taken_away() -> None:
    assert [in_octave("N3,", 1), in_octave("S", 2), in_octave("R2'", -2)] == ["N3", "S''", "R2,"]


def test_steps_of_either_line_are_allowed_in_every_octave() -> None:
    yaman = Grammar(YAMAN)
    for first, second in (
        ("N3,", "R2"),
        ("N3", "R2'"),
        ("D2", "N3"),
        ("P", "M2"),
        ("S", "N3,"),
        ("G3", "G3"),
    ):
        assert yaman.allows(first, second), (first, second)
    for first, second in (("S", "R2"), ("M2", "P"), ("P", "D2"), ("N3", "P"), ("G3", "S")):
        assert not yaman.allows(first, second), (first, second)


def test_notes_of_one_direction_stay_in_it() -> None:
    desh = Grammar(DESH)
    assert desh.allows("P", "N3")
    assert desh.allows("N3", "S'")
    assert desh.allows("N2", "D2")
    assert not desh.allows("N3", "D2")
    assert not desh.allows("P", "N2")
    assert not desh.allows("R2", "G3")


def test_crooked_turns_are_kept() -> None:
    reetigowla = Grammar(REETIGOWLA)
    assert reetigowla.allows("G2", "R2")
    assert reetigowla.allows("M1", "N2")
    assert not reetigowla.allows("S", "R2")
    assert not reetigowla.allows("P", "D2")


def test_a_stated_phrase_may_skip_along_a_line_but_not_across_a_turn() -> None:
    assert Grammar(BHAIRAV).leads("M1", "D1")
    assert Grammar(MALKAUNS).leads("S", "M1")
    assert not Grammar(YAMAN).leads("S", "P")
    assert not Grammar(REETIGOWLA).leads("S", "R2")


def test_every_swara_of_every_raga_can_be_sounded_and_every_step_is_the_ragas() -> None:
    for raga in load().ragas:
        grammar = Grammar(raga, lowest=-24, highest=24)
        swaras = {semitone(swara) % 12 for swara in (*raga.arohana, *raga.avarohana)}
        assert {int(key) for key in grammar.key} == swaras, raga.name
        law = Law(raga)
        assert [pair for pair in grammar.pairs if not law.allows(pair)] == [], raga.name


def test_lines_that_do_not_meet_are_sung_in_turn() -> None:
    # It rises S G3 D2 N3 and descends D2 P M1 G3 R3 S: only Ni's own octave leads on to Dha.
    shokavarali = Grammar(next(raga for raga in load().ragas if raga.name == "Shokavarali"))
    assert shokavarali.allows("N3", "D2")
    assert not shokavarali.allows("N3", "S'")
    assert not shokavarali.allows("N3", "P")
    # Where they meet, nothing is added.
    assert not Grammar(DESH).allows("S", "N3,")


def test_a_line_that_ends_off_sa_is_no_trap() -> None:
    grammar = Grammar(NADANAMAKRIYA)
    onward = (grammar.onward | grammar.turn).any(axis=1)
    assert onward.all()


def test_a_walk_has_the_length_and_the_end_asked_for() -> None:
    grammar = Grammar(YAMAN)
    moves = grammar.moves(0.3, 0.05)
    rng = np.random.default_rng(5)
    goal = grammar.at(12)
    for length in (9, 12, 20):
        path = walk(rng, grammar.at(0).astype(float), moves, np.ones((length, len(goal))), goal)
        assert path is not None
        assert len(path) == length
        assert grammar.places[path[0]].swara == "S"
        assert goal[path[-1]]
        assert all(moves[a, b] > 0.0 for a, b in pairwise(path))


@pytest.mark.parametrize("length", [1, 2, 3])
def test_no_walk_where_the_goal_is_too_far(length: int) -> None:
    grammar = Grammar(YAMAN)
    start, goal = grammar.at(0).astype(float), grammar.at(12)
    liking = np.ones((length, len(goal)))
    assert walk(np.random.default_rng(1), start, grammar.moves(0.3, 0.0), liking, goal) is None
