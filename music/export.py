"""A piece to take away: as MP3, as a small voice note, as WAV, as MIDI, or line by line."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from music.compose import compose
from music.encode import flac, mp3, opus, pcm16, wav
from music.ensemble import lines
from music.midi import midi
from music.piece import drums_lead, mixed, performer_of
from music.progress import Progress, Report
from music.tags import tags, title_of

if TYPE_CHECKING:
    from music.request import PieceRequest
    from music.score import Score

Format = Literal["mp3", "opus", "wav", "midi", "stems"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: what its name ends in, and its media type."""

    extension: str
    media_type: str


FORMATS: Final[dict[Format, Kind]] = {
    "mp3": Kind("mp3", "audio/mpeg"),
    "opus": Kind("ogg", "audio/ogg"),
    "wav": Kind("wav", "audio/wav"),
    "midi": Kind("mid", "audio/midi"),
    "stems": Kind("zip", "application/zip"),
}
"""What a piece can be exported as."""

_STEM_PEAK: Final = 0.9


def export(request: PieceRequest, kind: Format, report: Report, cover: bytes | None = None) -> bytes:
    """A piece as a file's bytes; equal requests give equal bytes on one machine.

    ``report`` is that of `music.piece.make_piece`, ``cover`` a PNG or JPEG that an MP3 takes. Raises
    `music.encode.EncodeError` when ffmpeg fails.
    """
    progress = Progress(report)
    progress.begin("compose")
    score = compose(request)
    title, performer, leading = title_of(score), performer_of(request), drums_lead(request)
    progress(1.0)
    if kind == "midi":
        return midi(score, title)
    if kind == "stems":
        return stems(score, report, title=title, performer=performer, drums_lead=leading)
    mix = mixed(request.raga, score, progress, drums_lead=leading)
    progress.begin("encode")
    pcm = pcm16(mix)
    del mix
    written = tags(score, title, performer)
    match kind:
        case "mp3":
            data = mp3(pcm, 2, written, cover)
        case "opus":
            data = opus(pcm, 2, written)
        case "wav":
            data = wav(pcm, 2)
    progress(1.0)
    return data


def stems(score: Score, report: Report, *, title: str, performer: str, drums_lead: bool = False) -> bytes:
    """A ZIP with each line as mono FLAC, dry and as loud as it goes, the score as MIDI and as JSON.

    ``levels.json`` has for each line the factor and the pan (-1 to 1) that put the balance of the mix back.
    """
    progress = Progress(report)
    target = io.BytesIO()
    levels: dict[str, dict[str, float]] = {}
    with zipfile.ZipFile(target, "w") as archive:

        def add(name: str, data: bytes) -> None:
            # The epoch of ZIP rather than the time of day: the same request gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)

        for number, line in enumerate(lines(score, progress, drums_lead=drums_lead), start=1):
            name = f"{number}-{line.name}.flac"
            highest = max(float(line.samples.max(initial=0.0)), -float(line.samples.min(initial=0.0)))
            factor = _STEM_PEAK / max(highest, 1e-9)
            levels[name] = {"level": round(line.level / factor, 6), "pan": round(line.pan, 3)}
            loud = np.multiply(line.samples, np.float32(factor), out=line.samples)
            add(name, flac(pcm16(loud), 1, tags(score, f"{title} · {line.name}", performer)))
        progress.begin("encode")
        add("levels.json", json.dumps(levels, indent=1).encode())
        add("score.json", score.to_json().encode())
        add("score.mid", midi(score, title))
    progress(1.0)
    return target.getvalue()
