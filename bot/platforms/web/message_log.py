"""The page's messages: what people said and the bot answered, kept because no server keeps them for us.

Every change of a conversation has a number; a page that knows the newest number it has seen is told exactly
what changed since. A conversation is named by its account and, so that numbers of a lost log mean nothing in
a new one, by an epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bot.platforms.web.book import MESSAGE, SCHEMA, Book, Change, message_id, message_json
from bot.platforms.web.ledger import Entry, Ledger
from bot.platforms.web.wire import PictureJson, dump, is_remark, reply_json, target_name
from handlers.model import AccountId, GenerationId, Reply

IDLE_S = 180 * 24 * 3600.0
"""A conversation in which nothing happened for so long is forgotten."""

RUNS = 2
"""A command that was cut short is run so often in all; then the person is asked to send it again."""

Result = TypeVar("Result")

_ONE_MESSAGE = MESSAGE + " WHERE account = ? AND id = ?"
_ALL_MESSAGES = MESSAGE + " WHERE account = ? AND state <> 'void' ORDER BY place"
_NEWER_MESSAGES = MESSAGE + " WHERE account = ? AND seq > ? ORDER BY place"
_ASK = "SELECT account, id, line, locale, pressed, answer, result FROM asks"
_KNOWN_ASK = _ASK + " WHERE account = ? AND id = ?"
_FORGET = (
    "DELETE FROM messages WHERE account = ?",
    "DELETE FROM asks WHERE account = ?",
    "DELETE FROM accounts WHERE account = ?",
)
_GIVEN_UP_ASKS = _ASK + " WHERE result IS NULL AND runs >= ?"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a page lacks; ``messages`` are JSON objects, oldest first.

    ``reset``: the page must first forget what it has.
    """

    epoch: str
    seq: int
    reset: bool
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """Something asked: ``answer`` is the id of the message that the reply will stand in."""

    account: AccountId
    id: str
    line: str
    locale: str
    pressed: str | None
    answer: str
    result: str | None = None


