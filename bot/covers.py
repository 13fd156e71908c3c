"""The picture that a piece's file holds, taken out of it: whole, and small for a player's list."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from bot.drawing.palette import palette
from bot.ffmpeg import ffmpeg
from bot.keptfiles import KeptFiles
from bot.platforms import CoverSize

log = logging.getLogger(__name__)

SMALL_PX = 320
"""Telegram takes no larger thumbnail."""

_KEPT_BYTES = 64 * 2**20
_DEADLINE_S = 20.0
_PNG = b"\x89PNG\r\n\x1a\n"
_PAPER = palette("dark").paper.replace("#", "0x")


class Covers:
    """Takes covers out of audio files, each once."""

    def __init__(self, folder: Path) -> None:
        self._files = KeptFiles(folder, _KEPT_BYTES, (".png", ".jpg"))

    async def of(self, audio: Path, size: CoverSize) -> Path | None:
        """A PNG as it was drawn, or a JPEG of 320 by 320 pixels; None where the file holds no picture of ours."""
        name = f"{audio.stem}.{'png' if size == 'whole' else 'jpg'}"
        try:
            kept = await asyncio.to_thread(self._files.find, name)
            return kept or await self._taken_out(audio, name, size)
        except OSError as error:
            log.warning("A cover could not be kept: %s", error.strerror)
            return None

    async def _taken_out(self, audio: Path, name: str, size: CoverSize) -> Path | None:
        draft = await asyncio.to_thread(self._files.draft, name)
        try:
            how = (
                ("-c", "copy", "-f", "image2")
                if size == "whole"
                else ("-vf", _SQUARE, "-q:v", "3", "-f", "mjpeg")
            )
            trouble = await ffmpeg(
                *("-i", str(audio), "-map", "0:v:0", "-frames:v", "1", *how, str(draft)),
                deadline_s=_DEADLINE_S,
            )
            if trouble:
                log.debug("A piece has no cover: %s", trouble)
                return None
            if size == "whole" and not await asyncio.to_thread(_is_png, draft):
                return None
            return await asyncio.to_thread(self._files.adopt, name, draft)
        finally:
            draft.unlink(missing_ok=True)


_SQUARE = (
    f"scale={SMALL_PX}:{SMALL_PX}:force_original_aspect_ratio=decrease:flags=lanczos,"
    f"pad={SMALL_PX}:{SMALL_PX}:(ow-iw)/2:(oh-ih)/2:color={_PAPER}"
)


def _is_png(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_PNG)) == _PNG
