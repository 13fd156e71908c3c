"""Files to take away, read back by other programs."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from functools import cache

import numpy as np
import pytest
import soundfile

from music.compose import compose
from music.encode import decode
from music.export import FORMATS, Format, export
from music.midi import BEND_SEMITONES, DRUM_CHANNEL, midi
from music.ornament import curve
from music.request import KEYS, PieceRequest
from music.score import Score
from music.swaras import sargam
from music.theory import key_hz
from tests.music.meters import RATE_HZ, dbtp, lufs
from tests.music.midireader import Read, read
from tests.music.ragas import DARBARI_KANADA, MOHANAM, YAMAN

REQUEST = PieceRequest(
    YAMAN, 12.0, seed=9, instruments=("sitar", "bansuri"), tala="Jhaptal", tempo_bpm=96.0, key="D"
)


def silent(_stage: str, _fraction: float) -> None:
    """Nobody watches."""


@cache
def made(kind: Format) -> bytes:
    return export(REQUEST, kind, silent)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def picture() -> bytes:
    """A PNG of 8 by 8 red pixels."""
    rows = b"".join(b"\0" + b"\xff\0\0" * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def frames(data: bytes) -> dict[str, list[bytes]]:
    """The frames of an ID3v2.3 tag by their names."""
    assert data[:5] == b"ID3\3\0"
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte
    found: dict[str, list[bytes]] = {}
    at = 10
    while at < 10 + size and data[at]:
        name, (length,) = data[at : at + 4].decode(), struct.unpack(">I", data[at + 4 : at + 8])
        found.setdefault(name, []).append(data[at + 10 : at + 10 + length])
        at += 10 + length
    return found


def text(frame: bytes) -> str:
    """A text frame's words: Latin-1 or UTF-16, as its first byte says."""
    return frame[1:].decode("utf-16" if frame[0] == 1 else "latin-1").strip("\0\ufeff")


def test_an_mp3_says_what_it_is_and_has_its_cover() -> None:
    cover = picture()
    data = export(REQUEST, "mp3", silent, cover)
    tag = frames(data)
    said = {name: text(values[0]) for name, values in tag.items() if name[0] == "T" and name != "TXXX"}
    assert said["TIT2"] == "Yaman · Jhaptal"
    assert said["TPE1"] == "Sitar, Bansuri"
    assert said["TALB"] == "Raga Bot"
    assert said["TCON"] == "Hindustani classical"
    assert said["TBPM"] == "96"
    assert said["TKEY"] == "D"
    free = {text(frame).replace("\ufeff", "") for frame in tag["TXXX"]}
    assert {"raga\0Yaman", "tala\0Jhaptal"} <= free
    (shown,) = tag["APIC"]
    assert b"image/png" in shown[:16]
    assert shown.endswith(cover)
    samples, rate = soundfile.read(io.BytesIO(data))
    assert (rate, samples.shape[1]) == (RATE_HZ, 2)
    assert len(samples) / rate == pytest.approx(12.0, abs=0.05)
    assert "APIC" not in frames(made("mp3"))


@pytest.mark.parametrize("kind", ["mp3", "opus", "wav"])
def test_every_file_is_as_loud_and_as_long_as_promised(kind: Format) -> None:
    samples, rate = soundfile.read(io.BytesIO(made(kind)), always_2d=True)
    assert len(samples) / rate == pytest.approx(12.0, abs=0.1)
    whole = decode(made(kind)).astype(np.float64)
    assert len(whole) / RATE_HZ == pytest.approx(12.0, abs=0.1)
    assert lufs(whole) == pytest.approx(-16.0, abs=0.6)
    assert dbtp(whole) <= -1.0


def test_a_voice_note_is_small() -> None:
    info = soundfile.info(io.BytesIO(made("opus")))
    assert (info.format, info.subtype) == ("OGG", "OPUS")
    assert len(made("opus")) < 0.55 * len(made("mp3"))
    assert len(made("opus")) < 12 * 9_000
    assert b"Yaman" in made("opus")[:2000]


def test_a_wav_has_sixteen_bits() -> None:
    info = soundfile.info(io.BytesIO(made("wav")))
    assert (info.samplerate, info.channels, info.subtype) == (RATE_HZ, 2, "PCM_16")