class MessageLog:
    """The conversations of all accounts in one file, for the event loop that opens it."""

    def __init__(
        self, path: Path, publish: Callable[[list[Change]], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._ledger = Ledger(path, SCHEMA, 1, publish)
        self._clock = clock

    async def _write(self, operation: Callable[[Entry[Change]], Result]) -> Result:
        """Run an operation, and publish the messages that it changed as they are after it."""

        def write(entry: Entry[Change]) -> Result:
            result = operation(entry)
            newest = {change.id: change for change in entry.changes}
            entry.changes.clear()
            for change in newest.values():
                row = entry.db.execute(_ONE_MESSAGE, (change.account, change.id)).fetchone()
                entry.changes.append(change._replace(message=message_json(*row)) if row else change)
            return result

        return await self._ledger.run(write)

    async def open(self) -> None:
        """Open or make the file. Raises LedgerError."""
        await self._ledger.open()

    async def close(self) -> None:
        """Write what is still to be written."""
        await self._ledger.close()

    async def snapshot(self, account: AccountId, epoch: str = "", since: int = 0) -> Snapshot:
        """What changed after change ``since`` of this epoch; everything, where that cannot be told."""
        now_s = self._clock()

        def read(entry: Entry[Change]) -> Snapshot:
            found = entry.db.execute(
                "UPDATE accounts SET seen_s = ? WHERE account = ? RETURNING epoch, seq, floor_seq",
                (now_s, account),
            ).fetchall()
            if not found:
                return Snapshot("", 0, True, ())
            known_epoch, seq, floor_seq = found[0]
            reset = epoch != known_epoch or not floor_seq <= since <= seq or since == 0
            if reset:
                rows = entry.db.execute(_ALL_MESSAGES, (account,))
            else:
                rows = entry.db.execute(_NEWER_MESSAGES, (account, since))
            return Snapshot(known_epoch, seq, reset, tuple(message_json(*row) for row in rows))

        return await self._ledger.run(read)

    async def ask(
        self, account: AccountId, ask: str, line: str, locale: str, *, said: bool, pressed: str | None = None
    ) -> tuple[Ask, bool]:
        """Write down what is asked, with an empty message for the answer. False: it was asked before."""
        now_s = self._clock()
        said_id, answer_id = message_id(), message_id()

        def write(entry: Entry[Change]) -> tuple[Ask, bool]:
            known = entry.db.execute(_KNOWN_ASK, (account, ask)).fetchone()
            if known:
                return Ask(*known), False
            book = Book(entry, account, now_s)
            book.open()
            if said:
                book.insert(said_id, "person", "shown", body=line, ask=ask)
            book.insert(answer_id, "bot", "pending", ask=ask)
            entry.db.execute(
                "INSERT INTO asks (account, id, line, locale, pressed, answer, runs, at_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, 1, ?)",
                (account, ask, line, locale, pressed, answer_id, round(now_s * 1000)),
            )
            book.trim()
            return Ask(account, ask, line, locale, pressed, answer_id), True

        return await self._write(write)

    async def settle(self, ask: Ask, reply: Reply, picture: PictureJson | None = None) -> str:
        """Put the reply where it belongs; returns the result of the ask as JSON, the same at every call."""
        now_s = self._clock()

        def write(entry: Entry[Change]) -> str:
            (result,) = entry.db.execute(
                "SELECT result FROM asks WHERE account = ? AND id = ?", (ask.account, ask.id)
            ).fetchone() or (None,)
            if result is not None:
                return str(result)
            book = Book(entry, ask.account, now_s)
            book.open()
            shown: str | None = ask.answer
            if is_remark(reply):
                book.void(ask.answer)
                shown = None
            elif reply.replaces and ask.pressed and book.show(ask.pressed, reply, picture):
                book.void(ask.answer)
                shown = ask.pressed
            else:
                # Where an edit or the finished piece came first, the answer is older than what stands there.
                book.show(ask.answer, reply, picture, only_pending=True)
            if reply.favorite:
                book.keep(target_name(reply.favorite.target), reply.favorite.on)
            result = dump({"id": ask.id, "message": shown, "reply": reply_json(reply, picture)})
            entry.db.execute(
                "UPDATE asks SET result = ? WHERE account = ? AND id = ?", (result, ask.account, ask.id)
            )
            return result

        return await self._write(write)

    async def edit(
        self, account: AccountId, message: str, reply: Reply, picture: PictureJson | None = None
    ) -> bool:
        """Show a new state in a message; False when there is no such message (any more)."""
        now_s = self._clock()

        def write(entry: Entry[Change]) -> bool:
            book = Book(entry, account, now_s)
            return book.show(message, reply, picture, not_delivered=reply.progress is not None)

        return await self._write(write)

    async def begin(self, account: AccountId) -> None:
        """Make a conversation that takes messages, where there is none yet."""
        now_s = self._clock()
        await self._write(lambda entry: Book(entry, account, now_s).open())

    async def deliver(
        self,
        account: AccountId,
        message: str,
        reply: Reply,
        nonce: str,
        picture: PictureJson | None = None,
    ) -> bool:
        """Show a finished piece in its message, or in a new one where that has gone. Once for each nonce.

        False when the whole conversation has gone.
        """
        now_s = self._clock()

        def write(entry: Entry[Change]) -> bool:
            db = entry.db
            if db.execute(
                "SELECT 1 FROM messages WHERE account = ? AND nonce = ?", (account, nonce)
            ).fetchone():
                return True
            if not db.execute("SELECT 1 FROM accounts WHERE account = ?", (account,)).fetchone():
                return False
            book = Book(entry, account, now_s)
            shown = message
            if not book.show(message, reply, picture):
                shown = message_id()
                book.insert(shown, "bot", "pending")
                book.show(shown, reply, picture)
                book.trim()
            db.execute("UPDATE messages SET nonce = ? WHERE account = ? AND id = ?", (nonce, account, shown))
            return True

        return await self._write(write)

    async def clear(self, account: AccountId) -> None:
        """Forget a conversation, but for what is still under way."""

        def write(entry: Entry[Change]) -> None:
            found = entry.db.execute(
                "UPDATE accounts SET seq = seq + 1, floor_seq = seq + 1 WHERE account = ?"
                " RETURNING epoch, seq",
                (account,),
            ).fetchall()
            for epoch, seq in found:
                entry.db.execute(
                    "DELETE FROM messages WHERE account = ? AND state <> 'pending' AND running = 0",
                    (account,),
                )
                entry.db.execute("DELETE FROM asks WHERE account = ? AND result IS NOT NULL", (account,))
                entry.changes.append(Change(account, epoch, seq, ""))

        await self._write(write)

    async def unanswered(self) -> list[Ask]:
        """What was being answered when the bot last stopped, to be run once more."""

        def write(entry: Entry[Change]) -> list[Ask]:
            rows = entry.db.execute(
                "UPDATE asks SET runs = runs + 1 WHERE result IS NULL AND runs < ?"
                " RETURNING account, id, line, locale, pressed, answer, result",
                (RUNS,),
            ).fetchall()
            return [Ask(*row) for row in rows]

        return await self._write(write)

    async def given_up(self) -> list[Ask]:
        """What was cut short too often."""

        def read(entry: Entry[Change]) -> list[Ask]:
            return [Ask(*row) for row in entry.db.execute(_GIVEN_UP_ASKS, (RUNS,))]

        return await self._ledger.run(read)

    async def filename(self, account: AccountId, generation: GenerationId) -> str | None:
        """The name under which a piece shown in this conversation is saved."""

        def read(entry: Entry[Change]) -> str | None:
            row = entry.db.execute(
                "SELECT filename FROM messages WHERE account = ? AND generation = ? AND filename IS NOT NULL"
                " ORDER BY seq DESC LIMIT 1",
                (account, generation),
            ).fetchone()
            return row[0] if row else None

        return await self._ledger.run(read)

    async def purge(self) -> int:
        """Forget the conversations in which nothing happened for long; returns how many."""
        before_s = self._clock() - IDLE_S

        def write(entry: Entry[Change]) -> int:
            idle = entry.db.execute("SELECT account FROM accounts WHERE seen_s < ?", (before_s,)).fetchall()
            for statement in _FORGET:
                entry.db.executemany(statement, idle)
            return len(idle)

        return await self._ledger.run(write)
