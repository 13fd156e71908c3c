"""Pieces to take away: attached to the asker's own answer, in the form that fits."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from bot.platforms import Services
from bot.platforms.discord.answer import Answer
from bot.platforms.discord.post import TooLargeError
from bot.platforms.discord.sheet import Page, Upload, plain, whole
from bot.platforms.discord.tracks import HEADROOM
from handlers.model import Reply

log = logging.getLogger(__name__)

_MEGABYTE = 1e6
_TOO_LARGE = (
    "This file has {size:.0f} MB, and Discord takes {most:.0f} here. The chat page in the browser has no such limit; "
    "Opus and MP3 are small."
)


class Files:
    """Attaches files. Raises what `Answer` raises, handlers.errors.RagaBotError and OSError."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def send(self, answer: Answer, reply: Reply, *, hidden: bool) -> None:
        """Show the file of a reply, or the form of it that fits, or a sentence that says why there is none."""
        file = reply.download
        if file is None:
            raise ValueError("there is no file in this reply")
        page = whole(reply)
        said = ""
        while file is not None:
            path = await self._services.download(file.file)
            size = (await asyncio.to_thread(path.stat)).st_size
            if size <= answer.upload_limit - HEADROOM:
                upload = Upload(await asyncio.to_thread(path.read_bytes), file.filename)
                try:
                    await answer.add(_with(page, said), hidden=hidden, uploads=(upload,))
                except TooLargeError:
                    log.info("A file of %d bytes is larger than Discord takes, against its own word.", size)
                else:
                    return
            file = file.instead
            said = file.because if file is not None else ""
        most = answer.upload_limit / _MEGABYTE
        size = reply.download.size_bytes if reply.download is not None else 0
        await answer.add(Page(_TOO_LARGE.format(size=size / _MEGABYTE, most=most)), hidden=hidden)


def _with(page: Page, said: str) -> Page:
    return replace(page, content=f"{page.content}\n{plain(said)}") if said else page
