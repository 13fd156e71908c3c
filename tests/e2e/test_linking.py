"""One person on Discord, Telegram and in the page: linked, the same everywhere, parted again, and deleted."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from tests.bot.platforms.web.visit import Tab, Visit
from tests.bot_process import BotProcess
from tests.peers.discord import world as discord
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import Person as DiscordPerson
from tests.peers.telegram import world as telegram
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.people import Person as TelegramPerson

CODE = re.compile(r"/link ([0-9A-Z]{5}-[0-9A-Z]{5})")
PAYLOAD = re.compile(r"start=([\w-]+)")
DEADLINE_S = 30.0


class Asha:
    """The same person in three places; each has the bot's answers of that place."""

    def __init__(self, chat: DiscordPeer, messenger: TelegramPeer) -> None:
        self.chat, self.messenger = chat, messenger
        self.there: DiscordPerson = chat.person("Asha")
        self.phone: TelegramPerson = messenger.person("Ashu")

    async def on_discord(self, command: str, name: str | None = None) -> discord.Message:
        """What a command says in the direct messages."""
        asked = await (self.there.command(command, name=name) if name else self.there.command(command))
        await self.chat.until(lambda: asked.text, f"an answer to /{command}")
        assert asked.original is not None
        return asked.original

    async def on_telegram(self, line: str) -> telegram.Message:
        """What a line says in the private chat."""
        before = {one.ident for one in self.phone.chat.from_bot}
        self.phone.say(line)
        return await self.messenger.message(self.phone.chat, lambda one: one.ident not in before)

    async def told_on_telegram(self, words: str) -> telegram.Message:
        """A message there with these words, which came by itself."""
        return await self.messenger.message(self.phone.chat, lambda one: words in one.text)

    async def told_on_discord(self, words: str) -> discord.Message:
        """The same there."""
        await self.chat.until(lambda: any(words in one.text for one in self.there.direct.from_bot), words)
        return [one for one in self.there.direct.from_bot if words in one.text][-1]


async def favorites(person: Asha, page: Tab | None = None) -> list[set[str]]:
    """The ragas among the favorites, in each place."""
    said = [(await person.on_discord("favorites")).text, (await person.on_telegram("/favorites")).text]
    if page is not None:
        answered = await page.say("/favorites")
        said.append(str(shown(page, answered["message"])))
    return [{name for name in ("Desh", "Marwa", "Kafi") if name in text} for text in said]


