"""Reading everything back: what PostgreSQL and Convex hold now, beside what the migration meant to bring."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from typing import Any

from migration.deployment import Deployment, Found, RefusedError, found_of
from migration.dump import Dump
from migration.errors import MigrationError
from migration.folder import State
from migration.progress import Progress
from migration.recheck import recheck
from migration.references import REF_FIELDS, REF_TARGETS
from migration.rows import canonical, checksum
from migration.source import Place
from migration.verdict import Finding, Verdict
from migration.work import PHASES, Stored, Work

SAMPLE = 200

_FOUND = """
DROP TABLE IF EXISTS found;
CREATE TABLE found (tbl TEXT NOT NULL, id TEXT NOT NULL, target TEXT NOT NULL, doc TEXT NOT NULL, how TEXT NOT NULL,
  checksum TEXT NOT NULL, PRIMARY KEY (tbl, id, target)) WITHOUT ROWID;
"""

_MERGED_FIELDS = {
    "users": ("email",),
    "favorites": ("kind", "userId", "generationId", "raga", "tradition"),
}
"""What a document that was there before must share with the row that was merged into it."""

_OWN_TABLES = ("oldRagas", "recordings", "legacy")


async def verify(
    work: Work,
    state: State,
    export: Dump,
    place: Place | None,
    deployment: Deployment,
    progress: Progress,
) -> Verdict:
    """Compare everything. Without a place PostgreSQL is not asked again. Raises MigrationError."""
    verdict = Verdict()
    _counts(work, export, verdict)
    if place is not None:
        recheck(work, export, state, place, verdict, progress)
    try:
        await read_back(work, state, deployment, progress)
        await _documents(work, state, deployment, verdict, progress)
        for table, row, target in extra(work, state):
            what = "an earlier run brought it, PostgreSQL has it no more (--withdraw takes it out)"
            verdict.add(Finding(table, row, target, "", what))
        await _strays(deployment, verdict)
        await _sample(work, state, deployment, verdict)
    except RefusedError as error:
        raise MigrationError(f"Convex at {deployment.url} could not be read ({error}).") from None
    return verdict


def _counts(work: Work, export: Dump, verdict: Verdict) -> None:
    """Every exported row has become at least one entry."""
    with_entries = dict(work.database.execute("SELECT tbl, count(DISTINCT id) FROM entries GROUP BY tbl"))
    for one in export.tables:
        became = int(with_entries.get(one.table.label, 0))
        verdict.checked["rows"] = verdict.checked.get("rows", 0) + one.rows
        if not one.rows == one.table.rows == became:
            what = f"{one.table.rows:,} rows were counted, {one.rows:,} exported, {became:,} transformed"
            verdict.add(Finding(one.table.label, "", "PostgreSQL", "", what))


async def read_back(work: Work, state: State, deployment: Deployment, progress: Progress) -> None:
    """Note what Convex holds: each document's id and check sum. Raises MigrationError, RefusedError."""
    database = work.database
    database.executescript(_FOUND)
    progress.start("read back", work.total())
    async for page in deployment.pages("migration:page", {"source": state.source}):
        found = [found_of(one) for one in page]
        database.execute("BEGIN")
        database.executemany(
            "INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?, ?, ?)",
            ((one.table, one.id, one.target, one.doc_id, one.how, _sum_of(one)) for one in found),
        )
        database.execute("COMMIT")
        progress.step(len(found), found[-1].table if found else "")
    progress.end()


def _sum_of(found: Found) -> str:
    return "" if found.doc is None else checksum(canonical(_seen(found)))


def _seen(found: Found) -> dict[str, Any]:
    """A document as it is compared: files by their sums."""
    doc = {**(found.doc or {}), **{name: f"sha256:{digest}" for name, digest in found.files.items()}}
    return _shared(found.target, doc) if found.how == "merged" else doc


def _shared(target: str, doc: dict[str, Any]) -> dict[str, Any]:
    fields = _MERGED_FIELDS[target]
    return {name: _folded(value) for name, value in doc.items() if name in fields}


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _expected(database: sqlite3.Connection, entry: Stored, how: str) -> dict[str, Any]:
    """What the document of an entry should be, with the ids that its references have in Convex."""
    doc, refs, files = entry.parts()
    for name, (table, row) in refs.items():
        there = database.execute(
            "SELECT doc FROM found WHERE tbl = ? AND id = ? AND target = ? AND checksum <> ''",
            (table, row, REF_TARGETS[name]),
        ).fetchone()
        doc[REF_FIELDS[name]] = f"{table} {row}, which is not in Convex" if there is None else there[0]
    doc |= {name: f"sha256:{digest}" for name, digest in files.items()}
    return _shared(entry.target, doc) if how == "merged" else doc


