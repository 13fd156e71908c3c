"""Grading one rendered folder: every figure of the engine's bars, measured in what was written."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import imageio_ffmpeg
import numpy as np
import soundfile

from music.catalogue import load
from music.score import Score
from music.swaras import semitone
from tests.grading import signals
from tests.grading.law import Law, foils, keys_of
from tests.grading.listening import Heard, listen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from music.catalogue import Catalogue
    from music.raga import Raga

    Samples = NDArray[np.float32]

NEAR_CENTS = 35.0
SHORT_PAIR_S = 0.08
GRID_S = 0.05
ONSET_S = 0.03
"""A jump so near to the beginning of a note or stroke belongs to its attack."""


class GradeError(Exception):
    """A folder that cannot be graded. The text says what it lacks."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``met`` is ``None`` where the bar does not apply, as for a vadi that the raga has not."""

    name: str
    value: float | None
    bar: str
    met: bool | None


def at_least(name: str, value: float, least: float) -> Figure:
    """A figure that must reach something."""
    return Figure(name, value, f">= {least:g}", bool(value >= least))


def at_most(name: str, value: float, most: float) -> Figure:
    """A figure that must not exceed something."""
    return Figure(name, value, f"<= {most:g}", bool(value <= most))


def none_of(name: str, bar: str) -> Figure:
    """A figure that does not apply."""
    return Figure(name, None, bar, None)


