"""The answer to one interaction: by its token while that is taken, else as a message of the channel."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Sequence
from weakref import WeakValueDictionary

from bot.platforms import MessageGoneError
from bot.platforms.discord.post import (
    AcknowledgedError,
    DeadTokenError,
    Interaction,
    Post,
    PostError,
    UnknownOutcomeError,
    within,
)
from bot.platforms.discord.reading import pressed_in
from bot.platforms.discord.sheet import Page, Upload
from bot.platforms.discord.spot import Spot

log = logging.getLogger(__name__)

_ACKNOWLEDGED_WITHIN_S = 8.0
"""Long past Discord's three seconds it is no use to wait for the word that it was in time."""

_REMEMBERED = 2048


class Answer:
    """Where an interaction is answered.

    ``message``: the message that holds the answer, as far as it is known. ``apart``: the bot is not in that channel,
    so that it can be reached by the token only.
    """

    def __init__(self, post: Post, interaction: Interaction, channel: int, *, private_place: bool) -> None:
        self._post = post
        self._interaction = interaction
        self.channel = channel
        self.user = interaction.user.id
        self.private_place = private_place
        self.apart = not (interaction.is_guild_integration() or private_place)
        self.dead = False
        self.hidden = False
        self.message: int | None = None

    @property
    def spot(self) -> Spot | None:
        """The message that holds the answer."""
        return None if self.message is None else Spot(self.channel, self.message)

    @property
    def upload_limit(self) -> int:
        """The size of the largest file that the interaction's own answers may hold, in bytes."""
        return self._interaction.filesize_limit

    async def begin(self, *, hidden: bool) -> None:
        """Say that an answer comes, as a new message; ``hidden``: only the asker will see it."""
        self.hidden = hidden
        await self._acknowledge(thinking=True)

    async def change(self) -> None:
        """Say that the message whose button was pressed may change, or that something else may come."""
        self.message, self.hidden = pressed_in(self._interaction)
        await self._acknowledge(thinking=False)

    async def _acknowledge(self, *, thinking: bool) -> None:
        respond = self._interaction.response
        defer = respond.defer(thinking=thinking, ephemeral=thinking and self.hidden)
        try:
            told = await self._post.call(lambda: within(_ACKNOWLEDGED_WITHIN_S, defer))
        except DeadTokenError:
            self.dead = True
        except (AcknowledgedError, UnknownOutcomeError):
            # It may have gone through, only that nobody said so.
            await self._find(thinking=thinking)
        except (PostError, MessageGoneError) as error:
            log.warning("An interaction could not be acknowledged: %s", error)
            self.dead = True
        else:
            if thinking and told is not None:
                self.message = told.message_id

    async def _find(self, *, thinking: bool) -> None:
        try:
            found = await self._post.call(self._interaction.original_response)
        except (PostError, MessageGoneError):
            self.dead = True
        else:
            self.message = found.id if thinking else self.message

    async def show(self, page: Page) -> None:
        """Put a page where the answer stands; by the channel, where the token is not taken any more."""
        if not self.dead:
            try:
                await self._post.call(lambda: self._interaction.edit_original_response(**page.change()))
            except DeadTokenError:
                self.dead = True
            else:
                return
        if self.hidden:
            await self._direct(page)
            return
        self._need_channel()
        if self.message is not None:
            await self._post.edit(Spot(self.channel, self.message), page)
        else:
            self.message = await self._post.send(self.channel, page, mention=self._mention)

    async def add(self, page: Page, *, hidden: bool = False, uploads: Sequence[Upload] = ()) -> int:
        """One more message; its id."""
        if not self.dead:
            parts = page.new(uploads)
            send = self._interaction.followup.send
            try:
                message = await self._post.call(lambda: send(**parts, ephemeral=hidden, wait=True))
            except DeadTokenError:
                self.dead = True
            else:
                return message.id
        if hidden and not self.private_place:
            return await self._direct(page, uploads)
        self._need_channel()
        return await self._post.send(self.channel, page, uploads=uploads, mention=self._mention)

    async def drop(self) -> None:
        """Take away the message that was to hold the answer."""
        if not self.dead:
            with contextlib.suppress(PostError, MessageGoneError):
                await self._post.call(self._interaction.delete_original_response)
        self.message = None

    async def edit_by_token(self, page: Page) -> None:
        """Change the message by the token alone. Raises DeadTokenError."""
        if self.dead:
            raise DeadTokenError
        try:
            await self._post.call(lambda: self._interaction.edit_original_response(**page.change()))
        except DeadTokenError:
            self.dead = True
            raise

    def _need_channel(self) -> None:
        if self.apart:
            raise DeadTokenError("the token is dead, and the channel is not the bot's")

    @property
    def _mention(self) -> int | None:
        return None if self.private_place else self.user

    async def _direct(self, page: Page, uploads: Sequence[Upload] = ()) -> int:
        """What only the asker may read, without a token to say it by. Raises MessageGoneError where that is closed."""
        channel = await self._post.open_direct(self.user)
        return await self._post.send(channel, page, uploads=uploads)


class Answers:
    """The answers that may still be needed to reach a message, and what the delivery has shown in it."""

    def __init__(self) -> None:
        self._by_spot: OrderedDict[Spot, Answer] = OrderedDict()
        self._shown: OrderedDict[Spot, bool] = OrderedDict()
        self._orders: WeakValueDictionary[Spot, asyncio.Lock] = WeakValueDictionary()

    def keep(self, spot: Spot, answer: Answer) -> None:
        """A message that shows a piece can be reached by this as well."""
        self._by_spot[spot] = answer
        while len(self._by_spot) > _REMEMBERED:
            self._by_spot.popitem(last=False)

    def find(self, spot: Spot) -> Answer | None:
        """By what a message can be reached as well."""
        return self._by_spot.get(spot)

    def begin_to_show(self, spot: Spot, *, last: bool = False) -> bool:
        """The delivery shows something; False where it has shown the end already."""
        if self._shown.get(spot):
            return last
        self._shown[spot] = last
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
        return True

    def order(self, spot: Spot) -> asyncio.Lock:
        """Held by who changes a message, so that an older state never lands after a newer one."""
        lock = self._orders.get(spot)
        if lock is None:
            lock = self._orders[spot] = asyncio.Lock()
        return lock

    def untouched(self, spot: Spot) -> bool:
        """Whether the delivery has shown nothing there yet, so that a first state is the newest."""
        return spot not in self._shown
