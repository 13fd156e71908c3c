"""The commands that Telegram offers: by language and kind of chat, and set only when they have changed."""

from __future__ import annotations

from telegram import Bot

from bot.platforms.shelf import Shelf
from bot.platforms.telegram import menu
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.world import TOKEN


async def test_commands_are_set_by_language_and_scope_when_they_change(
    peer: TelegramPeer, shelf: Shelf
) -> None:
    async with Bot(TOKEN, base_url=f"{peer.url}/bot") as bot:
        assert await menu.publish(bot, shelf)
        assert {language for _, language in peer.commands} == {"", "hi", "ta"}
        assert {scope for scope, _ in peer.commands} == {
            "default",
            "all_private_chats",
            "all_group_chats",
            "all_chat_administrators",
        }
        for scope in ("default", "all_private_chats", "all_group_chats"):
            assert "settings" not in [one["command"] for one in peer.commands[scope, ""]]
        managing = [one["command"] for one in peer.commands["all_chat_administrators", ""]]
        assert managing[0] == "raga"
        assert managing[-4:] == ["settings", "block", "unblock", "audit"]
        assert [one["command"] for one in peer.commands["default", "hi"]][:2] == ["raga", "search"]
        assert "राग" in peer.commands["all_group_chats", "hi"][0]["description"]
        assert not await menu.publish(bot, shelf)
        assert peer.count("setMyCommands") == 12
        await shelf.put("commands", "digest", "of an older version")
        assert await menu.publish(bot, shelf)
