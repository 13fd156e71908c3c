"""Lookups through the chat page's platform, beside a bare aiohttp echo of the same size in the same run."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from aiohttp import web

from benchmarks.report import Figure, percentile
from tests.bot_process import BotProcess

_CLIENTS = 8
_REQUESTS = 1500
_NAMES = (
    "Yaman",
    "yamuna kalyani",
    "Bhairavi",
    "malkaunse",
    "हंसध्वनि",
    "Darbari",
    "Mohanam",
    "shankarabharanam",
)

Answer = Callable[[int], Awaitable[None]]


async def _loaded(one: Answer) -> tuple[float, float, float]:
    """Requests per second, p50 and p99 in milliseconds, with some clients at once."""
    times: list[float] = []
    numbers = iter(range(_REQUESTS))

    async def client() -> None:
        for number in numbers:
            began = time.perf_counter()
            await one(number)
            times.append((time.perf_counter() - began) * 1000.0)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(_CLIENTS)))
    taken = time.perf_counter() - began
    return len(times) / taken, percentile(times, 0.5), percentile(times, 0.99)


async def _echo(body: bytes) -> tuple[float, float, float]:
    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{site.port}") as http:

            async def one(number: int) -> None:
                async with http.post(
                    "/", json={"id": str(uuid.uuid4()), "text": f"/raga {number}"}
                ) as answer:
                    await answer.read()

            return await _loaded(one)
    finally:
        await runner.cleanup()


async def measure() -> list[Figure]:
    """Lookups by HTTP through the real bot: parsed, answered, and written to the page's message log."""
    with tempfile.TemporaryDirectory() as folder:
        bot = BotProcess(Path(folder))
        await bot.start()
        try:
            async with aiohttp.ClientSession(bot.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
                async with http.post("/api/session") as session:
                    session.raise_for_status()
                body = b""

                async def one(number: int) -> None:
                    nonlocal body
                    said = {"id": str(uuid.uuid4()), "text": f"/raga {_NAMES[number % len(_NAMES)]}"}
                    async with http.post("/api/say", json=said) as answer:
                        body = await answer.read()
                        assert answer.status == 200, body

                for number in range(_CLIENTS):
                    await one(number)
                rate, p50, p99 = await _loaded(one)
        finally:
            await bot.stop()
    bare_rate, bare_p50, bare_p99 = await _echo(body)
    return [
        Figure(
            f"lookups through the page, {_CLIENTS} clients",
            f"{rate:.0f} a second; p50 {p50:.1f} ms, p99 {p99:.1f} ms",
            f"bare aiohttp echo: {bare_rate:.0f} a second; p50 {bare_p50:.1f} ms, p99 {bare_p99:.1f} ms",
            f"{bare_rate / rate:.1f} x the echo's time each",
        )
    ]
