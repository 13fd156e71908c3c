"""Who looks after a server or a group sets limits and shuts somebody out, and a bot that is taken out forgets it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from pathlib import Path
from typing import Any

from tests.bot_process import ROOT, BotProcess, bare_environment
from tests.peers.discord import world as discord
from tests.peers.discord.interactions import Asked
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import MANAGE_GUILD
from tests.peers.telegram import world as telegram
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.people import Person

DEADLINE_S = 30.0
_RAN = "SELECT number FROM tables WHERE name = '_scheduled_functions'"


async def told(peer: DiscordPeer, how: Asked) -> str:
    """What was answered, which is for the asker alone."""
    await peer.until(lambda: how.text, "an answer")
    assert all(one.ephemeral for one in how.answers)
    return how.text


def says(state_dir: Path, words: str) -> list[str]:
    """The tables in the databases below the state folder that hold these words anywhere.

    Convex's own record of what it has run in the background names its arguments for some days more.
    """
    found = []
    for path in sorted(state_dir.rglob("*.sqlite*")):
        if path.suffix not in (".sqlite3", ".sqlite"):
            continue
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            names = [str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            ran = _RAN if path.name == "convex.sqlite" else ""
            (number,) = db.execute(ran).fetchone() if ran else (None,)
            for name in names:
                for row in db.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - a table's own name
                    if name in ("documents", "entries") and row[1] == number:
                        continue
                    if any(words.encode() in _bytes(value) for value in row):
                        found.append(f"{path.name}:{name}")
    return found


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


async def forgotten(state_dir: Path, *words: str) -> None:
    """Wait until nothing holds any of these words but the record of what was made, which stays with whose it is."""
    left: list[str] = []
    try:
        async with asyncio.timeout(DEADLINE_S):
            while left := [
                f"{one} {word}" for word in words for one in await asyncio.to_thread(says, state_dir, word)
            ]:
                continue
    except TimeoutError:
        raise AssertionError(f"still there: {left}") from None


async def operate(state_dir: Path, *arguments: str) -> str:
    """`raga-bot …` beside the running bot; what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        env=bare_environment(state_dir),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def answer_to(peer: TelegramPeer, person: Person, line: str, chat: telegram.Chat) -> str:
    """What the next message in somebody's own chat says after they have said a line somewhere."""
    before = {one.ident for one in person.chat.from_bot}
    person.say(line, chat)
    return (await peer.message(person.chat, lambda one: one.ident not in before)).text


async def test_a_server_is_looked_after_and_left(
    discord_peer: DiscordPeer, bot: BotProcess, state_dir: Path
) -> None:
    peer = discord_peer
    room = peer.guild("Sangam")
    guild = room.guild
    assert guild is not None
    other = peer.channel(guild, "other")
    await peer.gateway.emit("GUILD_CREATE", guild.json(), guild.ident)
    await peer.ready()
    guru, asha = peer.person("Guru"), peer.person("Asha")
    guru.permissions[guild.ident] = MANAGE_GUILD
    guild.opened |= {"settings", "audit"}
    assert "for those who look after" in await told(peer, await asha.command("settings", room))
    assert "for those who look after" in await told(peer, await asha.command("audit", room))

    settings = await guru.command("settings", room)
    assert "no limit of its own" in await told(peer, settings)
    pressed = await guru.press(settings.answers[0], "60s")
    await peer.until(lambda: "Longest piece: 60 s" in settings.text, "the new limit")
    assert pressed.more == []
    forged = await asha.send(
        settings.answers[0], {"custom_id": "/settings longest:none", "component_type": 2}
    )
    await peer.until(lambda: forged.more, "a refusal")
    assert "for those who look after" in forged.more[0].text
    assert forged.more[0].ephemeral
    await guru.press(settings.answers[0], "Pieces in this channel")
    await peer.until(lambda: "Channels for pieces: \\#general" in settings.text, "the channel")

    thread = peer.thread(room)
    refused = await asha.command("generate", room, raga="Yaman", duration="2min")
    assert "60 seconds at most" in await told(peer, refused)
    refused = await asha.command("generate", other, raga="Yaman", duration="5s")
    assert "Pieces are made in other chats of this group." in await told(peer, refused)
    made = await asha.command("generate", thread, raga="Yaman", duration="5s")
    await peer.until(lambda: thread.audios, "a piece in a thread of the channel")
    await peer.until(lambda: made.text == "Here it is.", "the end of it")

    assert "no more pieces made here" in await told(peer, await guru.command("block", room, person=asha))
    refused = await asha.command("generate", room, raga="Yaman", duration="5s")
    assert "In a direct message you still can" in await told(peer, refused)
    listed = await guru.command("unblock", room)
    assert "Asha" in await told(peer, listed)
    await guru.press(listed.answers[0], "Asha")
    await peer.until(lambda: "Nobody is blocked here." in listed.text, "nobody")
    audit = await told(peer, await guru.command("audit", room))
    lines = [line for line in audit.splitlines() if "Guru on Discord" in line]
    assert [line.partition("Guru on Discord ")[2].strip("*") for line in lines] == [
        "unblocked Asha",
        "blocked Asha",
        "set channels: #general",
        "set longest piece: 60 s",
    ]
    limited = await guru.command("settings", room, hour="1")
    assert "Left now: 1 of 1" in await told(peer, limited)
    await asha.command("generate", room, raga="Yaman", duration="5s")
    await peer.until(lambda: room.audios, "a piece again")
    refused = await asha.command("generate", room, raga="Yaman", duration="5s")
    assert "1 piece was made here within an hour." in await told(peer, refused)

    assert "discord:" in await operate(state_dir, "audit")
    assert says(state_dir, str(thread.ident)) != []
    await peer.remove_bot(guild)
    # Which server a piece was asked for in stands with the piece, and is its owner's.
    await forgotten(state_dir, str(room.ident), str(thread.ident))
    assert "0 changes" in await operate(state_dir, "audit")


