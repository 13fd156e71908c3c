"""Interactions on the peer: what a person asked, the token by which it is answered, and the rules of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.peers.discord import checks
from tests.peers.discord.world import BOT, BOT_ID, EPHEMERAL, LOADING, Channel, Json, Message, Refusal, born_s

if TYPE_CHECKING:
    from tests.peers.discord.peer import DiscordPeer
    from tests.peers.discord.people import Person

DEFERRED, UPDATE, CHOICES = 5, 6, 8


@dataclass(eq=False)
class Asked:
    """One interaction, and what became of it."""

    ident: int
    token: str
    kind: int
    person: Person
    channel: Channel
    pressed: Message | None = None
    apart: bool = False
    acknowledged: int | None = None
    original: Message | None = None
    more: list[Message] = field(default_factory=list)
    choices: list[Json] | None = None
    refused: bool = False
    followups: int = 0

    @property
    def answers(self) -> list[Message]:
        """All messages that were made to answer it and stand."""
        made = [self.original, *self.more] if self.original is not self.pressed else self.more
        return [one for one in made if one is not None and not one.deleted]

    @property
    def text(self) -> str:
        """All that was answered."""
        return "\n".join(one.text for one in self.answers if not one.flags & LOADING)


class Interactions:
    """The routes that take an interaction's token."""

    def __init__(self, peer: DiscordPeer) -> None:
        self._peer = peer
        self._by_token: dict[str, Asked] = {}
        self.late: list[int] = []

    def new(self, asked: Asked) -> Asked:
        """Something was asked."""
        self._by_token[asked.token] = asked
        return asked

    @property
    def unanswered(self) -> list[Asked]:
        """What never got an answer, or got no more than the promise of one."""
        return [
            one
            for one in self._by_token.values()
            if one.acknowledged is None or any(message.flags & LOADING for message in one.answers)
        ]

    def acknowledge(self, ident: int, token: str, body: Json) -> Json:
        """The first answer. Raises Refusal."""
        asked = self._by_token.get(token)
        peer = self._peer
        if asked is None or asked.ident != ident or asked.refused:
            raise Refusal(404, 10062, "Unknown interaction")
        if asked.acknowledged is not None:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        if peer.clock.now() - born_s(ident) > peer.limits.acknowledge_s:
            self.late.append(ident)
            raise Refusal(404, 10062, "Unknown interaction")
        kind, data = body["type"], body.get("data") or {}
        if kind == CHOICES and asked.kind == 4:
            checks.choices(data["choices"])
            asked.choices = data["choices"]
        elif kind == DEFERRED and asked.kind in (2, 3):
            flags = LOADING | (data.get("flags", 0) & EPHEMERAL)
            asked.original = self._message(asked, flags)
        elif kind == UPDATE and asked.kind == 3:
            asked.original = asked.pressed
        else:
            raise checks.invalid(f"an answer of type {kind} to an interaction of type {asked.kind}")
        asked.acknowledged = kind
        told: Json = {"id": str(ident), "type": asked.kind}
        if asked.original is not None:
            told |= {
                "response_message_id": str(asked.original.ident),
                "response_message_loading": bool(asked.original.flags & LOADING),
                "response_message_ephemeral": asked.original.ephemeral,
            }
        return {"interaction": told, "resource": {"type": kind}}

    def _message(self, asked: Asked, flags: int = 0) -> Message:
        channel = asked.channel
        message = Message(self._peer.clock.snowflake(), channel, BOT, flags=flags)
        owners = {"1": str(asked.person.ident)} if asked.apart else {}
        message.asked_by = {
            "id": str(asked.ident),
            "type": asked.kind,
            "user": asked.person.json,
            "authorizing_integration_owners": owners,
        }
        if not message.ephemeral:
            channel.messages[message.ident] = message
        return message

    def _find(self, application: int, token: str) -> Asked:
        asked = self._by_token.get(token)
        if application != BOT_ID or asked is None or asked.acknowledged is None:
            raise Refusal(404, 10015, "Unknown Webhook")
        if asked.refused or self._peer.clock.now() - born_s(asked.ident) > self._peer.limits.token_s:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        return asked

    def _held(self, asked: Asked, name: str) -> Message:
        if name == "@original":
            found = asked.original
        else:
            found = next((one for one in asked.more if str(one.ident) == name), None)
        if found is None or found.deleted:
            raise Refusal(404, 10008, "Unknown Message")
        return found

    def get(self, application: int, token: str, name: str) -> Json:
        """A message that answers. Raises Refusal."""
        return self._held(self._find(application, token), name).json()

    def edit(self, application: int, token: str, name: str, body: Json, files: list[Json]) -> Json:
        """Change a message that answers. Raises Refusal."""
        asked = self._find(application, token)
        message = self._held(asked, name)
        checks.message(body, files=len(files), changes=not message.flags & LOADING)
        self._peer.change(message, body, files)
        return message.json()

    def delete(self, application: int, token: str, name: str) -> None:
        """Take a message that answers away. Raises Refusal."""
        self._held(self._find(application, token), name).deleted = True

    def follow(self, application: int, token: str, body: Json, files: list[Json]) -> Json:
        """One more message; the first takes the place of the one that was promised. Raises Refusal."""
        asked = self._find(application, token)
        if "nonce" in body or "message_reference" in body:
            raise checks.invalid("a follow-up has neither a nonce nor a reference")
        promised = asked.original
        if promised is not None and promised.flags & LOADING and not promised.deleted:
            checks.message(body, files=len(files))
            self._peer.change(promised, body, files)
            return promised.json()
        asked.followups += 1
        if asked.apart and asked.followups > self._peer.limits.apart_followups:
            raise Refusal(400, 40094, "This interaction has reached its maximum number of follow up messages")
        checks.message(body, files=len(files))
        message = self._message(asked, body.get("flags", 0) & EPHEMERAL)
        self._peer.change(message, body, files)
        asked.more.append(message)
        return message.json()

    def known(self, token: str) -> Asked | None:
        """What a token belongs to."""
        return self._by_token.get(token)
