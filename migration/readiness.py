"""What can be told before anything is begun: wishes that do not go together, and places that cannot be used."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from urllib.parse import urlsplit

from migration.deployment import GREETING_S, AwayError, RefusedError, deployment
from migration.dump import private_folder
from migration.errors import MigrationError
from migration.wishes import Wishes


def check(wishes: Wishes) -> None:
    """Raises MigrationError where it could not end well."""
    if wishes.withdraw and (wishes.dry_run or wishes.verify or wishes.rollback):
        raise MigrationError(
            "--withdraw takes rows out of Convex: it goes with a migration, or with --resume."
        )
    if wishes.dry_run and (wishes.verify or wishes.rollback):
        raise MigrationError(
            "--dry-run only looks at PostgreSQL: it does not go with --verify or --rollback."
        )
    if wishes.run is not None and not wishes.rollback:
        raise MigrationError("--run says which run to take back: it goes with --rollback.")
    if wishes.to:
        _check_address(wishes.to)
    if wishes.files is not None and not wishes.files.is_dir():
        raise MigrationError(
            f"There is no folder {wishes.files}: --files names the one with the old audio files."
        )
    if wishes.dump is not None and not wishes.rollback:
        private_folder(wishes.dump)
    if wishes.report is not None and not wishes.rollback:
        _check_writable(wishes.report)


def report_paths(report: Path) -> tuple[Path, Path]:
    """Where the HTML and the JSON go: side by side, whichever of the two was named."""
    html = report.with_suffix(".html") if report.suffix.lower() == ".json" else report
    return html, html.with_suffix(".json")


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        plain = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        plain = False
    if not plain:
        raise MigrationError(
            "I cannot read the address after --to. It has the form https://name.convex.cloud or http://127.0.0.1:3210."
        )


def _check_writable(report: Path) -> None:
    if not report.name or report.is_dir():
        raise MigrationError(
            f"{report} is a folder: --report names a file in it, such as {report / 'report.html'}."
        )
    html, _ = report_paths(report)
    probe = html.with_name(f".{html.name}.{os.getpid()}")
    try:
        html.parent.mkdir(parents=True, exist_ok=True)
        probe.touch(mode=0o600)
    except OSError as error:
        raise MigrationError(f"I cannot write the report to {report}: {error.strerror}.") from None
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


async def greet(wishes: Wishes, source: str) -> None:
    """Hear from the deployment before PostgreSQL is read for it; a million rows take a while. Raises MigrationError."""
    if not wishes.to:
        return  # The local deployment is started when it is needed.
    async with deployment(wishes.state_dir, wishes.issuer, wishes.to, patience_s=GREETING_S) as there:
        try:
            await there.query("migration:runs", {"source": source})
        except AwayError:
            raise MigrationError(
                f"Nothing answers at {there.url}. Is the address right, and is Convex running there?"
            ) from None
        except RefusedError:
            raise MigrationError(
                f"{there.url} answers, but not as a Convex deployment with this bot's functions does. "
                "Is the address right, and are its functions up to date?"
            ) from None
