"""What people say and press, in private chats, groups and topics, and what stands in the chat afterwards."""

from __future__ import annotations

import pytest

from tests.bot.platforms.double import PIECE, Double
from tests.peers.telegram.markup import plain
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.world import Message

pytestmark = pytest.mark.usefixtures("platform")

LABELS = tuple[str, ...]


def labels(message: Message) -> list[str]:
    return [one["text"] for one in message.buttons]


async def test_a_card_is_escaped_and_has_a_heart(peer: TelegramPeer, double: Double) -> None:
    asha = peer.person("Asha", "ta")
    said = asha.say("/raga@Raga_Peer_Bot  Yaman Kalyan ")
    card = await peer.message(asha.chat, lambda one: "Yaman Kalyan" in one.text)
    assert card.text.startswith("<b>Yaman Kalyan</b>\n<i>Hindustani &amp; &lt;kin&gt;</i>")
    assert labels(card) == ["Generate in it", "♥ Favorite"]
    assert card.reply_to == said.ident
    request = double.requests[0]
    assert (request.command, request.text) == ("raga", "Yaman Kalyan")
    assert request.actor.account == asha.account
    assert (request.actor.name, request.actor.locale) == ("Asha", "ta")
    assert request.place.private


async def test_plain_words_are_heard_in_private_only(peer: TelegramPeer, double: Double) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam")
    said = asha.say("bhairavi")
    await peer.message(asha.chat, lambda one: "said: bhairavi" in one.text)
    asha.edit(said, "yaman")
    asha.say("/raga@another_bot Yaman", group)
    asha.say("/ban somebody", group)
    asha.say("/raga Desh", group)
    await peer.message(group, lambda one: "Desh" in one.text)
    assert [request.command for request in double.requests] == ["", "raga"]
    assert not double.requests[1].place.private
    assert len(group.from_bot) == 1


async def test_an_answer_stays_in_its_topic(peer: TelegramPeer, double: Double) -> None:
    asha, forum = peer.person("Asha"), peer.group("Forum", topics=(7,))
    asha.say("/raga Yaman", forum, thread=7)
    card = await peer.message(forum, lambda one: "Yaman" in one.text)
    assert card.thread == 7
    asha.say("/generate Yaman", forum, thread=7)
    await peer.message(forum, lambda one: "Next in line" in one.text)
    assert double.answers[0].message.endswith("/7")


async def test_a_link_opens_a_card_and_a_plain_start_greets(peer: TelegramPeer, double: Double) -> None:
    asha = peer.person("Asha")
    asha.start("raga_yaman_kalyan")
    await peer.message(asha.chat, lambda one: "yaman kalyan" in one.text)
    asha.start()
    await peer.message(asha.chat, lambda one: "help:" in one.text)
    asha.start("generate_Yaman")
    await peer.message(asha.chat, lambda one: "Who shall play?" in one.text)
    asha.start("remove_" + PIECE)
    await peer.until(lambda: len(double.of("help")) == 2)


async def test_a_long_answer_is_split_and_nothing_is_lost(peer: TelegramPeer) -> None:
    asha = peer.person("Asha")
    asha.say("/long")
    await peer.message(asha.chat, lambda one: "119 " in one.text)
    whole = "\n".join(plain(one.text) for one in asha.chat.from_bot)
    assert whole == "\n".join(f"{number} {'<&>' * 30}" for number in range(120))
    assert len(asha.chat.from_bot) == 3


async def test_a_guide_is_one_message_and_only_its_asker_presses(peer: TelegramPeer, double: Double) -> None:
    asha, ravi, group = peer.person("Asha"), peer.person("Ravi"), peer.group("Sangam")
    asha.say("/generate", group)
    guide = await peer.message(group, lambda one: "Who shall play?" in one.text)
    assert labels(guide) == ["— An instrument —", "Sitar", "Veena", "— A voice —", "A man"]
    title = asha.press(guide, "A voice")
    await peer.until(lambda: title.answer)
    assert title.answer is not None
    assert title.answer["text"] == "The choices are just below."
    pressed = ravi.press(guide, "Sitar")
    await peer.until(lambda: pressed.answer)
    assert pressed.answer is not None
    assert pressed.answer["show_alert"] == "true"
    assert double.of("guide") == []
    asha.press(guide, "Sitar")
    await peer.until(lambda: "What mood?" in guide.text)
    asha.press(guide, "Make it")
    await peer.message(group, lambda one: "Next in line" in one.text)
    assert len(group.from_bot) == 2
    await peer.until(lambda: not peer.people.unanswered)


