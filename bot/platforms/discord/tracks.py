"""Finished pieces: posted once, shown again by forwarding the first post, found again where a post was lost."""

from __future__ import annotations

import asyncio
import hashlib
import logging

from bot.platforms import MessageGoneError, Services
from bot.platforms.discord.answer import Answer, Answers
from bot.platforms.discord.post import (
    BusyError,
    ClosedError,
    DeadTokenError,
    Post,
    PostError,
    RefusedError,
    TooLargeError,
    UnknownOutcomeError,
)
from bot.platforms.discord.sheet import Page, Upload, whole
from bot.platforms.discord.spot import Spot, read_key, read_spot, user_of
from bot.platforms.hearts import heart_line
from bot.platforms.shelf import Shelf
from bot.upkeep import begin, end
from handlers.model import AccountId, MessageRef, Reply, Track

log = logging.getLogger(__name__)

SENDING = "sending"
"""Instead of a message, on the shelf: it is being sent, or nobody knows what became of it."""

HEADROOM = 65_536
"""A file's limit counts what stands around it too."""

_NONCE_CHARACTERS = 25
_SMALLER_TRIES = 4
_CLOSING_S = 0.8
_DONE = Page("Here it is.")
_TOO_LARGE = "This piece is too large for Discord. A shorter one, or one from the chat page, will do."


