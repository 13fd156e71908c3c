"""Ragas to be heard: each scale is rendered once, kept on disk, and rendered again only where the file has gone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.backend.audio import AudioStore
from bot.oncemade import OnceMade
from bot.platforms.shelf import Shelf
from bot.rendering import RenderError, Renderers
from handlers.errors import NotFoundError, UnavailableError
from handlers.model import GenerationId, StorageId, Track
from music.catalogue import Catalogue, Raga
from music.request import DemonstrationRequest

log = logging.getLogger(__name__)

PREFIX = "scale-"
"""By which the id of a scale is told from one of Convex's."""

_VERSION = 1
"""Counted up when the same raga is played otherwise, so that nothing old is heard."""

_KIND = "scale"
_DEADLINE_S = 30.0
_UNSAFE = re.compile(r"[^A-Za-z0-9 ()+,._-]+")


class Scales:
    """Renders with a process of its own, begun when it is first needed: a scale never waits for a long piece."""

    def __init__(self, audio: AudioStore, shelf: Shelf, catalogue: Callable[[], Catalogue]) -> None:
        self._audio = audio
        self._shelf = shelf
        self._catalogue = catalogue
        self._renderers: Renderers | None = None
        self._making: OnceMade[str, Track] = OnceMade()

    async def stop(self) -> None:
        """End what is being made."""
        await self._making.stop()
        if self._renderers is not None:
            await self._renderers.stop()
        await self._shelf.close()

    async def track(self, raga: Raga, key: str | None) -> Track:
        """A raga's scale, made at most once however many ask. Raises UnavailableError."""
        ident = _ident(raga, key)
        try:
            known = await self._shelf.get(_KIND, ident)
        except OSError as error:
            log.warning("What is known of scales could not be read: %s", error)
            known = None
        if known is not None:
            return _track(ident, raga, json.loads(known))
        return await self._made(ident, raga, key)

    async def path(self, storage: StorageId) -> Path:
        """The file of a scale that was handed out. Raises NotFoundError, UnavailableError."""
        if (path := await self._audio.kept(storage)) is not None:
            return path
        try:
            known = json.loads(await self._shelf.get(_KIND, storage) or "null")
        except OSError:
            known = None
        raga = None if known is None else self._catalogue().get(known["raga"], known["tradition"])
        if raga is None or _ident(raga, known["key"]) != storage:
            raise NotFoundError  # the raga is played otherwise by now
        await self._made(storage, raga, known["key"])
        path = await self._audio.kept(storage)
        if path is None:
            raise UnavailableError
        return path

    async def _made(self, ident: str, raga: Raga, key: str | None) -> Track:
        return await self._making.get(ident, lambda: self._make(ident, raga, key), f"scale of {raga.name}")

    async def _make(self, ident: str, raga: Raga, key: str | None) -> Track:
        if self._renderers is None:
            self._renderers = Renderers(1)
            await self._renderers.start()
        try:
            async with asyncio.timeout(_DEADLINE_S):
                made = await self._renderers.render(
                    DemonstrationRequest(raga, key), lambda *_: None, _DEADLINE_S
                )
            await self._audio.put(StorageId(ident), made.data)
            known = {
                "raga": raga.name,
                "tradition": raga.tradition,
                "key": key,
                "title": made.metadata.title,
                "performer": made.metadata.performer,
                "duration_s": made.metadata.duration_s,
            }
            await self._shelf.put(_KIND, ident, json.dumps(known))
        except (RenderError, TimeoutError, OSError) as error:
            log.warning(
                "The scale of %s could not be played: %s", raga.name, str(error) or type(error).__name__
            )
            raise UnavailableError from None
        return _track(ident, raga, known)


def _ident(raga: Raga, key: str | None) -> str:
    heard = [_VERSION, raga.name, raga.tradition, raga.arohana, raga.avarohana, raga.pakad[:1], key]
    heard += [raga.vadi, raga.samvadi, raga.nyasa]  # they are held, or glided to
    return PREFIX + hashlib.sha256(json.dumps(heard).encode()).hexdigest()[:32]


def _track(ident: str, raga: Raga, known: Mapping[str, object]) -> Track:
    plain = unicodedata.normalize("NFKD", f"{raga.name} - arohana and avarohana")
    return Track(
        generation=GenerationId(ident),
        audio=StorageId(ident),
        title=str(known["title"]),
        performer=str(known["performer"]),
        duration_s=float(str(known["duration_s"])),
        filename=f"{_UNSAFE.sub('', plain).strip()[:100]}.mp3",
    )
