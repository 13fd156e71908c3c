"""A reply as Telegram shows it: HTML within the limits of a message, and rows of buttons below it."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.platforms.hearts import heart_line
from handlers.model import Button, Menu, Progress, Reply

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
"""Counted as Telegram does: in UTF-16 units, after the markup is taken out."""

BUTTONS_MAX = 100

HEADING = "title"
"""What a button sends that is none but the title of those below it: no command."""

_CELLS = 14
_LABEL_CHARACTERS = 60

Run = tuple[str, str]
"""A tag (``b``, ``i`` or none) and plain text."""

Line = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Texts to be sent one after another; the buttons belong to the last."""

    pages: tuple[str, ...]
    keyboard: InlineKeyboardMarkup | None

    @property
    def first(self) -> str:
        """All that one message holds."""
        return self.pages[0]


def units(text: str) -> int:
    """The length of a text as Telegram counts it."""
    return len(text) + sum(character > "\uffff" for character in text)


def sheet(reply: Reply) -> Sheet:
    """A reply as messages."""
    pages = tuple(_pages(list(_lines(reply)), TEXT_UNITS)) or ("…",)
    return Sheet(pages, keyboard(reply))


def whole(reply: Reply) -> Sheet:
    """A reply as one message: what does not fit is cut off, the buttons stay."""
    full = sheet(reply)
    if len(full.pages) == 1:
        return full
    cut = next(_pages(list(_lines(reply)), TEXT_UNITS - 2))
    return Sheet((f"{cut}\n…",), full.keyboard)


def below_picture(reply: Reply) -> Sheet:
    """A reply with a picture: first what stands below it, which may be nothing, then what had no room there.

    No line is broken and none is lost: the first ones stand below the picture, so many as fit.
    """
    lines = list(_lines(reply))
    ends = accumulate(sum(units(text) for _, text in line) + 1 for line in lines)
    count = sum(end - 1 <= CAPTION_UNITS for end in ends)
    first = "".join(_pages(lines[:count], CAPTION_UNITS))
    return Sheet((first, *_pages(lines[count:], TEXT_UNITS)), keyboard(reply))


def caption(reply: Reply, mention: int | None = None) -> str:
    """What stands below a track. ``mention``: a person to be notified by name, who asked without a message."""
    lead = f'<a href="tg://user?id={mention}">For you</a>\n' if mention is not None else ""
    room = CAPTION_UNITS - (8 if lead else 0)
    pages = list(_pages(list(_lines(reply)), room))
    if len(pages) > 1:
        pages = list(_pages(list(_lines(reply)), room - 2))
        return f"{lead}{pages[0]}\n…"
    return lead + "".join(pages)


def keyboard(reply: Reply) -> InlineKeyboardMarkup | None:
    """All buttons: of menus, of entries, and of the reply; with a heart where something can be kept."""
    rows = [
        *(row for menu in reply.menus for row in _menu_rows(menu, titled=len(reply.menus) > 1)),
        *(_pressable_row(row) for row in (*_entry_rows(reply), *reply.buttons)),
    ]
    heart = heart_line(reply)
    if heart and not any(str(one.callback_data).startswith("/favorite ") for row in rows for one in row):
        rows.append(_pressable_row([Button("♥ Favorite", heart)]))
    shown: list[list[InlineKeyboardButton]] = []
    left = BUTTONS_MAX
    for row in rows:
        shown.append(row[:left])
        left -= len(shown[-1])
    shown = [row for row in shown if row]
    return InlineKeyboardMarkup(shown) if shown else None


def _menu_rows(menu: Menu, *, titled: bool) -> list[list[InlineKeyboardButton]]:
    """``titled``: with the title above the choices, as a button, since Telegram has nothing else in a keyboard."""
    rows = [_pressable_row(row) for row in _grid(menu.choices)]
    if titled and rows:
        rows.insert(0, [InlineKeyboardButton(f"— {_label(menu.title)} —", callback_data=HEADING)])
    return rows


def _pressable_row(row: Sequence[Button]) -> list[InlineKeyboardButton]:
    return [InlineKeyboardButton(_label(one.label) or one.line, callback_data=one.line) for one in row]


