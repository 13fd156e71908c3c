"""State folders of bots that have run before: the catalogue is in their Convex, which takes a while only once."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.bot_process import ROOT, BotProcess, bare_environment, children_of
from tests.peers.discord import world as discord
from tests.peers.discord.peer import DiscordPeer
from tests.peers.telegram import world as telegram
from tests.peers.telegram.peer import TelegramPeer

_SEEDED_WITHIN_S = 180.0


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with the catalogue in Convex, made once for all the processes that test at the same time."""
    shared = tmp_path_factory.getbasetemp().parent
    folder, done = shared / "seeded", shared / "seeded.done"
    with (shared / "seeded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            said = subprocess.run(
                [sys.executable, "-m", "bot", "catalogue", "sync"],
                cwd=ROOT,
                env=bare_environment(folder),
                check=True,
                timeout=_SEEDED_WITHIN_S,
                capture_output=True,
                text=True,
            )
            done.write_text(json.dumps([said.stdout, said.stderr]))
    return folder


@pytest.fixture
def first_sync(seeded: Path) -> tuple[str, str]:
    """What the seeding of the empty deployment said, on standard output and on standard error."""
    output, errors = json.loads(seeded.with_name("seeded.done").read_text())
    return output, errors


@pytest.fixture
def state_dir(seeded: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test."""
    return Path(shutil.copytree(seeded, tmp_path / "state"))


@pytest.fixture(scope="module")
def shared_state_dir(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Another, for all tests of a module: nothing that was started on it outlasts them."""
    folder = Path(shutil.copytree(seeded, tmp_path_factory.mktemp("state") / "state"))
    yield folder
    assert children_of(folder) == []


@pytest.fixture
async def discord_peer() -> AsyncIterator[DiscordPeer]:
    """Discord, as far as the bot sees it."""
    server = DiscordPeer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def telegram_peer() -> AsyncIterator[TelegramPeer]:
    """Telegram, as far as the bot sees it."""
    server = TelegramPeer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
def further() -> dict[str, str]:
    """Further settings of the bot; a module that needs some has a fixture of this name."""
    return {}


@pytest.fixture
async def bot(
    discord_peer: DiscordPeer, telegram_peer: TelegramPeer, state_dir: Path, further: dict[str, str]
) -> AsyncIterator[BotProcess]:
    """A bot on both of them and in the page."""
    running = BotProcess(
        state_dir,
        DISCORD_TOKEN=discord.TOKEN,
        DISCORD_API_URL=discord_peer.url,
        DISCORD_GATEWAY_URL=discord_peer.gateway_url,
        TELEGRAM_TOKEN=telegram.TOKEN,
        TELEGRAM_API_URL=telegram_peer.url,
        **further,
    )
    await running.start()
    try:
        yield running
    finally:
        assert await running.stop() == 0
    assert children_of(state_dir) == []
    assert [line for line in running.log if "ERROR" in line or "Traceback" in line] == []
    assert discord_peer.problems == telegram_peer.problems == []
    assert discord_peer.interactions.unanswered == []
    assert telegram_peer.people.unanswered == []
