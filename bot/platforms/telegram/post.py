"""Calls to Telegram: each at its chat's pace, each error told apart by what it means for what was sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import httpx
from telegram import (
    Bot,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAudio,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.backoff import Backoff
from bot.platforms import MessageGoneError
from bot.platforms.telegram.pace import Pace
from bot.platforms.telegram.spot import Spot

log = logging.getLogger(__name__)

Result = TypeVar("Result")

PATIENT_S = 90.0
"""So long an answer waits for its chat; a delivery comes back later instead, and lets others go first."""

HURRIED_S = 4.0
ATTEMPTS = 3

_UPLOAD_S = 60.0
_PHOTO_S = 30.0
_PLAIN = LinkPreviewOptions(is_disabled=True)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, RuntimeError)
"""The last is the library's own, once it has been shut down."""

_GONE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message identifier is not specified",
    "chat not found",
    "user not found",
    "group chat was deactivated",
    "user_is_blocked",
    "peer_id_invalid",
    "topic_closed",
    "chat_write_forbidden",
    "have no rights to send",
    "not enough rights to send",
    "need administrator rights",
)


class PostError(Exception):
    """A call did not work for now; what it would have shown is not there."""


class BusyError(PostError):
    """The chat has to rest for longer than the caller waits."""


class UnknownOutcomeError(PostError):
    """Nobody answered: what was sent may be there or not."""


class RefusedError(PostError):
    """Telegram understood, and does not do it."""


class TooLargeError(RefusedError):
    """The file is larger than Telegram takes."""


