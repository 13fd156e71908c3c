"""A whole piece: request -> score -> lines -> mix -> MP3. All of it can cross to a process of a pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from music.compose import compose
from music.encode import mp3, pcm16, write_wav
from music.form import plan
from music.instruments.drums import render_drums
from music.instruments.line import render_line
from music.instruments.tanpura import render_drone
from music.instruments.wavetable import SAMPLE_RATE_HZ
from music.mix import Bus, add, gain, master, power, room, sympathetic
from music.request import INSTRUMENTS, VOICES
from music.score import Score
from music.theory import octave_shift, pitch_classes, swara_hz

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from music.catalogue import Raga
    from music.request import PieceRequest

STAGES: Final = ("compose", "melody", "drone", "percussion", "mix", "encode")
"""What a report may name, in order."""

_SHARES: Final = {
    "compose": 0.08,
    "melody": 0.2,
    "drone": 0.12,
    "percussion": 0.1,
    "mix": 0.14,
    "encode": 0.36,
}
"""How much of the time each stage takes, as measured for a piece of one minute."""

Report = Callable[[str, float], None]
"""Called with a stage and with the fraction of the whole piece that is done, 0 to 1, never falling."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A finished piece."""

    mp3: bytes
    duration_s: float
    sample_rate_hz: int
    tonic_hz: float
    tempo_bpm: float
    tala: str
    title: str
    performer: str
    score: Score


class _Progress:
    """Turns a stage's own fraction into the whole piece's."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._stage = STAGES[0]
        self._highest = 0.0

    def begin(self, stage: str) -> None:
        self._stage = stage
        self(0.0)

    def __call__(self, fraction: float) -> None:
        before = sum(_SHARES[stage] for stage in STAGES[: STAGES.index(self._stage)])
        whole = before + _SHARES[self._stage] * min(1.0, max(0.0, fraction))
        self._highest = max(self._highest, min(1.0, whole))
        self._report(self._stage, self._highest)

    def part(self, number: int, count: int) -> Callable[[float], None]:
        """A report for one of several equal parts of the stage."""
        return lambda fraction: self((number + fraction) / count)


_LEVEL_DB: Final = {"melody": 0.0, "drone": -11.0, "tabla": -4.0, "mridangam": -4.5}
_SYMPATHETIC: Final = {"sitar": 1.0, "sarod": 0.8}
"""The instruments with sympathetic strings (tarab), and how readily they ring."""

_REFERENCE: Final = 0.1


def _normal(line: NDArray[np.float32]) -> float:
    """The factor that brings a line's loud parts to the level that the buses start from."""
    loud = power(line)
    return _REFERENCE / loud if loud > 1e-6 else 0.0


def _melody_bus(number: int, count: int) -> Bus:
    pan = 0.0 if count == 1 else float(np.linspace(-0.35, 0.35, count)[number])
    return Bus(_LEVEL_DB["melody"] - 1.5 * (count - 1) / 2.0, pan, -13.0)


