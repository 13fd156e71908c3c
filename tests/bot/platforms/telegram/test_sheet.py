"""Replies as HTML and buttons, within the limits of a message whatever they hold."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms.telegram import links, sheet
from handlers.model import Button, Card, Entry, Field, Menu, Progress, Reply
from tests.bot.platforms.double import PIECE, finished
from tests.peers.telegram.markup import plain, units

TEXTS = st.text(alphabet=st.sampled_from("ab <>&\"'\n𝄞ग़é"), max_size=6000)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.lists(TEXTS, max_size=3))
def test_any_reply_fits_into_messages(text: str, description: str, names: list[str]) -> None:
    reply = Reply(
        text=text,
        card=Card("<Title>", "& more", tuple(Field(name[:40], name) for name in names), description, "foot"),
        entries=tuple(Entry(name[:60], name[:200]) for name in names),
    )
    below, *rest = sheet.below_picture(reply).pages
    assert units(plain(below)) <= sheet.CAPTION_UNITS
    for page in (*sheet.sheet(reply).pages, sheet.whole(reply).first, *rest):
        assert 0 < units(plain(page)) <= sheet.TEXT_UNITS
    for mention in (None, 7):
        assert units(plain(sheet.caption(reply, mention))) <= sheet.CAPTION_UNITS
    words = "".join((text + "&more" + description).split())
    for pages in (sheet.sheet(reply).pages, (below, *rest)):
        shown = "".join("".join(plain(page) for page in pages).split())
        for part in (text, description):
            assert "".join(part.split()) in shown or not words


def test_what_has_no_room_below_a_picture_follows_line_by_line() -> None:
    fields = (Field("Vadi", "G"), Field("Pakad", "𝄞" * 400), Field("Remarks", "& more " * 40))
    below, *rest = sheet.below_picture(Reply(card=Card("Yaman", "Hindustani", fields, footer="Kin"))).pages
    assert plain(below) == f"Yaman\nHindustani\n\nVadi: G\nPakad: {'𝄞' * 400}"
    assert [plain(page) for page in rest] == [f"Remarks: {'& more ' * 40}\n\nKin"]
    exact = Reply(card=Card("Yaman", fields=(Field("Remarks", "x" * (1024 - len("Yaman\n\nRemarks: "))),)))
    assert [units(plain(page)) for page in sheet.below_picture(exact).pages] == [1024]


def test_a_text_that_is_cut_keeps_its_buttons() -> None:
    reply = Reply(text="word " * 3000, buttons=((Button("On", "/help"),),))
    page = sheet.whole(reply)
    assert page.first.endswith("\n…")
    assert page.keyboard is not None


def test_buttons_of_menus_stand_in_rows_and_entries_are_numbered() -> None:
    short = Menu("Length", tuple(Button(f"{number} s", f"/guide {number}") for number in range(5)))
    wide = Menu(
        "Mood", tuple(Button("A label of some length " * 2, f"/guide m{number}") for number in range(2))
    )
    entries = tuple(
        Entry("Raga Yaman", "", (Button("Play", "/play a"), Button("Again", "/again a"))) for _ in "ab"
    )
    keyboard = sheet.keyboard(Reply(menus=(short, wide), entries=entries))
    assert keyboard is not None
    rows = [[one.text for one in row] for row in keyboard.inline_keyboard]
    assert [len(row) for row in rows] == [1, 3, 2, 1, 1, 1, 2, 2]
    assert (rows[0], rows[3]) == (["— Length —"], ["— Mood —"])
    assert rows[-1] == ["2. Play", "2. Again"]
    alone = sheet.keyboard(Reply(menus=(short,)))
    assert alone is not None
    assert [len(row) for row in alone.inline_keyboard] == [3, 2]  # the text above says what is asked


def test_more_buttons_than_telegram_takes_are_left_out() -> None:
    rows = tuple(tuple(Button("x", f"/play {number}") for _ in range(8)) for number in range(20))
    keyboard = sheet.keyboard(Reply(buttons=rows))
    assert keyboard is not None
    assert sum(map(len, keyboard.inline_keyboard)) == 100


def test_the_heart_is_on_everything_that_can_be_kept() -> None:
    reply = finished()
    keyboard = sheet.keyboard(reply)
    assert keyboard is not None
    assert keyboard.inline_keyboard[-1][0].callback_data == f"/favorite {PIECE}"


def test_progress_is_a_bar() -> None:
    assert sheet.bar(Progress("Mixing", 0.5, 12.0)) == "▰▰▰▰▰▰▰▱▱▱▱▱▱▱ 50% · about 12 s left"
    assert sheet.bar(Progress("Mixing", 7.0)).endswith("▰ 100%")


@given(st.sampled_from(["raga", "history", "search"]), st.text(max_size=60))
def test_an_address_holds_what_telegram_lets_it_hold(command: str, text: str) -> None:
    payload = links.payload(f"/{command} {text}".strip())
    assert 1 <= len(payload) <= 64
    assert payload.replace("_", "").replace("-", "").isalnum()
    asked = links.asked_by(payload)
    assert asked is not None
    assert asked[0] == command


def test_an_address_asks_for_nothing_but_looking_up() -> None:
    assert links.asked_by("raga_yaman_kalyan") == ("raga", "yaman kalyan")
    assert links.asked_by(links.payload("/history page:2")) == ("history", "page:2")
    assert links.asked_by("generate_yaman") == ("generate", "")
    for payload in ("", "remove_k57", "l-%%", "l-gA", "cancel"):
        assert links.asked_by(payload) is None
