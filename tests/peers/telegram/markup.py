"""Telegram's HTML, read as strictly as Telegram does: what it does not know, it refuses."""

from __future__ import annotations

import html
import re

TAGS = {
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "code",
    "pre",
    "a",
    "blockquote",
    "tg-spoiler",
}

_TAG = re.compile(r"<(/?)([a-zA-Z-]+)((?:\s+[a-z-]+=\"[^\"]*\")*)\s*>")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")


class MarkupError(Exception):
    """What Telegram would say."""


def plain(text: str) -> str:
    """The text without its markup. Raises MarkupError."""
    said: list[str] = []
    opened: list[str] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "<":
            tag = _TAG.match(text, at)
            if tag is None or tag[2].casefold() not in TAGS:
                raise MarkupError(f"can't parse entities: Unsupported start tag at byte offset {at}")
            name = tag[2].casefold()
            if not tag[1]:
                opened.append(name)
            elif not opened or opened.pop() != name:
                raise MarkupError(f"can't parse entities: Unmatched end tag at byte offset {at}")
            at = tag.end()
        elif character == "&" and (entity := _ENTITY.match(text, at)):
            said.append(html.unescape(entity[0]))
            at = entity.end()
        else:
            said.append(character)
            at += 1
    if opened:
        raise MarkupError(f"can't parse entities: Can't find end tag corresponding to start tag {opened[-1]}")
    return "".join(said).strip()


def units(text: str) -> int:
    """The length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
