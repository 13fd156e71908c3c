"""A whole piece: request -> score -> lines -> mix -> MP3. All of it can cross to a process of a pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from music.compose import compose
from music.encode import mp3, pcm16
from music.ensemble import SYMPATHETIC, lines, tarab_hz
from music.form import plan
from music.instruments.wavetable import SAMPLE_RATE_HZ
from music.memory import give_back, make_room
from music.mix import gain, master, place
from music.progress import STAGES, Progress, Report
from music.resonance import Tarab, resound, room
from music.tags import performers, tags, title_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from music.catalogue import Raga
    from music.ensemble import Line
    from music.request import PieceRequest
    from music.score import Score

__all__ = ["STAGES", "Piece", "Report", "make_piece", "perform"]


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


_ROOM_DB: Final = -14.0
"""How loud the hall is beside what sounds in it."""

_TARAB_DB: Final = -7.0


def drums_lead(request: PieceRequest) -> bool:
    """Whether a drum plays solo."""
    return len(request.instruments) > 0 and plan(request).drums_lead


def performer_of(request: PieceRequest) -> str:
    """Who was asked to play, the voice first."""
    return performers((*((request.voice,) if request.voice else ()), *request.instruments))


def mixed(
    raga: Raga,
    score: Score,
    progress: Progress,
    *,
    drums_lead: bool,
    heard: Callable[[Line], None] | None = None,
) -> NDArray[np.float32]:
    """The mastered mix, float32 (n, 2). ``heard`` is called with each line before it goes into the mix.

    Line after line is rendered and added, so that a long piece never holds more than one beside the mix.
    """
    make_room(score.duration_s)
    # Each side lies in one piece in memory, which all that works on one of them is glad of.
    mix = np.zeros((2, round(score.duration_s * SAMPLE_RATE_HZ)), dtype=np.float32).T
    tarab: Tarab | None = None
    for line in lines(score, progress, drums_lead=drums_lead):
        if heard is not None:
            heard(line)
        place(mix, line.samples, line.level, line.pan)
        if line.name in SYMPATHETIC:
            tarab = tarab or Tarab(tarab_hz(raga, score.tonic_hz), len(mix))
            tarab.hear(line.samples, gain(_TARAB_DB) * SYMPATHETIC[line.name] * line.level)
        del line
    progress.begin("mix")
    resound(mix, room(), gain(_ROOM_DB) / 2.0, progress.part(0, 2), tarab)
    master(mix, min(2.5, 0.05 * score.duration_s + 0.5), progress.part(1, 2))
    return mix


def make_piece(
    request: PieceRequest, report: Report, cover: Callable[[Score], bytes | None] | None = None
) -> Piece:
    """Makes one piece. Equal requests give equal bytes on one machine.

    ``report`` is called with a stage of `STAGES` and the fraction of the whole that is done; what it raises
    ends the work. ``cover`` draws a PNG or JPEG for the file, or gives None. Raises `EncodeError` when ffmpeg fails.
    """
    progress = Progress(report)
    progress.begin("compose")
    score = compose(request)
    progress(1.0)
    return perform(
        request.raga,
        score,
        report,
        title=title_of(score),
        performer=performer_of(request),
        drums_lead=drums_lead(request),
        cover=None if cover is None else cover(score),
    )


def perform(
    raga: Raga,
    score: Score,
    report: Report,
    *,
    title: str,
    performer: str,
    drums_lead: bool = False,
    cover: bytes | None = None,
) -> Piece:
    """Makes a piece of a score of the raga; the same as in `make_piece` from there on."""
    progress = Progress(report)
    mix = mixed(raga, score, progress, drums_lead=drums_lead)
    progress.begin("encode")
    give_back()
    pcm = pcm16(mix)
    del mix
    progress(0.05)
    encoded = mp3(pcm, 2, tags(score, title, performer), cover, lambda done: progress(0.05 + 0.95 * done))
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
