"""The peer's routes that take the bot's token: channels, messages, commands, and itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.peers.discord import checks
from tests.peers.discord.world import BOT, BOT_ID, DIRECT, Channel, Json, Message, Refusal

if TYPE_CHECKING:
    from tests.peers.discord.peer import DiscordPeer

Headers = dict[str, str]


class Rest:
    """One method for each route; each gives a body and headers, or raises Refusal."""

    def __init__(self, peer: DiscordPeer) -> None:
        self._peer = peer

    def me(self) -> Json:
        """The bot's own account."""
        return BOT

    def application(self) -> Json:
        """The bot's application."""
        return {
            "id": str(BOT_ID),
            "name": "Raga Bot",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "",
            "flags": 0,
            "owner": BOT,
            "team": None,
        }

    def gateway(self) -> Json:
        """Where the gateway is, and for how many shards."""
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        gateway = self._peer.gateway
        return {"url": self._peer.gateway_url, "shards": gateway.shards, "session_start_limit": limit}

    def publish(self, application: int, body: list[Json]) -> list[Json]:
        """All slash commands at once. Raises Refusal."""
        if application != BOT_ID:
            raise Refusal(403, 20012, "You are not authorized to perform this action on this application")
        checks.commands(body)
        self._peer.commands = {one["name"]: one for one in body}
        return [
            one | {"id": str(number), "application_id": str(BOT_ID)} for number, one in enumerate(body, 1)
        ]

    def open_direct(self, body: Json) -> Json:
        """The channel with one person. Raises Refusal."""
        user = int(body["recipient_id"])
        for channel in self._peer.channels.values():
            if channel.kind == DIRECT and channel.person is not None and int(channel.person["id"]) == user:
                return channel.json()
        raise checks.invalid("recipient_id")

    def _open(self, ident: int) -> Channel:
        channel = self._peer.channels.get(ident)
        if channel is None:
            raise Refusal(404, 10003, "Unknown Channel")
        guild = channel.guild
        if (channel.kind != DIRECT and guild is None) or (guild is not None and not guild.installed):
            raise Refusal(403, 50001, "Missing Access")
        if channel.closed:
            closed = (
                (50007, "Cannot send messages to this user") if guild is None else (50001, "Missing Access")
            )
            raise Refusal(403, *closed)
        return channel

    def _held(self, channel: Channel, ident: int) -> Message:
        message = channel.messages.get(ident)
        if message is None or message.deleted:
            raise Refusal(404, 10008, "Unknown Message")
        return message

    def post(self, channel_id: int, body: Json, files: list[Json]) -> tuple[Json, Headers]:
        """A new message. Raises Refusal."""
        channel = self._open(channel_id)
        headers = self._peer.buckets.post(channel_id)
        checks.message(body, files=len(files))
        peer = self._peer
        nonce = body.get("nonce")
        if nonce is not None and body.get("enforce_nonce"):
            oldest = peer.clock.now() - peer.limits.nonce_s
            for other in channel.from_bot:
                if other.nonce == nonce and other.ident > peer.snowflake_at(oldest):
                    return other.json(), headers
        message = Message(peer.clock.snowflake(), channel, BOT, nonce=nonce)
        reference = body.get("message_reference")
        if reference is not None:
            self._refer(message, reference, channel)
        peer.change(message, body, files)
        channel.messages[message.ident] = message
        return message.json(), headers

    def _refer(self, message: Message, reference: Json, channel: Channel) -> None:
        ident = int(reference["message_id"])
        if reference.get("type") == 1:
            source = self._open(int(reference["channel_id"]))
            held = self._held(source, ident)
            message.snapshot = {
                "content": held.content,
                "embeds": held.embeds,
                "attachments": held.attachments,
                "timestamp": held.json()["timestamp"],
                "edited_timestamp": None,
                "flags": 0,
                "mentions": [],
                "mention_roles": [],
                "components": [],
                "type": 0,
            }
            message.reference = reference
            return
        held_by = channel.messages.get(ident)
        if held_by is not None and not held_by.deleted:
            message.reference = reference
        elif reference.get("fail_if_not_exists", True):
            raise checks.invalid("message_reference: Unknown message")

    def edit(self, channel_id: int, ident: int, body: Json, files: list[Json]) -> tuple[Json, Headers]:
        """Change a message. Raises Refusal."""
        channel = self._open(channel_id)
        headers = self._peer.buckets.edit(channel_id, ident)
        message = self._held(channel, ident)
        if message.author is not BOT:
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        checks.message(body, files=len(files), changes=True)
        self._peer.change(message, body, files)
        return message.json(), headers

    def read(self, channel_id: int, query: Mapping[str, str]) -> list[Json]:
        """Messages of a channel, the newest first. Raises Refusal."""
        channel = self._open(channel_id)
        after, limit = int(query.get("after", 0)), int(query.get("limit", 50))
        if not 1 <= limit <= 100:
            raise checks.invalid("limit")
        standing = [one for one in channel.messages.values() if not one.deleted and one.ident > after]
        chosen = standing[:limit] if after else standing[-limit:]
        return [one.json() for one in reversed(chosen)]