@dataclass(frozen=True, slots=True)
class Grade:
    """All figures of one piece, and what the piece says of itself."""

    title: str
    figures: tuple[Figure, ...]
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether no bar was missed."""
        return all(figure.met is not False for figure in self.figures)

    @property
    def missed(self) -> tuple[Figure, ...]:
        """The figures below their bars."""
        return tuple(figure for figure in self.figures if figure.met is False)

    def to_document(self) -> dict[str, Any]:
        """The grade as dicts, lists, strings and numbers."""
        return {
            "title": self.title,
            "met": self.met,
            **self.said,
            "figures": [asdict(f) for f in self.figures],
        }


def line_of(score: Score, raga: Raga) -> list[int]:
    """The melody as one line of pitches: what players strike together counts once."""
    del raga
    line: list[tuple[float, int]] = []
    for note in sorted(score.notes, key=lambda note: (note.onset_s, note.player)):
        if not line or abs(line[-1][0] - note.onset_s) > 1e-6:
            line.append((note.onset_s, semitone(note.swara)))
    return [pitch for _, pitch in line]


def of_pitch(heard: Heard, keys: Mapping[int, float], others: Sequence[Mapping[int, float]]) -> list[Figure]:
    """How well the swaras are in tune, and how surely the raga is told from its foils, ragas of other keys."""
    if not len(heard.cents):
        return [at_least("share near a swara", 0.0, 0.97)]
    share = heard.share(keys.values(), NEAR_CENTS)
    away = float(np.median(np.abs(heard.distances(keys.values()))))
    margins = [share - heard.share(other.values(), NEAR_CENTS) for other in others]
    name, nearest = "margin over a foil raga", "margin over the nearest foil of all"
    return [
        at_least("share near a swara", share, 0.97),
        at_most("median distance, cents", away, 8.0),
        at_least(name, margins[0], 0.25) if margins else none_of(name, ">= 0.25"),
        Figure(nearest, min(margins, default=None), "(no bar)", None),
    ]


def of_law(score: Score, raga: Raga, heard: Heard, keys: Mapping[int, float]) -> list[Figure]:
    """The steps that the raga does not make."""
    law = Law(raga)
    written, _ = law.forbidden(line_of(score, raga))
    sounded, steps = law.forbidden(pitch for pitch, _, _ in heard.notes(dict(keys), SHORT_PAIR_S))
    return [
        at_most("forbidden steps in the score", len(written), 0),
        at_most("share of forbidden steps in the sound", len(sounded) / max(1, steps), 0.02),
    ]


def _due(raga: Raga, held: Mapping[int, float], where: str) -> list[Figure]:
    place, above = (
        f"rank of the vadi in the {where}",
        f"vadi and samvadi over their even share in the {where}",
    )
    if raga.vadi is None:
        return [none_of(place, "<= 3"), none_of(above, "> 1")]
    due = {semitone(s) % 12 for s in (raga.vadi, raga.samvadi) if s is not None}
    ranks = sorted(held.values(), reverse=True)
    share = sum(held[key] for key in due) * len(held) / len(due)
    return [
        at_most(place, ranks.index(held[semitone(raga.vadi) % 12]) + 1, 3),
        Figure(above, share, "> 1", bool(share > 1.0)),
    ]


def of_vadi(score: Score, raga: Raga, heard: Heard, keys: Mapping[int, float]) -> list[Figure]:
    """Whether the vadi and the samvadi have their due, as written and as heard."""
    if raga.vadi is None:
        return [*_due(raga, {}, "score"), *_due(raga, {}, "sound")]
    written = dict.fromkeys(keys, 0.0)
    for note in score.notes:
        written[semitone(note.swara) % 12] += note.duration_s
    total = sum(written.values())
    return [
        *_due(raga, {key: seconds / total for key, seconds in written.items()}, "score"),
        *_due(raga, heard.held(dict(keys)), "sound"),
    ]


def of_drone(score: Score, drone: Samples) -> list[Figure]:
    """The worst of the drone's partials, against its strings' ratios over Sa."""
    name, most = "drone partials, cents", 2.0
    part = drone[signals.RATE_HZ : 25 * signals.RATE_HZ]
    if len(part) < 2 * signals.RATE_HZ or not np.abs(part).max():
        return [Figure(name, None, f"<= {most:g}", met=False)]
    slow = signals.slowed(part)
    # The drone sounds in the tonic's octave or in another: the lowest one in which its lowest string is there.
    low = min(score.drone_ratios)
    lowest = [signals.partial(slow, score.tonic_hz * 2.0**octave * low)[1] for octave in (-2, -1, 0, 1)]
    octave = next(number - 2 for number, level in enumerate(lowest) if level > 0.1 * max(lowest))
    wanted = {
        round(score.tonic_hz * 2.0**octave * ratio * number, 3)
        for ratio in score.drone_ratios
        for number in (1, 2, 3, 4, 5)
    }
    found = [signals.partial(slow, hz) for hz in sorted(wanted) if hz < 1800.0]
    loudest = max(level for _, level in found)
    worst = max(abs(off) for off, level in found if level > 0.02 * loudest)
    return [at_most(name, worst, most)]


def of_time(score: Score, percussion: Samples) -> list[Figure]:
    """The tempo that the strokes have, and how many of them stand on the tala's grid."""
    tempo, grid = "tempo, per cent off", "strokes on the tala's grid"
    heard = signals.onsets(percussion)
    if not score.strokes and not len(heard):
        return [none_of(tempo, "<= 1"), none_of(grid, ">= 0.95")]
    if len(heard) < 8:
        return [Figure(tempo, None, "<= 1", met=len(score.strokes) < 8), none_of(grid, ">= 0.95")]
    found = signals.tempo_bpm(heard, score.tempo_bpm)
    quarter = score.matra_s / 4.0
    # Where quarters of a matra are so short that anything is near one, nearness must be nearer.
    within = min(GRID_S, quarter / 4.0)
    off = signals.off_grid_s(heard, quarter, score.sams[-1])
    return [
        at_most(tempo, 100.0 * abs(found / score.tempo_bpm - 1.0), 1.0),
        at_least(grid, float((off <= within).mean()), 0.95),
    ]


