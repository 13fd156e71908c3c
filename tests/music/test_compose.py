"""Scores: the raga's law, the tala's grid, the form, and that a seed is a seed."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import groupby, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from music.catalogue import Raga, load
from music.compose import compose, vadi_has_its_due
from music.grammar import Grammar
from music.instruments.drums import BOLS
from music.manner import GAT, KRITI, STYLES, manner_of
from music.request import INSTRUMENTS, KEYS, SEED_MAX, TALAS, VOICES, PieceRequest
from music.request import STYLES as ASKED
from music.score import Score
from music.swaras import semitone
from music.theory import TALAS as KEPT
from music.theory import pitch_classes, tuned_cents
from tests.music.ragas import ALL, DARBARI_KANADA, MOHANAM, YAMAN


def obeys(raga: Raga, score: Score) -> None:
    """Every swara is the raga's, and every step one of its lines' or of its pakad."""
    grammar = Grammar(raga, -36, 48)
    stated = {pair for phrase in raga.pakad for pair in pairwise(phrase)}
    keys = pitch_classes((*raga.arohana, *raga.avarohana))
    for note in score.notes:
        assert semitone(note.swara) % 12 in keys
        assert note.cents == pytest.approx(tuned_cents(raga, note.swara))
    for player in range(len(score.players)):
        swaras = [note.swara for note in score.notes if note.player == player]
        if len(score.players) > 1:
            break
        for first, second in pairwise(swaras):
            allowed = grammar.allows(first, second)
            skipped = (first, second) in stated and grammar.leads(first, second)
            assert allowed or skipped, (raga.name, first, second)


def test_ragas_of_the_catalogue_keep_their_law() -> None:
    ragas = load().ragas[::37]
    assert len(ragas) > 30
    for number, raga in enumerate(ragas):
        score = compose(PieceRequest(raga, 35.0, seed=number))
        obeys(raga, score)
        assert vadi_has_its_due(raga, score.notes), raga.name
        assert score.notes[-1].swara == "S"


@pytest.mark.parametrize("raga", ALL, ids=lambda raga: raga.name)
@pytest.mark.parametrize("duration_s", [5.0, 12.0, 100.0])
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
    melodies = {compose(PieceRequest(YAMAN, 30.0, seed=seed)).swaras for seed in range(10)}
    assert len(melodies) == 10


def test_a_score_survives_json() -> None:
    score = compose(PieceRequest(DARBARI_KANADA, 30.0, instruments=("sitar", "bansuri", "tabla")))
    assert Score.from_document(json.loads(score.to_json())) == score
    assert Score.from_document(score.to_document()) == score


@pytest.mark.parametrize("raga", [YAMAN, MOHANAM, DARBARI_KANADA], ids=lambda raga: raga.name)
def test_no_cycle_of_the_tala_is_heard_twice(raga: Raga) -> None:
    for seed in range(4):
        score = compose(PieceRequest(raga, 120.0, seed=seed, tala="Teental", tempo_bpm=120.0))
        bars = [
            tuple((n.swara, round(n.onset_s - start, 3)) for n in score.notes if start <= n.onset_s < end)
            for start, end in pairwise(score.sams)
        ]
        assert len(bars) >= 8
        assert len(set(bars)) == len(bars)


def parts(request: PieceRequest) -> list[str]:
    """The names of a piece's parts."""
    return [section.name for section in compose(request).sections]


def test_the_form_grows_with_the_duration() -> None:
    assert parts(PieceRequest(YAMAN, 10.0)) == ["gat", "tihai", "close"]
    assert parts(PieceRequest(YAMAN, 60.0)) == ["alap", "sthayi", "antara", "taans", "tihai", "close"]
    assert parts(PieceRequest(YAMAN, 100.0))[:3] == ["alap", "jod", "sthayi"]
    assert parts(PieceRequest(YAMAN, 240.0)) == [
        *("alap", "jod", "jhala"),
        *("sthayi", "antara", "taans", "jhala", "tihai", "close"),
    ]


def test_instruments_without_chikari_have_no_jhala() -> None:
    assert "jhala" not in parts(PieceRequest(YAMAN, 300.0, instruments=("bansuri",), mood="energetic"))
    assert "jod" not in parts(PieceRequest(YAMAN, 300.0, instruments=(), voice="tenor"))


def test_a_carnatic_piece_is_an_alapana_and_a_kriti() -> None:
    short = parts(PieceRequest(MOHANAM, 60.0, instruments=("veena",)))
    assert short == ["alapana", "pallavi", "anupallavi", "charanam", "mora", "close"]
    long = parts(PieceRequest(MOHANAM, 180.0, instruments=("veena",), mood="joyful"))
    assert long == ["alapana", "pallavi", "anupallavi", "charanam", "svaras", "mora", "close"]


def test_the_parts_follow_one_another_and_the_drums_wait() -> None:
    score = compose(PieceRequest(YAMAN, 240.0, seed=2))
    for before, after in pairwise(score.sections):
        assert before.start_s < before.end_s <= after.start_s + 1e-6
    assert score.sections[-1].end_s == 240.0
    sthayi = next(section for section in score.sections if section.name == "sthayi")
    assert min(stroke.onset_s for stroke in score.strokes) >= sthayi.start_s - 1e-6


