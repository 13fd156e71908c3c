"""The demonstration of a raga: what is played, for how long, and whether a listener hears just that."""

from __future__ import annotations

import io
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy.signal import resample_poly

from music.catalogue import Raga, load
from music.demonstration import LEAD_S, PLAYED_ON, PLAYED_S, TAIL_S, demonstrate, make_demonstration
from music.instruments.line import render_line
from music.instruments.tanpura import render_drone, strings_hz
from music.piece import STAGES, Piece
from music.request import DRUMS, INSTRUMENTS, KEYS, PieceError
from music.swaras import base, parse_scale, semitone
from music.theory import REGISTERS, key_hz, tuned_cents
from tests.grading.listening import listen
from tests.grading.signals import RATE_HZ
from tests.music.ragas import DARBARI_KANADA, LALIT, MALKAUNS, MOHANAM, NADANAMAKRIYA, REETIGOWLA, YAMAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from music.score import Score

HAMSADHWANI = Raga("Hamsadhwani", "Carnatic", parse_scale("S R2 G3 P N3 S'"), parse_scale("S' N3 P G3 R2 S"))
HEARD = (YAMAN, DARBARI_KANADA, REETIGOWLA, MALKAUNS, LALIT, HAMSADHWANI)
CATALOGUE = load().ragas

# Harder than any raga of the catalogue: four swaras a way, and sixteen with a long phrase after them.
FEWEST = replace(MOHANAM, name="Four", arohana=parse_scale("S R2 P S'"), avarohana=parse_scale("S' P R2 S"))
MOST = replace(
    DARBARI_KANADA,
    name="Sixteen",
    arohana=parse_scale("N2, S R2 G2 R2 S R2 M1 P D1 N2 P D1 N2 R2' S'"),
    avarohana=parse_scale("S' D1 N2 P M1 P D1 P G2 M1 P G2 M1 R2 N2, S"),
    pakad=(parse_scale("G2 M1 R2 S D1, N2, R2 S"),),
)


def silent(_fraction: float) -> None:
    """Nobody watches."""


def made(raga: Raga, tonic: str | None = None) -> Piece:
    """A demonstration, unwatched; importable, so that a pool's process finds it."""
    return make_demonstration(raga, lambda _stage, _fraction: None, tonic=tonic)


@pytest.mark.parametrize("ragas", [CATALOGUE, (FEWEST, MOST)], ids=["catalogue", "extremes"])
def test_every_raga_takes_ten_to_fifteen_seconds(ragas: tuple[Raga, ...]) -> None:
    assert ragas
    for raga in ragas:
        score = demonstrate(raga)
        assert 10.0 <= score.duration_s <= 14.9, raga.name
        first, last = score.notes[0], score.notes[-1]
        assert first.onset_s == LEAD_S
        end_s = last.onset_s + last.duration_s
        assert PLAYED_S[0] - 1e-6 <= end_s - LEAD_S <= PLAYED_S[1] + 1e-6
        assert score.duration_s == pytest.approx(end_s + TAIL_S, abs=1e-3)
        for before, after in zip(score.notes, score.notes[1:], strict=False):
            assert after.onset_s == pytest.approx(before.onset_s + before.duration_s)
        assert min(note.duration_s for note in score.notes) >= 0.2, raga.name


def test_every_raga_is_played_as_the_catalogue_has_it() -> None:
    for raga in (*CATALOGUE, FEWEST, MOST):
        score = demonstrate(raga)
        stated = (*raga.arohana, *raga.avarohana, *(raga.pakad[0] if raga.pakad else ()))
        home = () if base(stated[-1]) == "S" else ("S",)
        assert score.swaras == (*stated, *home), raga.name
        assert base(score.swaras[-1]) == "S"
        assert score.notes[-1].duration_s == max(note.duration_s for note in score.notes)
        assert all(note.cents == tuned_cents(raga, note.swara) for note in score.notes)
        assert (score.raga, score.tradition) == (raga.name, raga.tradition)
        register = REGISTERS[score.players[0]]
        assert all(register.lowest <= semitone(swara) <= register.highest for swara in score.swaras), (
            raga.name
        )


