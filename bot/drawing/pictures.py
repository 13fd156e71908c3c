"""Pictures that were made are kept in a folder, so that each is drawn once."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from bot.drawing.palette import Theme
from bot.drawing.picture import draw, file_name
from bot.oncemade import OnceMade
from music.raga import Raga

_LIMIT_BYTES = 128 * 1024 * 1024  # about a thousand pictures


class Pictures:
    """Draws pictures in threads and keeps their files.

    The folder may be shared between processes, and may be emptied at any time. Once the files take more than
    ``limit_bytes``, those that were asked for the longest time ago go.
    """

    def __init__(self, folder: Path, limit_bytes: int = _LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._making: OnceMade[tuple[Raga, Theme], Path] = OnceMade()
        # Many threads that draw at once would leave the event loop too little.
        self._one_by_one = asyncio.Semaphore(1)

    async def of(self, raga: Raga, theme: Theme) -> Path:
        """The file of a raga's picture, drawn if need be. Its name changes when the picture does.

        Raises `OSError` when it cannot be written, `RasterError` or `LetteringError` when it cannot be drawn.
        """
        return await self._making.get(
            (raga, theme), lambda: self._make(raga, theme), f"picture of {raga.name}"
        )

    async def _make(self, raga: Raga, theme: Theme) -> Path:
        kept = await asyncio.to_thread(self._kept, raga, theme)
        if kept is not None:
            return kept
        async with self._one_by_one:
            return await asyncio.to_thread(self._made, raga, theme)

    def _kept(self, raga: Raga, theme: Theme) -> Path | None:
        path = self._folder / file_name(raga, theme)
        try:
            os.utime(path)  # asked for just now
        except FileNotFoundError:
            return None
        return path

    def _made(self, raga: Raga, theme: Theme) -> Path:
        path = self._folder / file_name(raga, theme)
        picture = draw(raga, theme)
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(suffix=".part", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(picture)
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        self._make_room(path)
        return path

    def _make_room(self, newest: Path) -> None:
        """Removes the files asked for the longest time ago, parts of a broken writing too, but not the newest."""
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            if path.suffix in (".png", ".part"):
                with suppress(FileNotFoundError):  # another process makes room as well
                    status = path.stat()
                    found.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._limit_bytes:
                break
            if path != newest:
                path.unlink(missing_ok=True)
                total -= size
