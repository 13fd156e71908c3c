"""Reading everything back: what PostgreSQL and Convex hold now, beside what the migration meant to bring."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from migration import rows
from migration.deployment import Deployment, Found, RefusedError, found_of
from migration.dump import Dump
from migration.errors import MigrationError
from migration.export import plans_of, rows_of
from migration.importing import REF_FIELDS
from migration.mapping import Plan
from migration.progress import Progress
from migration.rows import canonical, checksum
from migration.source import Place, snapshot, words_for
from migration.work import State, Stored, Work

SAMPLE = 200
FINDINGS_MAX = 10_000
_ROWS_NAMED = 50

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

_TARGETS = {"owner": "users", "piece": "musicGenerations", "oldRaga": "oldRagas"}
_OWN_TABLES = ("oldRagas", "recordings", "legacy")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. ``where`` is the table in Convex, or PostgreSQL."""

    table: str
    id: str
    where: str
    field: str
    what: str


@dataclass(slots=True)
class Verdict:
    """What verification found. Safe only if it found nothing."""

    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    checked: dict[str, int] = field(default_factory=dict)

    @property
    def safe(self) -> bool:
        """Whether the new home may take over."""
        return not self.findings and self.more == 0

    def add(self, finding: Finding) -> None:
        """One more; beyond a bound they are only counted."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)
        else:
            self.more += 1


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
        _source(work, export, state, place, verdict, progress)
    try:
        await _read_back(work, state, deployment, progress)
        await _documents(work, state, deployment, verdict, progress)
        _extra(work, verdict)
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


def _source(
    work: Work, export: Dump, state: State, place: Place, verdict: Verdict, progress: Progress
) -> None:
    """Whether PostgreSQL still holds what was exported."""
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
    changed = database.execute(
        "SELECT id, sum(new), count(*) FROM lines GROUP BY id "
        "HAVING sum(new) * 2 <> count(*) OR count(DISTINCT sum) > 1 ORDER BY id"
    ).fetchall()
    for row, new, both in changed[:_ROWS_NAMED]:
        how = "changed" if new and new < both else "was added" if new else "was deleted"
        yield Finding(label, str(row), "PostgreSQL", "", f"the row {how} since the export")
    if len(changed) > _ROWS_NAMED:
        yield Finding(
            label, "", "PostgreSQL", "", f"{len(changed) - _ROWS_NAMED:,} more rows changed since the export"
        )
    database.execute("DROP TABLE lines")


async def _read_back(work: Work, state: State, deployment: Deployment, progress: Progress) -> None:
    """Note what Convex holds: each document's id and check sum."""
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
            (table, row, _TARGETS[name]),
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


def _extra(work: Work, verdict: Verdict) -> None:
    """What Convex holds of these tables beyond what was meant."""
    # Tables that this run did not look at are not its business.
    extra = work.database.execute(
        "SELECT found.tbl, found.id, found.target FROM found "
        "JOIN counts ON counts.what = 'rows' AND counts.name = found.tbl "
        "LEFT JOIN entries ON entries.tbl = found.tbl AND entries.id = found.id AND entries.target = found.target "
        "WHERE entries.n IS NULL ORDER BY found.tbl, found.id"
    )
    for table, row, target in extra:
        verdict.add(
            Finding(
                str(table), str(row), str(target), "", "an earlier run brought it, the export has it no more"
            )
        )


async def _strays(deployment: Deployment, verdict: Verdict) -> None:
    """Documents of the migration's own tables that nothing was ever brought as."""
    for table in _OWN_TABLES:
        async for page in deployment.pages("migration:strays", {"table": table}):
            for stray in page:
                verdict.add(Finding("", str(stray), table, "", "no run brought this document"))


async def _sample(work: Work, state: State, deployment: Deployment, verdict: Verdict) -> None:
    """Take some documents anew and compare them value by value, without any check sum between."""
    numbers = [int(n) for (n,) in work.database.execute("SELECT n FROM entries")]
    chosen = random.Random(state.run).sample(numbers, min(SAMPLE, len(numbers)))  # noqa: S311 - a sample
    del numbers
    known = {(one.table, one.id, one.target) for one in (work.entry(n) for n in chosen)}
    named = {(finding.table, finding.id, finding.where) for finding in verdict.findings}
    entries = [
        one for n in chosen if (one := work.entry(n)) and (one.table, one.id, one.target) in known - named
    ]
    await _name_fields(work, state, deployment, entries, verdict)
    verdict.checked["sampled"] = len(entries)
