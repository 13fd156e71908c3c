"""Audio made smaller, for chats that take no large files."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path

from bot.ffmpeg import ffmpeg

log = logging.getLogger(__name__)

_RATES_KBPS = (160, 128, 112, 96, 80, 64, 48, 40, 32)
"""The constant bit rates of MP3 that are tried, the best first; below the last, music is no pleasure."""

_HEADROOM = 0.97
_TAGS_BYTES = 8192
_DEADLINE_S = 60.0


async def smaller(source: Path, duration_s: float, most_bytes: int) -> Path | None:
    """An MP3 of at most ``most_bytes``: the source itself if it fits, else one beside it, made once.

    None where no rate would do, or ffmpeg fails.
    """
    if await _size(source) <= most_bytes:
        return source
    room_kbps = (most_bytes - _TAGS_BYTES) * 8 * _HEADROOM / max(duration_s, 1.0) / 1000
    rate = next((kbps for kbps in _RATES_KBPS if kbps <= room_kbps), None)
    if rate is None:
        return None
    target = source.with_name(f"{source.stem}-{rate}k.mp3")
    if not await _size(target):
        with tempfile.TemporaryDirectory(dir=source.parent, prefix=".compact-") as folder:
            draft = Path(folder) / "draft.mp3"
            if not await _encode(source, draft, rate):
                return None
            await asyncio.to_thread(draft.replace, target)
    return target if 0 < await _size(target) <= most_bytes else None


async def _size(path: Path) -> int:
    """In bytes; 0 where there is no such file."""

    def size() -> int:
        return path.stat().st_size if path.exists() else 0

    return await asyncio.to_thread(size)


async def _encode(source: Path, draft: Path, rate_kbps: int) -> bool:
    # Without the cover: where room is scarce, all of it is for the sound.
    kept = ("-map", "0:a:0", "-map_metadata", "0", "-id3v2_version", "3")
    encoding = ("-b:a", f"{rate_kbps}k", "-compression_level", "7")
    trouble = await ffmpeg("-i", str(source), *kept, *encoding, str(draft), deadline_s=_DEADLINE_S)
    if trouble:
        log.error("A piece could not be made smaller: %s", trouble)
    return not trouble
