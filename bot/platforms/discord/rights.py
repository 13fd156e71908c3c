"""Where somebody speaks in a server, whether they look after it, and whom and what they name there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import discord

from bot.platforms.discord.post import Interaction
from bot.platforms.discord.spot import NAME, account
from handlers.model import Place, Subject

PERMISSION = discord.Permissions(manage_guild=True)
"""By which Discord offers the commands of those who look after a server; an administrator has it too."""

PERSON, ROOM = 6, 7
"""The types of options that name a user and a channel."""

ROOM_TYPES = (0, 2, 5, 13, 15)
"""Text, voice, announcements, stage, forum: where somebody can have a piece made, or in a thread of which."""

_FRESH = timedelta(minutes=15)
"""An interaction that was taken up after a crash says what somebody might do when they asked."""


def in_private(interaction: Interaction) -> bool:
    """Whether the person is alone with the bot there."""
    if interaction.guild_id is not None:
        return False
    context = interaction.context
    if context.dm_channel or context.private_channel:
        return context.dm_channel
    return interaction.channel is not None and interaction.channel.type is discord.ChannelType.private


def place_of(interaction: Interaction, channel: int) -> Place:
    """The place, with its server and the channel of a thread; a private group is a group of its own."""
    private = in_private(interaction)
    if interaction.guild_id is None:
        return Place(NAME, str(channel), private, None if private else str(channel))
    shown = interaction.channel
    parent = shown.parent_id if isinstance(shown, discord.Thread) else channel
    return Place(NAME, str(channel), private, str(interaction.guild_id), str(parent))


def manages(interaction: Interaction) -> bool:
    """Whether Discord says, of this very interaction, that the person may manage the server that the bot is in."""
    if not interaction.is_guild_integration() or discord.utils.utcnow() - interaction.created_at > _FRESH:
        return False
    may = interaction.permissions
    return may.manage_guild or may.administrator


def rooms_of(interaction: Interaction) -> Mapping[str, str]:
    """The names of the server's channels by their ids."""
    guild = interaction.guild
    channels = guild.channels if guild is not None else ()
    return {str(one.id): f"#{one.name}" for one in channels if one.type.value in ROOM_TYPES}


def subject_in(data: Mapping[str, Any]) -> Subject | None:
    """The user whom an option names. Raises what the form of the data makes it raise."""
    ident = next((one["value"] for one in data.get("options") or () if one.get("type") == PERSON), None)
    if ident is None:
        return None
    resolved = data.get("resolved") or {}
    user = (resolved.get("users") or {}).get(ident) or {}
    member = (resolved.get("members") or {}).get(ident) or {}
    name = member.get("nick") or user.get("global_name") or user.get("username") or ""
    return Subject(account(int(ident)), str(name)[:100], bool(user.get("bot")))