def test_stems_are_the_lines_of_the_score() -> None:
    with zipfile.ZipFile(io.BytesIO(made("stems"))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[:4] == ["1-sitar.flac", "2-bansuri.flac", "3-tanpura.flac", "4-tabla.flac"]
        levels = json.loads(archive.read("levels.json"))
        assert Score.from_document(json.loads(archive.read("score.json"))) == compose(REQUEST)
        assert archive.read("score.mid") == made("midi")
        together = np.zeros((12 * RATE_HZ, 2))
        for name in names[:4]:
            line, rate = soundfile.read(io.BytesIO(archive.read(name)))
            assert (rate, line.shape) == (RATE_HZ, (12 * RATE_HZ,))
            assert np.abs(line).max() == pytest.approx(0.9, abs=1e-3)
            angle = (levels[name]["pan"] + 1.0) * np.pi / 4.0
            together += np.outer(line * levels[name]["level"], [np.cos(angle), np.sin(angle)])
    # The stems, put together, are the mix but for the room, the sympathetic strings and the mastering.
    mix, _ = soundfile.read(io.BytesIO(made("wav")))
    middle = slice(2 * RATE_HZ, 10 * RATE_HZ)
    assert np.corrcoef(together[middle, 0], mix[middle, 0])[0, 1] > 0.8
    assert np.corrcoef(together[middle, 1], mix[middle, 1])[0, 1] > 0.8


@pytest.mark.parametrize("kind", ["opus", "wav", "midi", "stems"])
def test_the_same_request_gives_the_same_bytes(kind: Format) -> None:
    assert export(REQUEST, kind, silent) == made(kind)


def test_progress_never_falls() -> None:
    for kind in FORMATS:
        seen: list[float] = []

        def report(_stage: str, fraction: float, seen: list[float] = seen) -> None:
            seen.append(fraction)

        export(PieceRequest(YAMAN, 5.0), kind, report)
        assert seen == sorted(seen)
        assert seen[0] == 0.0
        assert kind == "midi" or seen[-1] == pytest.approx(1.0)


def performed(score: Score) -> Read:
    return read(midi(score, "A piece"))


def test_midi_tells_tempo_key_measure_and_names() -> None:
    score = compose(REQUEST)
    heard = performed(score)
    assert heard.format == 1
    assert heard.tracks == ["A piece", "Sitar", "Bansuri", "Tanpura", "Jhaptal"]
    assert 60e6 / heard.tempo_us == pytest.approx(96.0, rel=1e-5)
    assert heard.key == (2, 0)
    assert heard.measure is not None
    assert heard.measure[0] == 10
    assert heard.measure[1] == pytest.approx(score.sams[0], abs=2e-3)
    assert heard.end_s == pytest.approx(score.duration_s, abs=0.01)
    assert [word for kind, _, word in heard.texts if kind == 6] == [part.name for part in score.sections]
    assert any("Raga Yaman, Sa = D" in word for kind, _, word in heard.texts if kind == 1)


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        PieceRequest(DARBARI_KANADA, 60.0, seed=2, instruments=("sarod", "violin"), key="F#"),
        PieceRequest(MOHANAM, 30.0, seed=2, instruments=("veena",), voice="soprano"),
    ],
    ids=["yaman", "darbari", "mohanam"],
)
def test_midi_sounds_every_note_in_tune_and_in_time(request_: PieceRequest) -> None:
    score = compose(request_)
    heard = performed(score)
    base = 69.0 + 12.0 * np.log2(score.tonic_hz / 440.0)
    lyrics = [(time_s, word) for kind, time_s, word in heard.texts if kind == 5]
    bent = 0
    for player in range(len(score.players)):
        written = [note for note in score.notes if note.player == player]
        sounding = sorted((one for one in heard.notes if one.channel == player), key=lambda one: one.start_s)
        assert len(written) == len(sounding)
        shifts = set()
        for note, one in zip(written, sounding, strict=True):
            assert one.start_s == pytest.approx(note.onset_s, abs=2e-3)
            assert one.end_s <= note.onset_s + note.duration_s + 2e-3
            at = min(one.end_s - one.start_s, note.duration_s) - 1e-3
            for time_s, bend in (one.bends[0], *(b for b in one.bends if b[0] <= note.onset_s + at)):
                target = curve(note, np.array([max(0.0, time_s - note.onset_s)]))[0] / 100.0
                apart = one.key + bend - base - target
                shifts.add(round(apart / 12.0))
                # A bend is at most 10 ms and a step behind, and a glide is steep.
                assert abs(apart - 12.0 * round(apart / 12.0)) < (0.6 if note.ornament else 0.02)
            bent += len(one.bends) > 2
            assert any(
                word == sargam(note.swara, request_.raga.tradition) and abs(time_s - one.start_s) < 2e-3
                for time_s, word in lyrics
            )
        assert len(shifts) == 1
    assert bent or not any(note.ornament for note in score.notes)
    drums = [one for one in heard.notes if one.channel == DRUM_CHANNEL]
    assert len(drums) == len(score.strokes)
    for stroke, one in zip(score.strokes, sorted(drums, key=lambda one: one.start_s), strict=True):
        assert one.start_s == pytest.approx(stroke.onset_s, abs=2e-3)
    bols = [word for _, word in lyrics]
    assert all(stroke.bol in bols for stroke in score.strokes)


def test_the_drone_of_a_midi_file_is_just() -> None:
    score = compose(PieceRequest(YAMAN, 20.0))
    pitches = {round(one.pitch, 2) for one in performed(score).notes if one.channel in (10, 11)}
    sa = 69.0 + 12.0 * np.log2(score.tonic_hz / 440.0)
    above = sorted({round((pitch - sa) % 12.0, 2) % 12.0 for pitch in pitches})
    assert above[0] == pytest.approx(0.0, abs=0.02)
    assert any(one == pytest.approx(7.02, abs=0.011) for one in above)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_its_signature(key: str) -> None:
    heard = performed(compose(PieceRequest(YAMAN, 5.0, key=key)))
    majors = {
        "C": 0,
        "G": 1,
        "D": 2,
        "A": 3,
        "E": 4,
        "B": 5,
        "F#": 6,
        "C#": -5,
        "G#": -4,
        "D#": -3,
        "A#": -2,
        "F": -1,
    }
    assert heard.key == (majors[key], 0)
    assert BEND_SEMITONES == 12
    assert key_hz(key, 4) > 0.0
