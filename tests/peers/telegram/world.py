"""What stands on the peer's server: people, chats, messages, files; and the peer's own clock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

BOT: Json = {
    "id": 700700700,
    "is_bot": True,
    "first_name": "Raga Bot",
    "username": "raga_peer_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": True,
}
TOKEN = "700700700:peer_token_of_the_tests_0123456789abc"
ANONYMOUS: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
"""Under which administrators write who do not say who they are."""

EPOCH_S = 1_790_000_000
OLD_S = 48 * 3600


class Refusal(Exception):  # noqa: N818 - it is an answer of the server, no failure of the peer
    """An answer that is not ok."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.parameters = parameters


class Clock:
    """Runs as time does, and can be set forward."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        """Seconds."""
        return time.monotonic() + self._ahead_s

    def date(self) -> int:
        """As Telegram writes it."""
        return int(EPOCH_S + self.now())

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._ahead_s += seconds


@dataclass(frozen=True)
class Limits:
    """What the server takes. A gap of a second between messages is measured with some room for the network."""

    chat_gap_s: float = 0.85
    group_a_minute: int = 20
    all_a_second: int = 30
    file_bytes: int = 50 * 10**6
    query_s: float = 60.0


class Flood:
    """Counts messages and edits, and refuses those that come too fast."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._all: deque[float] = deque()
        self._chats: dict[int, deque[float]] = {}
        self.refused: list[tuple[int, str]] = []

    def count(self, chat: int) -> None:
        """A message or an edit goes to a chat. Raises Refusal."""
        now, limits = self._clock.now(), self._limits
        sent = self._chats.setdefault(chat, deque())
        while sent and sent[0] <= now - 60.0:
            sent.popleft()
        while self._all and self._all[0] <= now - 1.0:
            self._all.popleft()
        if sent and now - sent[-1] < limits.chat_gap_s:
            self._refuse(chat, "one a second in a chat", 1)
        if chat < 0 and len(sent) >= limits.group_a_minute:
            self._refuse(chat, "20 a minute in a group", int(sent[0] + 60.0 - now) + 1)
        if len(self._all) >= limits.all_a_second:
            self._refuse(chat, "30 a second in all", 1)
        sent.append(now)
        self._all.append(now)

    def _refuse(self, chat: int, why: str, retry_after: int) -> None:
        self.refused.append((chat, why))
        raise Refusal(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


@dataclass
class Message:
    """A message as it stands, with all it has been."""

    ident: int
    chat: Chat
    sender: Json
    date: int
    content: Json
    thread: int | None = None
    reply_to: int | None = None
    sender_chat: Json | None = None
    history: list[str] = field(default_factory=list)
    reactions: dict[int, list[str]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Its text or caption, with markup."""
        return str(self.content.get("text") or self.content.get("caption") or "")

    @property
    def audio(self) -> Json | None:
        """Its track, if it is one."""
        found: Json | None = self.content.get("audio")
        return found

    @property
    def photo(self) -> list[Json] | None:
        """Its photo in its sizes, the largest last, if it is one."""
        found: list[Json] | None = self.content.get("photo")
        return found

    @property
    def buttons(self) -> list[Json]:
        """All buttons below it."""
        rows = (self.content.get("reply_markup") or {}).get("inline_keyboard", [])
        return [one for row in rows for one in row]

    def json(self, *, nested: bool = False) -> Json:
        """As the API writes it."""
        written: Json = {
            "message_id": self.ident,
            "date": self.date,
            "chat": self.chat.json(),
            "from": self.sender,
            **self.content,
        }
        if self.thread is not None:
            written |= {"message_thread_id": self.thread, "is_topic_message": True}
        if self.sender_chat is not None:
            written["sender_chat"] = self.sender_chat
        original = self.chat.messages.get(self.reply_to) if self.reply_to is not None else None
        if original is not None and not nested:
            written["reply_to_message"] = original.json(nested=True)
        return written


@dataclass
class Chat:
    """A private chat (its id is the person's) or a group."""

    ident: int
    kind: str
    title: str = ""
    person: Json | None = None
    bot_is_admin: bool = False
    owner: int | None = None
    admins: set[int] = field(default_factory=set)
    """Who looks after it, by their ids."""

    photos: bool = True
    """Whether the bot may send photos here; words are another right."""

    topics: set[int] = field(default_factory=set)
    messages: dict[int, Message] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    moved_to: int | None = None
    closed: bool = False
    """Whether the bot may not write here: it was blocked, removed, or never spoken to."""

    count: int = 0

    def json(self) -> Json:
        """As the API writes it."""
        if self.person is not None:
            return {"id": self.ident, "type": "private", "first_name": self.person["first_name"]}
        return {"id": self.ident, "type": self.kind, "title": self.title} | (
            {"is_forum": True} if self.topics else {}
        )

    def add(self, message: Message) -> Message:
        """Put a message into the chat."""
        self.messages[message.ident] = message
        return message

    def next_id(self) -> int:
        """The number of the next message."""
        self.count += 1
        return self.count

    @property
    def from_bot(self) -> list[Message]:
        """What the bot has posted and not deleted, in order."""
        return [one for one in self.messages.values() if one.sender["is_bot"]]

    def find(self, fits: Callable[[Message], bool]) -> Message | None:
        """The newest message of the bot that fits."""
        return next((one for one in reversed(self.from_bot) if fits(one)), None)


@dataclass
class StoredFile:
    """An uploaded file."""

    file_id: str
    name: str
    data: bytes
    kind: str