async def test_a_group_is_looked_after_and_left(
    telegram_peer: TelegramPeer, bot: BotProcess, state_dir: Path
) -> None:
    peer = telegram_peer
    group, larger = peer.group("Sangam", kind="group"), peer.group("Sangam")
    guru, asha = peer.person("Guru"), peer.person("Asha")
    for chat in (group, larger):
        chat.owner = guru.ident
    for person in (guru, asha):
        person.start()
        await peer.message(person.chat, lambda one: "What I can do" in one.text)

    async def hears(chat: telegram.Chat, words: str) -> telegram.Message:
        return await peer.message(chat, lambda one: words in one.text, words)

    asha.say("/settings hour:1", group)
    await hears(asha.chat, "for those who look after")
    guru.say("/settings")
    await hears(guru.chat, "a Discord server, or a Telegram group")
    guru.say("/settings longest:60s", group)
    settings = await hears(guru.chat, "<b>Longest piece</b>: 60 s")
    forged = asha.press_line(settings, "/settings longest:none")
    await peer.until(lambda: forged.answer, "an answer to a forged press")
    await hears(asha.chat, "for those who look after")
    guru.press(settings, "20")
    await peer.until(lambda: "<b>Pieces an hour</b>: 20" in settings.text, "the new limit")

    said = asha.say("/generate Yaman 2min", group)
    await hears(asha.chat, "60 seconds at most")
    guru.say("/block", group, answers=said)
    await hears(guru.chat, "Asha can have no more pieces made here")
    guru.moves(group, larger)  # what was set and who is shut out moves along
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if "blocked Asha" in await answer_to(peer, guru, "/audit", larger):
                break
    said = asha.say("/generate Yaman 5s", larger)
    await hears(asha.chat, "In a direct message you still can")
    guru.say("/unblock", larger, answers=said)
    await hears(guru.chat, "Asha can have pieces made here again")
    asha.say("/generate Yaman 5s", larger)
    await peer.message(larger, lambda one: one.audio is not None, "the piece")
    guru.say("/audit", larger)
    await hears(guru.chat, "unblocked Asha")

    guru.takes_out(larger, "kicked")
    await forgotten(state_dir, "unblocked", f"{larger.ident}/")
    assert "0 changes" in await operate(state_dir, "audit")
    asha.say("/generate Yaman 5s")
    await peer.message(asha.chat, lambda one: one.audio is not None, "the piece in private")
    piece = asha.chat.find(lambda one: one.audio is not None)
    assert piece is not None
    asha.block()
    await forgotten(state_dir, f"{asha.ident}/")


async def test_the_operator_announces_and_bans(
    discord_peer: DiscordPeer, bot: BotProcess, state_dir: Path
) -> None:
    peer = discord_peer
    await peer.ready()
    asha = peer.person("Asha")

    async def answer(command: str, **options: Any) -> str:
        how = await asha.command(command, **options)
        await peer.until(lambda: how.text, f"an answer to /{command}")
        return how.text

    assert "told with /help" in await operate(state_dir, "announce", "Maintenance at noon.")
    async with asyncio.timeout(DEADLINE_S):
        while "Maintenance at noon." not in await answer("help"):
            continue
    assert "Maintenance" not in await answer("raga", name="Yaman")
    begun = await asha.command("generate", raga="Yaman", duration="5s")
    await peer.until(lambda: begun.original is not None and "noon" in "".join(begun.original.history), "it")
    await peer.until(lambda: asha.direct.audios, "the piece")
    assert "noon" not in asha.direct.audios[0].text
    await operate(state_dir, "announce", "--off")
    async with asyncio.timeout(DEADLINE_S):
        while "Maintenance at noon." in await answer("help"):
            continue
    assert "no pieces made anywhere" in await operate(state_dir, "ban", asha.account)
    refused = await asha.command("generate", raga="Yaman", duration="5s")
    await peer.until(lambda: "/export and /delete still work" in refused.text, "a refusal")
    await operate(state_dir, "unban", asha.account)
    log = await operate(state_dir, "audit", "--last", "3")
    assert [line.split(" | ")[1:] for line in log.splitlines() if " | " in line] == [
        ["everywhere", "the operator, or somebody who is gone", "unblocked somebody"],
        ["everywhere", "the operator, or somebody who is gone", "blocked somebody"],
        ["everywhere", "the operator, or somebody who is gone", "took the announcement back"],
    ]
    await asha.command("generate", raga="Yaman", duration="5s")
    await peer.until(lambda: len(asha.direct.audios) == 2, "a piece again")
    assert discord.TOKEN not in log