async def _documents(
    work: Work, state: State, deployment: Deployment, verdict: Verdict, progress: Progress
) -> None:
    """Hold each entry against what was found, and name the fields that differ."""
    progress.start("verify", work.total())
    above = -1
    while entries := work.entries(above):
        above = entries[-1].n
        differing = []
        for entry in entries:
            found = work.database.execute(
                "SELECT how, checksum FROM found WHERE tbl = ? AND id = ? AND target = ?",
                (entry.table, entry.id, entry.target),
            ).fetchone()
            if found is None or found[1] == "":
                what = "was not brought" if found is None else "its document is gone"
                verdict.add(Finding(entry.table, entry.id, entry.target, "", what))
            elif checksum(canonical(_expected(work.database, entry, found[0]))) != found[1]:
                differing.append(entry)
        await _name_fields(work, state, deployment, differing, verdict)
        verdict.checked["documents"] = verdict.checked.get("documents", 0) + len(entries)
        progress.step(len(entries), entries[-1].table)
    progress.end()


async def _name_fields(
    work: Work, state: State, deployment: Deployment, entries: list[Stored], verdict: Verdict
) -> None:
    for start in range(0, len(entries), 100):
        part = entries[start : start + 100]
        there = await deployment.found(state.source, [(one.table, one.id, one.target) for one in part])
        by_key = {(one.table, one.id, one.target): one for one in there}
        for entry in part:
            found = by_key.get((entry.table, entry.id, entry.target))
            for finding in _differences(work.database, entry, found):
                verdict.add(finding)


def _differences(database: sqlite3.Connection, entry: Stored, found: Found | None) -> Iterator[Finding]:
    if found is None or found.doc is None:
        yield Finding(entry.table, entry.id, entry.target, "", "its document is gone")
        return
    expected, seen = _expected(database, entry, found.how), _seen(found)
    for name in sorted(set(expected) | set(seen)):
        left, right = canonical({"": expected.get(name)}), canonical({"": seen.get(name)})
        if left != right:
            what = f"should be {_short(left)}, is {_short(right)}"
            yield Finding(entry.table, entry.id, entry.target, name, what)


def _short(text: str) -> str:
    value = text[4:-1]
    return value if len(value) <= 80 else f"{value[:80]}…"


def extra(work: Work, state: State) -> Iterator[tuple[str, str, str]]:
    """What Convex holds of these tables beyond what was meant: table, row and target, what refers to others first."""
    # A run for a part is not to judge tables that it did not look at.
    looked_at = (
        "" if state.only is None else "JOIN counts ON counts.what = 'rows' AND counts.name = found.tbl "
    )
    order = " ".join(f"WHEN '{target}' THEN {n}" for n, targets in enumerate(PHASES) for target in targets)
    query = (
        f"SELECT found.tbl, found.id, found.target FROM found {looked_at}"  # noqa: S608 - our own words
        "LEFT JOIN entries ON entries.tbl = found.tbl AND entries.id = found.id AND entries.target = found.target "
        f"WHERE entries.n IS NULL ORDER BY CASE found.target {order} END DESC, found.tbl, found.id"
    )
    for table, row, target in work.database.execute(query):
        yield str(table), str(row), str(target)


async def _strays(deployment: Deployment, verdict: Verdict) -> None:
    """Documents of the migration's own tables that nothing was ever brought as."""
    for table in _OWN_TABLES:
        async for page in deployment.pages("migration:strays", {"table": table}):
            for stray in page:
                verdict.add(Finding("", str(stray), table, "", "no run brought this document"))


async def _sample(work: Work, state: State, deployment: Deployment, verdict: Verdict) -> None:
    """Take some documents anew and compare them value by value, without any check sum between."""
    numbers = work.numbers()
    chosen = random.Random(state.run).sample(range(len(numbers)), min(SAMPLE, len(numbers)))  # noqa: S311 - a sample
    named = {(finding.table, finding.id, finding.where) for finding in verdict.findings}
    entries = [
        one
        for one in (work.entry(numbers[at]) for at in chosen)
        if (one.table, one.id, one.target) not in named
    ]
    await _name_fields(work, state, deployment, entries, verdict)
    verdict.checked["sampled"] = len(entries)