def of_mix(score: Score, decoded: Samples, stems: Mapping[str, Samples]) -> list[Figure]:
    """Loudness, peaks, length and clicks."""
    level = signals.lufs(decoded)
    starts = np.array(
        sorted(
            [note.onset_s for note in score.notes]
            + [note.onset_s + note.duration_s for note in score.notes]
            + [stroke.onset_s for stroke in score.strokes]
            + list(score.chikari)
        )
    )
    heard = 0
    for line in stems.values():
        for jump in signals.clicks(line):
            heard += not len(starts) or float(np.abs(starts - jump).min()) > ONSET_S
    length = len(decoded) / signals.RATE_HZ
    return [
        Figure("loudness, LUFS", level, "-16 +- 1", bool(abs(level + 16.0) <= 1.0)),
        at_most("true peak after decoding, dBTP", signals.true_peak_dbtp(decoded), -1.0),
        at_most("clicks off note onsets", heard, 0),
        at_most("duration, seconds off", abs(length - score.duration_s), 0.5),
    ]


def of_metadata(score: Score, tags: Mapping[str, str]) -> list[Figure]:
    """Whether the file says the tonic, tempo, tala and seed that the score has."""
    said = " ".join(tags.values())
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", said)]

    def stated(value: float, within: float) -> bool:
        return any(abs(number - value) <= within for number in numbers)

    wanted = [
        stated(score.tonic_hz, 0.01),
        stated(score.tempo_bpm, 0.01),
        stated(score.seed, 0.0),
        score.tala in said or not score.tala,
        score.raga in said,
    ]
    return [at_most("metadata left unsaid", wanted.count(False), 0)]


def grade_sound(
    raga: Raga, score: Score, decoded: Samples, stems: Mapping[str, Samples], tags: Mapping[str, str]
) -> Grade:
    """Grades a piece that is already in memory; ``stems`` are melody, drone and percussion."""
    keys = keys_of(raga)
    heard = listen(stems["melody"], score.tonic_hz)
    figures = [
        *of_pitch(heard, keys, foils(raga)),
        *of_law(score, raga, heard, keys),
        *of_vadi(score, raga, heard, keys),
        *of_drone(score, stems["drone"]),
        *of_time(score, stems["percussion"]),
        *of_mix(score, decoded, stems),
        *of_metadata(score, tags),
    ]
    title = f"{score.raga} ({score.tradition}), {' + '.join(score.players)}, {score.tala}, seed {score.seed}"
    said = {
        "raga": score.raga,
        "players": list(score.players),
        "tala": score.tala,
        "tempo_bpm": score.tempo_bpm,
        "tonic_hz": score.tonic_hz,
        "seed": score.seed,
    }
    return Grade(title, tuple(figures), said)


def tags_of(path: Path) -> dict[str, str]:
    """What a sound file says of itself."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "ffmetadata", "-"]
    text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def read_line(path: Path) -> Samples:
    """A sound file's samples, float32."""
    if not path.exists():
        raise GradeError(f"{path.parent} holds no {path.name}.")
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != signals.RATE_HZ:
        raise GradeError(f"{path} has {rate} samples a second, not {signals.RATE_HZ}.")
    return np.asarray(samples, dtype=np.float32)


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with the bot, read once."""
    return load()


def raga_of(score: Score) -> Raga:
    """The score's raga in the catalogue."""
    for raga in catalogue().ragas:
        if (raga.name, raga.tradition) == (score.raga, score.tradition):
            return raga
    raise GradeError(f"The catalogue has no {score.tradition} raga {score.raga}.")


def grade_folder(folder: Path) -> Grade:
    """Grades what `raga-bot render --out` wrote. Raises `GradeError`."""
    path = folder / "score.json"
    if not path.exists():
        raise GradeError(f"{folder} holds no score.json.")
    score = Score.from_document(json.loads(path.read_text("utf-8")))
    stems = {name: read_line(folder / f"{name}.wav") for name in ("melody", "drone", "percussion")}
    decoded = read_line(folder / "mix.mp3")
    return grade_sound(raga_of(score), score, decoded, stems, tags_of(folder / "mix.mp3"))


def table(figures: Sequence[Figure]) -> str:
    """Figures as lines of text, missed ones marked."""
    lines = []
    for figure in figures:
        value = "-" if figure.value is None else f"{figure.value:.3f}".rstrip("0").rstrip(".")
        verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
        lines.append(f"{figure.name:<50} {value:>10}   {figure.bar:<10} {verdict}")
    return "\n".join(lines)
