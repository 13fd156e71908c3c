"""The platform alone, with scripted handlers, against the peer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.platforms.discord import DiscordPlatform
from bot.platforms.shelf import Shelf
from tests.bot.platforms.double import Double, write_audio
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.world import TOKEN, Channel, Limits


@pytest.fixture
def limits() -> Limits:
    """A tenth of the usual windows: the tests of the pace itself have them as they are."""
    return Limits(window_s=0.5)


@pytest.fixture
async def peer(limits: Limits) -> AsyncIterator[DiscordPeer]:
    server = DiscordPeer(limits)
    await server.start()
    try:
        yield server
        assert server.problems == []
        assert server.buckets.refused == []
        assert server.interactions.late == []
    finally:
        await server.stop()


@pytest.fixture
def room(peer: DiscordPeer) -> Channel:
    """A channel of a server with the bot in it, known before the bot connects."""
    return peer.guild()


@pytest.fixture(scope="session")
def audio_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_audio(tmp_path_factory.mktemp("audio") / "piece.mp3")


@pytest.fixture
def double(audio_file: Path) -> Double:
    return Double(audio_file)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    kept = Shelf(tmp_path / "discord.sqlite3")
    yield kept
    await kept.close()


@pytest.fixture
async def platform(
    peer: DiscordPeer, room: Channel, double: Double, shelf: Shelf
) -> AsyncIterator[DiscordPlatform]:
    running = DiscordPlatform(double.services(), TOKEN, shelf, api_url=peer.url, gateway_url=peer.gateway_url)
    assert await running.start() == "Raga Bot, in 1 server"
    await peer.ready()
    yield running
    await running.stop()
