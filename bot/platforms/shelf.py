"""What a platform has to remember of its own messages, where the chat's server will not say it again.

Kinds in use: ``heart`` (a message -> the line that a heart on it stands for), ``audio`` (a stored file -> the
platform's own name of it, by which it is sent again without an upload), ``sent`` (a delivery's nonce -> the message
that holds it), ``picture`` (a picture's file name -> the platform's own name of
it), ``inbox`` (what was asked and not answered yet), ``left`` (what the bot has gone out of, until Convex knows),
``chat`` (a chat of a Discord server -> the server and channel that it belongs to), ``manages`` (a message in a private
chat -> the group that its buttons are about).
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

KEPT = 200_000
"""So many entries of a platform are kept; the oldest go first."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS shelf (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, at_s REAL NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shelf_by_age ON shelf (at_s);
"""


class Shelf:
    """Values by kind and key in one SQLite file. What was put is on disk when ``put`` returns."""

    def __init__(self, path: Path, kept: int = KEPT) -> None:
        self._path = path
        self._kept = kept
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._puts = 0

    async def put(self, kind: str, key: str, value: str) -> None:
        """Remember a value in place of an older one. Raises OSError."""
        await self._run(lambda db: self._put(db, kind, key, value))

    async def get(self, kind: str, key: str) -> str | None:
        """The value, if it is still remembered. Raises OSError."""

        def read(db: sqlite3.Connection) -> str | None:
            row = db.execute("SELECT value FROM shelf WHERE kind = ? AND key = ?", (kind, key)).fetchone()
            return None if row is None else str(row[0])

        return await self._run(read)

    async def all(self, kind: str) -> dict[str, str]:
        """Every value of a kind by its key, the oldest first. Raises OSError."""

        def read(db: sqlite3.Connection) -> dict[str, str]:
            rows = db.execute("SELECT key, value FROM shelf WHERE kind = ? ORDER BY at_s", (kind,))
            return {str(key): str(value) for key, value in rows}

        return await self._run(read)

    async def forget(self, kind: str, key: str) -> None:
        """Forget a value. Raises OSError."""

        def delete(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM shelf WHERE kind = ? AND key = ?", (kind, key))
            db.commit()

        await self._run(delete)

    async def forget_chats(self, chats: Iterable[str]) -> None:
        """Forget what is kept of these chats and of the messages in them. Raises OSError."""

        def delete(db: sqlite3.Connection) -> None:
            for chat in chats:
                lead = f"{chat}/"
                db.execute(
                    "DELETE FROM shelf WHERE (kind IN ('heart', 'asker', 'manages') AND substr(key, 1, ?) = ?) "
                    "OR (kind IN ('audio', 'sent') AND substr(value, 1, ?) = ?) "
                    "OR (kind = 'manages' AND value = ?) OR (kind = 'chat' AND key = ?)",
                    (len(lead), lead, len(lead), lead, chat, chat),
                )
            db.commit()

        await self._run(delete)

    async def close(self) -> None:
        """Close the file; a later call opens it again."""
        await asyncio.to_thread(self._close)

    def _put(self, db: sqlite3.Connection, kind: str, key: str, value: str) -> None:
        db.execute("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?, ?)", (kind, key, value, time.time()))
        self._puts += 1
        if self._puts % 1000 == 1:
            db.execute(
                "DELETE FROM shelf WHERE (kind, key) IN "
                "(SELECT kind, key FROM shelf ORDER BY at_s DESC LIMIT -1 OFFSET ?)",
                (self._kept,),
            )
        db.commit()

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def run() -> Result:
            with self._lock:
                try:
                    if self._db is None:
                        self._db = self._open()
                    return work(self._db)
                except sqlite3.Error as error:
                    raise OSError(f"{self._path.name} cannot be used: {error}") from error

        return await asyncio.to_thread(run)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_SCHEMA)
        return db

    def _close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None
