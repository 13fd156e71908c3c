"""What a migration is asked to do, and how it is asked on the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Only = Literal["ragas", "users", "generations"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line, and where this bot keeps its key and its state."""

    url: str
    state_dir: Path
    issuer: str
    to: str = ""
    dry_run: bool = False
    only: Only | None = None
    report: Path | None = None
    dump: Path | None = None
    files: Path | None = None
    resume: bool = False
    verify: bool = False
    rollback: bool = False
    withdraw: bool = False
    run: str | None = None
    source: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``raga-bot migrate``."""
    parser.add_argument(
        "--from",
        dest="url",
        required=True,
        metavar="URL",
        help="postgresql://user@host/database; libpq's PGPASSWORD and ~/.pgpass keep a password out of sight",
    )
    parser.add_argument(
        "--to", default="", metavar="URL", help="the Convex deployment (CONVEX_URL by default)"
    )
    parser.add_argument("--dry-run", action="store_true", help="look, and write nothing to Convex")
    parser.add_argument("--only", choices=("ragas", "users", "generations"), help="take along only these")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="the report, such as report.html; a JSON beside it"
    )
    parser.add_argument(
        "--dump", type=Path, metavar="DIR", help="keep the export there: JSON lines, manifest, ZIP"
    )
    parser.add_argument(
        "--files", type=Path, metavar="DIR", help="the folder in which the old audio files lie"
    )
    parser.add_argument(
        "--source", metavar="NAME", help="what the old database is called (its own name by default)"
    )
    parser.add_argument("--run", metavar="ID", help="with --rollback: which run (the newest by default)")
    parser.add_argument(
        "--withdraw",
        action="store_true",
        help="take out of Convex what an earlier run brought and PostgreSQL has no more",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--resume", action="store_true", help="go on with what was begun here")
    mode.add_argument("--verify", action="store_true", help="only compare again what was brought")
    mode.add_argument("--rollback", action="store_true", help="take out of Convex what one run brought")


def wishes_of(options: argparse.Namespace, state_dir: Path, issuer: str, convex_url: str) -> Wishes:
    """What was asked for. The deployment of the settings is meant unless another one is named."""
    return Wishes(
        url=options.url,
        state_dir=state_dir,
        issuer=issuer,
        to=options.to or convex_url,
        dry_run=options.dry_run,
        only=options.only,
        report=options.report,
        dump=options.dump,
        files=options.files,
        resume=options.resume,
        verify=options.verify,
        rollback=options.rollback,
        withdraw=options.withdraw,
        run=options.run,
        source=options.source,
    )
