"""Calls to Discord: each error told apart by what it means for what was sent; no chat waits for another's pause."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

import aiohttp
import discord

from bot.platforms import MessageGoneError
from bot.platforms.discord.pace import Pace
from bot.platforms.discord.sheet import Page, Upload, mentioning
from bot.platforms.discord.spot import Spot

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Interaction = discord.Interaction[Any]

POSTING, EDITING = "posting", "editing"
_LOOKED_AT = 100
_UNKNOWN_MESSAGE = 10008
_DEAD_TOKEN = (10015, 10062, 50027)
_ACKNOWLEDGED = 40060
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError)


class PostError(Exception):
    """A call did not work for now; what it would have shown is not there."""


class BusyError(PostError):
    """The chat has to rest for longer than the caller waits."""


class UnknownOutcomeError(PostError):
    """Nobody answered: what was sent may be there or not."""


class RefusedError(PostError):
    """Discord understood, and does not do it."""


class TooLargeError(RefusedError):
    """The file is larger than Discord takes here."""


class DeadTokenError(PostError):
    """The token of the interaction is not taken any more."""


class AcknowledgedError(PostError):
    """The interaction has an answer already."""


class ClosedError(MessageGoneError):
    """The bot may not read or write there."""


class Post:
    """Sends and edits with the client of the moment. Raises PostError or MessageGoneError, and nothing else."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._client: discord.AutoShardedClient | None = None

    def use(self, client: discord.AutoShardedClient) -> None:
        """Call by this client from now on."""
        self._client = client

    @property
    def client(self) -> discord.AutoShardedClient:
        """The client of the moment. Raises PostError."""
        if self._client is None:
            raise PostError("not connected yet")
        return self._client

    def own(self, user: int) -> bool:
        """Whether this is the bot itself."""
        me = self._client.user if self._client is not None else None
        return me is not None and me.id == user

    async def send(
        self,
        channel: int,
        page: Page,
        *,
        uploads: Sequence[Upload] = (),
        answers: int | None = None,
        mention: int | None = None,
        nonce: str | None = None,
        silent: bool = False,
    ) -> int:
        """Post a message; its id. ``answers``: the message that it answers, which may have gone meanwhile.

        ``silent``: nobody's device makes a sound of it.
        """
        if mention is not None:
            page = mentioning(page, mention)
        parts = page.new(uploads)
        if answers is not None:
            parts["reference"] = discord.MessageReference(
                message_id=answers, channel_id=channel, fail_if_not_exists=False
            )
            parts["mention_author"] = False
        if mention is not None:
            parts["allowed_mentions"] = discord.AllowedMentions(
                everyone=False, roles=False, replied_user=False, users=[discord.Object(mention)]
            )
        if nonce is not None:
            parts["nonce"] = nonce
        if silent:
            parts["silent"] = True

        async def send() -> int:
            return (await self._channel(channel).send(**parts)).id

        return await self._in_chat(channel, POSTING, send)

    async def forward(self, source: Spot, channel: int) -> int:
        """Post a message of ours once more, with its file; the id of the new one."""

        async def forward() -> int:
            return (await self._message(source).forward(self._channel(channel))).id

        return await self._in_chat(channel, POSTING, forward)

    async def edit(self, spot: Spot, page: Page) -> None:
        """Change a message of ours."""
        await self._in_chat(spot.channel, EDITING, lambda: self._message(spot).edit(**page.change()))

    async def open_direct(self, user: int) -> int:
        """The channel in which a person is alone with the bot."""
        return (await self.call(lambda: self.client.create_dm(discord.Object(user)))).id

    async def since(self, spot: Spot) -> AsyncIterator[discord.Message]:
        """The messages of a channel after this one, the oldest first."""

        async def read() -> list[discord.Message]:
            after = discord.Object(spot.message)
            history = self._channel(spot.channel).history(limit=_LOOKED_AT, after=after, oldest_first=True)
            return [message async for message in history]

        for message in await self.call(read):
            yield message

    def upload_limit(self, channel: int) -> int:
        """The size of the largest file that a channel takes, in bytes."""
        found = self.client.get_channel(channel)
        guild = getattr(found, "guild", None)
        return int(guild.filesize_limit) if guild is not None else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

    async def call(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Any call, its errors told apart."""
        try:
            return await work()
        except discord.RateLimited as error:
            raise BusyError(f"Discord asks for a pause of {error.retry_after:.0f} s") from None
        except discord.HTTPException as error:
            raise _meaning(error) from None
        except _NEVER_SENT:
            raise PostError("Discord cannot be reached") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnknownOutcomeError(type(error).__name__) from None
        except RuntimeError as error:
            # The library's own, once its session has been closed.
            raise PostError("the connection has been closed") from error
        except discord.DiscordException as error:
            raise PostError(type(error).__name__) from None

    async def _in_chat(self, channel: int, kind: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """A call that waits for no chat that has to rest."""
        if (left_s := self.pace.rests_s(channel, kind)) > 0.0:
            raise BusyError(f"the chat rests for {left_s:.0f} s")

        async def counted() -> Result:
            try:
                return await work()
            except discord.RateLimited as error:
                self.pace.rest(channel, kind, error.retry_after)
                raise

        await self.pace.turn(urgent=kind == POSTING)
        return await self.call(counted)

    def _channel(self, channel: int) -> discord.PartialMessageable:
        return self.client.get_partial_messageable(channel)

    def _message(self, spot: Spot) -> discord.PartialMessage:
        return self._channel(spot.channel).get_partial_message(spot.message)


def _meaning(error: discord.HTTPException) -> Exception:
    """What an answer with an error says of the message that was sent or edited."""
    said = f"{error.status}, {error.code}"
    if error.code in _DEAD_TOKEN or error.status == 401:
        return DeadTokenError(said)
    if error.code == _ACKNOWLEDGED:
        return AcknowledgedError(said)
    if error.status == 413 or error.code == 40005:
        return TooLargeError(said)
    if error.code == _UNKNOWN_MESSAGE:
        return MessageGoneError(said)
    if error.status in (403, 404):
        return ClosedError(said)
    if error.status == 429:
        return BusyError(said)
    if error.status >= 500:
        return UnknownOutcomeError(said)
    return RefusedError(said)


async def within(seconds: float, work: Awaitable[Result]) -> Result:
    """A call that must not take long. Raises UnknownOutcomeError."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise UnknownOutcomeError("no answer in time") from None
