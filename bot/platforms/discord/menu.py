"""The slash commands as Discord is told of them, and told anew only when they have changed."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from typing import Any

import discord

from bot.platforms.discord.rights import PERMISSION, PERSON, ROOM, ROOM_TYPES
from bot.platforms.shelf import Shelf
from handlers import COMMANDS
from handlers.command import Command, Option
from handlers.locales import LOCALES

log = logging.getLogger(__name__)

LANGUAGES = ("hi",)
"""Those of ours that Discord has; it has no Tamil."""

_TEXT, _INTEGER = 3, 4
_DESCRIPTION_CHARACTERS = 100
_NAME = re.compile(r"[-_'\w\u0900-\u097f]{1,32}")


def commands() -> list[dict[str, Any]]:
    """The listed commands, usable in servers, with the bot alone and in private groups, by both kinds of install;
    those for who looks after a server only there, and offered to nobody else."""
    return [_command(one) for one in COMMANDS if one.listed]


def _command(command: Command) -> dict[str, Any]:
    local = {language: LOCALES[language].get(command.name) for language in LANGUAGES if language in LOCALES}
    told = {
        "name": command.name,
        "name_localizations": {
            language: one.name for language, one in local.items() if one and _NAME.fullmatch(one.name)
        },
        "description": command.description[:_DESCRIPTION_CHARACTERS],
        "description_localizations": {
            language: one.description[:_DESCRIPTION_CHARACTERS] for language, one in local.items() if one
        },
        "type": 1,
        "options": [_option(one) for one in command.options],
        "contexts": [0, 1, 2],
        "integration_types": [0, 1],
    }
    if not command.manages:
        return told
    only = {"contexts": [0], "integration_types": [0], "default_member_permissions": str(PERMISSION.value)}
    return told | only


def _option(option: Option) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": option.name,
        "description": option.description[:_DESCRIPTION_CHARACTERS],
        "required": False,
    }
    if option.kind == "person":
        return described | {"type": PERSON}
    if option.kind == "room":
        return described | {"type": ROOM, "channel_types": list(ROOM_TYPES)}
    if option.kind == "number" and not option.choices:
        return described | {"type": _INTEGER, "min_value": 0}
    if option.kind == "raga" or option.choices:
        # Not a fixed list: typed text may say more than what is offered, such as two instruments.
        return described | {"type": _TEXT, "autocomplete": True}
    return described | {"type": _TEXT}


async def publish(client: discord.Client, shelf: Shelf) -> bool:
    """Tell Discord the commands if they differ from what it was told last; says so.

    Raises discord.DiscordException, OSError.
    """
    if client.application_id is None:
        raise discord.ClientException("not logged in yet")
    told = commands()
    digest = hashlib.sha256(f"{client.application_id} {json.dumps(told)}".encode()).hexdigest()
    if await shelf.get("commands", "digest") == digest:
        return False
    await client.http.bulk_upsert_global_commands(client.application_id, told)
    await shelf.put("commands", "digest", digest)
    return True
