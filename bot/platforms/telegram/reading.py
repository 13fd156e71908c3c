"""Updates of Telegram as what a person did: said, pressed, reacted, or began to type behind ``@bot``."""

from __future__ import annotations

from telegram import CallbackQuery, Chat, Message, MessageReactionUpdated, Update, User
from telegram.constants import ChatType

from bot.platforms.telegram.links import asked_by
from bot.platforms.telegram.rights import MANAGING, subject_of
from bot.platforms.telegram.said import Said
from bot.platforms.telegram.spot import NAME, Spot, account
from handlers import COMMANDS
from handlers.model import Actor, Place

ALLOWED_UPDATES = ("message", "callback_query", "inline_query", "message_reaction", "my_chat_member")
"""Edited messages are not asked for: what was answered stays answered."""

_KNOWN = frozenset(command.name for command in COMMANDS)
_NAME_CHARACTERS = 100


def actor_of(user: User) -> Actor:
    """Who it was."""
    return Actor(account(user.id), user.full_name[:_NAME_CHARACTERS], user.language_code or "en")


def said_in(update: Update, username: str) -> Said | None:
    """A message or a press as a command; None where nobody asked for anything of ours."""
    event = str(update.update_id)
    if update.callback_query is not None:
        return _sound(_pressed(update.callback_query, event))
    if update.message is not None:
        return _sound(_said(update.message, event, username))
    return None


def _sound(said: Said | None) -> Said | None:
    """What the library has read it does not check: numbers that are none would be refused at every answer."""
    if said is None:
        return None
    numbers = (said.user, said.spot.chat, said.spot.message, said.spot.thread)
    return said if all(type(number) is int for number in numbers) else None


def _said(message: Message, event: str, username: str) -> Said | None:
    user, text = message.from_user, (message.text or "").strip()
    anonymous = message.sender_chat is not None and message.sender_chat.id == message.chat.id
    if user is None or (user.is_bot and not anonymous) or not text or message.via_bot is not None:
        return None
    private = message.chat.type == ChatType.PRIVATE
    if text.startswith("/"):
        head, *rest = text[1:].split(maxsplit=1)[:2] if text[1:].strip() else ("",)
        command, at, name = head.partition("@")
        if at and name.casefold() != username.casefold():
            return None
        command = command.casefold()
        if not private and not at and command not in _KNOWN and command != "start":
            return None  # in a group, that is for some other bot
        words = rest[0].strip() if rest else ""
        if command == "start":
            command, words = asked_by(words) or ("help", "")
    elif private:
        command, words = "", text
    else:
        return None
    thread = message.message_thread_id if message.is_topic_message else None
    spot = Spot(message.chat.id, message.message_id, 0, thread or 0)
    place = _place(message.chat.id, private)
    if command not in MANAGING:
        return None if anonymous else Said(actor_of(user), user.id, place, spot, command, words, event)
    actor = _group_actor(message.chat) if anonymous else actor_of(user)
    subject = subject_of(message)
    return Said(actor, user.id, place, spot, command, words, event, None, anonymous, subject)


def _group_actor(chat: Chat) -> Actor:
    """A group, in whose name one of its administrators speaks."""
    return Actor(account(chat.id), (chat.title or "the group")[:_NAME_CHARACTERS])


def _pressed(query: CallbackQuery, event: str) -> Said | None:
    """The message may be too old to be shown to us; where it stands is told all the same."""
    line, message = query.data or "", query.message
    if message is None or not line.startswith("/"):
        return None
    command, _, text = line[1:].partition(" ")
    thread = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
    private = message.chat.type == ChatType.PRIVATE
    return Said(
        actor_of(query.from_user),
        query.from_user.id,
        _place(message.chat.id, private),
        Spot(message.chat.id, message.message_id, 0, thread or 0),
        command,
        text.strip(),
        event,
        query.id,
    )


def reacted(reaction: MessageReactionUpdated, event: str) -> Said | None:
    """Who reacted where; None for bots, and for those who do not say who they are."""
    user = reaction.user
    if user is None or user.is_bot:
        return None
    place = _place(reaction.chat.id, reaction.chat.type == ChatType.PRIVATE)
    spot = Spot(reaction.chat.id, reaction.message_id)
    return _sound(Said(actor_of(user), user.id, place, spot, "", "", event))


def _place(chat: int, private: bool) -> Place:
    """A group is a single chat: its topics have no rules of their own."""
    return Place(NAME, str(chat), private, None if private else str(chat))
