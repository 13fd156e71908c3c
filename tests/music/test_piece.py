"""Whole pieces: loudness, peaks, files, progress, and that anything that may be asked for comes out whole."""

from __future__ import annotations

import io
import json
import multiprocessing
import wave
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from music import encode
from music.compose import compose
from music.encode import EncodeError, decode, mp3, pcm16
from music.loudness import hop_energy, integrated_lufs, true_peaks
from music.mix import CEILING_DBTP, master, place
from music.piece import STAGES, Piece, make_piece
from music.request import PieceRequest
from music.resonance import Tarab, resound, room, sympathetic
from music.score import Score
from music.stems import STEMS, write_stems
from tests.music.meters import RATE_HZ, dbtp, lufs
from tests.music.ragas import DARBARI_KANADA, MOHANAM, YAMAN
from tests.music.rendered import render

if TYPE_CHECKING:
    from pathlib import Path


def nobody(_stage: str, _fraction: float) -> None:
    """Nobody watches."""


def made(request: PieceRequest) -> Piece:
    """A piece, unwatched; importable, so that a pool's process finds it."""
    return make_piece(request, nobody)


@pytest.mark.parametrize(
    "request_",
    [
        PieceRequest(YAMAN, 30.0, seed=1),
        PieceRequest(DARBARI_KANADA, 20.0, instruments=(), voice="soprano", mood="peaceful"),
        PieceRequest(MOHANAM, 20.0, instruments=("veena", "violin", "mridangam"), mood="energetic"),
        PieceRequest(YAMAN, 12.0, instruments=("tabla",), tempo_bpm=380.0),
        PieceRequest(YAMAN, 5.0, instruments=("harmonium",), tempo_bpm=30.0),
    ],
    ids=["sitar", "soprano", "ensemble", "tabla", "short"],
)
def test_the_decoded_file_is_as_loud_and_as_long_as_promised(request_: PieceRequest) -> None:
    piece = made(request_)
    samples, rate = soundfile.read(io.BytesIO(piece.mp3))
    assert rate == RATE_HZ == piece.sample_rate_hz
    assert samples.shape[1] == 2
    assert len(samples) / rate == pytest.approx(request_.duration_s, abs=0.05)
    assert lufs(samples) == pytest.approx(-16.0, abs=0.5)
    assert dbtp(samples) <= -1.0
    assert len(decode(piece.mp3)) / rate == pytest.approx(request_.duration_s, abs=0.05)


def test_the_same_request_gives_the_same_bytes_also_in_another_process() -> None:
    request = PieceRequest(YAMAN, 8.0, seed=77)
    here = made(request).mp3
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as pool:
        there = pool.submit(made, request).result(timeout=120)
    assert there.mp3 == here
    assert made(PieceRequest(YAMAN, 8.0, seed=78)).mp3 != here


def test_progress_names_every_stage_and_never_falls() -> None:
    seen: list[tuple[str, float]] = []
    make_piece(PieceRequest(YAMAN, 20.0), lambda stage, fraction: seen.append((stage, fraction)))
    assert list(dict.fromkeys(stage for stage, _ in seen)) == list(STAGES)
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == pytest.approx(1.0)
    assert len(set(fractions)) > 12


def test_the_encoding_of_a_long_piece_is_followed() -> None:
    noise = np.random.default_rng(5).normal(0.0, 0.1, (20 * RATE_HZ, 2)).astype(np.float32)
    long = pcm16(noise) * 20
    told: list[float] = []
    encoded = mp3(long, 2, {}, None, told.append)
    assert len(told) >= 2
    assert told == sorted(told)
    assert 0.0 <= told[0] < told[-1] <= 1.0
    assert encoded == mp3(long, 2, {})  # what is looked at is not changed by it


def test_a_score_has_a_fingerprint_of_its_own() -> None:
    scores = [
        compose(replace(PieceRequest(YAMAN, 30.0), seed=seed, key=key))
        for seed in (1, 2)
        for key in ("C", "D")
    ]
    assert len({score.fingerprint for score in scores}) == 4
    again = Score.from_document(scores[0].to_document())
    assert (
        again.fingerprint
        == scores[0].fingerprint
        == compose(replace(PieceRequest(YAMAN, 30.0), seed=1, key="C")).fingerprint
    )


