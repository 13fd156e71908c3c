"""The grader itself, on sounds whose cents, clicks, loudness and tempo are known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from music.compose import compose
from music.request import PieceRequest
from music.score import Note, Score
from music.stems import write_stems
from music.swaras import semitone
from music.theory import tuned_cents
from tests.grading import grade, signals
from tests.grading.__main__ import main
from tests.grading.grade import (
    Figure,
    GradeError,
    grade_folder,
    of_drone,
    of_law,
    of_mix,
    of_pitch,
    of_time,
    of_vadi,
)
from tests.grading.law import Law, foils, keys_of
from tests.grading.listening import Heard, listen
from tests.grading.quality import CARNATIC, HINDUSTANI, Case, Row, cases, document
from tests.music.ragas import DARBARI_KANADA, DESH, LALIT, MALKAUNS, REETIGOWLA, YAMAN
from tests.music.rendered import silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = signals.RATE_HZ
SA_HZ = 220.0


def tone(hz: float, seconds: float, level: float = 0.3) -> NDArray[np.float32]:
    """A tone of six harmonics that fades in and out."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = sum(np.sin(2.0 * np.pi * hz * n * time) / n for n in range(1, 7))
    edge = np.minimum(1.0, np.minimum(time, seconds - time) / 0.02)
    return np.asarray(level * wave * edge, dtype=np.float32)


def sung(swaras: str, detuned_cents: float = 0.0, seconds: float = 0.3) -> NDArray[np.float32]:
    """Yaman's swaras one after the other, all of them off by some cents."""
    hz = [SA_HZ * 2.0 ** ((tuned_cents(YAMAN, s) + detuned_cents) / 1200.0) for s in swaras.split()]
    return np.concatenate([tone(one, seconds) for one in hz])


UP_AND_DOWN = "S N3, R2 G3 M2 D2 N3 S' N3 D2 P M2 G3 R2 S"


def heard(line: NDArray[np.float32]) -> Heard:
    """What the tracker makes of it."""
    return listen(line, SA_HZ)


def named(figures: list[Figure], name: str) -> Figure:
    """The figure of that name."""
    return next(figure for figure in figures if figure.name == name)


@pytest.mark.parametrize(
    ("off", "fails"), [(0.0, False), (4.0, False), (-20.0, True), (20.0, True), (50.0, True)]
)
def test_known_cents_are_found(off: float, fails: bool) -> None:
    figures = of_pitch(heard(sung(UP_AND_DOWN, off)), keys_of(YAMAN), foils(YAMAN))
    distance = named(figures, "median distance, cents").value
    assert distance is not None
    # The tracker itself is some cents sharp at this pitch.
    assert distance == pytest.approx(abs(off), abs=3.6)
    assert any(figure.met is False for figure in figures) is fails
    assert named(figures, "share near a swara").met is (abs(off) < 35.0)


def test_another_raga_is_not_taken_for_this_one() -> None:
    sound = heard(sung(UP_AND_DOWN))
    for other in foils(YAMAN):
        assert named(of_pitch(sound, other, []), "share near a swara").met is False
    assert named(of_pitch(sound, keys_of(YAMAN), foils(YAMAN)), "margin over a foil raga").met is True
    assert of_pitch(heard(np.zeros(RATE_HZ, dtype=np.float32)), keys_of(YAMAN), [])[0].met is False


def test_foils_differ_in_two_swaras_and_first_in_those_that_the_raga_is_known_by() -> None:
    for raga in (YAMAN, MALKAUNS, DARBARI_KANADA, LALIT, DESH):
        keys = keys_of(raga)
        assert foils(raga)
        for other in foils(raga):
            assert len(other) == len(keys)
            assert len(set(keys) - set(other)) == 2
    assert set(keys_of(YAMAN)) - set(foils(YAMAN)[0]) == {4, 11}
    assert {5, 6} <= set(foils(LALIT)[0])


def test_the_law_is_read_direction_by_direction() -> None:
    law = Law(REETIGOWLA)
    allowed = [
        (semitone(a), semitone(b))
        for a, b in (("S", "G2"), ("G2", "R2"), ("P", "M1"), ("M1", "N2"), ("S'", "N2"))
    ]
    wrong = [(semitone(a), semitone(b)) for a, b in (("S", "R2"), ("P", "D2"), ("D2", "N2"), ("G2", "P"))]
    assert all(law.allows(pair) for pair in allowed)
    assert not any(law.allows(pair) for pair in wrong)
    assert Law(DESH).forbidden([7, 11, 12, 10, 9, 9, 11]) == ([(9, 11)], 5)


def small_score(swaras: str = UP_AND_DOWN, seconds: float = 0.3) -> Score:
    """A score of even notes, as `sung` sings it."""
    score = compose(PieceRequest(YAMAN, 5.0))
    notes = tuple(
        Note(seconds * number, seconds, swara, tuned_cents(YAMAN, swara))
        for number, swara in enumerate(swaras.split())
    )
    return replace(
        score, notes=notes, strokes=(), chikari=(), tonic_hz=SA_HZ, duration_s=seconds * len(notes)
    )


