"""Killed in the middle: the piece arrives all the same, and once."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.bot.platforms.web.visit import Tab, Visit
from tests.bot_process import BotProcess, children_of, ended

DEADLINE_S = 90.0

Message = dict[str, Any]


def under_way(message: Message) -> bool:
    """Whether a message shows a piece that a worker has begun."""
    reply = message["reply"]
    return bool(reply and reply["progress"] and reply["progress"]["fraction"] > 0.05)


def done(message: Message) -> bool:
    """Whether a message ends in a track."""
    return bool(message["reply"] and message["reply"]["track"])


async def until(tab: Tab, wanted: Any) -> Message:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            for message in tab.shown():
                if wanted(message):
                    return message
            await tab.next(DEADLINE_S)


def renderers_of(state_dir: Path) -> list[int]:
    """The bot's rendering processes: those that multiprocessing started."""
    found = []
    for pid in children_of(state_dir):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"spawn_main" in command:
            found.append(pid)
    return found


async def history(visit: Visit) -> list[str]:
    reply = (await visit.say("/history"))["reply"]
    return [entry["detail"] for entry in reply["entries"]]


@pytest.mark.parametrize("blow", ["bot", "renderer", "deployment"])
async def test_a_piece_arrives_once_whatever_was_killed(state_dir: Path, blow: str) -> None:
    bot = BotProcess(state_dir, WORKERS="1")
    await bot.start()
    visit = Visit(bot.url)
    try:
        await visit.arrive()
        async with visit.tab() as tab:
            await tab.hello()
            await tab.say("/generate Yaman 4min seed 3")
            await until(tab, under_way)
            if blow == "bot":
                await bot.kill()
            elif blow == "renderer":
                (renderer,) = renderers_of(state_dir)
                os.kill(renderer, signal.SIGKILL)
            else:
                (deployment,) = deployments_of(state_dir)
                os.kill(deployment, signal.SIGKILL)
            if blow != "bot":
                await until(tab, done)
        if blow == "bot":
            await ended(*children_of(state_dir))
            bot = BotProcess(state_dir, WORKERS="1")
            await bot.start()
            later = visit.return_to(bot.url)
            await visit.http.close()
            visit = later
            async with visit.tab() as tab:
                await tab.hello()
                await until(tab, done)
        async with visit.tab() as tab:
            await tab.hello()
            assert len([message for message in tab.shown() if done(message)]) == 1
        assert len(await history(visit)) == 1
    finally:
        await visit.http.close()
        await bot.stop()
    assert children_of(state_dir) == []


def deployments_of(state_dir: Path) -> list[int]:
    """The local deployment's process."""
    return [
        pid
        for pid in children_of(state_dir)
        if b"local-convex/main.ts" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


async def test_a_cancelled_piece_stops_really(state_dir: Path) -> None:
    bot = BotProcess(state_dir, WORKERS="1")
    await bot.start()
    try:
        async with Visit(bot.url) as visit:
            await visit.arrive()
            async with visit.tab() as tab:
                await tab.hello()
                await tab.say("/generate Yaman 10min seed 3")
                message = await until(tab, under_way)
                (renderer,) = renderers_of(state_dir)
                cancel = message["reply"]["buttons"][0][0]["line"]
                assert cancel.startswith("/cancel ")
                await tab.press(message["id"], cancel)
                stopped = await until(
                    tab, lambda one: bool(one["reply"]) and "Stopped: " in one["reply"]["text"]
                )
                assert stopped["id"] == message["id"]
                await ended(renderer)
                # The next piece is made by the process that took its place.
                await tab.say("/generate Yaman 5s seed 3")
                await until(tab, done)
    finally:
        assert await bot.stop() == 0
