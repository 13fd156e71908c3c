"""Cards with a picture: posted as photos, uploaded once, and never without the words."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram import Bot
from telegram.error import BadRequest, TelegramError

from bot.platforms.shelf import Shelf
from bot.platforms.telegram import TelegramPlatform
from tests.bot.platforms.double import PIECE, Double, png
from tests.peers.telegram.markup import plain, units
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.people import Person
from tests.peers.telegram.world import TOKEN, Chat, Limits, Message

WORDS = "Yaman\nHindustani & <kin>\n\nVadi: G\n\nCalm.\n\nKin: Bhupali"


async def shown(peer: TelegramPeer, person: Person, name: str = "Yaman", chat: Chat | None = None) -> Message:
    """A card is asked for, and comes as one more message."""
    where = chat or person.chat
    count = len(where.from_bot)
    person.say(f"/raga {name}", chat)
    await peer.until(lambda: len(where.from_bot) > count, "the card")
    return where.from_bot[-1]


def sent_as(peer: TelegramPeer) -> list[str]:
    """What each photo was sent as: by its name at Telegram, or as an upload."""
    given = [one.params["photo"] for one in peer.calls if one.method == "sendphoto"]
    return [one if isinstance(one, str) else "upload" for one in given]


async def test_a_card_is_a_photo_with_its_words_and_buttons(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha, forum = peer.person("Asha"), peer.group("Forum", topics=(7,))
    said = asha.say("/raga Yaman", forum, thread=7)
    card = await peer.message(forum, lambda one: one.photo is not None)
    assert plain(card.text) == WORDS
    assert "<b>Yaman</b>\n<i>Hindustani &amp; &lt;kin&gt;</i>" in card.text
    assert [one["text"] for one in card.buttons] == ["Generate in it", "♥ Favorite"]
    assert (card.reply_to, card.thread) == (said.ident, 7)
    assert card.photo is not None
    assert peer.files[card.photo[-1]["file_id"]].data == double.drawn["Yaman"]
    assert (await shown(peer, asha, "Desh")).photo is None  # it has no picture, and goes without
    assert peer.count("sendMessage") == 1


async def test_a_picture_is_uploaded_once_also_after_a_restart(
    peer: TelegramPeer, double: Double, shelf: Shelf
) -> None:
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    first = TelegramPlatform(double.services(), TOKEN, shelf, api_url=peer.url)
    await first.start()
    card = await shown(peer, asha)
    again = await shown(peer, ravi)
    await first.stop()
    peer.clock.advance(2)  # the pace of the process before has gone with it
    second = TelegramPlatform(double.services(), TOKEN, shelf, api_url=peer.url)
    await second.start()
    later = await shown(peer, asha)
    assert card.photo is not None
    assert card.photo == again.photo == later.photo
    name = card.photo[-1]["file_id"]
    assert sent_as(peer) == ["upload", name, name]
    double.drawn["Yaman"] = png(320)  # the raga has changed, and its picture with it
    changed = await shown(peer, asha)
    assert changed.photo is not None
    assert changed.photo[-1]["width"] == 320
    assert sent_as(peer)[3:] == ["upload"]
    await second.stop()


async def test_a_picture_that_telegram_has_forgotten_is_uploaded_anew(
    peer: TelegramPeer, platform: TelegramPlatform
) -> None:
    asha = peer.person("Asha")
    old = await shown(peer, asha)
    peer.files.clear()
    new = await shown(peer, asha)
    assert old.photo is not None
    assert new.photo is not None
    assert sent_as(peer) == ["upload", old.photo[-1]["file_id"], "upload"]
    assert plain(new.text) == WORDS
    last = await shown(peer, asha)
    assert last.photo == new.photo
    assert sent_as(peer)[3:] == [new.photo[-1]["file_id"]]


async def test_what_has_no_room_below_a_picture_follows_with_the_buttons(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    double.remarks = "<𝄞> " * 200
    said = asha.say("/raga Yaman")
    rest = await peer.message(asha.chat, lambda one: "Remarks" in one.text)
    card, _ = asha.chat.from_bot
    assert card.photo is not None
    assert plain(card.text) == "Yaman\nHindustani & <kin>\n\nVadi: G"
    assert plain(rest.text) == f"Remarks: {double.remarks}\n\nCalm.\n\nKin: Bhupali"
    assert (card.buttons, card.reply_to, rest.reply_to) == ([], said.ident, None)
    assert [one["text"] for one in rest.buttons] == ["Generate in it", "♥ Favorite"]
    double.remarks = "x" * (1024 - units(WORDS) - len("Remarks: \n"))
    full = await shown(peer, asha)
    assert units(plain(full.text)) == 1024
    assert len(full.buttons) == 2


async def test_hearts_on_the_photo_and_on_what_follows_it(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    peer.private_reactions = True
    asha = peer.person("Asha")
    double.remarks = "x" * 1000
    asha.say("/raga Yaman")
    rest = await peer.message(asha.chat, lambda one: "Remarks" in one.text)
    for message in asha.chat.from_bot:
        asha.react(message, "❤")
        asha.react(message)
    pressed = asha.press(rest, "♥")
    await peer.until(lambda: pressed.answer)
    lines = [request.text for request in double.of("favorite")]
    assert lines == ["raga:h:Yaman on", "raga:h:Yaman off"] * 2 + ["raga:h:Yaman"]


@pytest.mark.parametrize("reason", ["no picture", "broken", "no right"])
async def test_a_card_without_its_picture_is_a_text(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double, reason: str
) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam")
    if reason == "no picture":
        double.drawn.clear()
    elif reason == "broken":
        double.drawn["Yaman"] = png()[:-30]
    group.photos = reason != "no right"
    card = await shown(peer, asha, chat=group)
    assert card.photo is None
    assert plain(card.text) == WORDS
    assert len(card.buttons) == 2
    assert len(group.from_bot) == 1


@pytest.mark.parametrize(("kind", "copies"), [("429", 1), ("502", 1), ("cut", 1), ("lost", 2)])
@pytest.mark.parametrize(("method", "name"), [("sendPhoto", "Yaman"), ("sendMessage", "Desh")])
async def test_trouble_on_the_way_costs_a_photo_no_more_than_a_text(
    peer: TelegramPeer,
    platform: TelegramPlatform,
    method: str,
    name: str,
    kind: str,
    copies: int,
) -> None:
    asha = peer.person("Asha")
    peer.fault(method, kind)
    asha.say(f"/raga {name}")
    await peer.until(lambda: len(asha.chat.from_bot) == copies)
    await shown(peer, asha, "Kafi")
    assert [f"<b>{name}</b>" in one.text for one in asha.chat.from_bot] == [True] * copies + [False]
    assert peer.count(method) == (2 if method == "sendPhoto" else 3)


async def test_who_has_blocked_the_bot_gets_neither_photo_nor_text(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    asha.say("/raga Yaman")
    asha.block()
    await shown(peer, ravi)
    await peer.until(lambda: peer.count("sendMessage", asha.ident) == 1)
    assert asha.chat.from_bot == []


@pytest.mark.parametrize("limits", [Limits()])  # as they are in earnest: an upload takes its time
async def test_photos_and_texts_share_the_pace_of_a_chat(
    peer: TelegramPeer, platform: TelegramPlatform
) -> None:
    group = peer.group("Sangam")
    for name in ("Yaman", "Desh", "Yaman"):
        peer.person("Somebody").say(f"/raga {name}", group)
    await peer.until(lambda: len(group.from_bot) == 3)
    assert sum(one.photo is not None for one in group.from_bot) == 2
    assert peer.flood.refused == []


async def test_a_group_that_has_moved_gets_its_photo(peer: TelegramPeer, platform: TelegramPlatform) -> None:
    asha, group, larger = peer.person("Asha"), peer.group("Sangam"), peer.group("Sangam")
    group.moved_to = larger.ident
    asha.say("/raga Yaman", group)
    card = await peer.message(larger, lambda one: one.photo is not None)
    assert len(card.buttons) == 2


async def test_nothing_turns_a_photo_into_something_else(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    card = await shown(peer, asha)
    before = dict(card.content)
    asha.press(card, "Generate in it")
    await peer.message(asha.chat, lambda one: "Next in line" in one.text)
    asha.press_line(card, "/guide mood i0")  # its answer replaces the message, which a photo cannot be
    asked = await peer.message(asha.chat, lambda one: "What mood?" in one.text)
    assert asked.ident != card.ident
    asha.press_line(card, f"/play {PIECE}")
    await peer.message(asha.chat, lambda one: one.audio is not None)
    assert card.content == before
    assert len(card.history) == 1


async def test_inline_offers_no_photos(peer: TelegramPeer, platform: TelegramPlatform) -> None:
    found = await peer.person("Asha").inline("yaman")
    assert {one["type"] for one in found} == {"article"}
    assert plain(found[0]["input_message_content"]["message_text"]) == WORDS
    assert peer.count("sendPhoto") == 0


@pytest.fixture
async def bot(peer: TelegramPeer) -> AsyncIterator[Bot]:
    """The library alone, to make the mistakes that the platform does not make."""
    async with Bot(TOKEN, base_url=f"{peer.url}/bot") as found:
        yield found


async def test_the_peer_takes_what_telegram_takes_and_nothing_else(peer: TelegramPeer, bot: Bot) -> None:
    asha = peer.person("Asha")
    asha.start()
    for photo, caption, said in (
        (b"no picture", "", "Image_process_failed"),
        (png(6000, 5000), "", "Photo_invalid_dimensions"),
        (png(10, 201), "", "Photo_invalid_dimensions"),
        (png() + b"\0" * 10**7 + png()[-12:], "", "Photo_save_file_invalid"),
        ("PHOTO-77", "", "Wrong file identifier"),
        (png(), "x" * 1025, "Caption is too long"),
        (png(), "<kin>", "Can't parse entities"),
    ):
        with pytest.raises(BadRequest, match=said):
            await bot.send_photo(asha.ident, photo, caption, parse_mode="HTML")
    assert asha.chat.from_bot == []
    sent = await bot.send_photo(asha.ident, png(1000, 950), "x" * 1024)
    assert [(one.width, one.height) for one in sent.photo] == [(320, 304), (1000, 950)]
    peer.clock.advance(2)
    smaller = await bot.send_photo(asha.ident, sent.photo[0].file_id)
    assert [one.width for one in smaller.photo] == [320]
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("words", asha.ident, sent.message_id)
    with pytest.raises(BadRequest, match="Can't use file of type photo as audio"):
        await bot.send_audio(asha.ident, sent.photo[-1].file_id)
    with pytest.raises(TelegramError, match="Not Found"):
        await bot.send_dice(asha.ident)
    assert len(peer.problems) == 7
    assert peer.problems[-1] == "unknown method senddice"
    peer.problems.clear()
