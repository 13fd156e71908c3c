"""The event loop's longest stall while Convex answers nothing: connections are taken, and never answered."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.report import Figure, percentile
from bot.core import build
from bot.settings import Settings
from handlers.errors import RagaBotError
from handlers.model import AccountId, Actor, Place, Request

_SILENT_S = 30.0
_TICK_S = 0.005
_BAR_MS = 50.0


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(65536):
            pass
    writer.close()


async def _ticks(gaps_ms: list[float], end: float) -> None:
    """How late each tick comes."""
    while (now := time.perf_counter()) < end:
        await asyncio.sleep(_TICK_S)
        gaps_ms.append(max(0.0, time.perf_counter() - now - _TICK_S) * 1000.0)


async def _ask(core_respond: object, line: str, end: float) -> int:
    count = 0
    while time.perf_counter() < end:
        count += 1
        actor = Actor(AccountId("web:bench"), "Bench")
        request = Request(actor, Place("web", "bench", private=True), line, f"e{count}")
        with contextlib.suppress(RagaBotError):
            await core_respond(request)  # type: ignore[operator] # given by Services
        await asyncio.sleep(0.05)
    return count


async def _gaps(url: str) -> list[float]:
    """The loop's gaps with the gateway, the live subscription and the snapshot at work against ``url``."""
    gaps: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            settings = Settings(_env_file=None, convex_url=url, state_dir=Path(folder))  # type: ignore[call-arg]
            core = await build(settings, stack)
            await core.live.start()
            stack.push_async_callback(core.live.stop)
            await core.snapshot.start(core.live)
            stack.push_async_callback(core.snapshot.stop)
            end = time.perf_counter() + _SILENT_S
            async with asyncio.timeout(_SILENT_S + 60.0):
                await asyncio.gather(
                    _ticks(gaps, end),
                    _ask(core.services.respond, "history", end),
                    _ask(core.services.respond, "raga", end),
                )
    return gaps


async def _idle() -> list[float]:
    gaps: list[float] = []
    await _ticks(gaps, time.perf_counter() + 5.0)
    return gaps


async def measure() -> list[Figure]:
    """p99.9 and the longest gap over 30 s, beside a loop that does nothing."""
    server = await asyncio.start_server(_swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        gaps = await _gaps(f"http://127.0.0.1:{port}")
    finally:
        server.close()
    idle = await _idle()
    worst = percentile(gaps, 0.999)
    return [
        Figure(
            f"event loop's gap, Convex silent for {_SILENT_S:.0f} s",
            f"p99.9 {worst:.1f} ms, longest {max(gaps):.1f} ms",
            f"an idle loop: p99.9 {percentile(idle, 0.999):.1f} ms, longest {max(idle):.1f} ms",
            f"{worst / max(0.1, percentile(idle, 0.999)):.1f}",
            f"p99.9 at most {_BAR_MS:.0f} ms",
            worst <= _BAR_MS,
        )
    ]
