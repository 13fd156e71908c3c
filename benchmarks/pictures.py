"""Pictures of ragas: time and bytes of each, beside a bare PNG encoding of the same pixels in the same run."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.report import Figure, percentile
from bot.drawing import THEMES, Pictures, draw
from bot.drawing.card import HEIGHT, WIDTH, svg
from bot.drawing.palette import palette
from bot.drawing.raster import packed, pixels
from music.catalogue import load

_RAGAS = 60
_BAR_MS = 150.0
_BAR_BYTES = 150_000


async def _longest_gap_ms(task: asyncio.Task[None]) -> float:
    """How long the event loop was away at most while a task ran."""
    longest = 0.0
    last = time.perf_counter()
    while not task.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest = max(longest, (now - last) * 1000.0)
        last = now
    return longest


async def measure() -> list[Figure]:
    """Drawing warm, the wait of the event loop meanwhile, and a picture that is already there.

    Times are of the wall clock, so the machine should be quiet.
    """
    ragas = load().ragas
    some = ragas[:: max(1, len(ragas) // _RAGAS)]
    draw(some[0], "dark")
    times: list[float] = []
    bare: list[float] = []
    sizes: list[int] = []
    for raga in some:
        for theme in THEMES:
            began = time.perf_counter()
            picture = draw(raga, theme)
            times.append((time.perf_counter() - began) * 1000.0)
            sizes.append(len(picture))
            ready = pixels(svg(raga, palette(theme)), WIDTH, HEIGHT)
            began = time.perf_counter()
            packed(ready)
            bare.append((time.perf_counter() - began) * 1000.0)
    with tempfile.TemporaryDirectory() as folder:
        pictures = Pictures(Path(folder))

        async def all_at_once() -> None:
            await asyncio.gather(*(pictures.of(raga, "light") for raga in some))

        calm_ms = await _longest_gap_ms(asyncio.create_task(asyncio.sleep(1.0)))
        gap_ms = await _longest_gap_ms(asyncio.create_task(all_at_once()))
        began = time.perf_counter()
        for raga in some:
            await pictures.of(raga, "light")
        kept_ms = (time.perf_counter() - began) * 1000.0 / len(some)
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    return [
        Figure(
            f"a picture of {WIDTH} x {HEIGHT}, warm, one core",
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms",
            f"bare PNG encoding: {percentile(bare, 0.5):.0f} ms",
            f"{p50 / percentile(bare, 0.5):.1f} x",
            f"p99 under {_BAR_MS:.0f} ms",
            p99 < _BAR_MS,
        ),
        Figure(
            "its bytes",
            f"p50 {percentile(sizes, 0.5) / 1000:.0f} KB, most {max(sizes) / 1000:.0f} KB",
            f"raw pixels: {WIDTH * HEIGHT * 3 / 1000:.0f} KB",
            f"{max(sizes) / (WIDTH * HEIGHT * 3):.3f} x",
            f"under {_BAR_BYTES / 1000:.0f} KB",
            max(sizes) < _BAR_BYTES,
        ),
        Figure(
            f"the event loop away, {len(some)} drawn at once",
            f"at most {gap_ms:.0f} ms",
            f"nothing drawn: {calm_ms:.0f} ms",
        ),
        Figure("a picture that is already there", f"{kept_ms:.2f} ms"),
    ]
