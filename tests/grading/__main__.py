"""`python -m tests.grading DIR …` grades rendered folders; `--table` renders and grades many pieces."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.grading.grade import GradeError, grade_folder, table
from tests.grading.quality import DOCUMENT, write_table
from tests.grading.seeing import write_pictures


def main(words: Sequence[str] | None = None) -> int:
    """Prints a table and a line of JSON for each folder; returns 1 when a bar is missed, 2 without a grade."""
    parser = argparse.ArgumentParser(prog="python -m tests.grading", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="what `raga-bot render` wrote")
    parser.add_argument(
        "--table", action="store_true", help="render and grade 30 ragas, write docs/quality.md"
    )
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw six pieces there")
    parser.add_argument("--seconds", type=float, default=40.0, help="how long the table's pieces are")
    parser.add_argument("--processes", type=int, default=2, help="how many pieces are made at once")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth row of the table")
    parser.add_argument("--out", type=Path, default=DOCUMENT, help="where the table goes")
    asked = parser.parse_args(words)
    if asked.pictures is not None:
        return write_pictures(asked.pictures)
    if asked.table:
        return write_table(asked.seconds, asked.processes, asked.every, asked.out)
    if not asked.folders:
        parser.error("name a folder, or ask for --table")
    missed = False
    for folder in asked.folders:
        try:
            grade = grade_folder(folder)
        except GradeError as error:
            print(error, file=sys.stderr)
            return 2
        print(f"{grade.title}\n{table(grade.figures)}\n{json.dumps(grade.to_document(), ensure_ascii=False)}")
        missed |= not grade.met
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
