"""Scripted people: what they say, press, and react with; and what the bot answers to a press or an inline query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.peers.telegram.methods import member
from tests.peers.telegram.world import ANONYMOUS, BOT, OLD_S, Chat, Json, Message, Refusal

if TYPE_CHECKING:
    from tests.peers.telegram.peer import TelegramPeer


@dataclass
class Asked:
    """A press or an inline query, and what was answered to it."""

    ident: str
    at_s: float
    answer: Json | None = None
    results: list[Json] = field(default_factory=list)


class People:
    """Keeps what waits for an answer."""

    def __init__(self, peer: TelegramPeer) -> None:
        self._peer = peer
        self._asked: dict[str, Asked] = {}
        self._cached: dict[tuple[int, str], tuple[float, list[Json]]] = {}

    def ask(self, kind: str) -> Asked:
        """Something that the bot has to answer."""
        ident = f"{kind}{len(self._asked) + 1}"
        self._asked[ident] = Asked(ident, self._peer.clock.now())
        return self._asked[ident]

    def pressed_answer(self, ident: str, answer: Json) -> None:
        """The bot answers a press. Raises Refusal."""
        self._find(ident).answer = answer

    def inline_answer(self, ident: str, results: list[Json], answer: Json) -> None:
        """The bot answers an inline query. Raises Refusal."""
        asked = self._find(ident)
        asked.answer, asked.results = answer, results

    def _find(self, ident: str) -> Asked:
        asked = self._asked.get(ident)
        if asked is None or self._peer.clock.now() - asked.at_s > self._peer.limits.query_s:
            raise Refusal(
                400, "Bad Request: query is too old and response timeout expired or query ID is invalid"
            )
        return asked

    @property
    def unanswered(self) -> list[str]:
        """What never got an answer."""
        return [one.ident for one in self._asked.values() if one.answer is None]


class Person:
    """Somebody with an account."""

    def __init__(self, peer: TelegramPeer, ident: int, name: str, language: str = "en") -> None:
        self._peer = peer
        self.ident = ident
        self.json: Json = {"id": ident, "is_bot": False, "first_name": name, "language_code": language}
        self.chat = Chat(ident, "private", person=self.json, closed=True)
        peer.chats[ident] = self.chat

    @property
    def account(self) -> str:
        """As the bot calls it."""
        return f"telegram:{self.ident}"

    def start(self, payload: str = "") -> Message:
        """Open the private chat, perhaps by a link."""
        self.chat.closed = False
        return self.say(f"/start {payload}".strip())

    def block(self) -> None:
        """The bot may write no more, and is told so."""
        self.chat.closed = True
        self.takes_out(self.chat, "kicked")

    def takes_out(self, chat: Chat, status: str = "left") -> None:
        """The bot is taken out of a chat."""
        chat.closed = True
        change = {
            "chat": chat.json(),
            "from": self.json,
            "date": self._peer.clock.date(),
            "old_chat_member": member(BOT, "member"),
            "new_chat_member": member(BOT, status),
        }
        self._peer.updates.put("my_chat_member", change)

    def moves(self, chat: Chat, to: Chat) -> None:
        """A group becomes a larger one, of which both are told."""
        chat.moved_to = to.ident
        for place, content in (
            (chat, {"migrate_to_chat_id": to.ident}),
            (to, {"migrate_from_chat_id": chat.ident}),
        ):
            message = Message(place.next_id(), place, self.json, self._peer.clock.date(), content)
            self._peer.updates.put("message", message.json())

    def say(
        self,
        text: str,
        chat: Chat | None = None,
        thread: int | None = None,
        *,
        answers: Message | None = None,
        mentions: Person | None = None,
        anonymous: bool = False,
    ) -> Message:
        """Say something; in a group the bot hears only what begins with a slash.

        ``answers``: a message; ``mentions``: somebody without a name of their own, whose first name ends the text;
        ``anonymous``: as an administrator who speaks for the group.
        """
        where = chat or self.chat
        if where is self.chat:
            where.closed = False
        content: Json = {"text": text}
        if text.startswith("/"):
            length = len(text.split()[0].encode("utf-16-le")) // 2
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        if mentions is not None:
            name = str(mentions.json["first_name"])
            assert text.endswith(name)
            mention = {"type": "text_mention", "offset": len(text) - len(name), "length": len(name)}
            content.setdefault("entities", []).append(mention | {"user": mentions.json})
        sender, as_chat = (ANONYMOUS, where.json()) if anonymous else (self.json, None)
        replied = None if answers is None else answers.ident
        date = self._peer.clock.date()
        message = Message(
            where.next_id(), where, sender, date, content, thread, reply_to=replied, sender_chat=as_chat
        )
        where.add(message)
        if where is self.chat or text.startswith("/"):
            self._peer.updates.put("message", message.json())
        return message

    def edit(self, message: Message, text: str) -> None:
        """Change what was said."""
        message.content["text"] = text
        self._peer.updates.put("edited_message", message.json() | {"edit_date": self._peer.clock.date()})

    def press(self, message: Message, label: str) -> Asked:
        """Press a button by a part of its label; an address on it is opened as a client does."""
        button = next((one for one in message.buttons if label in one["text"]), None)
        assert button is not None, f"no button {label!r} among {[one['text'] for one in message.buttons]}"
        if "url" in button:
            self.start(button["url"].rpartition("?start=")[2])
            return Asked("url", self._peer.clock.now(), {})
        return self.press_line(message, button["callback_data"])

    def press_line(self, message: Message, line: str) -> Asked:
        """A press as the server tells it; of an old message it says no more than where it stands."""
        asked = self._peer.people.ask("press")
        shown = message.json()
        if message.date < self._peer.clock.date() - OLD_S:
            shown = {"message_id": message.ident, "chat": message.chat.json(), "date": 0}
        self._peer.updates.put(
            "callback_query",
            {"id": asked.ident, "from": self.json, "chat_instance": "1", "data": line, "message": shown},
        )
        return asked

    def react(self, message: Message, *emoji: str) -> int | None:
        """Put these reactions on a message in place of one's earlier ones; the number of the update, if one goes."""
        before = message.reactions.get(self.ident, [])
        message.reactions[self.ident] = list(emoji)
        chat = message.chat
        private = self._peer.private_reactions
        told = private if chat is self.chat else chat.bot_is_admin or not self._peer.admin_rule
        if not told:
            return None
        return self._peer.updates.put("message_reaction", self._reaction(message, before, list(emoji)))

    def _reaction(self, message: Message, before: list[str], after: list[str]) -> Json:
        return {
            "chat": message.chat.json(),
            "message_id": message.ident,
            "user": self.json,
            "date": self._peer.clock.date(),
            "old_reaction": [{"type": "emoji", "emoji": one} for one in before],
            "new_reaction": [{"type": "emoji", "emoji": one} for one in after],
        }

    async def inline(self, words: str) -> list[Json]:
        """Type behind the bot's name, and wait for what is offered."""
        asked = self._peer.people.ask("inline")
        self._peer.updates.put(
            "inline_query", {"id": asked.ident, "from": self.json, "query": words, "offset": ""}
        )
        await self._peer.until(lambda: asked.answer is not None, f"an answer to @{BOT['username']} {words}")
        return asked.results
