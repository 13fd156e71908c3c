"""Everything between export and import: the entries in their order, and all that had to be listed on the way."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from migration import rows
from migration.rows import canonical, checksum

Target = Literal["users", "oldRagas", "musicGenerations", "favorites", "recordings", "legacy"]

PHASES: tuple[tuple[Target, ...], ...] = (
    ("users", "oldRagas", "legacy"),
    ("musicGenerations", "recordings"),
    ("favorites",),
)
"""What is imported after what: an entry refers to entries of earlier phases only."""

_PHASE_BITS = 40

_TABLES = """
CREATE TABLE entries (n INTEGER PRIMARY KEY, tbl TEXT NOT NULL, id TEXT NOT NULL, target TEXT NOT NULL,
  checksum TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE refusals (n INTEGER PRIMARY KEY, tbl TEXT NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL,
  value TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE rows (tbl TEXT NOT NULL, id TEXT NOT NULL, label TEXT, extra TEXT, PRIMARY KEY (tbl, id)) WITHOUT ROWID;
CREATE TABLE names (plain TEXT NOT NULL, sound TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE hearts (piece TEXT NOT NULL, owner TEXT NOT NULL, created REAL, PRIMARY KEY (piece, owner)) WITHOUT ROWID;
CREATE TABLE uploads (sha256 TEXT PRIMARY KEY, path TEXT NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL,
  storage TEXT) WITHOUT ROWID;
CREATE TABLE counts (what TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (what, name))
  WITHOUT ROWID;
CREATE TABLE equals (tbl TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (tbl, id)) WITHOUT ROWID;
CREATE TABLE later (n INTEGER PRIMARY KEY);
CREATE TABLE emails (email TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
"""
_ENTRY = "n, tbl, id, target, checksum, body"
_INDEX = "CREATE UNIQUE INDEX IF NOT EXISTS entries_by_row ON entries (tbl, id, target)"

# A commit survives the death of this process; a power cut costs at most what is then done again.
_LASTING = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that an entry needs."""

    sha256: str
    path: Path
    type: str
    size: int


@dataclass(slots=True)
class Entry:
    """One document to be. ``refs`` names the rows that it refers to, ``files`` the SHA-256 of files by field."""

    table: str
    id: str
    target: Target
    doc: dict[str, object]
    refs: dict[str, tuple[str, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as it stands in the work file."""

    n: int
    table: str
    id: str
    target: Target
    checksum: str
    body: str

    def parts(self) -> tuple[dict[str, Any], dict[str, list[str]], dict[str, str]]:
        """Document, references, files."""
        whole = json.loads(self.body, parse_int=float)
        return whole["doc"], whole.get("refs", {}), whole.get("files", {})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A value that found no place in a field; the row's ``legacy`` entry has it as it was."""

    table: str
    id: str
    field: str
    value: str
    reason: str


class Work:
    """The SQLite file. One process at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "work.sqlite"
        self._database: sqlite3.Connection | None = None
        self._next = dict.fromkeys(range(len(PHASES)), 0)
        self._entries: list[tuple[int, str, str, str, str, str]] = []
        self._refusals: list[tuple[str, str, str, str, str]] = []

    @property
    def database(self) -> sqlite3.Connection:
        """The connection, opened at first use."""
        if self._database is None:
            self._database = sqlite3.connect(self.path, isolation_level=None)
            with contextlib.suppress(OSError):
                self.path.chmod(0o600)
            self._database.executescript(f"PRAGMA cache_size = -32768; {_LASTING}")
        return self._database

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def begin(self) -> None:
        """An empty file: what is transformed again begins from nothing."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self._next = dict.fromkeys(range(len(PHASES)), 0)
        # No journal: whoever is killed while transforming begins anew.
        self.database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}")
        self.database.execute("BEGIN")

    def finish(self) -> None:
        """Everything is transformed: write the rest, and make the entries findable by their rows."""
        self.flush()
        self.database.execute("COMMIT")
        self.database.execute(_INDEX)
        self.database.execute("CREATE INDEX IF NOT EXISTS names_by_plain ON names (plain)")
        self.database.execute("CREATE INDEX IF NOT EXISTS names_by_sound ON names (sound)")
        self.database.executescript(_LASTING)

    def add(self, entry: Entry) -> None:
        """One more entry."""
        phase = next(number for number, targets in enumerate(PHASES) if entry.target in targets)
        body: dict[str, object] = {"doc": entry.doc}
        if entry.refs:
            body["refs"] = {name: list(row) for name, row in entry.refs.items()}
        if entry.files:
            body["files"] = entry.files
        text = canonical(body)
        n = (phase << _PHASE_BITS) + self._next[phase]
        self._next[phase] += 1
        self._entries.append((n, entry.table, entry.id, entry.target, checksum(text), text))
        if len(self._entries) >= 500:
            self.flush()

    def refuse(self, table: str, row: str, column: str, value: object, reason: str) -> None:
        """List what found no place."""
        written = "" if value is None else value if isinstance(value, str) else rows.write(value)
        self._refusals.append((table, row, column, written[:80], reason))

    def flush(self) -> None:
        """Write what was gathered."""
        self.database.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", self._entries)
        self._entries.clear()
        self.database.executemany(
            "INSERT INTO refusals (tbl, id, field, value, reason) VALUES (?, ?, ?, ?, ?)", self._refusals
        )
        self._refusals.clear()

    def count(self, what: str, name: str, number: int = 1) -> None:
        """Add to a count."""
        self.database.execute(
            "INSERT INTO counts VALUES (?, ?, ?) "
            "ON CONFLICT (what, name) DO UPDATE SET number = number + excluded.number",
            (what, name, number),
        )

    def counts(self, what: str) -> dict[str, int]:
        """The counts of a kind."""
        return dict(
            self.database.execute("SELECT name, number FROM counts WHERE what = ? ORDER BY name", (what,))
        )

    def total(self) -> int:
        """How many entries there are."""
        return int(self.database.execute("SELECT count(*) FROM entries").fetchone()[0])

    def numbers(self) -> array[int]:
        """The numbers of all entries."""
        return array("q", (int(n) for (n,) in self.database.execute("SELECT n FROM entries ORDER BY n")))

    def entries(self, above: int = -1, below: int = 1 << 62, limit: int = 500) -> list[Stored]:
        """The next entries in their order."""
        found = self.database.execute(
            f"SELECT {_ENTRY} FROM entries WHERE n > ? AND n < ? ORDER BY n LIMIT ?",  # noqa: S608 - our own names
            (above, below, limit),
        )
        return [Stored(*row) for row in found]

    def entry(self, n: int) -> Stored:
        """One entry."""
        return self.entries(n - 1, n + 1)[0]

    def refusals(self) -> Iterator[Refusal]:
        """Everything listed, in order."""
        for row in self.database.execute("SELECT tbl, id, field, value, reason FROM refusals ORDER BY n"):
            yield Refusal(*row)

    def cursor(self, phase: int) -> int:
        """Up to where a phase is imported."""
        first, _ = phase_bounds(phase)
        found = self.counts("cursor").get(str(phase))
        return first if found is None else found

    def advance(self, phase: int, n: int, outcomes: Iterable[str]) -> None:
        """Everything up to an entry is imported, with these outcomes. All of it is remembered, or nothing."""
        self.database.execute("BEGIN")
        self.database.execute("INSERT OR REPLACE INTO counts VALUES ('cursor', ?, ?)", (str(phase), n))
        for name, number in Counter(outcomes).items():
            self.count("import", name, number)
        self.flush()
        self.database.execute("COMMIT")


def phase_bounds(phase: int) -> tuple[int, int]:
    """Between which numbers (both exclusive) the entries of a phase lie."""
    return (phase << _PHASE_BITS) - 1, (phase + 1) << _PHASE_BITS
