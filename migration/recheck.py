"""PostgreSQL once more: whether it still holds what was exported."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator

from migration import rows
from migration.dump import Dump
from migration.export import plans_of, rows_of
from migration.folder import State
from migration.mapping import Plan
from migration.progress import Progress
from migration.source import Place, snapshot, words_for
from migration.verdict import Finding, Verdict
from migration.work import Work

_ROWS_NAMED = 50


def recheck(
    work: Work, export: Dump, state: State, place: Place, verdict: Verdict, progress: Progress
) -> None:
    """Whether PostgreSQL still holds what was exported. Raises MigrationError."""
    progress.start("compare", sum(one.rows for one in export.tables))
    now = {plan.table.label: plan for plan in plans_of(place, state.only)}
    labels = {one.table.label for one in export.tables}
    for label in sorted(set(now) - labels):
        verdict.add(Finding(label, "", "PostgreSQL", "", "a table that was not there at the export"))
    with words_for(place), snapshot(place) as connection:
        for one in export.tables:
            plan = now.get(one.table.label)
            if plan is None:
                verdict.add(
                    Finding(one.table.label, "", "PostgreSQL", "", "the table is gone since the export")
                )
                continue
            digest = hashlib.sha256()
            for batch in rows_of(connection, plan):
                digest.update(b"\n".join(batch) + b"\n")
                progress.step(len(batch), one.table.label)
            if digest.hexdigest() != one.sha256:
                fresh = (line for batch in rows_of(connection, plan) for line in batch)
                for finding in _changes(work.database, export, plan, fresh):
                    verdict.add(finding)
    progress.end()


def _changes(
    database: sqlite3.Connection, export: Dump, plan: Plan, fresh: Iterator[bytes]
) -> Iterator[Finding]:
    """Which rows changed since the export."""
    label = plan.table.label
    database.executescript(
        "DROP TABLE IF EXISTS lines; CREATE TABLE lines (id TEXT NOT NULL, sum BLOB NOT NULL, new INTEGER NOT NULL)"
    )
    for new, lines in ((0, export.lines(label)), (1, fresh)):
        database.executemany(
            "INSERT INTO lines VALUES (?, ?, ?)",
            ((rows.key_of(line, plan.key), hashlib.sha256(line).digest(), new) for line in lines),
        )
    database.execute("CREATE INDEX lines_by_id ON lines (id)")
    # A row stands twice, once for each look, and both times the same; whatever else there is has changed.
    changed = (
        "SELECT id, sum(new) AS new, count(*) AS looks FROM lines GROUP BY id "
        "HAVING sum(new) * 2 <> count(*) OR count(DISTINCT sum) > 1"
    )
    (number,) = database.execute(f"SELECT count(*) FROM ({changed})").fetchone()  # noqa: S608 - our own words
    for row, new, looks in database.execute(f"{changed} ORDER BY id LIMIT {_ROWS_NAMED}").fetchall():
        how = "changed" if new and new < looks else "was added" if new else "was deleted"
        yield Finding(label, str(row), "PostgreSQL", "", f"the row {how} since the export")
    if number > _ROWS_NAMED:
        what = f"{number - _ROWS_NAMED:,} more rows changed since the export"
        yield Finding(label, "", "PostgreSQL", "", what)
    database.execute("DROP TABLE lines")
