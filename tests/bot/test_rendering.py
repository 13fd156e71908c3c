"""Rendering processes that work, refuse, fail, crash and hang."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rendering import LoadEngine, RenderError, Renderers, load_engine
from music.catalogue import load as load_catalogue
from music.request import PieceError, PieceRequest
from tests.bot import engines
from tests.bot_process import ended

DEADLINE_S = 60.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(engines.FOLDER, str(tmp_path))
    os.mkfifo(tmp_path / "gate")
    return tmp_path


def piece(theme: str = "", seed: int = 1) -> PieceRequest:
    raga = load_catalogue().get("Yaman")
    assert raga is not None
    return PieceRequest(raga, duration_s=5.0, seed=seed, theme=theme)


@contextlib.asynccontextmanager
async def ready(size: int = 1, load: LoadEngine = engines.load) -> AsyncIterator[Renderers]:
    renderers = Renderers(size, load)
    await renderers.start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield renderers
    finally:
        async with asyncio.timeout(5):
            await renderers.stop()


class Reports:
    """What was reported, and a way to wait for the first of it."""

    def __init__(self) -> None:
        self.all: list[tuple[str, float]] = []
        self.came = asyncio.Event()

    def __call__(self, stage: str, fraction: float) -> None:
        self.all.append((stage, fraction))
        self.came.set()


async def test_pieces_come_one_after_another_from_one_process(folder: Path) -> None:
    reports = Reports()
    async with ready() as renderers:
        for seed in (1, 2):
            made = await renderers.render(piece(seed=seed), reports, DEADLINE_S)
            assert made.data == engines.MP3
            assert made.metadata.duration_s == 5.0
    (first, second) = engines.begun(folder)
    assert first[0] == second[0] != os.getpid()
    assert reports.all == [("melody", 0.5)] * 2
    await ended(first[0])


async def test_the_real_engine_renders(folder: Path) -> None:
    reports = Reports()
    async with ready(load=load_engine) as renderers:
        made = await renderers.render(piece(seed=7), reports, DEADLINE_S)
    assert made.data[:3] == b"ID3" or made.data[0] == 0xFF
    assert made.metadata.size_bytes == len(made.data)
    assert made.metadata.duration_s == pytest.approx(5.0, abs=0.5)
    fractions = [fraction for _, fraction in reports.all]
    assert fractions == sorted(fractions)
    assert len({stage for stage, _ in reports.all}) >= 3


async def test_a_refusal_keeps_the_process(folder: Path) -> None:
    async with ready() as renderers:
        with pytest.raises(PieceError, match="no strings today"):
            await renderers.render(piece("refuse"), Reports(), DEADLINE_S)
        await renderers.render(piece(), Reports(), DEADLINE_S)
    assert len({pid for pid, _ in engines.begun(folder)}) == 1


@pytest.mark.parametrize(
    ("theme", "reason"),
    [("fail", r"ArithmeticError: a note too many at render:\d+"), ("crash", "its process ended")],
)
async def test_a_failure_takes_a_new_process(folder: Path, theme: str, reason: str) -> None:
    async with ready() as renderers:
        with pytest.raises(RenderError, match=reason):
            await renderers.render(piece(theme), Reports(), DEADLINE_S)
        await renderers.render(piece(), Reports(), DEADLINE_S)
    assert len({pid for pid, _ in engines.begun(folder)}) == 2


async def test_a_hanging_piece_is_killed_at_its_deadline(folder: Path) -> None:
    async with ready() as renderers:
        await renderers.render(piece(), Reports(), DEADLINE_S)
        with pytest.raises(RenderError, match="not done after 0 s"):
            await renderers.render(piece("hang"), Reports(), 0.2)
        await ended(engines.begun(folder)[0][0])
        await renderers.render(piece(), Reports(), DEADLINE_S)


async def test_cancelling_stops_the_work_really(folder: Path) -> None:
    reports = Reports()
    async with ready() as renderers:
        rendering = asyncio.create_task(renderers.render(piece("hang"), reports, DEADLINE_S))
        await reports.came.wait()
        rendering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await rendering
        await ended(engines.begun(folder)[0][0])
        await renderers.render(piece(), Reports(), DEADLINE_S)


async def test_a_process_that_was_killed_while_idle_costs_no_piece(folder: Path) -> None:
    async with ready() as renderers:
        await renderers.render(piece(), Reports(), DEADLINE_S)
        pid = engines.begun(folder)[0][0]
        os.kill(pid, signal.SIGKILL)
        await ended(pid)
        await renderers.render(piece(), Reports(), DEADLINE_S)


async def test_an_engine_that_is_not_there_is_an_error_each_time(folder: Path) -> None:
    async with ready(load=engines.load_nothing) as renderers:
        for _ in range(2):
            with pytest.raises(RenderError, match="its process ended"):
                await renderers.render(piece(), Reports(), DEADLINE_S)


async def test_stopping_ends_all_processes_at_work(folder: Path) -> None:
    reports = (Reports(), Reports())
    async with ready(2) as renderers:
        at_work = [
            asyncio.create_task(renderers.render(piece("hang", seed), reports[seed], DEADLINE_S))
            for seed in (0, 1)
        ]
        for report in reports:
            await report.came.wait()
        await renderers.stop()
        for outcome in await asyncio.gather(*at_work, return_exceptions=True):
            assert isinstance(outcome, RenderError)
    await ended(*(pid for pid, _ in engines.begun(folder)))
