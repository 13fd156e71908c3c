"""The platform alone, with scripted handlers, against the peer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.platforms.shelf import Shelf
from bot.platforms.telegram import TelegramPlatform, pace
from tests.bot.platforms.double import Double, write_audio
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.world import TOKEN, Limits

QUICK = Limits(chat_gap_s=0.08)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """A tenth of the usual gaps, on both sides: the tests of the pace itself have a clock of their own."""
    monkeypatch.setattr(pace, "GAP_S", 0.11)
    monkeypatch.setattr(pace, "PROGRESS_GAP_S", 0.3)
    return QUICK


@pytest.fixture
async def peer(limits: Limits) -> AsyncIterator[TelegramPeer]:
    server = TelegramPeer(limits)
    await server.start()
    try:
        yield server
        assert server.problems == []
        assert server.flood.refused == []
    finally:
        await server.stop()


@pytest.fixture(scope="session")
def audio_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_audio(tmp_path_factory.mktemp("audio") / "piece.mp3")


@pytest.fixture
def double(audio_file: Path) -> Double:
    return Double(audio_file)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    kept = Shelf(tmp_path / "telegram.sqlite3")
    yield kept
    await kept.close()


@pytest.fixture
async def platform(peer: TelegramPeer, double: Double, shelf: Shelf) -> AsyncIterator[TelegramPlatform]:
    running = TelegramPlatform(double.services(), TOKEN, shelf, api_url=peer.url)
    assert await running.start() == "@raga_peer_bot, by polling"
    yield running
    await running.stop()
