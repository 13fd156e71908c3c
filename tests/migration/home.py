"""The real local deployment as a process of its own, and a look into what it keeps, past all of its functions."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.backend.identity import Keys
from bot.backend.local import FUNCTIONS, command, environment, state_folder

ISSUER = "https://raga-bot.localhost"
_READY = "Convex is listening at "
_RUN_FIELDS = ("run", "startedAt", "updatedAt")

Documents = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Home:
    """One deployment."""

    url: str
    state_dir: Path

    def _database(self, *, write: bool = False) -> contextlib.closing[sqlite3.Connection]:
        path = state_folder(self.state_dir, FUNCTIONS) / "convex.sqlite"
        mode = "rw" if write else "ro"
        return contextlib.closing(sqlite3.connect(f"file:{path}?mode={mode}", uri=True, isolation_level=None))

    def documents(self) -> Documents:
        """Every document of every table, and every file, in the order of their ids."""
        with self._database() as database:
            found: Documents = {}
            query = "SELECT name, value FROM documents JOIN tables ON number = table_number ORDER BY name, id"
            for name, value in database.execute(query):
                found.setdefault(name, []).append(json.loads(value))
            files = database.execute(
                "SELECT id, sha256, size, content_type FROM files ORDER BY id"
            ).fetchall()
            found["_storage"] = [
                {"_id": id_, "sha256": sha256, "size": size, "type": kind}
                for id_, sha256, size, kind in files
            ]
            return {name: rows for name, rows in found.items() if rows}

    def spoil(self, table: str, field: str, value: object, where: str = "") -> dict[str, Any]:
        """Change a field of a document behind everybody's back; gives the document as it was."""
        with self._database(write=True) as database:
            query = (
                "SELECT doc, value FROM documents JOIN tables ON number = table_number "
                "WHERE name = ? AND value LIKE ? ORDER BY id LIMIT 1"
            )
            doc, text = database.execute(query, (table, f"%{where}%")).fetchone()
            document: dict[str, Any] = json.loads(text)
            database.execute(
                "UPDATE documents SET value = ? WHERE doc = ?", (json.dumps({**document, field: value}), doc)
            )
            return document

    def drop(self, table: str) -> dict[str, Any]:
        """Take a document away behind everybody's back; gives it."""
        with self._database(write=True) as database:
            query = (
                "SELECT doc, value FROM documents JOIN tables ON number = table_number "
                "WHERE name = ? ORDER BY id LIMIT 1"
            )
            doc, text = database.execute(query, (table,)).fetchone()
            database.execute("DELETE FROM documents WHERE doc = ?", (doc,))
            database.execute("DELETE FROM entries WHERE doc = ?", (doc,))
            return dict(json.loads(text))


def nameless(documents: Documents) -> dict[str, list[str]]:
    """Documents with every id replaced by the old row that it stands for, and without what each run has of its own."""
    names = {file["_id"]: f"file {file['sha256']}" for file in documents.get("_storage", [])}
    for row in documents.get("migrated", []):
        if row["how"] == "created":
            names[row["docId"]] = f"{row['target']} of {row['table']} {row['legacyId']}"
    for rows in documents.values():
        for row in rows:
            names.setdefault(row["_id"], "some document")
    return {
        table: sorted(json.dumps(_named(row, names), sort_keys=True) for row in rows)
        for table, rows in documents.items()
    }


def _named(row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    kept = {field: value for field, value in row.items() if field not in ("_creationTime", *_RUN_FIELDS)}
    return {
        field: names.get(value, value) if isinstance(value, str) else value for field, value in kept.items()
    }


@contextlib.contextmanager
def home(state_dir: Path) -> Iterator[Home]:
    """A deployment with nothing in it."""
    keys = Keys.load(state_dir)
    arguments = command(FUNCTIONS, 0, state_folder(state_dir, FUNCTIONS))
    process = subprocess.Popen(
        [*arguments, "--exit-with-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(ISSUER, keys.jwks_data_uri()),
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline().strip()
        assert line.startswith(_READY), line
        try:
            yield Home(line.removeprefix(_READY), state_dir)
        finally:
            process.stdin.close()
            process.wait(20)
