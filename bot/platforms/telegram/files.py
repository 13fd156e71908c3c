"""Pieces to take away: a voice note, a document or a photo; uploaded once, sent again by Telegram's own name for it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from telegram import InputFile, Message
from telegram.constants import ParseMode

from bot.platforms import Services
from bot.platforms.shelf import Shelf
from bot.platforms.telegram import sheet
from bot.platforms.telegram.post import Post, RefusedError, TooLargeError, answering
from bot.platforms.telegram.spot import Spot
from bot.platforms.telegram.tracks import UPLOAD_BYTES
from handlers.model import Download, Reply

log = logging.getLogger(__name__)

_UPLOAD_S = 60.0
_MEGABYTE = 1e6
_TOO_LARGE = (
    "This file has {size:.0f} MB, and Telegram takes {most:.0f}. The chat page in the browser has no such limit; "
    "Opus and MP3 are small."
)


class Files:
    """Posts files. Raises what `Post` raises, handlers.errors.RagaBotError and OSError."""

    def __init__(self, services: Services, post: Post, shelf: Shelf) -> None:
        self._services = services
        self._post = post
        self._shelf = shelf

    async def send(self, spot: Spot, reply: Reply) -> None:
        """Post the file of a reply, or the form of it that fits, or a sentence that says why there is none."""
        wanted = reply.download
        if wanted is None:
            raise ValueError("there is no file in this reply")
        caption, file, size = sheet.caption(reply), wanted, wanted.size_bytes
        while size > UPLOAD_BYTES and file.instead is not None:
            file = file.instead
            size = (await asyncio.to_thread((await self._services.download(file.file)).stat)).st_size
        if size > UPLOAD_BYTES:
            said = _TOO_LARGE.format(size=wanted.size_bytes / _MEGABYTE, most=UPLOAD_BYTES / _MEGABYTE)
            await self._post.send_text(spot, sheet.html_of(said))
        elif file is wanted:
            await self._send(spot, file, caption)
        else:
            await self._send(spot, file, f"{caption}\n{sheet.html_of(file.because)}")

    async def _send(self, spot: Spot, file: Download, caption: str) -> None:
        # A copy of somebody's own is of its moment, and is never sent again.
        known = None if file.kind == "copy" else await self._shelf.get("file", file.file)
        if known is not None:
            try:
                await self._post.send(spot, lambda place: self._by_kind(place, file, known, caption))
            except TooLargeError:
                raise
            except RefusedError as error:
                log.info("A file is uploaded anew: %s", error)
                await self._shelf.forget("file", file.file)
            else:
                return
        path = await self._services.download(file.file)
        upload = InputFile(await asyncio.to_thread(Path(path).read_bytes), filename=file.filename)
        message = await self._post.send(spot, lambda place: self._by_kind(place, file, upload, caption))
        held = message.voice or message.audio or message.document or (message.photo or (None,))[-1]
        if held is not None and file.kind != "copy":
            await self._shelf.put("file", file.file, held.file_id)

    async def _by_kind(self, place: Spot, file: Download, content: str | InputFile, caption: str) -> Message:
        bot, chat = self._post.bot, place.chat
        thread, answers = place.thread or None, answering(place)
        match file.kind:
            case "opus":
                return await bot.send_voice(
                    chat,
                    content,
                    caption=caption,
                    parse_mode=ParseMode.HTML,
                    duration=round(file.duration_s),
                    reply_parameters=answers,
                    message_thread_id=thread,
                    read_timeout=_UPLOAD_S,
                )
            case "picture":
                return await bot.send_photo(
                    chat,
                    content,
                    caption=caption,
                    parse_mode=ParseMode.HTML,
                    reply_parameters=answers,
                    message_thread_id=thread,
                    read_timeout=_UPLOAD_S,
                )
            case _:
                # A document is left as it is: what Telegram takes for music it may show without its name.
                return await bot.send_document(
                    chat,
                    content,
                    caption=caption,
                    parse_mode=ParseMode.HTML,
                    disable_content_type_detection=True,
                    reply_parameters=answers,
                    message_thread_id=thread,
                    read_timeout=_UPLOAD_S,
                )