def _tarab_hz(raga: Raga, tonic_hz: float) -> list[float]:
    """The sympathetic strings: the raga's notes over one octave and the upper Sa."""
    keys = sorted(pitch_classes((*raga.arohana, *raga.avarohana)))
    names = {k: s for s in (*raga.arohana, *raga.avarohana) for k in pitch_classes((s,))}
    found = []
    for key in keys:
        hz = swara_hz(names[key], tonic_hz)
        octaves = np.floor(np.log2(hz / tonic_hz) + 1e-9)
        found.append(float(hz * 2.0**-octaves))
    return [*found, tonic_hz * 2.0]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a piece before the mix, each mono float32, (n,)."""

    melody: NDArray[np.float32]
    drone: NDArray[np.float32]
    percussion: NDArray[np.float32]


def _drums_lead(request: PieceRequest) -> bool:
    return len(request.instruments) > 0 and plan(request).drums_lead


def _mix(
    raga: Raga, score: Score, progress: _Progress, *, drums_lead: bool, keep: bool
) -> tuple[NDArray[np.float32], Lines | None]:
    """Renders and adds line after line, so that a long piece never holds more than one beside the mix."""
    total = round(score.duration_s * SAMPLE_RATE_HZ)
    mix = np.zeros((total, 2), dtype=np.float32)
    hall = room()
    kept: dict[str, NDArray[np.float32]] = {}
    progress.begin("melody")
    count = len(score.players)
    for number, name in enumerate(score.players):
        octaves = 0 if number == 0 else octave_shift(name, score.tonic_hz)
        line = render_line(score, number, octaves, progress.part(2 * number, 2 * count))
        bus = _melody_bus(number, count)
        response = hall
        if name in _SYMPATHETIC:
            strings = sympathetic(_tarab_hz(raga, score.tonic_hz), 2.0 * _SYMPATHETIC[name])
            response = strings.copy()
            response[: len(hall)] += hall
        level = gain(bus.level_db) * _normal(line)
        add(mix, line, level, bus.pan, response, gain(bus.room_db), progress.part(2 * number + 1, 2 * count))
        if keep:
            kept["melody"] = kept.get("melody", np.zeros(total, dtype=np.float32)) + line * np.float32(level)
        del line
    progress.begin("drone")
    line = render_drone(score, progress.part(0, 2))
    level = gain(_LEVEL_DB["drone"]) * _normal(line)
    add(mix, line, level, 0.0, hall, gain(-16.0), progress.part(1, 2))
    if keep:
        kept["drone"] = line * np.float32(level)
    del line
    if score.strokes:
        progress.begin("percussion")
        line = render_drums(score, progress.part(0, 2))
        level = gain(_LEVEL_DB["tabla"] + (5.0 if drums_lead else 0.0)) * _normal(line)
        add(mix, line, level, 0.12, hall, gain(-15.0), progress.part(1, 2))
        if keep:
            kept["percussion"] = line * np.float32(level)
        del line
    elif keep:
        kept["percussion"] = np.zeros(total, dtype=np.float32)
    progress.begin("mix")
    master(mix, min(2.5, 0.05 * score.duration_s + 0.5), progress)
    return mix, Lines(**kept) if keep else None


def _performer(request: PieceRequest) -> str:
    names = [VOICES[request.voice].split(" (")[0]] if request.voice else []
    names += [INSTRUMENTS[name] for name in request.instruments]
    return ", ".join(names)


def _tags(score: Score, title: str, performer: str) -> dict[str, str]:
    beat = f"{score.tala}, {score.tempo_bpm:g} bpm, " if score.tala else ""
    return {
        "title": title,
        "artist": performer,
        "album": "Raga Bot",
        "genre": f"{score.tradition} classical",
        "comment": f"Raga {score.raga}, {beat}Sa {score.tonic_hz:.2f} Hz, seed {score.seed}",
    }


def _title(score: Score) -> str:
    return f"{score.raga} · {score.tala}"


def make_piece(request: PieceRequest, report: Report) -> Piece:
    """Makes one piece. Equal requests give equal bytes on one machine.

    ``report`` is called with a stage of `STAGES` and the fraction of the whole that is done; what it raises
    ends the work. Raises `EncodeError` when ffmpeg fails.
    """
    progress = _Progress(report)
    progress.begin("compose")
    score = compose(request)
    progress(1.0)
    return perform(
        request.raga,
        score,
        report,
        title=_title(score),
        performer=_performer(request),
        drums_lead=_drums_lead(request),
    )


def perform(
    raga: Raga, score: Score, report: Report, *, title: str, performer: str, drums_lead: bool = False
) -> Piece:
    """Makes the piece of a score, in the room and with the sympathetic strings of its raga.

    ``report`` is called as for `make_piece`. Raises `EncodeError` when ffmpeg fails.
    """
    progress = _Progress(report)
    mix, _ = _mix(raga, score, progress, drums_lead=drums_lead, keep=False)
    progress.begin("encode")
    pcm = pcm16(mix)
    del mix
    progress(0.05)
    encoded = mp3(pcm, 2, _tags(score, title, performer))
    progress(1.0)
    return Piece(
        mp3=encoded,
        duration_s=score.duration_s,
        sample_rate_hz=SAMPLE_RATE_HZ,
        tonic_hz=score.tonic_hz,
        tempo_bpm=score.tempo_bpm,
        tala=score.tala,
        title=title,
        performer=performer,
        score=score,
    )


def render(request: PieceRequest) -> tuple[Score, NDArray[np.float32], Lines]:
    """The score, the mastered mix, float32 (n, 2), and the lines that it was made from."""
    score = compose(request)
    silent = _Progress(lambda _stage, _fraction: None)
    mix, lines = _mix(request.raga, score, silent, drums_lead=_drums_lead(request), keep=True)
    if lines is None:
        raise AssertionError("the lines were asked for")
    return score, mix, lines


def write_stems(request: PieceRequest, folder: Path) -> None:
    """Writes mix.wav, mix.mp3, melody.wav, drone.wav, percussion.wav and score.json into a folder."""
    score, mix, lines = render(request)
    folder.mkdir(parents=True, exist_ok=True)
    write_wav(folder / "mix.wav", mix)
    for name, line in (("melody", lines.melody), ("drone", lines.drone), ("percussion", lines.percussion)):
        highest = float(np.abs(line).max(initial=0.0))
        write_wav(folder / f"{name}.wav", line * np.float32(min(1.0, 0.9 / max(highest, 1e-9))))
    title = _title(score)
    (folder / "mix.mp3").write_bytes(mp3(pcm16(mix), 2, _tags(score, title, _performer(request))))
    (folder / "score.json").write_text(score.to_json() + "\n", encoding="utf-8")
