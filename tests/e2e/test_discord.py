"""The real bot as a process on Discord: the peer's people ask, and hear, keep and find again."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path

import pytest

from bot.platforms.shelf import Shelf
from tests.bot_process import BotProcess, children_of, ends_by_itself
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import Person
from tests.peers.discord.world import TOKEN, Channel, Message
from tests.peers.view import discord_page, keep_picture

MONTH_S = 30 * 86_400


@pytest.fixture
def peer(discord_peer: DiscordPeer) -> DiscordPeer:
    return discord_peer


def bot_on(peer: DiscordPeer, state_dir: Path) -> BotProcess:
    return BotProcess(
        state_dir, DISCORD_TOKEN=TOKEN, DISCORD_API_URL=peer.url, DISCORD_GATEWAY_URL=peer.gateway_url
    )


def clean(peer: DiscordPeer, bot: BotProcess) -> None:
    """Nothing went wrong, on neither side."""
    assert [line for line in bot.log if "ERROR" in line or "Traceback" in line or TOKEN in line] == []
    assert peer.problems == []
    assert peer.buckets.refused == []
    assert peer.interactions.late == []
    assert peer.interactions.unanswered == []


def holds(words: str, message: Message) -> bool:
    """Whether a message says something."""
    return words in message.text


async def piece_in(peer: DiscordPeer, channel: Channel, count: int = 1) -> Message:
    """The newest track, when there are so many."""
    await peer.until(lambda: len(channel.audios) == count, "the audio")
    return channel.audios[-1]


async def answer_of(
    peer: DiscordPeer, person: Person, command: str, channel: Channel | None = None
) -> Message:
    """What a command says to one who uses it."""
    asked = await person.command(command, channel)
    await peer.until(lambda: asked.text, f"an answer to /{command}")
    assert asked.original is not None
    return asked.original


async def favorites_say(peer: DiscordPeer, person: Person, words: str, *, count: int = 1) -> None:
    """A heart is set beside what is asked for next: /favorites may be a moment early."""
    for _ in range(50):
        if (await answer_of(peer, person, "favorites")).text.count(words) == count:
            return
    raise AssertionError(f"{words!r} does not come {count} times")


async def noted(state_dir: Path) -> None:
    """What was asked is on the bot's disk, which takes about as long as the peer is away from it here."""
    shelf = Shelf(state_dir / "discord.sqlite3")
    async with asyncio.timeout(10):
        while not await shelf.all("inbox"):
            continue
    await shelf.close()


async def test_look_up_have_made_hear_keep_and_find_again(peer: DiscordPeer, state_dir: Path) -> None:
    room = peer.guild()
    asha = peer.person("Asha", "hi")
    bot = bot_on(peer, state_dir)
    await bot.start()
    assert any("Raga Bot, in 1 server" in line for line in bot.lines)
    try:
        await peer.ready()
        await asha.command("raga", room, name="Yaman")
        card = await peer.message(room, lambda one: "Ṇ R G M♯ D N Ṡ" in one.text, "the card")
        assert card.picture is not None
        assert "komal" not in card.picture["description"]
        assert "tivra Ma" in card.picture["description"]
        for count in (1, 2):
            await asha.press(card, "Hear it")
            heard = await piece_in(peer, room, count)
            assert peer.uploads == 1  # the second time it is forwarded
        assert heard.audio is not None
        assert heard.audio["filename"] == "Yaman - arohana and avarohana.mp3"
        offered = await asha.type("raga", "name", "Yamann Kal", room)
        assert offered[0] == "Yaman Kalyan"
        await asha.command("raga", room, name="Yamann Kalyann")
        await peer.message(room, lambda one: one.text.startswith("Yaman Kalyan"), "the nearest raga")

        asked = await asha.command("generate", room, raga="Yaman", voice="alto", duration="4min", seed=7)
        piece = await piece_in(peer, room, 3)
        assert piece.notified == {asha.ident}
        assert asked.original is not None
        assert piece.reference is not None
        assert int(piece.reference["message_id"]) == asked.original.ident
        await peer.until(lambda: asked.text == "Here it is.", "the end of the progress message")
        # How many states there were is the machine's affair: one at least, each further than the one before.
        shares = [int(share) for share in re.findall(r"(\d+)%", "\n".join(asked.original.history))]
        assert shares
        assert shares == sorted(shares)
        assert asked.original.history[-1] == "Here it is."
        assert asked.original.components == []

        (mp3, drawn) = piece.attachments
        assert mp3["filename"] == "Yaman - Alto - seed 7.mp3"
        assert "as a line of pitch over its swaras" in drawn["description"]
        pressed = await asha.press(piece, "Download")
        await peer.until(lambda: "As what would you like it?" in pressed.text, "the forms")
        assert pressed.answers[0].ephemeral
        chosen = await asha.press(pressed.answers[0], "Opus")
        await peer.until(lambda: any(one.attachments for one in chosen.answers), "the file")
        assert chosen.answers[-1].attachments[0]["filename"] == "Yaman - Alto - seed 7.ogg"

        await keep_picture("discord", discord_page([card, piece]))
        pressed = await asha.press(piece, "Favorite")
        await peer.until(lambda: "favorites" in pressed.text, "the word that it is kept")
        assert pressed.answers[0].ephemeral
        await favorites_say(peer, asha, "Raga Yaman")
        await asha.react(piece, "❤️", twice=True)  # the same favorite
        await asha.react(card, "⭐")
        await favorites_say(peer, asha, "**1. Yaman**")
        await favorites_say(peer, asha, "Raga Yaman")
        await asha.react(piece, "❤️", on=False, twice=True)
        await asha.react(card, "⭐", on=False)
        await favorites_say(peer, asha, "Nothing has your heart")
    finally:
        assert await bot.stop() == 0
    assert children_of(state_dir) == []
    clean(peer, bot)

    peer.clock.advance(MONTH_S)
    again = bot_on(peer, state_dir)
    await again.start()
    try:
        pressed = await asha.press(piece, "Favorite")  # a button from before
        await peer.until(lambda: "favorites" in pressed.text, "the word that it is kept")
        assert (await answer_of(peer, asha, "history", room)).ephemeral
        listed = await answer_of(peer, asha, "history")
        assert not listed.ephemeral
        assert "seed 7" in listed.text
        await asha.press(listed, "1. Play")
        replayed = await piece_in(peer, asha.direct)
        assert replayed.audio == piece.audio
        assert peer.uploads == 3  # the card's picture, the piece, and the file that was taken away
        assert peer.count("publish") == 1
    finally:
        assert await again.stop() == 0
    clean(peer, again)