async def history_shows(person: Asha, words: str, wanted: list[bool], page: Tab | None = None) -> None:
    """Wait until a piece is in the history of the places as it should be: a notice may come before an answer."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            said = [(await person.on_discord("history")).text, (await person.on_telegram("/history")).text]
            if page is not None:
                said.append(str(shown(page, (await page.say("/history"))["message"])))
            if [words in text for text in said] == wanted:
                return


def shown(page: Tab, message: str) -> dict[str, Any]:
    """A message of the page, as it stands."""
    reply: dict[str, Any] = page.messages[message]["reply"]
    return reply


async def same_everywhere(person: Asha, page: Tab | None, ragas: set[str]) -> None:
    """Wait until all places show these favorites."""
    async with asyncio.timeout(DEADLINE_S):
        while (found := await favorites(person, page)) != [ragas] * (2 if page is None else 3):
            assert all(one <= {"Desh", "Marwa", "Kafi"} for one in found)


async def link_both(person: Asha) -> discord.Message:
    """Link Telegram with Discord by the code; returns the word on Discord that it is done."""
    code = CODE.search((await person.on_discord("link")).text)
    assert code is not None
    question = await person.on_telegram(f"/link {code[1]}")
    assert "Is Asha on Discord you?" in question.text
    person.phone.press(question, "Yes")
    await person.told_on_telegram("wait for the word of Asha on Discord")
    asked = await person.told_on_discord("Is Ashu on Telegram you?")
    pressed = await person.there.press(asked, "Yes")
    await person.chat.until(
        lambda: "one person here now" in asked.text or "one person here now" in pressed.text, "the word"
    )
    await person.told_on_telegram("one person here now")
    return asked


async def test_linked_the_same_everywhere_and_parted_again(
    discord_peer: DiscordPeer, telegram_peer: TelegramPeer, bot: BotProcess
) -> None:
    person = Asha(discord_peer, telegram_peer)
    await person.on_discord("raga", name="Desh")
    card = person.there.direct.from_bot[-1]
    await person.there.press(card, "Favorite")
    await person.on_telegram("/raga Marwa")
    person.phone.press(person.phone.chat.from_bot[-1], "♥")
    async with asyncio.timeout(DEADLINE_S):
        while await favorites(person) != [{"Desh"}, {"Marwa"}]:
            continue

    person.phone.say("/generate Marwa 5s seed 4")
    await telegram_peer.message(person.phone.chat, lambda one: one.audio is not None)
    await history_shows(person, "seed 4", [False, True])

    done = await link_both(person)
    await same_everywhere(person, None, {"Desh", "Marwa"})
    await history_shows(person, "seed 4", [True, True])
    assert "Ashu on Telegram" in (await person.on_discord("me")).text

    async with Visit(bot.url) as visit:
        await visit.arrive()
        async with visit.tab() as page:
            await page.hello()
            answered = await page.say("/link")
            secret = shown(page, answered["message"])
            assert len(secret["qr"]["rows"]) >= 21
            payload = PAYLOAD.search(secret["qr"]["address"])
            assert payload is not None
            before = {one.ident for one in person.phone.chat.from_bot}
            person.phone.start(payload[1])
            question = await telegram_peer.message(person.phone.chat, lambda one: one.ident not in before)
            assert "the chat page you?" in question.text
            person.phone.press(question, "Yes")
            asked = await page.until_message(lambda one: "Is Ashu on Telegram you?" in str(one["reply"]))
            yes = next(
                one["line"]
                for row in asked["reply"]["buttons"]
                for one in row
                if one["label"].startswith("Yes")
            )
            await page.press(asked["id"], yes)
            await page.until_message(lambda one: "one person here now" in str(one["reply"]))
            await page.say("/favorite raga:h:Kafi")
            await same_everywhere(person, page, {"Desh", "Marwa", "Kafi"})
            await history_shows(person, "seed 4", [True, True, True], page)

            # The last link is taken back first, by the page, and then the first one.
            undo = next(
                one["line"]
                for message in page.messages.values()
                for row in (message["reply"] or {}).get("buttons", ())
                for one in row
                if one["line"].startswith("/link undo")
            )
            await page.say(undo)
            await person.told_on_telegram("has taken the link back")
    pressed = await person.there.press(done, "Take it back")
    await discord_peer.until(
        lambda: "is taken back" in done.text or "is taken back" in pressed.text, "the word that it is undone"
    )
    await history_shows(person, "seed 4", [False, True])
    found = await favorites(person)
    assert "Desh" in found[0]
    assert "Marwa" not in found[0]
    assert "Desh" not in found[1]


async def test_in_a_group_a_link_is_refused_kindly(
    discord_peer: DiscordPeer, telegram_peer: TelegramPeer, bot: BotProcess
) -> None:
    person = Asha(discord_peer, telegram_peer)
    group = telegram_peer.group("Forum")
    await person.on_telegram("/help")
    person.phone.say("/link", group)
    refused = await person.told_on_telegram("whoever sees a link code can use it")
    assert CODE.search(refused.text) is None
    assert all("link code" not in one.text for one in group.from_bot)


def kept_of_pieces(state_dir: Path) -> set[str]:
    """The files that the bot keeps of pieces on its own disk."""
    folders = (state_dir / name for name in ("audio", "covers", "downloads"))
    return {path.name for folder in folders if folder.exists() for path in folder.iterdir()}


async def test_unlinked_and_deleted(
    discord_peer: DiscordPeer, telegram_peer: TelegramPeer, bot: BotProcess, state_dir: Path
) -> None:
    person = Asha(discord_peer, telegram_peer)
    await person.on_discord("raga", name="Desh")
    await person.there.press(person.there.direct.from_bot[-1], "Favorite")
    await link_both(person)
    await same_everywhere(person, None, {"Desh"})
    listed = await person.on_telegram("/unlink")
    person.phone.press(listed, "1.")
    sure = await telegram_peer.message(person.phone.chat, lambda one: "Unlink Asha" in one.text)
    person.phone.press(sure, "Yes")
    await person.told_on_telegram("by itself now")
    await person.told_on_discord("has taken this account out")
    assert await favorites(person) == [set(), {"Desh"}]

    person.phone.say("/generate Desh 5s")
    await telegram_peer.until(
        lambda: any(one.audio is not None for one in person.phone.chat.from_bot), "the audio"
    )
    assert any(name.endswith(".mp3") for name in kept_of_pieces(state_dir))
    person.phone.say("/export")
    copy = await telegram_peer.message(person.phone.chat, lambda one: one.content.get("document") is not None)
    with zipfile.ZipFile(
        io.BytesIO(telegram_peer.files[copy.content["document"]["file_id"]].data)
    ) as archive:
        assert json.loads(archive.read("favorites.json"))[0]["raga"] == "Desh"
        assert [one["account"] for one in json.loads(archive.read("you.json"))["accounts"]] == [
            person.phone.account
        ]

    first = await person.on_telegram("/delete")
    person.phone.press(first, "Yes")
    second = await person.told_on_telegram("Once more")
    person.phone.press(second, "Delete everything")
    await person.told_on_telegram("has been deleted")
    async with asyncio.timeout(DEADLINE_S):
        while await asyncio.to_thread(kept_of_pieces, state_dir):
            continue
    assert "nothing of you" in (await person.on_telegram("/me")).text
    assert await favorites(person) == [set(), set()]