def _label(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _LABEL_CHARACTERS else f"{text[: _LABEL_CHARACTERS - 1]}…"


def _grid(choices: Sequence[Button]) -> list[list[Button]]:
    """Rows of three short labels, of two longer ones, or of one."""
    longest = max((len(one.label) for one in choices), default=0)
    width = 3 if longest <= 12 else 2 if longest <= 22 else 1
    return [list(choices[at : at + width]) for at in range(0, len(choices), width)]


def _entry_rows(reply: Reply) -> list[list[Button]]:
    entries = [(number, entry) for number, entry in enumerate(reply.entries, start=1) if entry.buttons]
    if all(len(entry.buttons) == 1 for _, entry in entries):
        return _grid([Button(f"{number}. {entry.title}", entry.buttons[0].line) for number, entry in entries])
    return [
        [Button(f"{number}. {one.label}", one.line) for one in entry.buttons] for number, entry in entries
    ]


def bar(progress: Progress) -> str:
    """A bar, the share done and the time left."""
    fraction = max(0.0, min(1.0, progress.fraction))
    filled = round(fraction * _CELLS)
    left = "" if progress.seconds_left is None else f" · about {progress.seconds_left:.0f} s left"
    return f"{'▰' * filled}{'▱' * (_CELLS - filled)} {fraction:.0%}{left}"


def _lines(reply: Reply) -> Iterator[Line]:
    yield from _plain(reply.text)
    if reply.progress is not None:
        yield (("b", reply.progress.stage),)
        yield (("", bar(reply.progress)),)
    if reply.card is not None:
        card = reply.card
        if reply.text:
            yield ()
        yield (("b", card.title),)
        if card.subtitle:
            yield (("i", card.subtitle),)
        if card.fields:
            yield ()
        for field in card.fields:
            yield (("b", field.name), ("", f": {field.value}" if field.value else ""))
        if card.description:
            yield ()
            yield from _plain(card.description)
        if card.footer:
            yield ()
            yield (("i", card.footer),)
    if reply.entries:
        yield ()
    for number, entry in enumerate(reply.entries, start=1):
        detail = (("", f"\n    {entry.detail}"),) if entry.detail else ()
        yield (("", f"{number}. "), ("b", entry.title), *detail)
    yield from _plain(reply.notice)


def _plain(text: str) -> Iterator[Line]:
    """Each line of a text for itself, so that a page ends between two of them."""
    for line in text.splitlines():
        yield (("", line),)


def _pages(lines: Sequence[Line], room: int) -> Iterator[str]:
    """The lines laid out on pages of at most ``room`` units; a line that is longer than a page is broken."""
    page: list[str] = []
    used = 0
    for line in lines:
        for part, size in _broken(line, room):
            if page and used + 1 + size > room:
                if text := "\n".join(page).strip("\n"):
                    yield text
                page, used = [], 0
            used += size + (1 if page else 0)
            page.append(part)
    if text := "\n".join(page).strip("\n"):
        yield text


def _broken(line: Line, room: int) -> Iterator[tuple[str, int]]:
    """A line as HTML with its length, in as many parts as it needs."""
    part, used = "", 0
    for style, text in line:
        left = text
        while left:
            chunk, left = _cut(left, room - used)
            if chunk:
                part += f"<{style}>{html.escape(chunk)}</{style}>" if style else html.escape(chunk)
                used += units(chunk)
            if left:
                yield part, used
                part, used = "", 0
    yield part, used


def _cut(text: str, room: int) -> tuple[str, str]:
    """As much as fits, if possible up to a blank; and the rest."""
    if units(text) <= room:
        return text, ""
    count = used = 0
    for character in text:
        used += units(character)
        if used > room:
            break
        count += 1
    blank = max(text.rfind(" ", 0, count), text.rfind("\n", 0, count))
    if blank > count // 2:
        return text[:blank], text[blank + 1 :]
    return text[:count], text[count:]


def html_of(text: str) -> str:
    """A short text of our own as HTML."""
    return html.escape(text)
