"""The static ffmpeg of imageio-ffmpeg as a process of its own, for what no Python library does."""

from __future__ import annotations

import asyncio

import imageio_ffmpeg


async def ffmpeg(*arguments: str, deadline_s: float) -> str:
    """Run it to its end; returns what it complained of, which is empty where it succeeded."""
    process = await asyncio.create_subprocess_exec(
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-v", "error", "-nostdin", "-y", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(deadline_s):
            _, said = await process.communicate()
    except TimeoutError:
        return "it took too long"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return "" if process.returncode == 0 else said.decode("utf-8", "replace")[:200] or "it failed"
