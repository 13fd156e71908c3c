"""Scores: the raga's law, the tala's grid, the form, and that a seed is a seed."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from music.catalogue import Raga, load
from music.compose import compose, vadi_has_its_due
from music.grammar import Grammar
from music.instruments.drums import BOLS
from music.request import INSTRUMENTS, KEYS, SEED_MAX, TALAS, VOICES, PieceRequest
from music.score import Score
from music.swaras import semitone
from music.theory import TALAS as KEPT
from music.theory import pitch_classes, swara_cents
from tests.music.ragas import ALL, DARBARI_KANADA, MOHANAM, YAMAN


def obeys(raga: Raga, score: Score) -> None:
    """Every swara is the raga's, and every step one of its lines' or of its pakad."""
    grammar = Grammar(raga, -36, 48)
    stated = {pair for phrase in raga.pakad for pair in pairwise(phrase)}
    keys = pitch_classes((*raga.arohana, *raga.avarohana))
    for note in score.notes:
        assert semitone(note.swara) % 12 in keys
        assert note.cents == pytest.approx(swara_cents(note.swara))
    for player in range(len(score.players)):
        swaras = [note.swara for note in score.notes if note.player == player]
        if len(score.players) > 1:
            break
        for first, second in pairwise(swaras):
            allowed = grammar.allows(first, second)
            skipped = (first, second) in stated and grammar.leads(first, second)
            assert allowed or skipped, (raga.name, first, second)


def test_ragas_from_all_over_the_catalogue_keep_their_law() -> None:
    ragas = load().ragas[::12]
    assert ragas
    for number, raga in enumerate(ragas):
        score = compose(PieceRequest(raga, 35.0, seed=number))
        obeys(raga, score)
        assert vadi_has_its_due(raga, score.notes), raga.name
        assert score.notes[-1].swara == "S"


@pytest.mark.parametrize("raga", ALL, ids=lambda raga: raga.name)
@pytest.mark.parametrize("duration_s", [5.0, 12.0, 60.0, 180.0])
def test_known_ragas_keep_their_law_at_any_length(raga: Raga, duration_s: float) -> None:
    score = compose(PieceRequest(raga, duration_s, seed=11))
    obeys(raga, score)
    assert vadi_has_its_due(raga, score.notes)


def test_the_same_request_gives_the_same_score_whatever_was_composed_between() -> None:
    request = PieceRequest(YAMAN, 45.0, seed=99)
    first = compose(request)
    compose(PieceRequest(MOHANAM, 20.0, seed=3))
    assert compose(request) == first


def test_another_seed_is_another_melody() -> None:
    melodies = {compose(PieceRequest(YAMAN, 30.0, seed=seed)).swaras for seed in range(20)}
    assert len(melodies) == 20


def test_a_score_survives_json() -> None:
    score = compose(PieceRequest(DARBARI_KANADA, 30.0, instruments=("sitar", "bansuri", "tabla")))
    assert Score.from_document(json.loads(score.to_json())) == score
    assert Score.from_document(score.to_document()) == score


def test_bars_are_not_repeated() -> None:
    score = compose(PieceRequest(YAMAN, 120.0, seed=4, tala="Teental", tempo_bpm=120.0))
    bars = [
        tuple((n.swara, round(n.onset_s - start, 3)) for n in score.notes if start <= n.onset_s < end)
        for start, end in pairwise(score.sams)
    ]
    assert len(bars) >= 8
    assert all(first != second for first, second in pairwise(bars))


def test_the_form_of_a_longer_piece() -> None:
    score = compose(PieceRequest(YAMAN, 120.0, seed=2))
    assert [section.name for section in score.sections] == ["alap", "gat", "tihai", "close"]
    alap, gat, tihai, close = score.sections
    assert alap.end_s <= gat.start_s < tihai.start_s < close.start_s < close.end_s == 120.0
    # The drums are silent in the alap, and the melody climbs an octave and comes home.
    assert min(stroke.onset_s for stroke in score.strokes) >= gat.start_s - 1e-6
    pitches = [semitone(note.swara) for note in score.notes]
    assert max(pitches) >= 12
    assert pitches[0] == 0
    assert pitches[-1] == 0


def test_a_tihai_says_it_three_times_and_lands_on_the_sam() -> None:
    score = compose(PieceRequest(YAMAN, 60.0, seed=8))
    tihai = next(section for section in score.sections if section.name == "tihai")
    notes = [n for n in score.notes if tihai.start_s - 1e-6 <= n.onset_s <= tihai.end_s + 1e-6]
    assert len(notes) % 3 == 0
    third = len(notes) // 3
    said = [tuple(n.swara for n in notes[i * third : (i + 1) * third]) for i in range(3)]
    assert said[0] == said[1] == said[2]
    steps = [notes[(i + 1) * third].onset_s - notes[i * third].onset_s for i in range(2)]
    assert steps[0] == pytest.approx(steps[1])
    assert notes[-1].onset_s == pytest.approx(score.sams[-1])


def test_the_pakad_is_stated() -> None:
    stated = 0
    for seed in range(10):
        swaras = compose(PieceRequest(YAMAN, 60.0, seed=seed)).swaras
        stated += any(
            swaras[at : at + len(phrase)] == phrase for phrase in YAMAN.pakad for at in range(len(swaras))
        )
    assert stated >= 9


def test_mood_moves_the_tempo_and_the_density() -> None:
    calm = compose(PieceRequest(YAMAN, 60.0, seed=5, mood="peaceful"))
    lively = compose(PieceRequest(YAMAN, 60.0, seed=5, mood="energetic"))
    assert lively.tempo_bpm > 1.4 * calm.tempo_bpm
    assert len(lively.notes) > 1.2 * len(calm.notes)


def test_no_ornament_but_on_a_note_that_is_long_enough() -> None:
    seen = set()
    for raga in (DARBARI_KANADA, MOHANAM, YAMAN):
        for note in compose(PieceRequest(raga, 120.0, seed=1)).notes:
            seen.add(note.ornament)
            assert not note.ornament or note.duration_s >= 0.25
            assert (note.touch_cents is not None) == (note.ornament in ("kan", "meend"))
    assert seen == {"", "kan", "meend", "andolan", "kampita"}


REQUESTS = st.builds(
    PieceRequest,
    raga=st.sampled_from(ALL),
    duration_s=st.floats(5.0, 600.0),
    seed=st.integers(0, SEED_MAX),
    tempo_bpm=st.none() | st.floats(30.0, 400.0),
    key=st.none() | st.sampled_from(KEYS),
    instruments=st.lists(st.sampled_from(sorted(INSTRUMENTS)), min_size=1, max_size=4, unique=True).map(
        tuple
    ),
    voice=st.none() | st.sampled_from(sorted(VOICES)),
    tala=st.none() | st.sampled_from(TALAS),
    mood=st.none() | st.sampled_from(("peaceful", "energetic", "joyful", "melancholic")),
)


@given(request=REQUESTS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_anything_that_may_be_asked_for_is_composed(request: PieceRequest) -> None:
    score = compose(request)
    obeys(request.raga, score)
    tala = KEPT[score.tala]
    assert score.duration_s == request.duration_s
    assert score.tempo_bpm == (request.tempo_bpm or score.tempo_bpm)
    assert score.tala == (request.tala or score.tala)
    assert score.notes[0].onset_s >= 0.0
    assert list(score.notes) == sorted(score.notes, key=lambda note: (note.onset_s, note.player))
    for note in score.notes:
        assert note.duration_s > 0.04
        assert note.onset_s + note.duration_s <= score.duration_s + 1e-6
        assert 0.0 < note.velocity <= 1.0
    assert score.strokes
    matra_s = 60.0 / score.tempo_bpm
    for stroke in score.strokes:
        assert stroke.bol in BOLS[stroke.drum]
        assert 0.0 <= stroke.onset_s < score.duration_s
        # A stroke's place in the cycle is where its onset says that it is.
        from_sam = (stroke.onset_s - score.sams[-1]) / matra_s - stroke.matra
        assert from_sam / tala.matras == pytest.approx(round(from_sam / tala.matras), abs=1e-4)
    assert score.sams[-1] <= score.duration_s - 1.0


def test_a_request_for_more_players_gives_each_something_to_play() -> None:
    score = compose(PieceRequest(YAMAN, 90.0, instruments=("sitar", "bansuri", "violin")))
    assert {note.player for note in score.notes} == {0, 1, 2}
    sung = compose(replace(PieceRequest(YAMAN, 90.0), voice="tenor"))
    assert sung.players == ("tenor", "sitar")
    held = [sum(n.duration_s for n in sung.notes if n.player == player) for player in (0, 1)]
    assert held[0] > held[1] > 0.0


@pytest.mark.parametrize("tempo_bpm", [30.0, 44.0, 75.0, 130.0, 260.0, 400.0])
@pytest.mark.parametrize("tala", ["Ektal", "Rupak", "Misra Chapu"])
def test_strokes_stand_on_quarters_of_the_matra(tempo_bpm: float, tala: str) -> None:
    score = compose(PieceRequest(YAMAN, 60.0, seed=3, tempo_bpm=tempo_bpm, tala=tala))
    quarters = [4.0 * (stroke.onset_s - score.sams[-1]) * tempo_bpm / 60.0 for stroke in score.strokes]
    assert max(abs(quarter - round(quarter)) for quarter in quarters) < 0.01
    assert any(stroke.onset_s == pytest.approx(score.sams[-1]) for stroke in score.strokes)
