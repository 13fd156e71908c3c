"""Replies as messages, embeds and components, within Discord's limits whatever they hold."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms.discord import hearts, sheet
from bot.platforms.discord.sheet import Page
from handlers.model import Button, Card, Entry, Field, Menu, Progress, Reply
from tests.bot.platforms.double import card, finished
from tests.peers.discord import checks

TEXTS = st.text(alphabet=st.sampled_from("ab *_~`|<>@#-\n𝄞ग़é"), max_size=5000)
LABELS = st.text(max_size=200)
LINES = st.integers(0, 10**6).map(lambda number: f"/play {number}")
BUTTONS = st.builds(Button, LABELS, LINES)


def written(page: Page) -> dict[str, Any]:
    """As the library writes it to Discord."""
    view = page.view()
    return {
        "content": page.content,
        "embeds": [page.embed.to_dict()] if page.embed is not None else [],
        "components": view.to_components() if view is not None else [],
    }


@settings(max_examples=80, deadline=None)
@given(
    TEXTS,
    TEXTS,
    st.lists(TEXTS, max_size=30),
    st.lists(st.lists(BUTTONS, max_size=8).map(tuple), max_size=8).map(tuple),
    st.lists(st.builds(Menu, LABELS, st.lists(BUTTONS, max_size=40).map(tuple)), max_size=7).map(tuple),
    st.lists(st.lists(BUTTONS, max_size=3).map(tuple), max_size=12),
)
async def test_any_reply_fits_into_messages(
    text: str,
    description: str,
    names: list[str],
    rows: tuple[tuple[Button, ...], ...],
    menus: tuple[Menu, ...],
    entries: list[tuple[Button, ...]],
) -> None:
    reply = Reply(
        text=text,
        card=Card(
            "<Title> " * 50, "& more", tuple(Field(one[:40], one) for one in names), description, "foot"
        ),
        entries=tuple(Entry("Raga Yaman", "Sitar", one) for one in entries),
        buttons=rows,
        menus=menus,
    )
    for page in (*sheet.pages(reply), sheet.whole(reply), sheet.mentioning(sheet.whole(reply), 7)):
        checks.message(written(page), files=0)


def test_a_long_text_is_split_and_nothing_is_lost() -> None:
    text = "".join(f"word{number} *is* _one_ of many\n" for number in range(400))
    shown = "".join(page.content for page in sheet.pages(Reply(text=text)))
    assert "".join(shown.replace("\\", "").split()) == "".join(text.split())


async def test_a_text_that_is_cut_keeps_its_buttons() -> None:
    page = sheet.whole(Reply(text="word " * 3000, buttons=((Button("On", "/help"),),)))
    assert page.content.endswith("\n…")
    assert written(page)["components"]


async def test_the_entries_of_a_long_list_are_all_to_be_had() -> None:
    acts = [Button(label, f"/{label.casefold()} {{}}") for label in ("Play", "Again", "Remove")]
    entries = tuple(
        Entry("Raga Yaman", "", tuple(Button(one.label, one.line.format(number)) for one in acts))
        for number in range(10)
    )
    reply = Reply(entries=entries, buttons=((Button("Older", "/history page:2"),),))
    [*lists, turns] = written(sheet.whole(reply))["components"]
    values = [option["value"] for row in lists for one in row["components"] for option in one["options"]]
    assert len(values) == len(set(values)) == 30
    assert [one["label"] for one in turns["components"]] == ["Older"]


@pytest.mark.parametrize(
    ("reply", "kept"), [(finished(), True), (card("Yaman"), True), (Reply(text="?"), False)]
)
async def test_the_heart_is_on_everything_that_can_be_kept(reply: Reply, kept: bool) -> None:
    labels = [one.label for row in sheet.whole(reply).rows for _, one in row.buttons]
    assert ("♥ Favorite" in labels) is kept


def test_progress_is_a_bar() -> None:
    assert sheet.bar(Progress("Mixing", 0.5, 12.0)) == "▰▰▰▰▰▰▰▱▱▱▱▱▱▱ 50% · about 12 s left"
    assert sheet.bar(Progress("Mixing", 7.0)).endswith("▰ 100%")


def test_only_an_emoji_of_everybody_is_a_heart() -> None:
    assert hearts.means_heart(discord.PartialEmoji(name="❤"))
    assert not hearts.means_heart(discord.PartialEmoji(name="👍"))
    assert not hearts.means_heart(discord.PartialEmoji(name="❤", id=7))
