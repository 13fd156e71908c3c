"""The library's client: what it hears of Discord, which is little, and how it outlives what it cannot read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 30.0
"""Pauses up to this are the library's to wait for; a longer one is told to the caller, who comes back."""

INTENTS = discord.Intents(guilds=True, guild_reactions=True, dm_reactions=True)
"""None of them privileged: what people write is never read."""

IDENTIFY_GAP_S = 5.0
"""Discord takes one new session in so many seconds."""

_READY_WAIT_S = 0.2


class Ear(Protocol):
    """Who is told what happens. Nothing here may wait."""

    def connected(self) -> None:
        """A session with the gateway has begun."""

    def told(self, raw: object) -> None:
        """The interaction that comes next, as it came."""

    def interacted(self, interaction: discord.Interaction[Any]) -> None:
        """Somebody used a command, a button or a menu, or types a command."""

    def reacted(self, reaction: discord.RawReactionActionEvent, on: bool) -> None:
        """Somebody put a reaction on a message, or took it off."""

    def present(self, guilds: Sequence[int]) -> None:
        """The bot is in these servers, and in no other."""

    def guild_gone(self, guild: int) -> None:
        """The bot was taken out of a server, which is more than an outage of it."""

    def chat_gone(self, chat: int) -> None:
        """A channel or a thread was deleted."""


def redirect(api_url: str, gateway_url: str) -> None:
    """Use another server than Discord's own; the library has one address for the whole process."""
    if api_url:
        Route.BASE = api_url if "/api/" in f"{api_url}/" else f"{api_url}/api/v10"
    if gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)


class Client(discord.AutoShardedClient):
    """As many shards as Discord recommends, no privileged intents, nothing kept of people and messages."""

    def __init__(self, ear: Ear) -> None:
        # Voice is not spoken here, so that its missing parts are no reason for a warning.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=INTENTS,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=_READY_WAIT_S,
            max_ratelimit_timeout=LONGEST_PAUSE_S,
        )
        self._ear = ear
        parsers = self._connection.parsers
        for name, parse in list(parsers.items()):
            parsers[name] = _guarded(name, parse)
        self._read_interaction = parsers["INTERACTION_CREATE"]
        parsers["INTERACTION_CREATE"] = self._hear_interaction

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait before another session is begun."""
        del shard_id
        if not initial:
            await asyncio.sleep(IDENTIFY_GAP_S)

    def interaction(self, raw: Mapping[str, Any]) -> discord.Interaction[Any]:
        """One that came earlier, to be answered now."""
        return discord.Interaction(data=cast("Any", raw), state=self._connection)

    def _hear_interaction(self, raw: Any) -> None:
        self._ear.told(raw)
        self._read_interaction(raw)

    async def on_connect(self) -> None:
        """A shard is there."""
        self._ear.connected()

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """A command, a press, a choice, or a letter typed."""
        self._ear.interacted(interaction)

    async def on_raw_reaction_add(self, reaction: discord.RawReactionActionEvent) -> None:
        """Raw, because no message is kept here."""
        self._ear.reacted(reaction, on=True)

    async def on_raw_reaction_remove(self, reaction: discord.RawReactionActionEvent) -> None:
        """Raw, because no message is kept here."""
        self._ear.reacted(reaction, on=False)

    async def on_ready(self) -> None:
        """All shards are there, and with them the list of servers; some may be out of order for a while."""
        self._ear.present([one.id for one in self.guilds])

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The library tells an outage by another event."""
        self._ear.guild_gone(guild.id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """The threads of it go too, without a word of their own."""
        self._ear.chat_gone(channel.id)

    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        """Raw, because archived threads are not kept here."""
        self._ear.chat_gone(thread.thread_id)


def _guarded(name: str, parse: Callable[[Any], object]) -> Callable[[Any], None]:
    """An event that the library cannot read would end the client; it is passed over instead."""

    def guarded(data: Any) -> None:
        try:
            parse(data)
        except Exception as error:
            log.warning("An event of Discord could not be read: %s, %s", name, type(error).__name__)

    return guarded