def test_a_forbidden_step_is_found_in_the_score_and_in_the_sound() -> None:
    wrong = "S N3, R2 S R2 G3 P D2 N3 P S"
    sound = heard(sung(wrong))
    written, sounded = of_law(small_score(wrong), YAMAN, sound, keys_of(YAMAN))
    assert written.value == 5
    assert written.met is sounded.met is False
    assert all(
        figure.met for figure in of_law(small_score(), YAMAN, heard(sung(UP_AND_DOWN)), keys_of(YAMAN))
    )


def test_a_vadi_that_is_hardly_held_is_found() -> None:
    good = "G3 N3 R2 G3 N3 S G3 N3"
    poor = "M2 D2 M2 D2 R2 M2 D2 R2 G3 N3"
    for swaras, met in ((good, True), (poor, False)):
        figures = of_vadi(small_score(swaras), YAMAN, heard(sung(swaras)), keys_of(YAMAN))
        assert len(figures) == 4
        assert all(figure.met is met for figure in figures), figures
    assert all(
        f.met is None for f in of_vadi(small_score(), REETIGOWLA, heard(sung(good)), keys_of(REETIGOWLA))
    )


@pytest.mark.parametrize(("off", "met"), [(0.0, True), (1.0, True), (5.0, False)])
def test_a_drone_is_heard_to_the_cent(off: float, met: bool) -> None:
    score = replace(small_score(), drone_ratios=(0.75, 1.0, 1.0, 0.5))
    line = np.zeros(12 * RATE_HZ, dtype=np.float32)
    for start, ratio in enumerate((0.75, 1.0, 1.0, 0.5) * 3):
        pitch = SA_HZ / 2.0 * ratio * 2.0 ** (off / 1200.0)
        line[start * RATE_HZ : (start + 1) * RATE_HZ] += tone(pitch, 1.0)
    figure = of_drone(score, line)[0]
    assert figure.value is not None
    assert figure.value == pytest.approx(off, abs=0.6)
    assert figure.met is met
    assert of_drone(score, np.zeros(12 * RATE_HZ, dtype=np.float32))[0].met is False


def struck(onsets_s: list[float], seconds: float) -> NDArray[np.float32]:
    """Short bursts of noise."""
    rng = np.random.default_rng(4)
    line = np.zeros(round(seconds * RATE_HZ), dtype=np.float32)
    burst = (rng.standard_normal(2000) * np.exp(-np.arange(2000) / 300.0) * 0.3).astype(np.float32)
    for onset in onsets_s:
        at = round(onset * RATE_HZ)
        line[at : at + 2000] += burst[: len(line) - at]
    return line


def test_a_stroke_is_heard_when_it_is_struck() -> None:
    played = [0.31 + 0.1667 * n for n in range(60)]
    heard = signals.onsets(struck(played, 11.0))
    assert heard == pytest.approx(played, abs=0.004)


@pytest.mark.parametrize(("played_bpm", "met"), [(90.0, True), (90.5, True), (92.0, False), (85.0, False)])
def test_a_tempo_that_is_not_kept_is_found(played_bpm: float, met: bool) -> None:
    score = replace(
        small_score(), tempo_bpm=90.0, sams=(0.5,), strokes=compose(PieceRequest(YAMAN, 20.0)).strokes
    )
    matra_s = 60.0 / played_bpm
    line = struck([0.5 + matra_s * n / 2.0 for n in range(50)], 0.5 + 26.0 * matra_s)
    tempo, grid = of_time(score, line)
    assert tempo.value == pytest.approx(100.0 * abs(played_bpm / 90.0 - 1.0), abs=0.15)
    assert tempo.met is met
    assert grid.met is (played_bpm == 90.0)


def test_strokes_off_the_grid_are_found() -> None:
    score = replace(
        small_score(), tempo_bpm=60.0, sams=(0.0,), strokes=compose(PieceRequest(YAMAN, 20.0)).strokes
    )
    rng = np.random.default_rng(1)
    loose = [n / 2.0 + 0.2 + 0.2 * float(rng.random()) for n in range(40)]
    tempo, grid = of_time(score, struck(loose, 22.0))
    assert grid.value is not None
    assert grid.value < 0.8
    assert named(of_time(score, struck([n / 2.0 + 0.02 for n in range(1, 40)], 22.0)), grid.name).met is True
    assert tempo.name == "tempo, per cent off"