async def test_a_private_answer_goes_into_the_private_chat(peer: TelegramPeer, double: Double) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam")
    said = asha.say("/history", group)
    notice = await peer.message(group, lambda one: "for you alone" in one.text)
    assert notice.reply_to == said.ident
    assert "Yaman" not in notice.text
    asha.press(notice, "Open the private chat")
    await peer.message(asha.chat, lambda one: "Your pieces" in one.text)
    asha.say("/history", group)
    await peer.until(lambda: len(asha.chat.from_bot) == 2)
    assert len(group.from_bot) == 1
    page = asha.chat.from_bot[-1]
    pressed = asha.press(page, "Older")
    await peer.until(lambda: pressed.answer)
    assert len(asha.chat.from_bot) == 2  # the page was turned in its place
    assert double.requests[-1].text == "page:2"


async def test_a_refused_wish_in_a_group_leaves_no_message_there(peer: TelegramPeer) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam")
    asha.start()
    asha.say("/generate nothing", group)
    await peer.message(asha.chat, lambda one: "I know no raga" in one.text)
    assert group.from_bot == []


async def test_every_press_is_answered_once(peer: TelegramPeer, double: Double) -> None:
    asha = peer.person("Asha")
    asha.say("/raga Yaman")
    card = await peer.message(asha.chat, lambda one: "Yaman" in one.text)
    first = asha.press(card, "♥")
    await peer.until(lambda: first.answer)
    assert first.answer is not None
    assert first.answer["text"] == "It is among your favorites now."
    odd = asha.press_line(card, "no command")
    slow = asha.press_line(card, "/held")
    await peer.until(lambda: odd.answer is not None and slow.answer is not None)
    double.held.set()
    await peer.message(asha.chat, lambda one: "At last." in one.text)
    assert peer.count("answerCallbackQuery") == 3


async def test_a_press_whose_time_is_over_still_works(peer: TelegramPeer, double: Double) -> None:
    asha = peer.person("Asha")
    asha.say("/raga Yaman")
    card = await peer.message(asha.chat, lambda one: "Yaman" in one.text)
    peer.clock.advance(30 * 86_400)
    asha.press_line(card, "/held")
    await peer.until(lambda: double.of("held"))
    peer.clock.advance(120)
    double.held.set()
    await peer.message(asha.chat, lambda one: "At last." in one.text)


async def test_a_heart_is_set_from_the_difference(peer: TelegramPeer, double: Double) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam", admin=True)
    asha.say("/raga Yaman", group)
    card = await peer.message(group, lambda one: "Yaman" in one.text)
    for emoji in (("❤",), ("❤\ufe0f",), ("❤", "👍"), ("👍",), ("👍", "💖"), ()):
        asha.react(card, *emoji)
    asha.say("/raga Desh", group)
    await peer.message(group, lambda one: "Desh" in one.text)
    assert [request.text for request in double.of("favorite")] == [
        "raga:h:Yaman on",
        "raga:h:Yaman off",
        "raga:h:Yaman on",
        "raga:h:Yaman off",
    ]
    assert len(group.from_bot) == 2


async def test_reactions_come_only_where_telegram_tells_them(peer: TelegramPeer, double: Double) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam")
    asha.say("/raga Yaman", group)
    card = await peer.message(group, lambda one: "Yaman" in one.text)
    assert asha.react(card, "❤") is None
    peer.private_reactions = True
    asha.say("/raga Desh")
    own = await peer.message(asha.chat, lambda one: "Desh" in one.text)
    assert asha.react(own, "❤") is not None
    await peer.until(lambda: True)
    asha.say("/raga Kafi")
    await peer.message(asha.chat, lambda one: "Kafi" in one.text)
    assert [request.text for request in double.of("favorite")] == ["raga:h:Desh on"]


async def test_a_replay_needs_no_second_upload(peer: TelegramPeer) -> None:
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    asha.say(f"/play {PIECE}")
    first = await peer.message(asha.chat, lambda one: one.audio is not None)
    ravi.say(f"/play {PIECE}")
    second = await peer.message(ravi.chat, lambda one: one.audio is not None)
    assert first.audio == second.audio
    assert len(peer.files) == 1
    peer.files.clear()  # Telegram has forgotten it
    ravi.say(f"/play {PIECE}")
    await peer.until(lambda: len(ravi.chat.from_bot) == 2)
    assert len(peer.files) == 1


async def test_inline_offers_cards_and_own_pieces(peer: TelegramPeer) -> None:
    asha = peer.person("Asha")
    found = await asha.inline("yaman")
    assert [one["title"] for one in found] == ["Yaman", "Yaman Kalyan"]
    assert "<b>Yaman</b>" in found[0]["input_message_content"]["message_text"]
    asha.say(f"/play {PIECE}")
    await peer.message(asha.chat, lambda one: one.audio is not None)
    found = await asha.inline("")
    assert [one["type"] for one in found] == ["audio", "article", "article", "article"]
    assert await asha.inline("no such raga") == []
    answers = [one.params for one in peer.calls if one.method == "answerinlinequery"]
    assert {one["is_personal"] for one in answers} == {"true"}
