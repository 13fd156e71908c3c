"""Whether somebody looks after a group, asked of Telegram at the very call; and whom they speak of."""

from __future__ import annotations

from dataclasses import replace

from telegram import Message, User
from telegram.constants import ChatMemberStatus, MessageEntityType

from bot.platforms import MessageGoneError
from bot.platforms.shelf import Shelf
from bot.platforms.telegram.post import Post, PostError, RefusedError
from bot.platforms.telegram.said import Said
from bot.platforms.telegram.spot import Spot, account
from handlers import COMMANDS
from handlers.errors import UnavailableError
from handlers.model import Subject

MANAGING = frozenset(command.name for command in COMMANDS if command.manages)

_KIND = "manages"
_LOOKING_AFTER = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
_NOT_ASKED = (
    "I could not ask Telegram whether you look after this group, so nothing is changed. "
    "Please try again in a moment."
)


class Rights:
    """Looks rights up with Telegram, and keeps none of them."""

    def __init__(self, post: Post, shelf: Shelf) -> None:
        self._post = post
        self._shelf = shelf

    async def looked_up(self, said: Said) -> Said:
        """The same with what the person may do in the group that it is about.

        A button in a private chat is about the group of which its message speaks. Raises UnavailableError, OSError.
        """
        group = said.place.group
        if said.place.private and said.query is not None:
            group = await self._shelf.get(_KIND, said.spot.key)
        if group is None:
            return said
        return replace(said, place=replace(said.place, group=group), manages=await self._manages(said, group))

    async def keep(self, spot: Spot, said: Said) -> None:
        """Remember which group the buttons of a message in a private chat are about. Raises OSError."""
        group = said.place.group
        if said.manages and group is not None and str(spot.chat) != group:
            await self._shelf.put(_KIND, spot.key, group)

    async def _manages(self, said: Said, group: str) -> bool:
        if said.anonymous:
            return True  # Telegram lets nobody but its administrators speak in the group's own name
        try:
            status = await self._post.status_in(int(group), said.user)
        except (MessageGoneError, RefusedError):
            return False  # it knows no such member, or the bot is not let in
        except PostError:
            raise UnavailableError(_NOT_ASKED) from None
        return status in _LOOKING_AFTER


def subject_of(message: Message) -> Subject | None:
    """Whom a command speaks of: somebody mentioned by their account, else who wrote the message that it answers.

    A name behind an @ is none of these: Telegram tells a bot no account of it.
    """
    for entity in message.entities:
        if entity.type == MessageEntityType.TEXT_MENTION and entity.user is not None:
            return _subject(entity.user)
    answered = message.reply_to_message
    # In a topic every message answers the one that opened it.
    if answered is None or answered.from_user is None or answered.forum_topic_created is not None:
        return None
    if answered.sender_chat is not None:
        return replace(
            _subject(answered.from_user), bot=True
        )  # a channel or the group, under a bot's account
    return _subject(answered.from_user)


def _subject(user: User) -> Subject:
    return Subject(account(user.id), user.full_name[:100], user.is_bot)