def test_what_a_report_raises_ends_the_work() -> None:
    class CancelledByPersonError(Exception):
        """They thought better of it."""

    def stop(stage: str, _fraction: float) -> None:
        if stage == "drone":
            raise CancelledByPersonError

    with pytest.raises(CancelledByPersonError):
        make_piece(PieceRequest(YAMAN, 10.0), stop)


def test_a_piece_says_what_it_is() -> None:
    piece = made(PieceRequest(YAMAN, 6.0, key="D", tempo_bpm=90.0, tala="Jhaptal", voice="tenor"))
    assert (piece.tala, piece.tempo_bpm, piece.performer) == ("Jhaptal", 90.0, "Tenor, Sitar")
    assert piece.tonic_hz == pytest.approx(146.83, abs=0.01)
    assert "Yaman" in piece.title
    assert piece.mp3.startswith(b"ID3")
    head = piece.mp3[:2048]
    for text in ("Yaman", "Tenor, Sitar", "Jhaptal"):
        assert text.encode("utf-16-le") in head or text.encode() in head


def test_stems_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "stems"
    request = PieceRequest(YAMAN, 6.0, seed=4, instruments=("sitar", "violin"))
    reports: list[tuple[str, float]] = []
    write_stems(request, folder, lambda stage, fraction: reports.append((stage, fraction)))
    assert list(dict.fromkeys(stage for stage, _ in reports)) == list(STAGES)
    assert [fraction for _, fraction in reports] == sorted(fraction for _, fraction in reports)
    assert reports[-1][1] == 1.0
    names = {path.name for path in folder.iterdir()}
    assert names == {"mix.wav", "mix.mp3", "melody.wav", "drone.wav", "percussion.wav", "score.json"}
    heard: dict[str, NDArray[np.float64]] = {}
    for name in ("mix", *STEMS):
        with wave.open(str(folder / f"{name}.wav")) as file:
            assert file.getnframes() == 6 * RATE_HZ
            assert file.getnchannels() == (2 if name == "mix" else 1)
            heard[name] = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32767.0
    _, mix, lines = render(request)
    assert heard["mix"].reshape(-1, 2) == pytest.approx(mix, abs=1e-4)
    for name in STEMS:
        line = getattr(lines, name)
        highest = float(np.abs(line).max())
        assert highest > 0.0
        assert heard[name] == pytest.approx(line * min(1.0, 0.9 / highest), abs=1e-4)
    score = Score.from_document(json.loads((folder / "score.json").read_text(encoding="utf-8")))
    assert score.raga == "Yaman"


def test_the_meter_agrees_with_an_independent_one() -> None:
    generator = np.random.default_rng(3)
    time = np.arange(8 * RATE_HZ) / RATE_HZ
    for hz, level in ((90.0, 0.3), (440.0, 0.05), (5_000.0, 0.2)):
        sound = generator.standard_normal((len(time), 2)) * 0.01 + np.sin(2.0 * np.pi * hz * time)[:, None]
        sound *= level
        # A quiet stretch, which the gate leaves out.
        sound[: 2 * RATE_HZ] *= 0.01
        assert integrated_lufs(hop_energy(sound.astype(np.float32))) == pytest.approx(lufs(sound), abs=0.15)
    assert integrated_lufs(np.zeros(50)) == float("-inf")


def test_peaks_between_samples_are_seen() -> None:
    time = np.arange(RATE_HZ)
    # A tone at a quarter of the rate, met between its peaks: its samples reach 0.707 of its height.
    tone = np.sin(np.pi / 2.0 * time + np.pi / 4.0).astype(np.float32)
    assert np.abs(tone).max() == pytest.approx(0.7071, abs=1e-3)
    assert true_peaks(tone[1_000:40_000], 64, 0.1)[5:-5].min() == pytest.approx(1.0, abs=0.01)


def test_mastering_holds_a_peak_and_leaves_silence_alone() -> None:
    mix = np.zeros((5 * RATE_HZ, 2), dtype=np.float32)
    master(mix, 1.0, lambda _fraction: None)
    assert not mix.any()
    time = np.arange(len(mix)) / RATE_HZ
    mix[:] = (0.02 * np.sin(2.0 * np.pi * 330.0 * time))[:, None]
    mix[2 * RATE_HZ, :] = 0.9
    master(mix, 0.5, lambda _fraction: None)
    assert dbtp(mix.astype(np.float64)) <= CEILING_DBTP + 0.1
    assert lufs(mix.astype(np.float64)) == pytest.approx(-16.0, abs=0.4)


