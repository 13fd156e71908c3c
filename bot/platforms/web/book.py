"""One conversation inside one operation: how its rows change, and what they look like to the page."""

from __future__ import annotations

import secrets
from typing import Literal, NamedTuple

from bot.platforms.web.ledger import Entry
from bot.platforms.web.wire import PictureJson, dump, reply_json, target_name
from handlers.model import AccountId, Reply

KEPT_MESSAGES = 300
"""The most messages that are kept of a conversation."""

KEPT_ASKS = 200
"""As many things asked are known again when the page asks them a second time."""

State = Literal["pending", "shown", "void"]

SCHEMA = """
-- One row a conversation. seq numbers its changes; what was cleared, was cleared at floor_seq.
CREATE TABLE accounts (
    account TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL DEFAULT 0,
    floor_seq INTEGER NOT NULL DEFAULT 0,
    seen_s REAL NOT NULL
) WITHOUT ROWID;
-- speaker 'person': body is what was said; 'bot': body is the reply as JSON, NULL until there is one.
-- A void message is an answer that needed no message; pages that hold it take it away.
CREATE TABLE messages (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    place INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    speaker TEXT NOT NULL,
    state TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    body TEXT,
    ask TEXT,
    target TEXT,
    kept INTEGER,
    running INTEGER NOT NULL DEFAULT 0,
    generation TEXT,
    filename TEXT,
    nonce TEXT,
    PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX messages_by_seq ON messages (account, seq);
CREATE UNIQUE INDEX messages_by_place ON messages (account, place);
CREATE UNIQUE INDEX messages_by_nonce ON messages (account, nonce) WHERE nonce IS NOT NULL;
-- What was asked, by the page's own name for it, so that it is run once. result is NULL while it runs.
CREATE TABLE asks (
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    line TEXT NOT NULL,
    locale TEXT NOT NULL,
    pressed TEXT,
    answer TEXT NOT NULL,
    runs INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    result TEXT,
    PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE INDEX asks_by_age ON asks (account, at_ms);
CREATE INDEX asks_unanswered ON asks (account) WHERE result IS NULL;
"""


class Change(NamedTuple):
    """One changed message as a JSON object; without one, the conversation was cleared."""

    account: AccountId
    epoch: str
    seq: int
    id: str
    message: str = ""


MESSAGE = "SELECT id, seq, place, speaker, state, at_ms, body, ask, kept FROM messages"
"""The columns that ``message_json`` takes."""


def message_json(
    ident: str,
    seq: int,
    place: int,
    speaker: str,
    state: State,
    at_ms: int,
    body: str | None,
    ask: str | None,
    kept: int | None,
) -> str:
    """A message for the page. The reply is JSON already, and is not taken apart again."""
    head = {
        "id": ident,
        "seq": seq,
        "place": place,
        "by": speaker,
        "state": state,
        "at_ms": at_ms,
        "ask": ask,
        "kept": None if kept is None else bool(kept),
        "text": body if speaker == "person" else None,
    }
    return f'{dump(head)[:-1]},"reply":{body if speaker == "bot" and body else "null"}}}'


def message_id() -> str:
    """A new message's id: random, so that an old reference never meets a new message."""
    return secrets.token_hex(8)


