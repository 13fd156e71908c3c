"""One SQLite file and the one thread that touches it, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

log = logging.getLogger(__name__)

BATCH = 128
"""The most operations that share one transaction."""

_BUSY_TIMEOUT_S = 5.0

Result = TypeVar("Result")
Change = TypeVar("Change")


class LedgerError(OSError):
    """The file cannot be used; the message is a sentence for the person who starts the bot."""


class Entry(Generic[Change]):
    """What one operation works with: the connection, and a list for what others should hear of."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.changes: list[Change] = []


class _Task(Generic[Change]):
    def __init__(self, operation: Callable[[Entry[Change]], Any], done: asyncio.Future[Any]) -> None:
        self.operation = operation
        self.done = done
        self.entry: Entry[Change] | None = None
        self.result: Any = None
        self.error: BaseException | None = None


class Ledger(Generic[Change]):
    """Runs operations in the order in which they were asked for, many to a transaction.

    ``publish`` is called in the event loop with each operation's changes, in the same order, before the
    operation's own caller goes on. What was published is committed.
    """

    def __init__(
        self, path: Path, schema: str, version: int, publish: Callable[[list[Change]], None]
    ) -> None:
        self._path = path
        self._schema = schema
        self._version = version
        self._publish = publish
        self._queue: queue.SimpleQueue[_Task[Change] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def open(self) -> None:
        """Open or make the file. Raises LedgerError."""
        loop = asyncio.get_running_loop()
        db = await asyncio.to_thread(self._connect)
        self._thread = threading.Thread(target=self._work, args=(db, loop), name="web ledger", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Finish what was asked for, then close the file."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            self._queue.put(None)
            await asyncio.to_thread(thread.join)

    async def run(self, operation: Callable[[Entry[Change]], Result]) -> Result:
        """Run an operation; raises what it raises, and then nothing of it is kept.

        Cancelling the caller does not take the operation back.
        """
        if self._thread is None:
            raise LedgerError("The message log is closed.")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.put(_Task(operation, done))
        return await done

    def _connect(self) -> sqlite3.Connection:
        try:
            return self._prepared()
        except sqlite3.OperationalError as error:
            raise LedgerError(f"I cannot use the message log {self._path}: {error}.") from error
        except sqlite3.DatabaseError:
            # Not a database, or a damaged one: the page's messages are worth less than a bot that starts.
            aside = self._path.with_name(f"{self._path.name}.damaged")
            log.warning("%s cannot be read; it is kept as %s, and a new one begins.", self._path, aside.name)
            try:
                self._path.replace(aside)
                for ending in ("-wal", "-shm"):
                    self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
                return self._prepared()
            except (OSError, sqlite3.Error) as error:
                raise LedgerError(f"I cannot make a new message log at {self._path}: {error}.") from error

    def _prepared(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=64,
        )
        try:
            version = self._readable_version(db)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if version < self._version:
                db.executescript(
                    f"BEGIN IMMEDIATE;\n{self._schema}\nPRAGMA user_version = {self._version};\nCOMMIT;"
                )
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def _readable_version(self, db: sqlite3.Connection) -> int:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > self._version:
            raise LedgerError(
                f"The message log {self._path} was written by a newer Raga Bot. "
                "Start that one, or move the file away to begin a new log."
            )
        return int(version)

    def _work(self, db: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        last = False
        while not last:
            batch: list[_Task[Change]] = []
            task = self._queue.get()
            while task is not None:
                batch.append(task)
                if len(batch) == BATCH:
                    break
                try:
                    task = self._queue.get_nowait()
                except queue.Empty:
                    break
            last = task is None
            if batch:
                self._commit(db, batch)
                self._report(batch, loop)
        db.close()

    def _commit(self, db: sqlite3.Connection, batch: list[_Task[Change]]) -> None:
        try:
            db.execute("BEGIN IMMEDIATE")
            for task in batch:
                task.entry = Entry(db)
                db.execute("SAVEPOINT operation")
                try:
                    task.result = task.operation(task.entry)
                except Exception as error:
                    db.execute("ROLLBACK TO operation")
                    task.error = error
                db.execute("RELEASE operation")
            db.execute("COMMIT")
        except Exception as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            for task in batch:
                task.error = task.error or error

    def _report(self, batch: list[_Task[Change]], loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(self._settle, batch)
        except RuntimeError:
            log.debug("The event loop closed before the message log was done.")

    def _settle(self, batch: list[_Task[Change]]) -> None:
        for task in batch:
            if task.error is None and task.entry is not None and task.entry.changes:
                try:
                    self._publish(task.entry.changes)
                except Exception:
                    log.exception("A change of the message log could not be passed on.")
            if task.done.done():
                continue
            if task.error is not None:
                task.done.set_exception(task.error)
            else:
                task.done.set_result(task.result)
