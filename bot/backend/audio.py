"""Finished pieces on disk: what this machine made is never fetched, what was fetched once is kept."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from bot.keptfiles import KeptFiles
from bot.oncemade import OnceMade
from handlers.errors import NotFoundError, RagaBotError, UnavailableError
from handlers.model import StorageId

log = logging.getLogger(__name__)

MAX_FILE_BYTES = 64 * 2**20
"""600 s at 320 kbit/s is 24 MB; a web front end's own files may be larger."""

DEADLINE_S = 60.0
_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

UrlOf = Callable[[StorageId], Awaitable[str | None]]
"""Asks Convex where a stored file can be fetched. Raises errors of handlers.errors."""


class AudioStore:
    """MP3 files by their Convex id, the longest unused ones dropped beyond ``max_bytes``."""

    def __init__(self, folder: Path, max_bytes: int, http: httpx.AsyncClient, url_of: UrlOf) -> None:
        self._files = KeptFiles(folder, max_bytes, (".mp3",))
        self._http = http
        self._url_of = url_of
        self._fetching: OnceMade[StorageId, Path] = OnceMade()

    async def put(self, storage_id: StorageId, data: bytes) -> Path:
        """Keep a file's bytes. Raises OSError."""
        return await asyncio.to_thread(self._files.put, _name(storage_id), data)

    async def kept(self, storage_id: StorageId) -> Path | None:
        """The file, if it is on disk."""
        return await asyncio.to_thread(self._files.find, _name(storage_id))

    async def path(self, storage_id: StorageId, url: str | None = None) -> Path:
        """The file on disk, fetched at most once however many ask. Raises NotFoundError, UnavailableError."""
        if (path := await self.kept(storage_id)) is not None:
            return path
        return await self._fetching.get(
            storage_id, lambda: self._fetch(storage_id, url), f"fetch {storage_id}"
        )

    async def stop(self) -> None:
        """End what is being fetched."""
        await self._fetching.stop()

    async def _fetch(self, storage_id: StorageId, url: str | None) -> Path:
        try:
            async with asyncio.timeout(DEADLINE_S):
                data = None if url is None else await self._download(url)
                if data is None:
                    # A deployment that moved, or an address that has run out: ask again.
                    url = await self._url_of(storage_id)
                    if url is None:
                        raise NotFoundError
                    data = await self._download(url)
                if data is None:
                    raise UnavailableError
                return await asyncio.to_thread(self._files.put, _name(storage_id), data)
        except TimeoutError:
            raise UnavailableError from None
        except OSError as error:
            log.error("The audio could not be kept in %s: %s", self._files.folder, error.strerror)  # noqa: TRY400 - said in full
            raise RagaBotError from None

    async def _download(self, url: str) -> bytes | None:
        try:
            async with self._http.stream("GET", url) as response:
                if response.status_code != 200:
                    return None
                data = bytearray()
                async for chunk in response.aiter_bytes():
                    data += chunk
                    if len(data) > MAX_FILE_BYTES:
                        log.error("An audio file is larger than %d bytes.", MAX_FILE_BYTES)
                        return None
                return bytes(data)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.info("An audio file could not be fetched: %s", type(error).__name__)
            return None


def _name(storage_id: StorageId) -> str:
    safe = _SAFE_NAME.fullmatch(storage_id)
    return f"{storage_id if safe else hashlib.sha256(storage_id.encode()).hexdigest()}.mp3"