class Book:
    """One conversation, open for writing inside one operation."""

    def __init__(self, entry: Entry[Change], account: AccountId, now_s: float) -> None:
        self._entry = entry
        self._db = entry.db
        self._account = account
        self._now_s = now_s

    def open(self) -> None:
        """Make the conversation if it is new, and note that somebody is there."""
        self._db.execute(
            "INSERT INTO accounts (account, epoch, seen_s) VALUES (?, ?, ?)"
            " ON CONFLICT (account) DO UPDATE SET seen_s = excluded.seen_s",
            (self._account, secrets.token_hex(8), self._now_s),
        )

    def insert(
        self, ident: str, speaker: str, state: State, *, body: str | None = None, ask: str | None = None
    ) -> None:
        """Add a message at the end."""
        seq = self._changed(ident)
        self._db.execute(
            "INSERT INTO messages (account, id, place, seq, speaker, state, at_ms, body, ask)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._account, ident, seq, seq, speaker, state, round(self._now_s * 1000), body, ask),
        )

    def void(self, ident: str) -> None:
        """Take back an empty answer; one that something was shown in meanwhile stays."""
        pending = "SELECT 1 FROM messages WHERE account = ? AND id = ? AND state = 'pending'"
        if self._db.execute(pending, (self._account, ident)).fetchone():
            self._db.execute(
                "UPDATE messages SET state = 'void', seq = ? WHERE account = ? AND id = ?",
                (self._changed(ident), self._account, ident),
            )

    def show(
        self,
        ident: str,
        reply: Reply,
        picture: PictureJson | None = None,
        *,
        only_pending: bool = False,
        not_delivered: bool = False,
    ) -> bool:
        """Put a reply into a message of the bot; False when there is no such message."""
        row = self._db.execute(
            "SELECT state, body, target, kept, nonce FROM messages"
            " WHERE account = ? AND id = ? AND speaker = 'bot'",
            (self._account, ident),
        ).fetchone()
        if row is None:
            return False
        state, old_body, old_target, kept, nonce = row
        if (only_pending and state != "pending") or (not_delivered and nonce is not None):
            return True
        body = dump(reply_json(reply, picture))
        if body == old_body:
            return True
        target = target_name(reply.favorite.target) if reply.favorite else None
        if reply.favorite is None:
            kept = None
        elif target != old_target or kept is None:
            kept = self._known(target, reply.favorite.on)
        self._db.execute(
            "UPDATE messages SET state = 'shown', body = ?, seq = ?, target = ?, kept = ?, running = ?,"
            " generation = ?, filename = ? WHERE account = ? AND id = ?",
            (
                body,
                self._changed(ident),
                target,
                kept,
                reply.progress is not None,
                reply.generation or (reply.track.generation if reply.track else None),
                reply.track.filename if reply.track else None,
                self._account,
                ident,
            ),
        )
        return True

    def keep(self, target: str, on: bool) -> None:
        """Paint every heart on this target alike."""
        stale = self._db.execute(
            "SELECT id FROM messages WHERE account = ? AND target = ? AND kept IS NOT ?",
            (self._account, target, int(on)),
        ).fetchall()
        for (ident,) in stale:
            self._db.execute(
                "UPDATE messages SET kept = ?, seq = ? WHERE account = ? AND id = ?",
                (int(on), self._changed(ident), self._account, ident),
            )

    def trim(self) -> None:
        """Keep the newest messages and asks."""
        self._db.execute(
            "DELETE FROM messages WHERE account = ?1 AND place <= (SELECT place FROM messages"
            " WHERE account = ?1 ORDER BY place DESC LIMIT 1 OFFSET ?2)",
            (self._account, KEPT_MESSAGES),
        )
        self._db.execute(
            "DELETE FROM asks WHERE account = ?1 AND result IS NOT NULL AND at_ms < (SELECT at_ms FROM asks"
            " WHERE account = ?1 ORDER BY at_ms DESC LIMIT 1 OFFSET ?2)",
            (self._account, KEPT_ASKS),
        )

    def _known(self, target: str | None, otherwise: bool) -> int:
        """How a heart on this target is painted already: a reply made a while ago may not know it."""
        row = self._db.execute(
            "SELECT kept FROM messages WHERE account = ? AND target = ? AND kept IS NOT NULL"
            " ORDER BY seq DESC LIMIT 1",
            (self._account, target),
        ).fetchone()
        return row[0] if row else int(otherwise)

    def _changed(self, ident: str) -> int:
        epoch, seq = self._db.execute(
            "UPDATE accounts SET seq = seq + 1 WHERE account = ? RETURNING epoch, seq", (self._account,)
        ).fetchall()[0]
        self._entry.changes.append(Change(self._account, epoch, seq, ident))
        return int(seq)
