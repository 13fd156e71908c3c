"""Finished pieces: posted once, sent again by the name that Telegram gave the file, repaired where a post was lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path

from telegram import InputFile, InputMediaAudio, Message
from telegram.constants import ParseMode

from bot.platforms import MessageGoneError, Services
from bot.platforms.hearts import heart_line
from bot.platforms.shelf import Shelf
from bot.platforms.telegram import sheet
from bot.platforms.telegram.post import Post, PostError, RefusedError, TooLargeError, UnknownOutcomeError
from bot.platforms.telegram.progress import ProgressEdits
from bot.platforms.telegram.spot import Spot, read_spot, user_of
from handlers.model import AccountId, MessageRef, Reply, StorageId, Track

log = logging.getLogger(__name__)

UPLOAD_BYTES = 50 * 10**6 - 65_536
"""Telegram takes 50 MB; the rest is for what stands around the file."""

SENDING = "sending"
"""Instead of a message, on the shelf: it is being sent, or nobody knows what became of it."""

_SMALLER_TRIES = 4
_TOO_LARGE = "This piece is too large for Telegram. A shorter one, or one from the chat page, will do."


@dataclass(frozen=True, slots=True)
class _Media:
    """``thumbnail``: the small picture of an upload; what Telegram has already has its own."""

    audio: str | InputFile
    size: int = 0
    thumbnail: bytes | None = None


class Tracks:
    """Posts audio. All calls raise PostError, MessageGoneError, handlers.errors.RagaBotError, OSError."""

    def __init__(self, services: Services, post: Post, shelf: Shelf, edits: ProgressEdits) -> None:
        self._services = services
        self._post = post
        self._shelf = shelf
        self._edits = edits
        self._cover = (Path(__file__).with_name("cover.jpg")).read_bytes()

    async def play(self, spot: Spot, reply: Reply) -> None:
        """Post a track as an answer."""
        await self._note(reply, await self._send(spot, reply, patient=True))

    async def deliver(self, message: MessageRef, reply: Reply, *, nonce: str, to: AccountId) -> None:
        """Post the piece that a message has shown the progress of, and take that message away."""
        spot = read_spot(message)
        self._edits.end(spot)
        sent = await self._shelf.get("sent", nonce)
        if sent == SENDING:
            await self._repair(spot, reply, nonce)
            return
        if sent is None:
            called = spot.chat < 0 and not spot.request and not reply.silent
            mention = user_of(to) if called else None
            await self._shelf.put("sent", nonce, SENDING)
            try:
                posted = await self._send(spot, reply, mention=mention)
            except UnknownOutcomeError:
                raise
            except TooLargeError:
                await self._shelf.forget("sent", nonce)
                await self._say(spot, _TOO_LARGE, reply)
                return
            except RefusedError as error:
                log.warning("Telegram does not take a piece as a message: %s", error)
                await self._repair(spot, reply, nonce)
                return
            except (Exception, asyncio.CancelledError) as error:
                # A cancelled call may have gone out; all others are known not to have.
                if not isinstance(error, asyncio.CancelledError):
                    await self._shelf.forget("sent", nonce)
                raise
            await self._shelf.put("sent", nonce, str(posted.message_id))
            await self._note(reply, posted)
        if sent != str(spot.message) and not await self._post.delete(spot):
            with contextlib.suppress(RefusedError):
                await self._say(spot, "Here it is.", replace(reply, buttons=(), favorite=None))

    async def _repair(self, spot: Spot, reply: Reply, nonce: str) -> None:
        """The message that showed the progress becomes the piece: the same edit twice changes nothing."""
        media = await self._media(reply, UPLOAD_BYTES, attach=True)
        track = _track(reply)
        wanted = InputMediaAudio(
            media.audio,
            caption=sheet.caption(reply),
            parse_mode=ParseMode.HTML,
            title=track.title[:64],
            performer=track.performer[:64],
            duration=round(track.duration_s),
            thumbnail=media.thumbnail,
        )
        try:
            changed = await self._post.edit_into_audio(spot, wanted, sheet.keyboard(reply))
        except RefusedError as error:
            log.warning("Telegram does not take a piece: %s", error)
            raise MessageGoneError(str(error)) from None
        except MessageGoneError:
            # Nothing is left to be changed, and nobody knows what was sent: rather twice than never.
            await self._shelf.forget("sent", nonce)
            raise PostError("the message to be repaired has gone; the piece is sent anew") from None
        await self._shelf.put("sent", nonce, str(spot.message))
        if changed is not None:
            await self._note(reply, changed)
        else:
            await self._heart(spot, reply)

    async def _send(
        self, spot: Spot, reply: Reply, *, mention: int | None = None, patient: bool = False
    ) -> Message:
        """By the file's name at Telegram, else as an upload, as small as it has to be."""
        track = _track(reply)
        most = UPLOAD_BYTES
        for _ in range(_SMALLER_TRIES):
            media = await self._media(reply, most)
            try:
                return await self._post.send_audio(
                    spot,
                    media.audio,
                    text=sheet.caption(reply, mention),
                    keyboard=sheet.keyboard(reply),
                    title=track.title[:64],
                    performer=track.performer[:64],
                    duration_s=track.duration_s,
                    thumbnail=media.thumbnail,
                    patient=patient,
                    silent=reply.silent,
                )
            except TooLargeError:
                most = min(most, media.size) * 6 // 10
            except RefusedError as error:
                if not isinstance(media.audio, str) or "file" not in str(error).casefold():
                    raise
                await self._shelf.forget("audio", track.audio)  # Telegram no longer knows it by that name
        raise TooLargeError("the file is too large at any size")

    async def _media(self, reply: Reply, most_bytes: int, *, attach: bool = False) -> _Media:
        """``attach``: for an edit, which names the file instead of holding it."""
        track = _track(reply)
        known = await self._shelf.get("audio", track.audio)
        if known is not None:
            return _Media(known)
        path = await self._services.audio(track.audio)
        small = await self._services.smaller(path, track.duration_s, most_bytes)
        if small is None:
            raise TooLargeError("the file is too large at any size")
        data = await asyncio.to_thread(small.read_bytes)
        thumbnail = await self._thumbnail(track)
        return _Media(InputFile(data, filename=track.filename, attach=attach), len(data), thumbnail)

    async def _thumbnail(self, track: Track) -> bytes:
        """The piece's own picture made small, else the bot's sign."""
        path = await self._services.cover(track.audio, "small") if track.cover else None
        return self._cover if path is None else await asyncio.to_thread(path.read_bytes)

    async def _note(self, reply: Reply, posted: Message) -> None:
        """Remember the file's name at Telegram, and what a heart on the message stands for."""
        for held in (posted.audio, posted.voice, posted.document):
            if held is not None:
                await self._shelf.put("audio", _track(reply).audio, held.file_id)
        await self._heart(Spot(posted.chat.id, posted.message_id), reply)

    async def _heart(self, spot: Spot, reply: Reply) -> None:
        line = heart_line(reply)
        if line is not None:
            await self._shelf.put("heart", spot.key, line)

    async def _say(self, spot: Spot, text: str, reply: Reply) -> None:
        await self._post.edit_text(spot, sheet.html_of(text), sheet.keyboard(reply))

    async def known_as(self, audio: StorageId) -> str | None:
        """The name by which Telegram has the file already."""
        return await self._shelf.get("audio", audio)


def _track(reply: Reply) -> Track:
    if reply.track is None:
        raise ValueError("there is no audio in this reply")
    return reply.track