class Post:
    """Sends and edits. All calls raise PostError or MessageGoneError, and nothing else."""

    def __init__(self, bot: Bot, pace: Pace) -> None:
        self.bot = bot
        self.pace = pace
        self._clock = asyncio.get_running_loop().time

    async def send_text(self, spot: Spot, text: str, keyboard: InlineKeyboardMarkup | None = None) -> Message:
        """Say something in a place, as an answer to its request where it has one."""

        async def send(place: Spot) -> Message:
            return await self.bot.send_message(
                place.chat,
                text,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard,
                link_preview_options=_PLAIN,
                reply_parameters=answering(place),
                message_thread_id=place.thread or None,
            )

        return await self._sent(spot, send, PATIENT_S, ATTEMPTS)

    async def send_photo(
        self, spot: Spot, photo: str | InputFile, text: str, keyboard: InlineKeyboardMarkup | None
    ) -> Message:
        """Post a picture with a caption."""

        async def send(place: Spot) -> Message:
            return await self.bot.send_photo(
                place.chat,
                photo,
                caption=text or None,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard,
                reply_parameters=answering(place),
                message_thread_id=place.thread or None,
                read_timeout=_PHOTO_S,
            )

        return await self._sent(spot, send, PATIENT_S, ATTEMPTS)

    async def send(self, spot: Spot, send: Callable[[Spot], Awaitable[Message]]) -> Message:
        """Post by a call of one's own, which is told where the message goes."""
        return await self._sent(spot, send, PATIENT_S, ATTEMPTS)

    async def send_audio(
        self,
        spot: Spot,
        audio: str | InputFile,
        *,
        text: str,
        keyboard: InlineKeyboardMarkup | None,
        title: str,
        performer: str,
        duration_s: float,
        thumbnail: bytes | None,
        patient: bool,
        silent: bool,
    ) -> Message:
        """Post a track. Not ``patient``: it is tried once, by somebody who comes back. ``silent``: without a sound."""
        upload = isinstance(audio, InputFile)

        async def send(place: Spot) -> Message:
            return await self.bot.send_audio(
                place.chat,
                audio,
                caption=text,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard,
                title=title,
                performer=performer,
                duration=round(duration_s),
                thumbnail=thumbnail,
                reply_parameters=answering(place),
                message_thread_id=place.thread or None,
                disable_notification=silent or None,
                read_timeout=_UPLOAD_S if upload else 15.0,
            )

        return await self._sent(spot, send, *((PATIENT_S, ATTEMPTS) if patient else (HURRIED_S, 1)))

    async def edit_text(
        self, spot: Spot, text: str, keyboard: InlineKeyboardMarkup | None, *, progress: bool = False
    ) -> None:
        """Change a text of ours. ``progress``: the caller has seen to the pace, and there is no second try."""

        async def edit() -> object:
            return await self.bot.edit_message_text(
                text,
                spot.chat,
                spot.message,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard,
                link_preview_options=_PLAIN,
                read_timeout=8.0,
            )

        if progress:
            await self._once(spot.chat, edit)
        else:
            await self._call(spot.chat, edit, HURRIED_S, 1)

    async def edit_into_audio(
        self, spot: Spot, media: InputMediaAudio, keyboard: InlineKeyboardMarkup | None
    ) -> Message | None:
        """Turn a message of ours into a track; the same again changes nothing."""

        async def edit() -> Message | None:
            changed = await self.bot.edit_message_media(
                media, spot.chat, spot.message, reply_markup=keyboard, read_timeout=_UPLOAD_S
            )
            return changed if isinstance(changed, Message) else None

        return await self._call(spot.chat, edit, HURRIED_S, 1)

    async def delete(self, spot: Spot) -> bool:
        """Take a message of ours away; says whether it has gone."""
        try:
            await self._once(None, lambda: self.bot.delete_message(spot.chat, spot.message))
        except RefusedError as error:
            return "not found" in str(error)
        except MessageGoneError:
            return True
        except PostError:
            return False
        return True

    async def status_in(self, chat: int, user: int) -> str:
        """What somebody is in a group, as Telegram says now."""
        member = await self._once(None, lambda: self.bot.get_chat_member(chat, user))
        return member.status if member is not None else ""

    async def gone_to(self, chat: int) -> int | None:
        """The group that a group has become, which Telegram says of one that the bot is out of; None where none."""
        try:
            await self._once(None, lambda: self.bot.get_chat(chat))
        except _MovedError as moved:
            return moved.chat
        except (MessageGoneError, RefusedError):
            pass
        return None

    async def quick(self, work: Callable[[], Awaitable[object]]) -> None:
        """A call that shows no message, such as the answer to a press; it may be too late, and that is all right."""
        try:
            await self._once(None, work)
        except (PostError, MessageGoneError) as error:
            log.debug("A press or an inline query was not answered: %s", error)

    async def _sent(
        self, spot: Spot, send: Callable[[Spot], Awaitable[Message]], most_s: float, attempts: int
    ) -> Message:
        """Send where the place is; where its topic has gone, beside it; where its group has moved, there."""
        try:
            message = await self._call(spot.chat, lambda: send(spot), most_s, attempts)
        except _MovedError as moved:
            place = Spot(moved.chat)
            message = await self._call(place.chat, lambda: send(place), most_s, attempts)
        except RefusedError as error:
            if not spot.thread or "thread not found" not in str(error).casefold():
                raise
            place = Spot(spot.chat, request=spot.request)
            message = await self._call(place.chat, lambda: send(place), most_s, attempts)
        if message is None:
            raise RefusedError("a message was sent and not made")
        return message

    async def _call(
        self, chat: int, work: Callable[[], Awaitable[Result]], most_s: float, attempts: int
    ) -> Result | None:
        """Wait for the chat's turn, and call; what is known not to have gone out, and pauses, are tried again."""
        until = self._clock() + most_s
        trouble = Backoff(0.5, 4.0)
        while True:
            while (wait_s := self.pace.wait_s(chat)) > 0.0:
                if self._clock() + wait_s > until:
                    raise BusyError(f"the chat rests for {wait_s:.0f} s")
                await asyncio.sleep(wait_s)
            self.pace.take(chat)
            try:
                return await self._once(chat, work)
            except BusyError:
                continue  # the chat is held now, and the loop above waits or gives up
            except RefusedError:
                raise
            except PostError:
                attempts -= 1
                if attempts <= 0:
                    raise
                await asyncio.sleep(trouble.pause_s())

    async def _once(self, chat: int | None, work: Callable[[], Awaitable[Result]]) -> Result | None:
        """One call; None where it would have changed nothing."""
        try:
            result = await work()
        except RetryAfter as error:
            pause_s = seconds(error)
            if chat is not None:
                self.pace.hold(chat, pause_s + 0.05)
            raise BusyError(f"Telegram asks for a pause of {pause_s:.0f} s") from None
        except ChatMigrated as error:
            raise _MovedError(error.new_chat_id) from None
        except Forbidden as error:
            raise MessageGoneError(error.message) from None
        except BadRequest as error:
            said = error.message.casefold()
            if "message is not modified" in said:
                return None
            if any(words in said for words in _GONE):
                raise MessageGoneError(error.message) from None
            raise RefusedError(error.message) from None
        except InvalidToken:
            raise PostError("the token is refused") from None
        except NetworkError as error:
            if isinstance(error.__cause__, _NEVER_SENT):
                raise PostError("Telegram cannot be reached") from None
            if "too large" in error.message.casefold():
                raise TooLargeError(error.message) from None
            self._landed(chat)  # perhaps, and only just
            raise UnknownOutcomeError(error.message) from None
        except TelegramError as error:
            self._landed(chat)
            raise UnknownOutcomeError(error.message) from None
        else:
            self._landed(chat)
            return result

    def _landed(self, chat: int | None) -> None:
        if chat is not None:
            self.pace.landed(chat)


def seconds(error: RetryAfter) -> float:
    """The pause that Telegram asks for."""
    pause = error.retry_after
    return pause.total_seconds() if isinstance(pause, timedelta) else float(pause)


class _MovedError(MessageGoneError):
    """The group has become a supergroup, which is another chat; messages can be sent there, old ones not edited."""

    def __init__(self, chat: int) -> None:
        super().__init__("the group has moved")
        self.chat = chat


def answering(place: Spot) -> ReplyParameters | None:
    """By what a message answers the place's request.

    Telegram names a person to whose message it answers, also where that message has been deleted since."""
    if not place.request:
        return None
    return ReplyParameters(place.request, allow_sending_without_reply=True)
