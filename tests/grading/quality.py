"""The table of docs/quality.md: 30 ragas x 3 performers x 3 seeds, rendered, graded, and held against controls."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import resample_poly

from music.request import VOICES, PieceRequest
from music.score import Score
from music.stems import write_stems
from tests.grading.grade import Figure, Grade, catalogue, grade_folder, of_pitch, raga_of, read_line
from tests.grading.law import foils, keys_of
from tests.grading.listening import listen
from tests.music.rendered import silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from music.swaras import Tradition

HINDUSTANI = (
    *("Yaman", "Bhairav", "Todi", "Bhairavi", "Bageshri", "Desh", "Marwa", "Puriya Dhanashri", "Shree"),
    *("Kedar", "Bhimpalasi", "Malkauns", "Lalit", "Bhupali", "Darbari Kanada", "Gaud Malhar", "Jaijaivanti"),
    "Khamaj",
)
CARNATIC = (
    *("Reetigowla", "Sahana", "Hamsadhwani", "Mohanam", "Kambhoji", "Saveri", "Kharaharapriya", "Begada"),
    *("Mayamalavagowla", "Anandabhairavi", "Shanmukhapriya", "Nattai"),
)
PERFORMERS: dict[Tradition, tuple[str, ...]] = {
    "Hindustani": (
        *("sitar", "bansuri", "tenor", "sarod", "violin", "alto", "santoor", "harmonium", "soprano"),
        "baritone",
    ),
    "Carnatic": ("veena", "violin", "tenor", "bansuri", "soprano"),
}
SEEDS = (1, 2, 3)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "quality.md"


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table, and whether it also serves as a control."""

    raga: str
    tradition: Tradition
    performer: str
    seed: int
    control: bool

    def request(self, duration_s: float) -> PieceRequest:
        """What is asked of the engine for the row."""
        raga = next(r for r in catalogue().ragas if (r.name, r.tradition) == (self.raga, self.tradition))
        voice = self.performer if self.performer in VOICES else None
        instruments = () if voice else (self.performer,)
        return PieceRequest(raga, duration_s, seed=self.seed, instruments=instruments, voice=voice)


@dataclass(frozen=True, slots=True)
class Row:
    """What a case came out as. ``controls`` says of each control whether it failed, as it should."""

    case: Case
    grade: Grade
    melody: tuple[str, ...]
    controls: dict[str, bool]


def cases() -> list[Case]:
    """Every row, the performers going round so that each of them is heard in many ragas."""
    rows: list[Case] = []
    tables: tuple[tuple[Tradition, tuple[str, ...]], ...] = (
        ("Hindustani", HINDUSTANI),
        ("Carnatic", CARNATIC),
    )
    for tradition, names in tables:
        performers = PERFORMERS[tradition]
        for number, name in enumerate(names):
            three = [performers[(3 * number + at) % len(performers)] for at in range(3)]
            for performer, seed in product(three, SEEDS):
                first = (performer, seed) == (three[0], SEEDS[0])
                rows.append(Case(name, tradition, performer, seed, control=first))
    return rows


def _missed(figures: Sequence[Figure]) -> bool:
    return any(figure.met is False for figure in figures)


def controls_of(folder: Path) -> dict[str, bool]:
    """Whether the piece fails when it is detuned, and when it is taken for another raga."""
    score = Score.from_document(json.loads((folder / "score.json").read_text("utf-8")))
    raga = raga_of(score)
    keys, others = keys_of(raga), foils(raga)
    melody = read_line(folder / "melody.wav")
    found: dict[str, bool] = {}
    for name, up, down in (("detuned by 20 cents", 86, 87), ("detuned by 50 cents", 34, 35)):
        # 87/86 is 20.01 cents and 35/34 is 50.18 cents: fewer samples at the same rate sound higher.
        found[name] = _missed(of_pitch(listen(resample_poly(melody, up, down), score.tonic_hz), keys, others))
    if others:
        found["taken for a foil raga"] = _missed(of_pitch(listen(melody, score.tonic_hz), others[0], []))
    return found