class Tracks:
    """Posts audio. All calls raise PostError, MessageGoneError, handlers.errors.RagaBotError, OSError."""

    def __init__(self, services: Services, post: Post, shelf: Shelf, answers: Answers) -> None:
        self._services = services
        self._post = post
        self._shelf = shelf
        self._answers = answers
        self._closing: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Give what is nearly done a moment."""
        if self._closing:
            await asyncio.wait(self._closing, timeout=_CLOSING_S)
        await end(tuple(self._closing))

    async def play(self, answer: Answer, reply: Reply) -> None:
        """Show a piece once more: without a second upload where the first post is still there."""
        track = _track(reply)
        known = await self._shelf.get("audio", track.audio)
        if known is not None and not answer.apart:
            try:
                message = await self._post.forward(read_key(known), answer.channel)
            except BusyError:
                raise
            except (RefusedError, MessageGoneError):
                await self._shelf.forget(
                    "audio", track.audio
                )  # it has been deleted, or may not be shown here
            else:
                await self._heart(Spot(answer.channel, message), reply)
                return
        limit = self._post.upload_limit(answer.channel) if answer.dead else answer.upload_limit
        most = limit - HEADROOM
        for _ in range(_SMALLER_TRIES):
            uploads = await self._uploads(track, most)
            try:
                message = await answer.add(whole(reply), uploads=uploads)
            except TooLargeError:
                most = min(most, len(uploads[0].data)) * 6 // 10
                continue
            spot = Spot(answer.channel, message)
            await self._note(spot, reply, apart=answer.apart)
            return
        raise TooLargeError("the file is too large at any size")

    async def deliver(self, message: MessageRef, reply: Reply, *, nonce: str, to: AccountId) -> None:
        """Post the piece that a message has shown the progress of, as an answer to it."""
        spot = read_spot(message)
        track = _track(reply)
        self._answers.begin_to_show(spot, last=True)
        sent = await self._shelf.get("sent", nonce)
        if sent == SENDING and await self._is_there(spot, reply):
            sent = spot.key
            await self._shelf.put("sent", nonce, sent)
        if sent is None or sent == SENDING:
            await self._shelf.put("sent", nonce, SENDING)
            try:
                posted = await self._send(spot, reply, nonce, user_of(to))
            except TooLargeError:
                await self._shelf.forget("sent", nonce)
                await self._close(spot, whole(Reply(text=_TOO_LARGE, buttons=reply.buttons)))
                return
            except (UnknownOutcomeError, asyncio.CancelledError):
                raise  # it may have gone out: the next try looks for it first
            except Exception:
                await self._shelf.forget("sent", nonce)
                raise
            await self._shelf.put("sent", nonce, posted.key)
            log.debug("A piece of %d s has been posted.", track.duration_s)
        await self._close(spot, _DONE)

    async def _send(self, spot: Spot, reply: Reply, nonce: str, to: int) -> Spot:
        """In the channel; where the bot is not let in, by the interaction's token; at last in a direct message."""
        answer = self._answers.find(spot)
        if answer is None or not answer.apart:
            try:
                # Somebody who is alone with the bot hears of every message, and is not called by name.
                alone = answer is not None and answer.private_place
                mention = None if alone or reply.silent else to
                return await self._post_in(spot.channel, reply, nonce, mention, answers=spot.message)
            except ClosedError:
                log.info("A piece finds its channel closed.")
        if answer is not None and not answer.dead:
            try:
                return await self._post_by(answer, reply)
            except (DeadTokenError, ClosedError, MessageGoneError):
                log.info("A piece finds its interaction closed.")
        channel = await self._post.open_direct(to)
        return await self._post_in(channel, reply, nonce, None)

    async def _post_in(
        self, channel: int, reply: Reply, nonce: str, mention: int | None, *, answers: int | None = None
    ) -> Spot:
        track = _track(reply)
        most = self._post.upload_limit(channel) - HEADROOM
        for _ in range(_SMALLER_TRIES):
            uploads = await self._uploads(track, most)
            try:
                message = await self._post.send(
                    channel,
                    whole(reply),
                    uploads=uploads,
                    answers=answers,
                    mention=mention,
                    nonce=nonce_of(nonce),
                    silent=reply.silent,
                )
            except TooLargeError:
                most = min(most, len(uploads[0].data)) * 6 // 10
                continue
            spot = Spot(channel, message)
            await self._note(spot, reply)
            return spot
        raise TooLargeError("the file is too large at any size")

    async def _post_by(self, answer: Answer, reply: Reply) -> Spot:
        uploads = await self._uploads(_track(reply), answer.upload_limit - HEADROOM)
        spot = Spot(answer.channel, await answer.add(whole(reply), uploads=uploads))
        await self._note(spot, reply, apart=True)
        return spot

    async def _is_there(self, spot: Spot, reply: Reply) -> bool:
        """Whether a post whose outcome nobody told has arrived: its buttons name the piece."""
        piece = str(_track(reply).generation)
        try:
            async for message in self._post.since(spot):
                ours = self._post.own(message.author.id) and message.id != spot.message
                if (
                    ours
                    and message.attachments
                    and piece in str([one.to_dict() for one in message.components])
                ):
                    await self._note(Spot(spot.channel, message.id), reply)
                    return True
        except ClosedError:
            return False  # then the nonce alone has to do
        return False

    async def _uploads(self, track: Track, most_bytes: int) -> tuple[Upload, ...]:
        """The audio, and after it the picture that it holds."""
        path = await self._services.audio(track.audio)
        small = await self._services.smaller(path, track.duration_s, most_bytes)
        if small is None:
            raise TooLargeError("the file is too large at any size")
        audio = Upload(await asyncio.to_thread(small.read_bytes), track.filename)
        cover = await self._services.cover(track.audio, "whole") if track.cover else None
        if cover is None:
            return (audio,)
        return (audio, Upload(await asyncio.to_thread(cover.read_bytes), "piece.png", track.cover))

    async def _note(self, spot: Spot, reply: Reply, *, apart: bool = False) -> None:
        """Remember where the file is to be had again, and what a heart on the message stands for."""
        if not apart:
            await self._shelf.put("audio", _track(reply).audio, spot.key)
        await self._heart(spot, reply)

    async def _heart(self, spot: Spot, reply: Reply) -> None:
        line = heart_line(reply)
        if line is not None:
            await self._shelf.put("heart", spot.key, line)

    async def _close(self, spot: Spot, page: Page) -> None:
        """The message that showed the progress comes to its end; nothing else waits for that for long."""
        task = begin(self._closed(spot, page), "The end of a progress message")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        await asyncio.wait((task,), timeout=_CLOSING_S)

    async def _closed(self, spot: Spot, page: Page) -> None:
        answer = self._answers.find(spot)
        for pause_s in (1.0, 5.0, 30.0):
            try:
                async with self._answers.order(spot):
                    if answer is not None and answer.apart:
                        await answer.edit_by_token(page)
                    else:
                        await self._post.edit(spot, page)
            except (MessageGoneError, DeadTokenError, RefusedError):
                return
            except PostError as error:
                log.info("A progress message could not be ended yet: %s", error)
                await asyncio.sleep(pause_s)
            else:
                return


def nonce_of(delivery: str) -> str:
    """Discord takes so many characters."""
    return hashlib.sha256(delivery.encode()).hexdigest()[:_NONCE_CHARACTERS]


def _track(reply: Reply) -> Track:
    if reply.track is None:
        raise ValueError("there is no audio in this reply")
    return reply.track
