"""Discord: from an interaction to the first call that answers it, beside a bare bot of the same library."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import discord
from discord import app_commands

from benchmarks.report import Figure, first_calls
from bot.platforms.discord.client import redirect
from tests.bot_process import BotProcess
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.world import TOKEN, Channel

_QUESTIONS = 150
_WARM_UP = 10
_GAP_S = 0.06


def _more(peer: DiscordPeer, count: int) -> bool:
    return peer.count("acknowledge") > count


async def _asked(peer: DiscordPeer, room: Channel) -> list[float]:
    """Milliseconds from each interaction to the call that acknowledges it."""
    times: list[float] = []
    for number in range(_WARM_UP + _QUESTIONS):
        person = peer.person(f"Person {number}")
        count = peer.count("acknowledge")
        began = peer.clock.now()
        await person.command("raga", room, name="Yaman")
        await peer.until(partial(_more, peer, count))
        answered = next(call for call in reversed(peer.calls) if call.route == "acknowledge")
        times.append((answered.at_s - began) * 1000.0)
        await asyncio.sleep(_GAP_S)
    return times[_WARM_UP:]


async def _bare() -> list[float]:
    peer = DiscordPeer()
    await peer.start()
    room = peer.guild()
    redirect(peer.url, peer.gateway_url)
    client = discord.AutoShardedClient(intents=discord.Intents(guilds=True))
    tree = app_commands.CommandTree(client)

    @tree.command(name="raga", description="says nothing yet")
    async def raga(interaction: discord.Interaction[Any], name: str) -> None:
        del name
        await interaction.response.defer(thinking=True)

    await client.login(TOKEN)
    running = asyncio.create_task(client.connect())
    try:
        await client.wait_until_ready()
        # The tree's own way of telling its commands leaves fields out that this peer asks for.
        peer.commands["raga"] = {
            "id": "77",
            "name": "raga",
            "options": [{"name": "name", "type": 3, "description": "a name"}],
        }
        return await _asked(peer, room)
    finally:
        await client.close()
        with suppress(asyncio.CancelledError):
            running.cancel()
            await running
        await peer.stop()


async def _ours() -> list[float]:
    peer = DiscordPeer()
    await peer.start()
    room = peer.guild()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"DISCORD_API_URL": peer.url, "DISCORD_GATEWAY_URL": peer.gateway_url}
        bot = BotProcess(Path(folder), DISCORD_TOKEN=TOKEN, WORKERS="0", **settings)
        await bot.start()
        try:
            await peer.ready()
            await bot.until_logged("The catalogue is in Convex")
            return await _asked(peer, room)
        finally:
            await bot.stop()
            await peer.stop()


async def measure() -> list[Figure]:
    """p50 and p99, and their ratio to the bare bot's."""
    bare, ours = await _bare(), await _ours()
    return first_calls("Discord", ours, "discord.py", bare)
