"""What has been met so far while transforming: rows that others refer to, addresses that are taken, hearts."""

from __future__ import annotations

import sqlite3

_GATHERED = 2_000


class Known:
    """Kept in the work file, so that a million rows need no memory; written many at once."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._rows: dict[tuple[str, str], tuple[str, str]] = {}
        self._names: list[tuple[str, str, str, str]] = []

    def note(self, role_or_table: str, row: str, label: str = "", extra: str = "") -> None:
        """Note a row that others refer to."""
        self._rows[role_or_table, row] = (label, extra)
        if len(self._rows) >= _GATHERED:
            self.flush()

    def row(self, role_or_table: str, row: str) -> tuple[str, str] | None:
        """The label and the extra word that were noted of a row."""
        gathered = self._rows.get((role_or_table, row))
        if gathered is not None:
            return gathered
        found = self._database.execute(
            "SELECT label, extra FROM rows WHERE tbl = ? AND id = ?", (role_or_table, row)
        ).fetchone()
        return None if found is None else (str(found[0]), str(found[1]))

    def name(self, plain: str, sound: str, row: str, name: str) -> None:
        """Note what a raga is called: its name as lookups compare it, and as one that is nearly the same."""
        self._names.append((plain, sound, row, name))
        if len(self._names) >= _GATHERED:
            self.flush()

    def owner_of_address(self, email: str, row: str) -> str:
        """The row that has an e-mail address: this one, unless another one had it before."""
        inserted = self._database.execute("INSERT OR IGNORE INTO emails VALUES (?, ?)", (email, row))
        if inserted.rowcount == 1:
            return row
        taken = self._database.execute("SELECT id FROM emails WHERE email = ?", (email,)).fetchone()
        return str(taken[0])

    def heart(self, piece: str, owner: str, created_at_ms: float | None) -> None:
        """Note that somebody keeps a piece."""
        self._database.execute("INSERT OR IGNORE INTO hearts VALUES (?, ?, ?)", (piece, owner, created_at_ms))

    def kept_since(self, piece: str, owner: str) -> tuple[float | None] | None:
        """Since when somebody keeps a piece, if they do; when may not be known."""
        found = self._database.execute(
            "SELECT created FROM hearts WHERE piece = ? AND owner = ?", (piece, owner)
        ).fetchone()
        return None if found is None else (found[0],)

    def again(self, table: str, row: str) -> int:
        """How often an equal row of a table was met, this time included."""
        found = self._database.execute(
            "INSERT INTO equals VALUES (?, ?, 1) "
            "ON CONFLICT (tbl, id) DO UPDATE SET number = number + 1 RETURNING number",
            (table, row),
        ).fetchone()
        return int(found[0])

    def flush(self) -> None:
        """Write what was gathered."""
        self._database.executemany(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)",
            ((table, row, label, extra) for (table, row), (label, extra) in self._rows.items()),
        )
        self._rows.clear()
        self._database.executemany("INSERT INTO names VALUES (?, ?, ?, ?)", self._names)
        self._names.clear()
