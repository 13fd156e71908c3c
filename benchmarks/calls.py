"""Convex calls, counted between the bot and its deployment: for a lookup, for a generation, for an idle minute."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import WSMsgType, web

from benchmarks.report import Figure
from tests.bot.platforms.web.visit import Visit
from tests.bot_process import BotProcess

_LOOKUPS = 100
_PIECES = 5
_IDLE_S = 20.0
_CALLS_BAR = 8.0


@dataclass
class Counted:
    """A relay before a deployment that counts what Convex would: function calls and runs of the subscription."""

    target: str
    url: str = ""
    calls: list[str] = field(default_factory=list)

    async def http(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on; a function call counts."""
        body = await request.read()
        if request.path in ("/api/query", "/api/mutation", "/api/action"):
            self.calls.append(json.loads(body)["path"])
        async with (
            aiohttp.ClientSession() as http,
            http.request(
                request.method,
                self.target + request.path_qs,
                data=body,
                headers={name: value for name, value in request.headers.items() if name != "Host"},
            ) as answer,
        ):
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type
            )

    async def sync(self, request: web.Request) -> web.StreamResponse:
        """Pass the live connection on; each new value of a query counts as one run of it."""
        near = web.WebSocketResponse(max_msg_size=0)
        await near.prepare(request)
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(self.target + request.path, max_msg_size=0) as far,
        ):

            async def up() -> None:
                async for message in near:
                    if message.type is WSMsgType.TEXT:
                        await far.send_str(message.data)
                await far.close()

            async def down() -> None:
                async for message in far:
                    if message.type is WSMsgType.TEXT:
                        frame = json.loads(message.data)
                        updated = [
                            one for one in frame.get("modifications", []) if one["type"] == "QueryUpdated"
                        ]
                        self.calls += ["(subscription)"] * len(updated)
                        await near.send_str(message.data)
                await near.close()

            await asyncio.gather(up(), down())
        return near


@contextlib.asynccontextmanager
async def counted(target: str) -> AsyncIterator[Counted]:
    """The relay, listening."""
    relay = Counted(target)
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_get("/api/sync", relay.sync)
    app.router.add_get("/api/{version}/sync", relay.sync)
    app.router.add_route("*", "/{path:.*}", relay.http)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    relay.url = f"http://127.0.0.1:{site.port}"
    try:
        yield relay
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def deployment(state_dir: Path) -> AsyncIterator[str]:
    """A local deployment alone, with the key that a bot of the same state folder has."""
    served = BotProcess(state_dir, "convex", "--port", "0", "--state", str(state_dir / "convex"))
    await served.start(ready="Convex is listening at")
    try:
        yield served.lines[-1].split()[-1]
    finally:
        await served.stop()


async def _until_quiet(relay: Counted) -> None:
    """Until nothing was called for two seconds."""
    while True:
        before = len(relay.calls)
        await asyncio.sleep(2.0)
        if len(relay.calls) == before:
            return


async def measure() -> list[Figure]:
    """Counts a lookup, a generation of 30 s, and an idle bot."""
    with tempfile.TemporaryDirectory() as folder:
        state_dir = Path(folder)
        async with deployment(state_dir) as target, counted(target) as relay:
            bot = BotProcess(state_dir, CONVEX_URL=relay.url)
            await bot.start()
            try:
                async with Visit(bot.url) as visit:
                    await visit.arrive()
                    await _until_quiet(relay)
                    relay.calls.clear()
                    for _ in range(_LOOKUPS):
                        await visit.say("/raga Yaman")
                    lookups = len(relay.calls)
                    relay.calls.clear()
                    async with visit.tab() as tab:
                        await tab.hello()
                        for number in range(_PIECES):
                            await tab.say(f"/generate Yaman 30s seed {number}")
                            while (
                                sum(bool(one["reply"]["track"]) for one in tab.shown() if one["reply"])
                                <= number
                            ):
                                await tab.next(60.0)
                    await _until_quiet(relay)
                    generations = list(relay.calls)
                    relay.calls.clear()
                    began = time.monotonic()
                    await asyncio.sleep(_IDLE_S)
                    idle = len(relay.calls) * 60.0 / (time.monotonic() - began)
            finally:
                await bot.stop()
    each = sum(name != "files:generateUploadUrl" for name in generations) / _PIECES
    names = ", ".join(f"{name} {generations.count(name) / _PIECES:g}" for name in sorted(set(generations)))
    return [
        Figure(
            "Convex calls per lookup", f"{lookups / _LOOKUPS:g}", f"{_LOOKUPS} lookups", "", "0", lookups == 0
        ),
        Figure(
            "Convex calls per generation, the upload aside",
            f"{each:g}",
            names,
            "",
            f"at most {_CALLS_BAR:g}",
            each <= _CALLS_BAR,
        ),
        Figure("Convex calls per minute of an idle bot", f"{idle:g}", "", "", "at most 1", idle <= 1.0),
    ]
