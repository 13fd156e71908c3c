"""A worker's process is killed in the middle of a piece; the next worker makes it, once."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
from collections.abc import AsyncIterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from bot.backend.audio import AudioStore
from bot.backend.gateway import http_client
from bot.backend.live import Live
from bot.progress import ProgressBoard
from bot.worker import worker_name
from handlers.model import GenerationId
from tests.bot import engines
from tests.bot.deployment import Deployment, actor, deployment
from tests.bot.workshop import DEADLINE_S, Scene
from tests.bot_process import ended


@contextlib.asynccontextmanager
async def stage(convex: Deployment, folder: Path) -> AsyncIterator[Scene]:
    live = Live(convex.url, convex.signer.bot)
    audio = AudioStore(folder / "audio", 2**20, convex.http, convex.record.file_url)
    await live.start()
    try:
        yield Scene(convex, live, folder, ProgressBoard(), audio)
    finally:
        await live.stop()
        await audio.stop()


def _to_be_killed(
    url: str, state_dir: Path, bot: str, folder: Path, piece: GenerationId, said: Connection
) -> None:
    async def work() -> None:
        async with http_client(url) as http:
            convex = Deployment(url, state_dir, http, bot)
            async with stage(convex, folder) as scene:
                with worker_name(folder, bot) as name:
                    async with scene.worker(convex.jobs(name.rpartition("-")[2])):
                        said.send((name, await scene.rendering(piece)))
                        await asyncio.Event().wait()

    asyncio.run(work())


async def test_the_piece_of_a_killed_worker_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    os.mkfifo(folder / "gate")
    monkeypatch.setenv(engines.FOLDER, str(folder))
    context = multiprocessing.get_context("spawn")
    async with deployment(tmp_path / "convex") as convex, stage(convex, folder) as scene:
        async with asyncio.timeout(DEADLINE_S):
            piece = await convex.ask(actor(), theme="hold")
            ours, theirs = context.Pipe()
            victim = context.Process(
                target=_to_be_killed,
                args=(convex.url, convex.state_dir, convex.bot, folder, piece.id, theirs),
            )
            await asyncio.to_thread(victim.start)
            theirs.close()  # so that its early end would be heard
            try:
                name, renderer = await asyncio.to_thread(ours.recv)
            finally:
                victim.kill()
                await asyncio.to_thread(victim.join)
                victim.close()
                ours.close()
            await ended(renderer)
            with worker_name(folder, convex.bot) as heir:
                # The name is free again, and with it comes what its late owner had leased.
                assert heir == name
                jobs = convex.jobs(heir.rpartition("-")[2])
                assert jobs.worker == heir
                async with scene.worker(jobs):
                    assert await scene.rendering(piece.id, attempt=2) != renderer
                    with scene.gate():
                        made = await scene.outcome(piece.id)
    assert made.status == "completed"
    first, second = (pid for pid, _ in engines.begun(folder))
    assert first == renderer != second
    assert convex.convex.calls["jobs:complete"] == 1