def test_a_raga_without_a_phrase_or_off_sa_still_comes_home() -> None:
    assert [part.name for part in demonstrate(MALKAUNS).sections] == ["arohana", "avarohana"]
    assert [part.name for part in demonstrate(YAMAN).sections] == ["arohana", "avarohana", "pakad"]
    score = demonstrate(NADANAMAKRIYA)
    assert [part.name for part in score.sections] == ["arohana", "avarohana", "close"]
    assert score.swaras[-2:] == ("N3,", "S")
    assert score.sections[-1].end_s == pytest.approx(score.duration_s - TAIL_S, abs=1e-3)


def test_ornaments_are_those_of_the_raga() -> None:
    darbari = demonstrate(DARBARI_KANADA).notes
    assert {base(note.swara) for note in darbari if note.ornament == "andolan"} == {"G2", "D1"}
    assert all(note.ornament == "andolan" for note in darbari if base(note.swara) in ("G2", "D1"))
    plain = next(note for note in darbari if note.swara == "P")
    assert next(note for note in darbari if note.swara == "G2").duration_s > 1.9 * plain.duration_s

    reetigowla = demonstrate(REETIGOWLA).notes
    shaken = {base(note.swara) for note in reetigowla if note.ornament == "kampita"}
    assert shaken == {"R2", "G2", "M1", "D2", "N2"}

    yaman = demonstrate(YAMAN)
    glides = [(a.swara, b.swara) for a, b in zip(yaman.notes, yaman.notes[1:], strict=False) if b.ornament]
    assert glides == [
        ("S'", "N3"),
        ("D2", "P"),
        ("M2", "G3"),
        ("G3", "R2"),
        ("R2", "S"),
        ("G3", "R2"),
        ("R2", "S"),
    ]
    for before, after in zip(yaman.notes, yaman.notes[1:], strict=False):
        assert after.touch_cents == (before.cents if after.ornament == "meend" else None)
    # Too fast for an ornament: it would hide the swara.
    assert not any(note.ornament for note in demonstrate(MOST).notes if note.duration_s < 0.4)


def away_from(score: Score, line: NDArray[np.float32]) -> list[float]:
    """How far from its tuning each note was heard, in cents: the median over its middle part."""
    heard = listen(line, score.tonic_hz)
    away = []
    for note in score.notes:
        end_s = note.onset_s + min(note.duration_s, 1.0)
        begin_s = note.onset_s + 0.3 * (end_s - note.onset_s)
        cents = heard.cents[(heard.time_s >= begin_s) & (heard.time_s < end_s - 0.02)]
        assert len(cents) >= 3, f"{note.swara} at {note.onset_s:.2f} s is not heard"
        away.append(float(np.median(cents)) - note.cents)
    return away


@pytest.mark.parametrize("raga", [*HEARD, MOST], ids=lambda raga: raga.name)
def test_a_tracker_hears_every_note_in_tune(raga: Raga) -> None:
    score = demonstrate(raga)
    away = np.abs(away_from(score, render_line(score, 0, 0, silent)))
    assert np.median(away) <= 8.0
    assert away.max() <= 15.0


def strength(sound: NDArray[np.float32], hz: float) -> float:
    """How far a frequency, 3 cents to either side, stands above its neighborhood of a semitone; decibels."""
    size = 1 << 19
    spectrum = np.abs(np.fft.rfft(sound.astype(np.float64) * np.hanning(len(sound)), size))
    cents = np.array([-50.0, -3.0, 3.0, 50.0])
    low, near, far, high = (round(hz * 2.0 ** (c / 1200.0) * size / RATE_HZ) for c in cents)
    return float(20.0 * np.log10(spectrum[near : far + 1].max() / np.median(spectrum[low:high])))


