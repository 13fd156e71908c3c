"""What is kept on disk goes with the pieces that it is of, through whatever trouble there is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot import sweeping
from bot.sweeping import Sweeper
from handlers.errors import UnavailableError

DEADLINE_S = 20.0


@dataclass
class Convex:
    """Which ids have gone, and how often it is out of reach."""

    lost: set[str] = field(default_factory=set)
    refuse: int = 0
    asked: list[list[str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def gone(self, ids: Sequence[str]) -> frozenset[str]:
        self.asked.append(list(ids))
        self.changed.set()
        if self.refuse:
            self.refuse -= 1
            raise UnavailableError
        return frozenset(self.lost.intersection(ids))

    async def until(self, times: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while len(self.asked) < times:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    audio, downloads = tmp_path / "audio", tmp_path / "downloads"
    for path in (
        audio / "k1.mp3",
        audio / "k2.mp3",
        audio / ".k2.ab12",
        downloads / "k2.zip",
        downloads / "p1.wav",
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return [audio, downloads, tmp_path / "never made"]


def left(folders: list[Path]) -> list[str]:
    return sorted(path.name for folder in folders if folder.exists() for path in folder.iterdir())


async def test_a_sweep_takes_what_has_gone_and_nothing_else(folders: list[Path]) -> None:
    convex = Convex(lost={"k2", "elsewhere"})
    sweeper = Sweeper(folders, convex.gone)
    assert await sweeper.sweep() == 2
    assert convex.asked == [["k1", "k2", "p1"]]
    assert left(folders) == [".k2.ab12", "k1.mp3", "p1.wav"]
    assert await sweeper.sweep() == 0


async def test_nothing_is_asked_where_nothing_is_kept(tmp_path: Path) -> None:
    convex = Convex()
    assert await Sweeper([tmp_path], convex.gone).sweep() == 0
    assert convex.asked == []


async def test_it_sweeps_at_the_start_and_when_woken_and_goes_on_after_trouble(
    folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "_PAUSES_S", (0.01, 0.02))
    convex = Convex(lost={"k1"}, refuse=2)
    sweeper = Sweeper(folders, convex.gone)
    await sweeper.start()
    try:
        await convex.until(3)
        convex.lost = {"k1", "p1"}
        for times in (4, 5):  # whatever is asked next, the sweep before has ended
            sweeper.wake()
            await convex.until(times)
    finally:
        await sweeper.stop()
    assert convex.asked == [["k1", "k2", "p1"]] * 3 + [["k2", "p1"], ["k2"]]
    assert left(folders) == [".k2.ab12", "k2.mp3", "k2.zip"]