async def test_the_guide_becomes_the_piece(peer: DiscordPeer, state_dir: Path) -> None:
    room = peer.guild()
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    bot = bot_on(peer, state_dir)
    await bot.start()
    try:
        await peer.ready()
        await asha.command("generate", room)
        guide = await peer.message(room, lambda one: "Who shall play" in one.text, "the guide")
        other = await ravi.press(guide, "Bansuri")
        await peer.until(lambda: other.answers, "a word to who did not ask")
        assert other.answers[0].ephemeral
        for label, then in (
            ("Bansuri", "Bansuri"),
            ("That is all", "What mood"),
            ("Joyful", "What is it for"),
            ("Skip", "How long"),
            ("30 seconds", "How fast"),
        ):
            await asha.press(guide, label)
            await peer.message(room, partial(holds, then), then)
        await asha.press(guide, "Make it now")
        piece = await piece_in(peer, room)
        assert "Bansuri" in piece.text
        await peer.until(lambda: guide.text == "Here it is.", "the guide's end")
    finally:
        assert await bot.stop() == 0
    clean(peer, bot)


@pytest.mark.parametrize("after", ["acknowledgement", "progress"])
async def test_a_killed_bot_finishes_what_it_began_once(
    peer: DiscordPeer, state_dir: Path, after: str
) -> None:
    room = peer.guild()
    asha = peer.person("Asha")
    bot = bot_on(peer, state_dir)
    await bot.start()
    await peer.ready()
    held = peer.fault("acknowledge", "slow") if after == "acknowledgement" else None
    asked = await asha.command("generate", room, raga="Yaman", duration="4min", seed=3)
    if held is None:
        await peer.until(lambda: asked.original is not None and len(asked.original.history) >= 3, "progress")
    else:
        await peer.until(lambda: held.seen, "the word that an answer comes")
        await noted(state_dir)
    await bot.kill()
    if held is not None:
        held.released.set()
    again = bot_on(peer, state_dir)
    await again.start()
    try:
        piece = await piece_in(peer, room)
        assert piece.notified == {asha.ident}
        await asha.command("raga", room, name="Desh")
        await peer.message(room, lambda one: one.text.startswith("Desh"), "another answer")
        assert len(room.audios) == 1
    finally:
        assert await again.stop() == 0
    peer.interactions.late.clear()  # nobody is in time who is dead
    clean(peer, again)


async def test_a_bot_killed_after_the_post_and_before_its_answer_posts_no_double(
    peer: DiscordPeer, state_dir: Path
) -> None:
    room = peer.guild()
    asha = peer.person("Asha")
    bot = bot_on(peer, state_dir)
    await bot.start()
    await peer.ready()
    peer.fault("post", "lost")
    asked = await asha.command("generate", room, raga="Yaman", duration="10s", seed=3)
    await piece_in(peer, room)
    await bot.kill()
    peer.clock.advance(600)  # longer than Discord knows a nonce
    again = bot_on(peer, state_dir)
    await again.start()
    try:
        await peer.until(lambda: asked.text == "Here it is.", "the end of the progress message")
        assert len(room.audios) == 1
        assert peer.uploads == 1
    finally:
        assert await again.stop() == 0
    clean(peer, again)


async def test_a_wrong_token_is_said_at_the_start(peer: DiscordPeer, state_dir: Path) -> None:
    token = "a.wrong.token_of_the_tests"
    settings = {"DISCORD_API_URL": peer.url, "DISCORD_GATEWAY_URL": peer.gateway_url}
    says = "Discord does not accept DISCORD_TOKEN"
    assert token not in await ends_by_itself(state_dir, says, DISCORD_TOKEN=token, **settings)