@pytest.mark.parametrize("raga", [YAMAN, MALKAUNS, HAMSADHWANI], ids=lambda raga: raga.name)
def test_the_tanpura_sounds_from_beginning_to_end(raga: Raga) -> None:
    score = demonstrate(raga)
    drone = render_drone(score, silent)
    seconds = drone[: len(drone) // RATE_HZ * RATE_HZ].reshape(-1, RATE_HZ).astype(np.float64)
    assert (seconds**2).mean(axis=1).min() > 0.1 * (drone.astype(np.float64) ** 2).mean()
    first, sa, _, low = strings_hz(score)
    assert first / sa == pytest.approx(2 / 3 if raga is MALKAUNS else 3 / 4, rel=3e-4)
    for hz in (first, sa, low * 3.0):
        assert strength(drone[RATE_HZ : 9 * RATE_HZ], hz) > 20.0
    # Before the first note it is all that is heard in the finished mix.
    samples, _ = soundfile.read(io.BytesIO(made(raga).mp3))
    opening = np.sqrt((samples[RATE_HZ // 3 : int(0.85 * RATE_HZ)] ** 2).mean())
    assert 0.005 < opening < 0.5 * np.sqrt((samples**2).mean())


@pytest.mark.parametrize("raga", [YAMAN, HAMSADHWANI, MOST], ids=lambda raga: raga.name)
def test_the_decoded_file_is_as_loud_and_as_long_as_promised(raga: Raga) -> None:
    piece = made(raga)
    samples, rate = soundfile.read(io.BytesIO(piece.mp3))
    assert rate == RATE_HZ
    assert samples.shape[1] == 2
    assert len(samples) / rate == pytest.approx(piece.duration_s, abs=0.05)
    assert pyloudnorm.Meter(rate).integrated_loudness(samples) == pytest.approx(-16.0, abs=0.5)
    assert max(np.abs(resample_poly(samples[:, side], 4, 1)).max() for side in (0, 1)) <= 10.0 ** (
        -1.0 / 20.0
    )
    assert np.abs(samples[:50]).max() < 0.01
    assert np.abs(samples[-50:]).max() < 0.01


@pytest.mark.parametrize("raga", [YAMAN, DARBARI_KANADA, REETIGOWLA, MOST], ids=lambda raga: raga.name)
def test_no_click_away_from_onsets(raga: Raga) -> None:
    score = demonstrate(raga)
    second = np.abs(np.diff(render_line(score, 0, 0, silent), 2))
    jumps = np.flatnonzero(second > 12.0 * np.percentile(second, 99.0)) / RATE_HZ
    starts = np.array([note.onset_s for note in score.notes])
    assert all(np.abs(starts - jump).min() < 0.03 for jump in jumps)


def test_the_same_raga_gives_the_same_bytes_also_in_another_process() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        there = pool.submit(made, YAMAN, "D")
        here = made(YAMAN, "D")
        assert there.result(timeout=120) == here
    assert made(YAMAN).mp3 != here.mp3
    assert made(MALKAUNS, "D").mp3 != here.mp3


@pytest.mark.parametrize("tradition", PLAYED_ON)
@pytest.mark.parametrize("key", KEYS)
def test_sa_stands_on_every_key(key: str, tradition: str) -> None:
    raga = YAMAN if tradition == "Hindustani" else HAMSADHWANI
    score = demonstrate(raga, tonic=key)
    assert score.players == (PLAYED_ON[tradition],)
    octaves = np.log2(score.tonic_hz / key_hz(key, 4))
    assert octaves == pytest.approx(round(octaves), abs=1e-9)
    assert abs(np.log2(score.tonic_hz / demonstrate(raga).tonic_hz)) <= 0.5 + 1e-9
    if key in ("C", "G#"):
        assert np.median(np.abs(away_from(score, render_line(score, 0, 0, silent)))) <= 8.0


def test_it_says_what_it_is() -> None:
    seen: list[tuple[str, float]] = []
    piece = make_demonstration(
        YAMAN, lambda stage, fraction: seen.append((stage, fraction)), instrument="bansuri"
    )
    assert (piece.title, piece.performer) == ("Raga Yaman: arohana and avarohana", "Bansuri")
    assert piece.tala == ""
    assert piece.score == demonstrate(YAMAN, instrument="bansuri")
    assert not piece.score.chikari
    head = piece.mp3[:2048]
    assert head.startswith(b"ID3")
    assert b"APIC" not in head
    for text in (piece.title, "Bansuri", "Hindustani classical"):
        assert text.encode("utf-16-le") in head or text.encode() in head
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert {stage for stage, _ in seen} == set(STAGES) - {"compose", "percussion"}


@pytest.mark.parametrize("name", [name for name in INSTRUMENTS if name not in DRUMS])
def test_every_melodic_instrument_can_demonstrate(name: str) -> None:
    score = demonstrate(YAMAN, instrument=name)
    assert np.median(np.abs(away_from(score, render_line(score, 0, 0, silent)))) <= 8.0


def test_what_cannot_be_played_is_refused() -> None:
    for name in (*DRUMS, "theremin"):
        with pytest.raises(PieceError, match="melody"):
            demonstrate(YAMAN, instrument=name)
    with pytest.raises(PieceError, match="Sa may stand on C, C#"):
        demonstrate(YAMAN, tonic="H")
