"""Scripted people: what they type, press, choose and react with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.peers.discord.gateway import DIRECT_REACTIONS, GUILD_REACTIONS
from tests.peers.discord.interactions import Asked
from tests.peers.discord.world import BOT_ID, DIRECT, GROUP, TEXT, THREAD, Channel, Json, Message

if TYPE_CHECKING:
    from tests.peers.discord.peer import DiscordPeer

COMMAND, COMPONENT, TYPING = 2, 3, 4
ADMINISTRATOR, MANAGE_GUILD = 1 << 3, 1 << 5
CONTEXT = {TEXT: 0, THREAD: 0, DIRECT: 1, GROUP: 2}


class Person:
    """Somebody with an account. ``direct``: where they are alone with the bot."""

    def __init__(self, peer: DiscordPeer, name: str, locale: str) -> None:
        self._peer = peer
        self.ident = peer.clock.snowflake()
        self.locale = locale
        self.json: Json = {
            "id": str(self.ident),
            "username": name.casefold(),
            "global_name": name,
            "discriminator": "0",
            "avatar": None,
        }
        self.direct = Channel(peer.clock.snowflake(), DIRECT, person=self.json)
        peer.channels[self.direct.ident] = self.direct
        self.hearts: set[tuple[int, str]] = set()
        self.permissions: dict[int, int] = {}
        """What they may do, by server."""

    @property
    def account(self) -> str:
        """As the bot calls it."""
        return f"discord:{self.ident}"

    async def command(
        self, name: str, channel: Channel | None = None, /, *, before_s: float = 0.0, **options: Any
    ) -> Asked:
        """Send a slash command. ``before_s``: it was sent so long ago."""
        known = self._peer.command(name)
        where = channel or self.direct
        assert self.is_offered(name, where), f"/{name} is not offered there"
        kinds = {one["name"]: one["type"] for one in known["options"]}
        given = []
        resolved: Json = {}
        for option, value in options.items():
            match kinds[option]:
                case 6:
                    ident = str(value.ident)
                    resolved["users"] = {ident: value.json}
                    resolved["members"] = {ident: {"nick": None, "roles": []}}
                    value = ident
                case 7:
                    described = next(one for one in known["options"] if one["name"] == option)
                    assert value.kind in described.get("channel_types", (value.kind,)), (
                        f"{option} offers it not"
                    )
                    value = str(value.ident)
                    resolved["channels"] = {value: {"id": value, "type": TEXT, "name": "general"}}
                case kind:
                    assert isinstance(value, int) is (kind == 4), f"{option} takes another type"
            given.append({"name": option, "type": kinds[option], "value": value})
        data: Json = {"id": "77", "name": name, "type": 1, "options": given}
        if resolved:
            data["resolved"] = resolved
        return await self._ask(COMMAND, channel or self.direct, data, before_s=before_s)

    def is_offered(self, name: str, channel: Channel) -> bool:
        """Whether the command's menu shows it to this person there."""
        known, guild = self._peer.command(name), channel.guild
        if CONTEXT[channel.kind] not in known["contexts"]:
            return False
        if guild is not None and not guild.installed and 1 not in known["integration_types"]:
            return False
        needed = int(known.get("default_member_permissions") or 0)
        if guild is None or not needed or name in guild.opened:
            return True
        may = self.permissions.get(guild.ident, 0)
        return bool(may & ADMINISTRATOR) or may & needed == needed

    async def type(self, name: str, option: str, text: str, channel: Channel | None = None) -> list[str]:
        """Type an option of a command; the values that are offered."""
        known = self._peer.command(name)
        described = next(one for one in known["options"] if one["name"] == option)
        assert described.get("autocomplete"), f"{option} offers nothing"
        typed = {"name": option, "type": described["type"], "value": text, "focused": True}
        data = {"id": "77", "name": name, "type": 1, "options": [typed]}
        asked = await self._ask(TYPING, channel or self.direct, data)
        await self._peer.until(lambda: asked.choices is not None, f"choices for {text}")
        assert asked.choices is not None
        return [str(one["value"]) for one in asked.choices]

    async def press(self, message: Message, label: str) -> Asked:
        """Press a button, or choose from a menu, by a part of its label."""
        for item in message.items:
            if item["type"] == 2 and label in item["label"]:
                return await self.send(message, {"custom_id": item["custom_id"], "component_type": 2})
            for option in item.get("options", ()):
                if label in option["label"]:
                    values = {"values": [option["value"]]}
                    return await self.send(
                        message, {"custom_id": item["custom_id"], "component_type": 3, **values}
                    )
        labels = [one.get("label") or [o["label"] for o in one["options"]] for one in message.items]
        raise AssertionError(f"no {label!r} among {labels}")

    async def send(self, message: Message, data: Json) -> Asked:
        """Use a component of a message."""
        return await self._ask(COMPONENT, message.channel, data, pressed=message)

    async def react(self, message: Message, emoji: str, *, on: bool = True, twice: bool = False) -> None:
        """Put a reaction on a message, or take it off. ``twice``: the event comes a second time."""
        channel = message.channel
        event: Json = {
            "user_id": str(self.ident),
            "channel_id": str(channel.ident),
            "message_id": str(message.ident),
            "message_author_id": str(BOT_ID),
            "emoji": {"id": None, "name": emoji},
            "type": 0,
            "burst": False,
        }
        guild, intent = None, DIRECT_REACTIONS
        if channel.guild is not None:
            guild, intent = channel.guild.ident, GUILD_REACTIONS
            event["guild_id"] = str(guild)
            if on:
                event["member"] = self._member()
        for _ in range(2 if twice else 1):
            kind = f"MESSAGE_REACTION_{'ADD' if on else 'REMOVE'}"
            await self._peer.gateway.emit(kind, event, guild, intent=intent)

    async def _ask(
        self,
        kind: int,
        channel: Channel,
        data: Json,
        *,
        pressed: Message | None = None,
        before_s: float = 0.0,
    ) -> Asked:
        ident = self._peer.clock.snowflake(before_s)
        guild = channel.guild
        installed = channel.kind == DIRECT or (guild is not None and guild.installed)
        asked = Asked(ident, f"token{ident}", kind, self, channel, pressed, apart=not installed)
        self._peer.interactions.new(asked)
        await self._peer.gateway.emit(
            "INTERACTION_CREATE", self.event(asked, data), guild.ident if guild is not None else None
        )
        return asked

    def event(self, asked: Asked, data: Json) -> Json:
        """As the gateway tells of it."""
        channel, guild = asked.channel, asked.channel.guild
        owners = {"1": str(self.ident)} if asked.apart else {}
        if channel.kind == DIRECT:
            owners = {"0": "0"}
        elif guild is not None and guild.installed:
            owners = {"0": str(guild.ident)}
        event: Json = {
            "id": str(asked.ident),
            "application_id": str(BOT_ID),
            "type": asked.kind,
            "data": data,
            "token": asked.token,
            "version": 1,
            "channel_id": str(channel.ident),
            "channel": channel.json(),
            "locale": self.locale,
            "app_permissions": "0",
            "entitlements": [],
            "authorizing_integration_owners": owners,
            "context": CONTEXT[channel.kind],
            "attachment_size_limit": self._peer.limits.file_bytes,
        }
        if asked.pressed is not None:
            event["message"] = asked.pressed.json()
        if guild is None:
            return event | {"user": self.json}
        return event | {
            "guild_id": str(guild.ident),
            "guild_locale": "en-US",
            "guild": {"id": str(guild.ident), "locale": "en-US", "features": []},
            "member": self._member(guild.ident),
        }

    def _member(self, guild: int = 0) -> Json:
        return {
            "user": self.json,
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
            "permissions": str(self.permissions.get(guild, 0)),
        }
