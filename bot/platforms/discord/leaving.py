"""Servers, channels and threads that have gone: what is kept of them goes too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from bot.platforms.departures import Departures
from bot.platforms.shelf import Shelf
from handlers.model import Place

log = logging.getLogger(__name__)

_KIND = "chat"


class Leaving:
    """Knows in which chats of which servers something was said: ``chat`` on the shelf is ``server/channel``.

    Discord names neither the channels of a server that is gone nor the threads of a channel.
    """

    def __init__(self, shelf: Shelf, departures: Departures) -> None:
        self._shelf = shelf
        self._departures = departures
        self._noted: set[str] = set()
        self._order = asyncio.Lock()

    async def speaks_in(self, place: Place) -> None:
        """Something is said in a server's chat."""
        if place.group is None or place.room is None or place.chat in self._noted:
            return
        try:
            await self._shelf.put(_KIND, place.chat, f"{place.group}/{place.room}")
        except OSError as error:
            log.warning("A chat could not be noted: %s", error)
        else:
            self._noted.add(place.chat)

    async def present_in(self, guilds: Iterable[int]) -> None:
        """The bot is in these servers and no other: it may have been taken out while it was away. Raises OSError."""
        present = {str(one) for one in guilds}
        async with self._order:
            known = await self._shelf.all(_KIND)
            for guild in {where.partition("/")[0] for where in known.values()} - present:
                await self._gone(
                    guild, [chat for chat, where in known.items() if where.startswith(f"{guild}/")]
                )

    async def guild_gone(self, guild: int) -> None:
        """The bot is out of a server. Raises OSError."""
        async with self._order:
            known = await self._shelf.all(_KIND)
            await self._gone(
                str(guild), [chat for chat, where in known.items() if where.startswith(f"{guild}/")]
            )

    async def chat_gone(self, chat: int) -> None:
        """A channel with its threads, or a thread, has been deleted. Raises OSError."""
        async with self._order:
            known = await self._shelf.all(_KIND)
            chats = [one for one, where in known.items() if one == str(chat) or where.endswith(f"/{chat}")]
            if chats:
                await self._gone(None, chats)

    async def _gone(self, guild: str | None, chats: list[str]) -> None:
        await self._departures.left(guild, chats)
        for chat in chats:
            await self._shelf.forget(_KIND, chat)
        self._noted.difference_update(chats)
