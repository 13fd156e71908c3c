"""The commands that Telegram offers as people type: by language and by kind of chat, set when they have changed."""

from __future__ import annotations

import hashlib
import json
import logging

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
)

from bot.platforms.shelf import Shelf
from handlers import COMMANDS
from handlers.locales import LOCALES

log = logging.getLogger(__name__)

_SCOPES: tuple[BotCommandScope, ...] = (
    BotCommandScopeDefault(),
    BotCommandScopeAllPrivateChats(),
    BotCommandScopeAllGroupChats(),
    BotCommandScopeAllChatAdministrators(),
)


def commands(language: str, *, managing: bool = False) -> list[BotCommand]:
    """The listed commands, ``managing``: with those for administrators of groups. They have descriptions in a language;
    names are in Latin letters everywhere, as Telegram wants."""
    local = LOCALES.get(language, {})
    return [
        BotCommand(one.name, local[one.name].description if one.name in local else one.description)
        for one in COMMANDS
        if one.listed and (managing or not one.manages)
    ]


async def publish(bot: Bot, shelf: Shelf) -> bool:
    """Set the commands if they differ from what was set last; says so. Raises TelegramError, OSError."""
    languages = ("", *LOCALES)
    told = json.dumps(
        [[one.to_dict() for one in commands(language, managing=True)] for language in languages]
    )
    digest = hashlib.sha256(f"{bot.id} {told}".encode()).hexdigest()
    if await shelf.get("commands", "digest") == digest:
        return False
    for language in languages:
        for scope in _SCOPES:
            managing = isinstance(scope, BotCommandScopeAllChatAdministrators)
            await bot.set_my_commands(commands(language, managing=managing), scope, language or None)
    await shelf.put("commands", "digest", digest)
    return True