def row(case: Case, duration_s: float) -> Row:
    """Renders a case into a folder as the command line does, grades it, and throws the sound away."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "piece"
        request = case.request(duration_s)
        write_stems(request, folder, silent)
        grade = grade_folder(folder)
        controls: dict[str, bool] = {}
        if case.control:
            controls = controls_of(folder)
            again = Path(place) / "again"
            write_stems(request, again, silent)
            same = (folder / "mix.wav").read_bytes() == (again / "mix.wav").read_bytes()
            grade = Grade(
                grade.title,
                (*grade.figures, Figure("the same request gives the same samples", float(same), "1", same)),
                grade.said,
            )
        score = Score.from_document(json.loads((folder / "score.json").read_text("utf-8")))
    return Row(case, grade, score.swaras, controls)


def _distinct(rows: Sequence[Row]) -> int:
    """How many rows have a melody that no row of another seed has."""
    seen = Counter((r.case.raga, r.case.performer, r.melody) for r in rows)
    return sum(count == 1 for count in seen.values())


def _worst(rows: Sequence[Row], name: str) -> tuple[float, float, float] | None:
    values = [f.value for r in rows for f in r.grade.figures if f.name == name and f.value is not None]
    if not values:
        return None
    return min(values), float(np.median(values)), max(values)


def document(rows: Sequence[Row], duration_s: float) -> str:
    """docs/quality.md."""
    met = sum(r.grade.met for r in rows)
    lines = [
        "# How good the pieces are: every bar, measured",
        "",
        "Made by `python -m tests.grading --table`; no line is written by hand. Each row is one piece as",
        f"`raga-bot render` writes it, {duration_s:g} s long, graded from its files: the melody by swift-f0, a pitch",
        "tracker that knows nothing of the engine, the rest by `tests/grading/signals.py`. A row meets the bars when",
        "none of its figures misses its own.",
        "",
        f"**{met} of {len(rows)} rows meet every bar ({100.0 * met / max(1, len(rows)):.1f} %).**",
        f"{_distinct(rows)} of {len(rows)} melodies are unlike every other of the same raga and performer.",
        "",
        "| figure | bar | lowest | median | highest | rows that meet it |",
        "|---|---|---|---|---|---|",
    ]
    names = list(dict.fromkeys(f.name for r in rows for f in r.grade.figures))
    for name in names:
        graded = [f for r in rows for f in r.grade.figures if f.name == name and f.value is not None]
        spread = _worst(rows, name)
        if not graded or spread is None:
            continue
        barred = [f for f in graded if f.met is not None]
        ok = f"{sum(f.met is True for f in barred)} of {len(barred)}" if barred else ""
        low, middle, high = (f"{value:.3f}".rstrip("0").rstrip(".") for value in spread)
        lines.append(f"| {name} | {graded[0].bar} | {low} | {middle} | {high} | {ok} |")
    lines += ["", "## Controls that must fail", "", "| control | pieces | fail |", "|---|---|---|"]
    controls = list(dict.fromkeys(name for r in rows for name in r.controls))
    for name in controls:
        verdicts = [r.controls[name] for r in rows if name in r.controls]
        lines.append(f"| {name} | {len(verdicts)} | {sum(verdicts)} |")
    lines += ["", "## Rows that miss a bar", ""]
    wrong = [r for r in rows if not r.grade.met]
    if not wrong:
        lines.append("None.")
    for r in wrong:
        what = "; ".join(
            f"{f.name} {'-' if f.value is None else f'{f.value:.3f}'} ({f.bar})" for f in r.grade.missed
        )
        lines.append(f"- {r.grade.title}: {what}")
    lines += [
        "",
        "## By raga",
        "",
        "| raga | tradition | performers | rows that meet every bar |",
        "|---|---|---|---|",
    ]
    for raga, tradition in dict.fromkeys((r.case.raga, r.case.tradition) for r in rows):
        mine = [r for r in rows if (r.case.raga, r.case.tradition) == (raga, tradition)]
        players = ", ".join(dict.fromkeys(r.case.performer for r in mine))
        good = sum(r.grade.met for r in mine)
        lines.append(f"| {raga} | {tradition} | {players} | {good} of {len(mine)} |")
    return "\n".join(lines) + "\n"


def write_table(duration_s: float, processes: int, every: int, out: Path) -> int:
    """Makes the table; returns the exit status: 1 when fewer than 95 % of the rows meet every bar."""
    wanted = cases()[::every]
    # One thread to a process, or two processes on two cores hold each other up.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    spawning = multiprocessing.get_context("spawn")
    rows: list[Row] = []
    with ProcessPoolExecutor(processes, mp_context=spawning) as pool:
        for done, made in enumerate(pool.map(row, wanted, [duration_s] * len(wanted)), start=1):
            rows.append(made)
            missed = ", ".join(f.name for f in made.grade.missed)
            print(f"{done}/{len(wanted)} {made.grade.title}: {missed or 'every bar met'}", file=sys.stderr)
    out.write_text(document(rows, duration_s), encoding="utf-8")
    failing = all(all(r.controls.values()) for r in rows)
    good = sum(r.grade.met for r in rows) >= 0.95 * len(rows)
    return int(not (good and failing))
