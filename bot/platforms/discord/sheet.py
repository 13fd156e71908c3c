"""A reply as Discord shows it: text, an embed, rows of buttons and menus, all within the limits of a message."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord.utils import escape_markdown, escape_mentions

from bot.platforms.discord.bricks import Row, rows_of
from handlers.model import Card, Progress, Reply

CONTENT_CHARACTERS = 2000
TITLE_CHARACTERS = 256
DESCRIPTION_CHARACTERS = 4096
FIELDS_MAX = 25
FIELD_CHARACTERS = 1024
FOOTER_CHARACTERS = 2048
EMBED_CHARACTERS = 6000
"""Over all texts of a message's embeds."""

_SAFFRON = 0xE07A1F
_CELLS = 14
_SHORT = 30


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that can be sent more than once, with what it shows in words."""

    data: bytes
    name: str
    alt: str = ""

    def file(self) -> discord.File:
        """As the library takes it, once."""
        return discord.File(io.BytesIO(self.data), filename=self.name, description=self.alt or None)


@dataclass(frozen=True, slots=True)
class Page:
    """One message. ``image``: the picture that its embed shows."""

    content: str = ""
    embed: discord.Embed | None = None
    rows: tuple[Row, ...] = ()
    image: Upload | None = None

    def view(self) -> discord.ui.View | None:
        """Buttons and menus; the library is not to wait for their use, since what they carry says it all."""
        if not self.rows:
            return None
        view = discord.ui.View(timeout=None)
        for number, row in enumerate(self.rows):
            for item in row.items(number):
                view.add_item(item)
        view.stop()
        return view

    def new(self, uploads: Sequence[Upload] = ()) -> dict[str, Any]:
        """As the library takes it for a new message, with these files."""
        files = [one.file() for one in (*uploads, *([self.image] if self.image is not None else []))]
        parts = {
            "content": self.content or None,
            "embed": self.embed,
            "view": self.view(),
            "files": files or None,
        }
        return {name: part for name, part in parts.items() if part is not None}

    def change(self) -> dict[str, Any]:
        """As the library takes it for an edit: what is not there any more is taken away."""
        files = [self.image.file()] if self.image is not None else []
        return {
            "content": self.content or None,
            "embed": self.embed,
            "view": self.view(),
            "attachments": files,
        }


def pages(reply: Reply, image: Upload | None = None) -> tuple[Page, ...]:
    """A reply as messages; the embed with its picture and the buttons belong to the last."""
    texts = list(_texts(_content(reply), CONTENT_CHARACTERS))
    embed, rows = _embed(reply), rows_of(reply)
    if not texts and embed is None:
        texts = ["…"]
    *before, last = texts or [""]
    if embed is None or image is None:
        image = None
    else:
        embed.set_image(url=f"attachment://{image.name}")
    return (*(Page(text) for text in before), Page(last, embed, rows, image))


def whole(reply: Reply, image: Upload | None = None) -> Page:
    """A reply as one message: what does not fit is cut off, the buttons stay."""
    *before, last = pages(reply, image)
    if not before:
        return last
    text = next(_texts(_content(reply), CONTENT_CHARACTERS - 2))
    return replace(last, content=f"{text}\n…")


def mentioning(page: Page, user: int) -> Page:
    """With the person's name in front, by which they are notified."""
    lead = f"<@{user}> "
    return replace(page, content=lead + page.content[: CONTENT_CHARACTERS - len(lead)])


def bar(progress: Progress) -> str:
    """A bar, the share done and the time left."""
    fraction = max(0.0, min(1.0, progress.fraction))
    filled = round(fraction * _CELLS)
    left = "" if progress.seconds_left is None else f" · about {progress.seconds_left:.0f} s left"
    return f"{'▰' * filled}{'▱' * (_CELLS - filled)} {fraction:.0%}{left}"


def plain(text: str) -> str:
    """A text that means nothing to Discord but itself."""
    return escape_mentions(escape_markdown(text))


def _content(reply: Reply) -> str:
    parts = [plain(reply.text)] if reply.text else []
    if reply.progress is not None:
        parts.append(f"**{plain(reply.progress.stage)}**\n{bar(reply.progress)}")
    if reply.notice:
        parts.append(plain(reply.notice))
    return "\n".join(parts)


def _texts(text: str, room: int) -> Iterator[str]:
    """A text in parts of at most ``room`` characters, broken between lines or words where it can be."""
    left = text.strip("\n")
    while len(left) > room:
        cut = max(left.rfind("\n", 0, room + 1), 0) or max(left.rfind(" ", room // 2, room + 1), 0) or room
        yield left[:cut]
        left = left[cut:].lstrip("\n ")
    if left:
        yield left


def _embed(reply: Reply) -> discord.Embed | None:
    lines = [_entry_line(number, reply) for number in range(len(reply.entries))]
    if reply.card is None:
        if not lines:
            return None
        return discord.Embed(color=_SAFFRON, description=_cut("\n".join(lines), DESCRIPTION_CHARACTERS))
    return _card(reply.card, lines)


def _entry_line(number: int, reply: Reply) -> str:
    entry = reply.entries[number]
    detail = f"\n{plain(entry.detail)}" if entry.detail else ""
    return f"**{number + 1}. {plain(entry.title)}**{detail}"


def _card(card: Card, lines: Sequence[str]) -> discord.Embed:
    """Title and fields first; the description takes what room is left of an embed's whole."""
    embed = discord.Embed(color=_SAFFRON, title=_cut(plain(card.title), TITLE_CHARACTERS))
    if card.footer:
        embed.set_footer(text=_cut(card.footer, min(FOOTER_CHARACTERS, 500)))
    subtitle = f"*{plain(card.subtitle)}*" if card.subtitle else ""
    reserve = min(len(subtitle) + len(card.description) + 2, 1500)
    for field in card.fields[:FIELDS_MAX]:
        name = _cut(plain(field.name), TITLE_CHARACTERS) or "·"
        value = _cut(plain(field.value), FIELD_CHARACTERS) or "·"
        if len(embed) + len(name) + len(value) + reserve > EMBED_CHARACTERS:
            break
        embed.add_field(name=name, value=value, inline=len(value) <= _SHORT)
    text = "\n\n".join(filter(None, (subtitle, plain(card.description), "\n".join(lines))))
    embed.description = _cut(text, min(DESCRIPTION_CHARACTERS, EMBED_CHARACTERS - len(embed))) or None
    return embed


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
