"""Buttons and menus below a message: at most five rows, each of five buttons or one menu.

What a button or a choice carries is the command line itself, so that it means the same after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.platforms.hearts import heart_line
from handlers.model import Button, Entry, Menu, Reply

ROWS_MAX = 5
BUTTONS_A_ROW = 5
CHOICES_MAX = 25
LABEL_CHARACTERS = 80
CHOICE_CHARACTERS = 100
_PLACEHOLDER_CHARACTERS = 150


@dataclass(frozen=True, slots=True)
class Row:
    """Buttons side by side with ids of their own, or one menu."""

    buttons: tuple[tuple[str, Button], ...] = ()
    menu: Menu | None = None

    def items(self, number: int) -> list[discord.ui.Item[Any]]:
        """As the library has them. ``number``: the row."""
        if self.menu is not None:
            return [_select(self.menu, number)]
        return [
            discord.ui.Button(
                label=_cut(one.label.strip() or one.line, LABEL_CHARACTERS),
                custom_id=ident,
                style=_style(one.line),
                row=number,
            )
            for ident, one in self.buttons
        ]


def line_of(custom_id: str) -> str:
    """The command line that a button's id holds."""
    _, slash, line = custom_id.partition("/")
    return f"/{line}" if slash else ""


def rows_of(reply: Reply) -> tuple[Row, ...]:
    """All buttons and menus of a reply, with a heart where something can be kept."""
    own = [list(row) for row in reply.buttons if row]
    heart = heart_line(reply)
    if heart and not any(one.line.startswith("/favorite ") for row in own for one in row):
        own.append([Button("♥ Favorite", heart)])
    menus = [menu for menu in reply.menus if menu.choices]
    rows = _fitting(_entry_rows(reply.entries) + own, ROWS_MAX - len(menus))
    if rows is None:
        # Too many to stand side by side: the lists' buttons go into menus, and nothing is lost.
        menus += _entry_menus(reply.entries)
        rows = _fitting(own, ROWS_MAX - len(menus)) or []
    shown = [Row(menu=menu) for menu in menus[:ROWS_MAX]]
    return tuple(shown + _distinct(rows))[:ROWS_MAX]


def _fitting(rows: Sequence[Sequence[Button]], room: int) -> list[list[Button]] | None:
    """The rows, or all their buttons one after another where that takes fewer rows; None where neither fits."""
    cut = [chunk for row in rows for chunk in _chunks(row)]
    if len(cut) > room:
        cut = _chunks([one for row in rows for one in row])
    return cut if len(cut) <= room else None


def _chunks(buttons: Sequence[Button]) -> list[list[Button]]:
    return [list(buttons[at : at + BUTTONS_A_ROW]) for at in range(0, len(buttons), BUTTONS_A_ROW)]


def _entry_rows(entries: Sequence[Entry]) -> list[list[Button]]:
    """A row for each thing that can be done, with the numbers of the entries it can be done with."""
    numbered = [(number, entry) for number, entry in enumerate(entries, start=1) if entry.buttons]
    if all(len(entry.buttons) == 1 for _, entry in numbered):
        return [[Button(f"{number}. {entry.title}", entry.buttons[0].line) for number, entry in numbered]]
    rows: dict[str, list[Button]] = {}
    for number, entry in numbered:
        for one in entry.buttons:
            rows.setdefault(one.label, []).append(Button(f"{number}. {one.label}", one.line))
    return list(rows.values())


def _entry_menus(entries: Sequence[Entry]) -> list[Menu]:
    choices = [
        Button(f"{number}. {one.label}: {entry.title}", one.line)
        for number, entry in enumerate(entries, start=1)
        for one in entry.buttons
    ]
    return [
        Menu("What shall I do?", tuple(choices[at : at + CHOICES_MAX]))
        for at in range(0, len(choices), CHOICES_MAX)
    ]


def _distinct(rows: Iterable[Iterable[Button]]) -> list[Row]:
    """Ids must differ within a message; the same line twice gets a number in front."""
    seen: dict[str, int] = {}
    shown = []
    for row in rows:
        buttons = []
        for one in row:
            count = seen[one.line] = seen.get(one.line, 0) + 1
            buttons.append((one.line if count == 1 else f"{count}{one.line}", one))
        shown.append(Row(tuple(buttons)))
    return shown


def _select(menu: Menu, number: int) -> discord.ui.Select[Any]:
    choices = list({one.line: one for one in menu.choices}.values())[:CHOICES_MAX]
    return discord.ui.Select(
        custom_id=f"menu{number}",
        placeholder=_cut(menu.title, _PLACEHOLDER_CHARACTERS) or None,
        options=[
            discord.SelectOption(label=_cut(one.label.strip() or one.line, CHOICE_CHARACTERS), value=one.line)
            for one in choices
        ],
        row=number,
    )


def _style(line: str) -> discord.ButtonStyle:
    if line.startswith("/guide make"):
        return discord.ButtonStyle.primary
    if line.startswith(("/cancel", "/remove", "/guide off")):
        return discord.ButtonStyle.danger
    return discord.ButtonStyle.secondary


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