@pytest.mark.parametrize("level", [-30.0, -16.0, -9.0])
def test_loudness_is_that_of_the_standard(level: float) -> None:
    # BS.1770: a sine of 997 Hz at 0 dBFS in one channel has -3.01 LUFS; in two, 3.01 dB more.
    time = np.arange(4 * RATE_HZ) / RATE_HZ
    wave = (10.0 ** (level / 20.0) * np.sin(2.0 * np.pi * 997.0 * time)).astype(np.float32)
    stereo = np.stack([wave, wave], axis=1)
    assert signals.lufs(stereo) == pytest.approx(level, abs=0.05)
    figures = of_mix(replace(small_score(), duration_s=4.0), stereo, {})
    assert named(figures, "loudness, LUFS").met is (level == -16.0)
    assert named(figures, "duration, seconds off").met is True
    assert named(of_mix(small_score(), stereo[:RATE_HZ], {}), "duration, seconds off").met is False


def test_peaks_between_the_samples_are_seen() -> None:
    # A quarter of the rate, sampled 45 degrees off its peaks: the samples stay 3 dB below the wave.
    wave = np.sin(0.5 * np.pi * np.arange(RATE_HZ) + 0.25 * np.pi).astype(np.float32)
    wave *= np.minimum(1.0, np.arange(RATE_HZ) / 4410.0).astype(np.float32)
    assert 20.0 * np.log10(np.abs(wave).max()) == pytest.approx(-3.01, abs=0.02)
    assert signals.true_peak_dbtp(wave) == pytest.approx(0.0, abs=0.2)


def test_clicks_are_counted_where_no_note_begins() -> None:
    score = small_score()
    line = sung(UP_AND_DOWN)
    assert len(signals.clicks(line)) == 0
    clicked = line.copy()
    for second in (0.45, 1.65, 3.3):
        clicked[round(second * RATE_HZ) :] += np.float32(0.08)
    found = signals.clicks(clicked)
    assert found == pytest.approx([0.45, 1.65, 3.3], abs=1e-3)
    stereo = np.stack([line, line], axis=1)
    # The one at 3.3 s falls on the beginning of a note.
    assert named(of_mix(score, stereo, {"melody": clicked}), "clicks off note onsets").value == 2


def test_a_rendered_folder_is_graded_and_one_that_lies_is_found_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raga = grade.raga_of(compose(PieceRequest(YAMAN, 5.0)))
    write_stems(PieceRequest(raga, 12.0, seed=4, instruments=("bansuri",)), tmp_path, silent)
    result = grade_folder(tmp_path)
    assert len(result.figures) == 18
    missed = {figure.name for figure in result.missed}
    assert not {name for name in missed if "vadi" not in name and "margin" not in name}
    assert json.loads(json.dumps(result.to_document()))["seed"] == 4
    assert "median distance, cents" in grade.table(result.figures)

    path = tmp_path / "score.json"
    score = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**score, "seed": 5, "duration_s": 13.0}), encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    *_, last = capsys.readouterr().out.strip().splitlines()
    missed = {figure["name"] for figure in json.loads(last)["figures"] if figure["met"] is False}
    assert {"metadata left unsaid", "duration, seconds off"} <= missed
    path.write_text(json.dumps({**score, "raga": "No such raga"}), encoding="utf-8")
    with pytest.raises(GradeError, match="No such raga"):
        grade_folder(tmp_path)
    soundfile.write(tmp_path / "melody.wav", np.zeros(100, dtype=np.float32), 48_000)
    with pytest.raises(GradeError, match="48000"):
        grade_folder(tmp_path)
    path.unlink()
    assert main([str(tmp_path)]) == 2
    assert "score.json" in capsys.readouterr().err


def test_the_table_has_thirty_ragas_three_performers_and_three_seeds() -> None:
    rows = cases()
    assert len(HINDUSTANI) + len(CARNATIC) == 30
    assert len(rows) == len(set(rows)) == 270
    assert {"Darbari Kanada", "Gaud Malhar", "Malkauns", "Lalit"} <= set(HINDUSTANI)
    assert {"Reetigowla", "Sahana", "Hamsadhwani"} <= set(CARNATIC)
    assert all(case.request(40.0).seed == case.seed for case in rows[::30])


def test_the_document_counts_what_meets_the_bars() -> None:
    good = grade.Grade("a", (grade.at_most("off", 1.0, 2.0),))
    poor = grade.Grade("b", (grade.at_most("off", 3.0, 2.0),))
    case = Case("Yaman", "Hindustani", "sitar", 1, control=True)
    rows = [
        Row(case, good, ("S",), {"detuned": True}),
        Row(replace(case, seed=2), poor, ("R2",), {}),
        Row(replace(case, seed=3), poor, ("R2",), {"detuned": False}),
    ]
    text = document(rows, 40.0)
    assert "**1 of 3 rows meet every bar (33.3 %).**" in text
    assert "1 of 3 melodies" in text
    assert "| off | <= 2 | 1 | 3 | 3 | 1 of 3 |" in text
    assert "| detuned | 2 | 1 |" in text
    assert "- b: off 3.000 (<= 2)" in text
