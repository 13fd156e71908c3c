"""What stands on the peer's server: people, guilds, channels, messages; and the peer's own clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

TOKEN = "NzAwNzAwNzAwNzAwNzAwNzAw.GpeerT.the_token_of_the_tests_0123456789abcdefgh"
EPOCH_S = 1_420_070_400
BOT_ID = 700_700_700_700_700_700
BOT: Json = {
    "id": str(BOT_ID),
    "username": "Raga Bot",
    "discriminator": "0000",
    "global_name": None,
    "avatar": None,
    "bot": True,
}
TEXT, DIRECT, GROUP, THREAD = 0, 1, 3, 11
EPHEMERAL, LOADING = 64, 128
HOUR_S = 3600.0


class Refusal(Exception):  # noqa: N818 - it is an answer of the server, no failure of the peer
    """An answer that is an error."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"code": code, "message": message, **more}


class Clock:
    """Runs as time does, and can be set forward. Ids are made from it."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._count = 0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._ahead_s += seconds

    def snowflake(self, before_s: float = 0.0) -> int:
        """An id of this moment, or of one that is past."""
        self._count += 1
        return (int((self.now() - before_s - EPOCH_S) * 1000) << 22) + self._count % 4096


def born_s(snowflake: int) -> float:
    """When an id was made, in seconds since 1970."""
    return (snowflake >> 22) / 1000 + EPOCH_S


def is_picture(file: Json) -> bool:
    """Whether an attachment is shown, not played."""
    return str(file["filename"]).endswith(".png")


def date(snowflake: int) -> str:
    """As Discord writes it."""
    return datetime.fromtimestamp(born_s(snowflake), UTC).isoformat()


@dataclass(frozen=True)
class Limits:
    """What the server takes."""

    window_s: float = 5.0
    edits: int = 5
    posts: int = 5
    old_edits: int = 3
    all_a_second: int = 50
    file_bytes: int = 10 * 2**20
    acknowledge_s: float = 3.0
    token_s: float = 900.0
    nonce_s: float = 180.0
    apart_followups: int = 5


@dataclass(eq=False)
class Message:
    """A message as it stands, with all it has been."""

    ident: int
    channel: Channel
    author: Json
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    flags: int = 0
    reference: Json | None = None
    snapshot: Json | None = None
    asked_by: Json | None = None
    nonce: str | None = None
    notified: set[int] = field(default_factory=set)
    history: list[str] = field(default_factory=list)
    deleted: bool = False

    @property
    def text(self) -> str:
        """All that can be read in it."""
        parts = [self.content]
        for embed in self.embeds:
            parts += [embed.get("title", ""), embed.get("description", "")]
            parts += [f"{one['name']}: {one['value']}" for one in embed.get("fields", ())]
            parts.append(embed.get("footer", {}).get("text", ""))
        return "\n".join(filter(None, parts))

    @property
    def items(self) -> list[Json]:
        """All buttons and menus."""
        return [one for row in self.components for one in row["components"]]

    @property
    def audio(self) -> Json | None:
        """Its file, also where it is a forwarded one."""
        held = self.attachments or (self.snapshot or {}).get("attachments") or ()
        return next((one for one in held if not is_picture(one)), None)

    @property
    def picture(self) -> Json | None:
        """The picture that its embed shows."""
        shown = {embed.get("image", {}).get("url") for embed in self.embeds}
        return next((one for one in self.attachments if f"attachment://{one['filename']}" in shown), None)

    @property
    def ephemeral(self) -> bool:
        """Whether one person only sees it."""
        return bool(self.flags & EPHEMERAL)

    def json(self) -> Json:
        """As the API writes it."""
        written: Json = {
            "id": str(self.ident),
            "channel_id": str(self.channel.ident),
            "author": self.author,
            "content": self.content,
            "timestamp": date(self.ident),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": self.attachments,
            "embeds": self.embeds,
            "pinned": False,
            "type": 0,
            "flags": self.flags,
            "components": self.components,
        }
        if self.reference is not None:
            written["message_reference"] = self.reference
        if self.snapshot is not None:
            written["message_snapshots"] = [{"message": self.snapshot}]
        if self.asked_by is not None:
            written["interaction_metadata"] = self.asked_by
        if self.nonce is not None:
            written["nonce"] = self.nonce
        return written


@dataclass(eq=False)
class Guild:
    """A server. ``installed``: the bot is in it. ``opened``: commands that are shown to everybody there."""

    ident: int
    name: str
    installed: bool = True
    opened: set[str] = field(default_factory=set)
    channels: list[Channel] = field(default_factory=list)

    def json(self) -> Json:
        """As a GUILD_CREATE writes it."""
        return {
            "id": str(self.ident),
            "name": self.name,
            "unavailable": False,
            "owner_id": "1",
            "member_count": 3,
            "large": False,
            "premium_tier": 0,
            "features": [],
            "roles": [],
            "emojis": [],
            "stickers": [],
            "members": [],
            "threads": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "channels": [channel.json() for channel in self.channels],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "system_channel_flags": 0,
            "preferred_locale": "en-US",
        }


@dataclass(eq=False)
class Channel:
    """A text channel, a thread in one, a direct channel, or a private group.

    ``closed``: the bot may not read or write there.
    """

    ident: int
    kind: int
    guild: Guild | None = None
    person: Json | None = None
    closed: bool = False
    parent: int | None = None
    name: str = "general"
    messages: dict[int, Message] = field(default_factory=dict)

    def json(self) -> Json:
        """As the API writes it."""
        written: Json = {"id": str(self.ident), "type": self.kind, "flags": 0}
        if self.kind == THREAD:
            assert self.guild is not None
            archived = "2026-01-01T00:00:00+00:00"
            written |= {
                "guild_id": str(self.guild.ident),
                "name": self.name,
                "parent_id": str(self.parent),
                "owner_id": "1",
                "message_count": 0,
                "member_count": 1,
                "thread_metadata": {
                    "archived": False,
                    "auto_archive_duration": 1440,
                    "archive_timestamp": archived,
                    "locked": False,
                },
            }
        elif self.kind == TEXT:
            assert self.guild is not None
            written |= {
                "guild_id": str(self.guild.ident),
                "name": self.name,
                "position": 0,
                "permission_overwrites": [],
                "nsfw": False,
                "parent_id": None,
                "topic": None,
            }
        else:
            written["recipients"] = [self.person] if self.person is not None else []
        if self.kind == GROUP:
            written |= {"name": "friends", "owner_id": "1", "icon": None}
        return written

    @property
    def from_bot(self) -> list[Message]:
        """What the bot has posted and not deleted, in order, as everybody there sees it."""
        return [one for one in self.messages.values() if one.author is BOT and not one.deleted]

    @property
    def audios(self) -> list[Message]:
        """The bot's posts with a file."""
        return [one for one in self.from_bot if one.audio is not None]

    def find(self, fits: Callable[[Message], bool]) -> Message | None:
        """The newest message of the bot that fits."""
        return next((one for one in reversed(self.from_bot) if fits(one)), None)
