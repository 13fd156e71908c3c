"""Groups and private chats that the bot is out of, and groups that go on under another id."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from telegram import Chat, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.backoff import Backoff
from bot.platforms.telegram.post import Post, PostError

_OUT = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


@dataclass(frozen=True, slots=True)
class Gone:
    """A chat that the bot is out of. ``to``: the group that it has become instead."""

    chat: str
    group: bool
    to: str | None = None


async def left(update: Update, post: Post) -> Gone | None:
    """What an update says of a chat that is gone; None for any other."""
    message, change = update.message, update.my_chat_member
    if message is not None and message.migrate_to_chat_id is not None:
        return Gone(str(message.chat.id), True, str(message.migrate_to_chat_id))
    if change is None or change.new_chat_member.status not in _OUT:
        return None
    chat = change.chat
    return Gone(str(chat.id), chat.type != ChatType.PRIVATE, await _became(chat, post))


async def _became(chat: Chat, post: Post) -> str | None:
    """Only small groups become others; what is out of one that has must not be taken for leaving it."""
    if chat.type != ChatType.GROUP:
        return None
    trouble = Backoff(1.0, 60.0)
    while True:
        try:
            to = await post.gone_to(chat.id)
        except PostError:
            # Until it is answered the update stays open, also over a restart.
            await asyncio.sleep(trouble.pause_s())
        else:
            return None if to is None else str(to)
