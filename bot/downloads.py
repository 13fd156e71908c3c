"""Pieces in other forms: rendered anew as far as that makes the same piece, else taken from the posted MP3."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from bot.commission import commission
from bot.covers import Covers
from bot.ffmpeg import ffmpeg
from bot.keptfiles import KeptFiles
from bot.oncemade import OnceMade
from bot.rendering import ExportRequest, RenderError, Renderers
from handlers.errors import InvalidInputError, NotFoundError, UnavailableError
from handlers.model import Download, FileKind, Generation, GenerationId, StorageId
from handlers.pieces import filename, players
from music.catalogue import Catalogue
from music.request import PieceError

log = logging.getLogger(__name__)

ENDINGS: dict[FileKind, str] = {
    "mp3": "mp3",
    "opus": "ogg",
    "wav": "wav",
    "flac": "flac",
    "midi": "mid",
    "stems": "zip",
    "picture": "png",
}
_KEPT_BYTES = 512 * 2**20
_BASE_S = 60.0
_CONVERT_S = 120.0
_FILE = re.compile(r"([A-Za-z0-9]{1,64})\.(mp3|ogg|wav|flac|mid|zip|png)")
_FROM_MP3 = {
    "wav": ("-c:a", "pcm_s16le", "-f", "wav"),
    "flac": ("-c:a", "flac", "-f", "flac"),
    "opus": ("-c:a", "libopus", "-b:a", "96k", "-f", "ogg"),
}
_OTHERWISE = (
    "I would compose this piece otherwise by now, so I no longer have its notes one by one. "
    "Its MP3, WAV, FLAC and Opus can be had; another take comes in every form."
)
_SAME_SAMPLES = "As FLAC, which holds the same samples, since the WAV is larger than this chat takes."
_BUSY = "I could not make that file just now. Please try again in a minute."


class Downloads:
    """Makes files with a process of its own, begun when it is first needed, so that no piece waits for them."""

    def __init__(
        self,
        folder: Path,
        audio: Callable[[StorageId], Awaitable[Path]],
        covers: Covers,
        catalogue: Callable[[], Catalogue],
    ) -> None:
        self._files = KeptFiles(folder, _KEPT_BYTES, {f".{ending}" for ending in ENDINGS.values()})
        self._audio = audio
        self._covers = covers
        self._catalogue = catalogue
        self._renderers: Renderers | None = None
        self._making: OnceMade[str, Path] = OnceMade()

    async def stop(self) -> None:
        """End what is being made."""
        await self._making.stop()
        if self._renderers is not None:
            await self._renderers.stop()

    async def make(self, generation: Generation, kind: FileKind) -> Download:
        """A piece's file, made at most once however many ask. Raises InvalidInputError, UnavailableError."""
        file = _file(generation.id, kind)
        path = await self._once(file, lambda: self._made(generation, kind, file))
        small = _described(generation, "flac", 0, because=_SAME_SAMPLES) if kind == "wav" else None
        size = (await asyncio.to_thread(path.stat)).st_size
        return _described(generation, kind, size, small)

    async def path(self, file: str) -> Path:
        """A file that was made before, by its name. Raises NotFoundError, UnavailableError."""
        if not (parts := _FILE.fullmatch(file)):
            raise NotFoundError
        if (path := await asyncio.to_thread(self._files.find, file)) is not None:
            return path
        whole = await asyncio.to_thread(self._files.find, f"{parts[1]}.wav")
        if parts[2] != "flac" or whole is None:
            raise NotFoundError
        return await self._once(file, lambda: self._converted(whole, "flac", file))

    async def _once(self, file: str, make: Callable[[], Coroutine[Any, Any, Path]]) -> Path:
        kept = await asyncio.to_thread(self._files.find, file)
        return kept or await self._making.get(file, make, f"download {file}")

    async def _made(self, generation: Generation, kind: FileKind, file: str) -> Path:
        if generation.audio is None:
            raise NotFoundError
        try:
            if kind in ("mp3", "picture"):
                return await self._copied(await self._audio(generation.audio), kind, file)
            if (made := await self._rendered(generation, kind, file)) is not None:
                return made
            if kind not in _FROM_MP3:
                raise InvalidInputError(_OTHERWISE)
            return await self._converted(await self._audio(generation.audio), kind, file)
        except PieceError as error:
            raise InvalidInputError(str(error)) from None
        except (RenderError, TimeoutError, OSError) as error:
            log.warning("A file of piece %s could not be made: %s", generation.id, error)
            raise UnavailableError(_BUSY) from None

    async def _copied(self, audio: Path, kind: FileKind, file: str) -> Path:
        source = audio if kind == "mp3" else await self._covers.of(audio, "whole")
        if source is None:
            raise InvalidInputError("This piece has no picture: it was made before I drew them.")
        data = await asyncio.to_thread(source.read_bytes)
        return await asyncio.to_thread(self._files.put, file, data)

    async def _rendered(self, generation: Generation, kind: FileKind, file: str) -> Path | None:
        """Rendered anew; None where that would be another piece, since the engine or the raga's entry has changed."""
        made = generation.metadata
        if made is None or made.score is None:
            return None
        piece = commission(generation.id, generation.request, self._catalogue())
        if kind == "flac":
            whole = _file(generation.id, "wav")
            return await self._converted(
                await self._once(whole, lambda: self._made(generation, "wav", whole)), "flac", file
            )
        if kind == "picture":
            raise NotFoundError
        if self._renderers is None:
            self._renderers = Renderers(1)
            await self._renderers.start()
        deadline_s = _BASE_S + 2.0 * piece.duration_s
        async with asyncio.timeout(2.0 * deadline_s):  # others may be before it
            request = ExportRequest(piece, kind, made.score)
            data = await self._renderers.export(request, lambda *_: None, deadline_s)
        if data is None:
            return None
        return await asyncio.to_thread(self._files.put, file, data)

    async def _converted(self, source: Path, kind: FileKind, file: str) -> Path:
        draft = await asyncio.to_thread(self._files.draft, file)
        try:
            kept = ("-map", "0:a:0", "-map_metadata", "0")
            trouble = await ffmpeg(
                "-i", str(source), *kept, *_FROM_MP3[kind], str(draft), deadline_s=_CONVERT_S
            )
            if trouble:
                log.warning("A file could not be converted: %s", trouble)
                raise UnavailableError(_BUSY)
            return await asyncio.to_thread(self._files.adopt, file, draft)
        finally:
            draft.unlink(missing_ok=True)


def _file(generation: GenerationId, kind: FileKind) -> str:
    return f"{generation}.{ENDINGS[kind]}"


def _described(
    generation: Generation, kind: FileKind, size: int, instead: Download | None = None, because: str = ""
) -> Download:
    request, made = generation.request, generation.metadata
    return Download(
        generation=generation.id,
        kind=kind,
        file=_file(generation.id, kind),
        title=made.title if made is not None and made.title else f"Raga {request.raga}",
        performer=(made.performer if made is not None else "") or players(request) or "Raga Bot",
        duration_s=made.duration_s if made is not None else request.duration_s,
        filename=filename(request, ENDINGS[kind]),
        size_bytes=size,
        instead=instead,
        because=because,
    )
