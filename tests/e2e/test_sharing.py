"""Pieces made by one on Discord and heard by another on Telegram: by a link, in a playlist, one after another."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from tests.bot_process import BotProcess
from tests.peers.discord import world as discord
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import Person as DiscordPerson
from tests.peers.telegram import world as telegram
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.people import Person as TelegramPerson

OPEN = re.compile(r"/open ([\w-]{22})")
JOIN = re.compile(r"start=([\w-]+)")
DEADLINE_S = 60.0


async def made_on_discord(peer: DiscordPeer, person: DiscordPerson) -> discord.Message:
    """A short piece, in the direct messages."""
    await person.command("generate", raga="Yaman", duration="5s", seed=7)
    await peer.until(lambda: person.direct.audios, "the piece")
    return person.direct.audios[-1]


async def said(
    peer: DiscordPeer, person: DiscordPerson, message: discord.Message, label: str
) -> discord.Message:
    """What a press of this button says, in a message of its own."""
    pressed = await person.press(message, label)
    await peer.until(lambda: pressed.text, label)
    return pressed.answers[-1]


async def tells(
    peer: TelegramPeer, person: TelegramPerson, ask: Callable[[], object], words: str = ""
) -> telegram.Message:
    """The next message in the private chat that has these words."""
    before = {one.ident for one in person.chat.from_bot}
    ask()
    return await peer.message(person.chat, lambda one: one.ident not in before and words in one.text)


async def heard(peer: TelegramPeer, person: TelegramPerson, ask: Callable[[], object]) -> telegram.Message:
    """The next track in the private chat."""
    count = sum(one.audio is not None for one in person.chat.from_bot)
    ask()
    await peer.until(lambda: sum(one.audio is not None for one in person.chat.from_bot) > count, "the audio")
    return [one for one in person.chat.from_bot if one.audio is not None][-1]


async def test_a_piece_is_shared_kept_varied_and_shared_no_longer(
    discord_peer: DiscordPeer, telegram_peer: TelegramPeer, bot: BotProcess
) -> None:
    asha, ravi = discord_peer.person("Asha"), telegram_peer.person("Ravi")
    piece = await made_on_discord(discord_peer, asha)
    shared = await said(discord_peer, asha, piece, "Share")
    token = OPEN.search(shared.text.replace("\\", ""))  # what Discord would take for its markup is escaped
    assert token is not None
    opened = await heard(telegram_peer, ravi, lambda: ravi.say(f"/open {token[1]}"))
    assert "Shared by Asha on Discord" in opened.text
    ravi.press(opened, "♥")
    await tells_favorite(telegram_peer, ravi)
    varied = await heard(telegram_peer, ravi, lambda: ravi.press(opened, "Vary"))
    chain = await tells(telegram_peer, ravi, lambda: ravi.press(varied, "Made after"), "Each was made after")
    assert "yours" in chain.text
    assert "by Asha on Discord" in chain.text

    pressed = await asha.press(shared, "Stop sharing")
    await discord_peer.until(
        lambda: "shared no longer" in shared.text or "shared no longer" in pressed.text, "the end of it"
    )
    mira = telegram_peer.person("Mira")
    refused = await tells(telegram_peer, mira, lambda: mira.say(f"/open {token[1]}"))
    assert "Nothing is shared under that." in refused.text
    assert (
        "Raga Yaman" in (await tells(telegram_peer, ravi, lambda: ravi.say("/favorites"))).text
    )  # kept is kept


async def tells_favorite(peer: TelegramPeer, person: TelegramPerson) -> None:
    """Wait until the piece is among the favorites."""
    async with asyncio.timeout(DEADLINE_S):
        while "Raga Yaman" not in (await tells(peer, person, lambda: person.say("/favorites"))).text:
            continue


async def test_a_playlist_of_two(
    discord_peer: DiscordPeer, telegram_peer: TelegramPeer, bot: BotProcess
) -> None:
    asha, ravi = discord_peer.person("Asha"), telegram_peer.person("Ravi")
    piece = await made_on_discord(discord_peer, asha)
    asked = await asha.command("playlists", name="Monsoon")
    await discord_peer.until(lambda: "is there" in asked.text, "the playlist")
    assert asked.original is not None
    choice = await said(discord_peer, asha, piece, "Playlist")
    added = await asha.press(choice, "1.")
    await discord_peer.until(lambda: "in “Monsoon” now" in added.text, "the word that it is in")
    shown = await said(discord_peer, asha, asked.original, "Open it")
    assert "added by Asha on Discord" in shown.text
    invited = await said(discord_peer, asha, shown, "Invite listeners")
    payload = JOIN.search(invited.text.replace("\\", ""))
    assert payload is not None
    joined = await tells(telegram_peer, ravi, lambda: ravi.start(payload[1]), "You belong to")
    assert "by Asha on Discord" in joined.text
    listed = await tells(telegram_peer, ravi, lambda: ravi.press(joined, "Open it"), "Monsoon")
    played = await heard(telegram_peer, ravi, lambda: ravi.press(listed, "1."))
    assert "Raga Yaman" in played.text
    ravi.press(listed, "Leave it")
    await telegram_peer.until(lambda: "no more" in listed.text, "the word that it is left")
    assert "no playlist yet" in (await tells(telegram_peer, ravi, lambda: ravi.say("/playlists"))).text