def test_a_line_is_panned_with_its_power_kept() -> None:
    line = np.zeros(RATE_HZ, dtype=np.float32)
    line[100] = 1.0
    for pan in (-1.0, -0.3, 0.0, 0.8):
        mix = np.zeros((RATE_HZ, 2), dtype=np.float32)
        place(mix, line, 0.5, pan)
        assert float((mix[100] ** 2).sum()) == pytest.approx(0.5, rel=1e-4)
        assert (mix[100, 0] > mix[100, 1]) == (pan < 0.0)


@pytest.mark.parametrize("seconds", [0.4, 3.0, 21.0, 25.3])
def test_a_response_is_a_convolution_however_long_the_line(seconds: float) -> None:
    generator = np.random.default_rng(5)
    count = int(seconds * RATE_HZ)
    line = generator.standard_normal(count).astype(np.float32)
    response = (generator.standard_normal((40_000, 2)) * 0.01).astype(np.float32)
    # The mix itself through the response: both its sides are heard together, and stay in it.
    mix = np.stack([0.25 * line, 0.75 * line], axis=1)
    resound(mix, response, 0.5, lambda _fraction: None)
    for side, share in ((0, 0.25), (1, 0.75)):
        expected = 0.5 * oaconvolve(line.astype(np.float64), response[:, side].astype(np.float64))[:count]
        np.testing.assert_allclose(mix[:, side] - share * line, expected, atol=1e-4)


@pytest.mark.parametrize("seconds", [0.4, 3.0, 21.0, 25.3])
def test_sympathetic_strings_ring_as_by_the_whole_convolution(seconds: float) -> None:
    count = int(seconds * RATE_HZ)
    generator = np.random.default_rng(6)
    time = np.arange(count) / RATE_HZ
    strings_hz = (261.63, 293.66, 392.0, 523.25)
    line = np.zeros(count)
    for hz in (*strings_hz, 311.0, 880.0, 1760.0, 9_000.0, 10_700.0):
        line += 0.1 * np.sin(2.0 * np.pi * (hz * time + generator.random()))
    played = line.astype(np.float32)
    tarab = Tarab(strings_hz, count)
    tarab.hear(played, 0.3)
    tarab.hear(played, 0.2)
    silent_hall = np.zeros((40_000, 2), dtype=np.float32)
    mix = np.zeros((count, 2), dtype=np.float32)
    resound(mix, silent_hall, 0.5, lambda _fraction: None, tarab)
    ringing = sympathetic(strings_hz).astype(np.float64)
    dry = np.stack([0.5 * oaconvolve(line, ringing[:, side])[:count] for side in range(2)], axis=1)
    error = np.sqrt(((mix - dry) ** 2).mean() / (dry**2).mean())
    assert error < 0.03  # 30 dB below it
    # In a hall it is heard once more, as everything else is.
    hall = (generator.standard_normal((40_000, 2)) * 0.01).astype(np.float32)
    wet = np.zeros((count, 2), dtype=np.float32)
    resound(wet, hall, 0.5, lambda _fraction: None, tarab)
    for side in range(2):
        echo = 0.5 * oaconvolve(dry.sum(axis=1), hall[:, side].astype(np.float64))[:count]
        assert np.sqrt(((wet[:, side] - dry[:, side] - echo) ** 2).mean() / (echo**2).mean()) < 0.05


def test_the_room_dies_away() -> None:
    hall = room()
    assert hall.dtype == np.float32
    assert np.abs(hall[500:10_000]).max() > 10.0 * np.abs(hall[40_000:]).max()


def test_a_file_that_is_none_is_refused() -> None:
    with pytest.raises(EncodeError):
        decode(b"this is no audio")


def test_an_encoder_that_is_missing_or_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    silence = bytes(4 * 4410)
    with pytest.raises(EncodeError):
        mp3(silence, 2, {}, cover=b"this is no picture")
    monkeypatch.setattr(encode, "_ffmpeg", lambda: "/no/such/program")
    with pytest.raises(EncodeError):
        mp3(silence, 2, {})


def test_samples_beyond_full_scale_are_held() -> None:
    loud = np.array([[2.0, -2.0], [0.0, 0.5]], dtype=np.float32)
    assert np.frombuffer(pcm16(loud), dtype="<i2").tolist() == [32767, -32767, 0, 16384]
    assert mp3(pcm16(np.zeros((4410, 2), dtype=np.float32)), 2, {})
