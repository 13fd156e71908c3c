"""The real bot as a process on Telegram: the peer's people ask, and hear, keep and find again."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.bot_process import BotProcess, children_of, ends_by_itself
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.people import Asked, Person
from tests.peers.telegram.world import TOKEN, Chat, Message
from tests.peers.view import keep_picture, telegram_page

MONTH_S = 30 * 86_400


@pytest.fixture
def peer(telegram_peer: TelegramPeer) -> TelegramPeer:
    return telegram_peer


def bot_on(peer: TelegramPeer, state_dir: Path) -> BotProcess:
    return BotProcess(state_dir, TELEGRAM_TOKEN=TOKEN, TELEGRAM_API_URL=peer.url)


def clean(peer: TelegramPeer, bot: BotProcess) -> None:
    """Nothing went wrong, on neither side."""
    assert [line for line in bot.log if "ERROR" in line or "Traceback" in line or TOKEN in line] == []
    assert peer.problems == []
    assert peer.flood.refused == []
    assert peer.people.unanswered == []


async def flashed(peer: TelegramPeer, asked: Asked) -> str:
    await peer.until(lambda: asked.answer is not None, "the answer to a press")
    assert asked.answer is not None
    return str(asked.answer.get("text", ""))


async def piece_in(peer: TelegramPeer, chat: Chat, count: int = 1) -> Message:
    """The newest track, when there are so many."""
    await peer.until(lambda: sum(one.audio is not None for one in chat.from_bot) == count, "the audio")
    return [one for one in chat.from_bot if one.audio is not None][-1]


async def says(peer: TelegramPeer, message: Message, words: str) -> None:
    await peer.until(lambda: words in message.text, words)


async def favorites(peer: TelegramPeer, person: Person) -> str:
    """What /favorites says now."""
    before = {one.ident for one in person.chat.from_bot}
    person.say("/favorites")
    said = await peer.message(person.chat, lambda one: one.ident not in before, "the favorites")
    return said.text


async def kept(peer: TelegramPeer, person: Person, words: str) -> None:
    """A reaction in another chat is handled beside what is said in this one: /favorites may be a moment early."""
    async with asyncio.timeout(30):
        while words not in await favorites(peer, person):
            continue


async def test_look_up_have_made_hear_keep_and_find_again(peer: TelegramPeer, state_dir: Path) -> None:
    peer.private_reactions = True
    asha = peer.person("Asha", "hi")
    bot = bot_on(peer, state_dir)
    await bot.start()
    assert any("@raga_peer_bot, by polling" in line for line in bot.lines)
    try:
        asha.start()
        await peer.message(asha.chat, lambda one: "What I can do" in one.text, "the greeting")
        looked = asha.say("/raga Yaman")
        card = await peer.message(asha.chat, lambda one: "<b>Yaman</b>" in one.text, "the card")
        assert "Ṇ R G M♯ D N Ṡ" in card.text
        assert card.photo is not None
        assert card.photo[-1]["width"] > card.photo[0]["width"] >= 300
        for count in (1, 2):
            asha.press(card, "Hear it")
            heard = await piece_in(peer, asha.chat, count)
            assert heard.audio is not None
            assert 10 <= heard.audio["duration"] <= 15
            sounds = sum(one.kind == "audio" for one in peer.files.values())
            assert sounds == 1  # the second time it is sent by its file id
        asha.say("/raga Yamann Kalyann")
        await peer.message(asha.chat, lambda one: "Yaman Kalyan" in one.text, "the nearest raga")

        said = asha.say("/generate Yaman 4min seed 7")
        piece = await piece_in(peer, asha.chat, 3)
        assert piece.reply_to == said.ident
        assert piece.audio is not None
        assert piece.audio["duration"] == 240
        await peer.until(lambda: peer.count("deleteMessage"), "the end of the progress message")
        # How many states there were is the machine's affair: one at least, each further than the one before.
        states = [str(one.params["text"]) for one in peer.calls if one.method == "editmessagetext"]
        shares = [int(share) for share in re.findall(r"(\d+)%", "\n".join(states))]
        assert shares
        assert shares == sorted(shares)

        asha.press(piece, "Download")
        forms = await peer.message(asha.chat, lambda one: "As what would you like it?" in one.text)
        asha.press(forms, "MIDI")
        midi = await peer.message(asha.chat, lambda one: one.content.get("document") is not None)
        assert peer.files[midi.content["document"]["file_id"]].data[:4] == b"MThd"
        asha.press(forms, "Picture")
        shown_whole = await peer.message(
            asha.chat, lambda one: one.photo is not None and one.ident > midi.ident
        )
        assert shown_whole.photo is not None
        assert shown_whole.photo[-1]["width"] == 1000

        await keep_picture("telegram", telegram_page([looked, card, said, piece], peer.files))
        assert "favorites" in await flashed(peer, asha.press(piece, "♥"))
        assert (await favorites(peer, asha)).count("Raga Yaman") == 1
        number = asha.react(piece, "❤")  # the same favorite
        asha.react(piece, "❤\ufe0f")
        asha.react(card, "⭐")
        text = await favorites(peer, asha)
        assert text.count("Raga Yaman") == 1
        assert "2. <b>Yaman</b>" in text or "1. <b>Yaman</b>" in text
        assert number is not None
        asha.react(piece)
        asha.react(card)
        assert "Nothing has your heart" in await favorites(peer, asha)
    finally:
        assert await bot.stop() == 0
    assert children_of(state_dir) == []
    clean(peer, bot)

    peer.clock.advance(MONTH_S)
    again = bot_on(peer, state_dir)
    await again.start()
    try:
        assert "favorites" in await flashed(peer, asha.press(piece, "♥"))  # a button from before
        asha.say("/history")
        listed = await peer.message(asha.chat, lambda one: "Your pieces" in one.text)
        assert "seed 7" in listed.text
        asha.press(listed, "Play")
        replayed = await piece_in(peer, asha.chat, 4)
        assert replayed.audio == piece.audio
        assert sum(one.kind == "audio" for one in peer.files.values()) == 2
        seen = asha.chat.from_bot[-1]
        asha.say("/raga yaman")
        shown_again = await peer.message(
            asha.chat, lambda one: one.photo is not None and one.ident > seen.ident
        )
        assert shown_again.photo == card.photo  # by its name at Telegram, without an upload
        assert [one["type"] for one in await asha.inline("yaman")][:2] == ["audio", "article"]
    finally:
        assert await again.stop() == 0
    clean(peer, again)


async def test_a_group_with_a_topic_and_what_stays_private(peer: TelegramPeer, state_dir: Path) -> None:
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    forum = peer.group("Sangam", admin=True, topics=(9,))
    bot = bot_on(peer, state_dir)
    await bot.start()
    try:
        said = asha.say("/generate@raga_peer_bot Desh 10s", forum, thread=9)
        piece = await piece_in(peer, forum)
        assert (piece.reply_to, piece.thread) == (said.ident, 9)
        ravi.start()
        await peer.message(ravi.chat, lambda one: "What I can do" in one.text)
        ravi.react(piece, "💖")
        await kept(peer, ravi, "Raga Desh")
        asha.say("/history", forum, thread=9)
        notice = await peer.message(forum, lambda one: "for you alone" in one.text)
        assert notice.thread == 9
        asha.press(notice, "Open the private chat")
        await peer.message(asha.chat, lambda one: "Your pieces" in one.text)
        ravi.press(piece, "Another take")
        await piece_in(peer, forum, 2)
    finally:
        assert await bot.stop() == 0
    clean(peer, bot)


async def test_the_guide_ends_in_a_piece(peer: TelegramPeer, state_dir: Path) -> None:
    asha = peer.person("Asha")
    bot = bot_on(peer, state_dir)
    await bot.start()
    try:
        asha.say("/generate")
        guide = await peer.message(asha.chat, lambda one: "Who shall play" in one.text)
        for label, then in (
            ("Bansuri", "Bansuri"),
            ("That is all", "What mood"),
            ("Joyful", "What is it for"),
            ("Skip", "How long"),
            ("30 seconds", "How fast"),
        ):
            asha.press(guide, label)
            await says(peer, guide, then)
        asha.press(guide, "Make it now")
        piece = await piece_in(peer, asha.chat)
        assert "Bansuri · 30 s" in piece.text
    finally:
        assert await bot.stop() == 0
    clean(peer, bot)


@pytest.mark.parametrize("after", ["placeholder", "progress"])
async def test_a_killed_bot_finishes_what_it_began_once(
    peer: TelegramPeer, state_dir: Path, after: str
) -> None:
    asha = peer.person("Asha")
    bot = bot_on(peer, state_dir)
    await bot.start()
    held = peer.fault("editMessageText", "slow") if after == "placeholder" else None
    asha.say("/generate Yaman 4min seed 3")  # long enough to be killed in the middle
    if held is not None:
        await peer.until(lambda: held.seen)
    else:
        await peer.until(lambda: peer.count("editMessageText") >= 2, "progress")
    await bot.kill()
    if held is not None:
        held.released.set()
    peer.clock.advance(2)
    again = bot_on(peer, state_dir)
    await again.start()
    try:
        await piece_in(peer, asha.chat)
        asha.say("/raga Desh")
        await peer.message(asha.chat, lambda one: "<b>Desh</b>" in one.text)
        assert len(asha.chat.from_bot) == 2
    finally:
        assert await again.stop() == 0
    clean(peer, again)


async def test_a_bot_killed_after_the_post_and_before_its_answer_counts_its_double(
    peer: TelegramPeer, state_dir: Path
) -> None:
    asha = peer.person("Asha")
    bot = bot_on(peer, state_dir)
    await bot.start()
    peer.fault("sendAudio", "lost")
    asha.say("/generate Yaman 10s seed 3")
    await piece_in(peer, asha.chat)
    await bot.kill()
    peer.clock.advance(2)
    again = bot_on(peer, state_dir)
    await again.start()
    try:
        await piece_in(peer, asha.chat, 2)
        asha.say("/raga Desh")
        await peer.message(asha.chat, lambda one: "<b>Desh</b>" in one.text)
        doubles = sum(one.audio is not None for one in asha.chat.from_bot) - 1
        print(f"doubles: {doubles}")
        assert doubles == 1  # nothing is lost; Telegram has no key against this one double
        assert peer.count("sendAudio") == 1
    finally:
        assert await again.stop() == 0


async def test_a_second_poller_ends_the_process(peer: TelegramPeer, state_dir: Path) -> None:
    peer.updates.conflict = True
    says = "another process fetches messages with the same TELEGRAM_TOKEN"
    said = await ends_by_itself(state_dir, says, TELEGRAM_TOKEN=TOKEN, TELEGRAM_API_URL=peer.url)
    assert TOKEN not in said


async def test_a_wrong_token_is_said_at_the_start(peer: TelegramPeer, state_dir: Path) -> None:
    token = "123456:a_wrong_token_of_the_tests"
    says = "does not accept TELEGRAM_TOKEN"
    said = await ends_by_itself(state_dir, says, TELEGRAM_TOKEN=token, TELEGRAM_API_URL=peer.url)
    assert token not in said
