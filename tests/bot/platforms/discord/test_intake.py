"""What was asked before a crash is answered after it."""

from __future__ import annotations

import asyncio

from bot.platforms.discord import DiscordPlatform
from bot.platforms.shelf import Shelf
from tests.bot.platforms.double import Double
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.world import TOKEN, Channel


async def test_what_was_open_at_a_crash_is_taken_up_and_nothing_else(
    peer: DiscordPeer, double: Double, shelf: Shelf, room: Channel
) -> None:
    asha = peer.person("Asha")

    def platform() -> DiscordPlatform:
        return DiscordPlatform(
            double.services(), TOKEN, shelf, api_url=peer.url, gateway_url=peer.gateway_url
        )

    first = platform()
    await first.start()
    await peer.ready()
    await asha.command("raga", room, name="Yaman")
    await peer.message(room, lambda one: "Yaman" in one.text)
    asked = await asha.command("hear", room)
    await peer.until(lambda: double.of("hear"))
    await first.stop()
    double.held.set()
    second = platform()
    await second.start()
    await peer.until(lambda: asked.text == "At last.")
    await second.stop()
    assert [request.command for request in double.requests] == ["raga", "hear", "hear"]
    assert double.requests[1].event == double.requests[2].event
    assert len(room.from_bot) == 2


async def test_what_was_asked_on_another_day_is_let_rest(
    peer: DiscordPeer, double: Double, shelf: Shelf, room: Channel
) -> None:
    for key, kept in enumerate(["no JSON", "3", '{"id": "1"}', '{"id": "2", "type": 2, "token": "old"}']):
        await shelf.put("inbox", str(key), kept)
    platform = DiscordPlatform(
        double.services(), TOKEN, shelf, api_url=peer.url, gateway_url=peer.gateway_url
    )
    await platform.start()
    try:
        await peer.ready()
        await peer.person("Asha").command("raga", room, name="Desh")
        await peer.message(room, lambda one: "Desh" in one.text)
        assert len(double.requests) == 1
        async with asyncio.timeout(10):
            while await shelf.all("inbox"):
                continue
    finally:
        await platform.stop()