@pytest.mark.parametrize("raga", [YAMAN, MOHANAM], ids=lambda raga: raga.name)
def test_the_melody_climbs_an_octave_late_and_comes_home(raga: Raga) -> None:
    score = compose(PieceRequest(raga, 180.0, seed=2))
    pitches = [semitone(note.swara) for note in score.notes]
    assert (pitches[0], pitches[-1]) == (0, 0)
    assert max(pitches) >= 12

    def height(name: str) -> float:
        part = next(section for section in score.sections if section.name == name)
        inside = [n for n in score.notes if part.start_s <= n.onset_s < part.end_s]
        return sum(semitone(n.swara) * n.duration_s for n in inside) / sum(n.duration_s for n in inside)

    low, high = ("sthayi", "antara") if raga is YAMAN else ("pallavi", "anupallavi")
    assert height(high) > height(low) + 2.0


@pytest.mark.parametrize("seed", range(4))
def test_two_players_ask_and_answer_in_one_rhythm(seed: int) -> None:
    score = compose(PieceRequest(YAMAN, 120.0, seed=seed, instruments=("sitar", "bansuri")))
    part = next(section for section in score.sections if section.name == "sawal-jawab")
    inside = [n for n in score.notes if part.start_s - 1e-6 <= n.onset_s < part.end_s - 1e-6]
    turns = [list(group) for _, group in groupby(inside, key=lambda note: note.player)]
    rhythms = [[round(n.duration_s, 3) for n in turn] for turn in turns]
    pairs = list(zip(rhythms[::2], rhythms[1::2], strict=False))
    assert len(pairs) >= 2
    # The last note of an answer may be longer; a string that is struck again may make one more of a note.
    assert sum(ask[:-1] == answer[:-1] for ask, answer in pairs) >= len(pairs) - 1


def test_taans_are_quicker_than_the_sthayi() -> None:
    score = compose(PieceRequest(YAMAN, 120.0, seed=3, mood="energetic"))

    def shortest(name: str) -> float:
        part = next(section for section in score.sections if section.name == name)
        inside = [n.duration_s for n in score.notes if part.start_s <= n.onset_s < part.end_s]
        return sum(inside) / len(inside)

    assert shortest("taans") < 0.8 * shortest("sthayi")


def test_a_grave_mood_lies_lower_than_a_bright_one() -> None:
    def height(mood: str) -> float:
        notes = [
            n for seed in range(3) for n in compose(PieceRequest(YAMAN, 90.0, seed=seed, mood=mood)).notes
        ]
        return sum(semitone(n.swara) * n.duration_s for n in notes) / sum(n.duration_s for n in notes)

    assert height("heroic") > height("serious") + 1.0


@pytest.mark.parametrize("style", sorted(STYLES))
def test_a_song_is_made_in_the_manner_asked_for(style: str) -> None:
    manner = STYLES[style]
    scores = [
        compose(PieceRequest(YAMAN, 150.0, seed=seed, instruments=(), voice="alto", style=style))
        for seed in range(3)
    ]
    for score in scores:
        obeys(YAMAN, score)
        assert manner.tempo_bpm[0] - 5.0 <= score.tempo_bpm <= manner.tempo_bpm[1] + 5.0
        assert score.tala in {name for name, _ in manner.talas}
    names = {section.name for score in scores for section in score.sections}
    assert ("taans" in names) is (style == "khayal")
    assert ({"jod", "layakari"} <= names) is (style == "dhrupad")
    murkis = sum(note.ornament == "murki" for score in scores for note in score.notes)
    assert (murkis > 0) is (style != "dhrupad")
    in_tala = [next(s.start_s for s in score.sections if s.name == "sthayi") for score in scores]
    assert min(in_tala) > 55.0 if style == "dhrupad" else max(in_tala) < 55.0


def test_manners_of_song_differ_in_tempo_tala_and_ornament() -> None:
    assert STYLES["dhrupad"].tempo_bpm[1] < STYLES["bhajan"].tempo_bpm[1] < STYLES["khayal"].tempo_bpm[1]
    assert STYLES["dhrupad"].murki == 0.0 < STYLES["bhajan"].murki < STYLES["thumri"].murki
    assert STYLES["dhrupad"].alap > STYLES["khayal"].alap > STYLES["bhajan"].alap
    for manner in (GAT, KRITI, *STYLES.values()):
        for talas in (manner.talas, manner.lively_talas):
            assert sum(weight for _, weight in talas) == pytest.approx(1.0)
            assert {name for name, _ in talas} <= set(KEPT)
    assert manner_of(PieceRequest(YAMAN, voice="tenor", instruments=())) is STYLES["khayal"]
    assert manner_of(PieceRequest(YAMAN)) is GAT
    assert set(STYLES) == set(ASKED)
    assert manner_of(PieceRequest(MOHANAM, voice="tenor", instruments=())) is KRITI


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
            assert (note.touch_cents is not None) == (note.ornament in ("kan", "meend", "murki"))
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
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
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
