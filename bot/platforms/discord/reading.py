"""Events of Discord as what a person did: a command, a press, a choice, a reaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import discord

from bot.platforms.discord.bricks import line_of
from bot.platforms.discord.post import Interaction
from bot.platforms.discord.rights import PERSON, manages, place_of, rooms_of, subject_in
from bot.platforms.discord.spot import NAME, Spot, account
from handlers import COMMANDS
from handlers.model import Actor, MessageRef, Place, Request, Subject

_MAKING = frozenset({"again", "vary", "longer"})
_BY_NAME = {command.name: command for command in COMMANDS}
_NAME_CHARACTERS = 100
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)
"""What the library has read of an event it does not check."""

Options = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a person did."""

    actor: Actor
    place: Place
    command: str
    event: str
    text: str = ""
    options: Options = field(default_factory=dict)
    subject: Subject | None = None
    manages: bool = False
    rooms: Mapping[str, str] = field(default_factory=dict)

    @property
    def makes(self) -> bool:
        """Whether a piece may come of it, whose progress needs a message."""
        return (
            self.command in _MAKING
            or (self.command == "generate" and bool(self.text or self.options))
            or self.ends_guide
        )

    @property
    def ends_guide(self) -> bool:
        """Whether the guide's own message becomes the one that shows the piece."""
        return self.command == "guide" and self.text.split()[:1] == ["make"]

    @property
    def takes_long(self) -> bool:
        """Whether a file may have to be made first, so that the asker sees at once that something happens."""
        return self.command == "download" and (len(self.text.split()) > 1 or bool(self.options))

    @property
    def hidden(self) -> bool:
        """Whether the answer is for the asker alone, where others read."""
        command = _BY_NAME.get(self.command)
        return command is not None and command.private and not self.place.private

    @property
    def asker_only(self) -> bool:
        """Whether only who asked for the message may press this."""
        command = _BY_NAME.get(self.command)
        return command is not None and command.asker_only and not self.place.private

    def request(self, answer: MessageRef | None = None) -> Request:
        """As the handlers take it."""
        return Request(
            actor=self.actor,
            place=self.place,
            command=self.command,
            event=self.event,
            options=self.options,
            text=self.text,
            answer=answer,
            subject=self.subject,
            manages=self.manages,
            rooms=self.rooms,
        )


@dataclass(frozen=True, slots=True)
class Typing:
    """A command that is being typed."""

    command: str
    option: str
    text: str


def sound(interaction: Interaction) -> bool:
    """Whether it says who asks, where, and how they can be answered."""
    token: object = interaction.token
    return isinstance(token, str) and hasattr(interaction.user, "id") and interaction.channel_id is not None


def said_in(interaction: Interaction) -> Said | None:
    """A command or a press; None where it holds no command of ours, or cannot be read."""
    try:
        said = _said(interaction)
        command = _BY_NAME.get(said.command) if said is not None else None
        if said is None or command is None or not command.manages:
            return said
        return replace(said, manages=manages(interaction), rooms=rooms_of(interaction))
    except _UNREADABLE:
        return None


def _said(interaction: Interaction) -> Said | None:
    data: Mapping[str, Any] = interaction.data or {}
    channel = interaction.channel_id
    if channel is None:
        return None
    actor = actor_of(interaction)
    place = place_of(interaction, channel)
    event = str(interaction.id)
    if interaction.type is discord.InteractionType.application_command:
        options = {
            str(one["name"]): one["value"]
            for one in data.get("options") or ()
            if isinstance(one.get("value"), str | int | float | bool) and one.get("type") != PERSON
        }
        return Said(actor, place, str(data["name"]), event, options=options, subject=subject_in(data))
    values = data.get("values") or ()
    line = str(values[0]) if values else line_of(str(data.get("custom_id", "")))
    if not line.startswith("/"):
        return None
    command, _, text = line[1:].partition(" ")
    return Said(actor, place, command, event, text.strip())


def typing_in(interaction: Interaction) -> Typing | None:
    """The option that is being typed; None where it cannot be read."""
    data: Mapping[str, Any] = interaction.data or {}
    try:
        one = next(one for one in data["options"] if one.get("focused"))
        return Typing(str(data["name"]), str(one["name"]), str(one.get("value", "")))
    except (*_UNREADABLE, StopIteration):
        return None


def actor_of(interaction: Interaction) -> Actor:
    """Who it was."""
    user = interaction.user
    return Actor(account(user.id), user.display_name[:_NAME_CHARACTERS], interaction.locale.value)


def pressed_in(interaction: Interaction) -> tuple[int | None, bool]:
    """The message whose button was pressed, and whether only one person can read it."""
    message = interaction.message
    if message is None:
        return None, False
    try:
        return message.id, message.flags.ephemeral
    except _UNREADABLE:
        return message.id, False


def asker_of(interaction: Interaction) -> int | None:
    """Who asked for the message whose button was pressed."""
    message = interaction.message
    told = message.interaction_metadata if message is not None else None
    return told.user.id if told is not None else None


def reacted(reaction: discord.RawReactionActionEvent, text: str) -> Said:
    """A heart put on or taken off; each such event is set by itself, so that a repeated one changes nothing."""
    name = reaction.member.display_name if reaction.member is not None else ""
    place = Place(NAME, str(reaction.channel_id), reaction.guild_id is None)
    event = f"reaction {reaction.message_id} {uuid.uuid4().hex}"
    return Said(Actor(account(reaction.user_id), name[:_NAME_CHARACTERS]), place, "favorite", event, text)


def spot_of(reaction: discord.RawReactionActionEvent) -> Spot:
    """The message that it is about."""
    return Spot(reaction.channel_id, reaction.message_id)
