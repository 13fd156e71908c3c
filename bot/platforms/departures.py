"""What a platform's bot has gone out of, told to Convex until it is there: a group, a chat, a group that has moved."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Iterable

from bot.backoff import Backoff
from bot.platforms import Services
from bot.platforms.shelf import Shelf
from bot.upkeep import end, keep_up
from handlers.errors import InvalidInputError, RagaBotError

log = logging.getLogger(__name__)

_KIND = "left"
_PAUSES_S = (1.0, 300.0)


class Departures:
    """Notes on the shelf what is to be told, so that it outlasts a restart, and tells it in its order.

    What the shelf holds of the chats goes once Convex knows.
    """

    def __init__(self, platform: str, shelf: Shelf, services: Services) -> None:
        self._platform = platform
        self._shelf = shelf
        self._services = services
        self._noted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Tell what is on the shelf, and what comes; a second call changes nothing."""
        if self._task is None:
            self._task = keep_up(self._work, "What the bot has left")

    async def stop(self) -> None:
        """What is not told by now is told after the next start."""
        if self._task is not None:
            await end([self._task])
            self._task = None

    async def left(self, group: str | None, chats: Iterable[str]) -> None:
        """The bot is out of a group with these chats, or of single chats. Raises OSError."""
        await self._note({"group": group, "chats": sorted(set(chats))})

    async def moved(self, group: str, to: str) -> None:
        """A group goes on under another id. Raises OSError."""
        await self._note({"group": group, "to": to, "chats": [group]})

    async def _note(self, said: dict[str, object]) -> None:
        await self._shelf.put(_KIND, secrets.token_hex(8), json.dumps(said))
        self._noted.set()

    async def _work(self) -> None:
        while True:
            self._noted.clear()
            for key, text in (await self._shelf.all(_KIND)).items():
                said = json.loads(text)
                await self._tell(said["group"], said["chats"], said.get("to"))
                await self._shelf.forget_chats(said["chats"])
                await self._shelf.forget(_KIND, key)
            await self._noted.wait()

    async def _tell(self, group: str | None, chats: list[str], to: str | None) -> None:
        trouble = Backoff(*_PAUSES_S)
        while True:
            try:
                if to is not None and group is not None:
                    await self._services.moved(self._platform, group, to)
                else:
                    await self._services.left(self._platform, group, chats)
            except InvalidInputError:
                log.exception("Convex does not take what was left on %s.", self._platform)
                return
            except RagaBotError as error:
                log.warning("What was left on %s is not in Convex yet: %s", self._platform, error.code)
                await asyncio.sleep(trouble.pause_s())
            else:
                return
