"""Interactions on their way in: each answered once, and those that a crash left open taken up at the next start."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import discord

from bot.platforms.discord.post import Interaction
from bot.platforms.discord.reading import sound
from bot.platforms.shelf import Shelf
from bot.upkeep import begin, end

log = logging.getLogger(__name__)

_SEEN_KEPT = 4096
_TOLD_KEPT = 256
_OPEN_FOR = timedelta(days=1)
"""What is older was asked on another day; nobody waits for it any more."""

_KIND = "inbox"
_FAREWELL_S = 0.5
_ASKING = (discord.InteractionType.application_command, discord.InteractionType.component)

Raw = Mapping[str, Any]
"""An interaction as it came."""


class Intake:
    """Takes interactions. Which of them are still open stands on the shelf, with the tokens they are answered by."""

    def __init__(self, shelf: Shelf, handle: Callable[[Interaction], Awaitable[None]]) -> None:
        self._shelf = shelf
        self._handle = handle
        self._told: OrderedDict[str, Raw] = OrderedDict()
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = False

    async def start(self, read: Callable[[Raw], Interaction]) -> None:
        """Take up what was open when the bot last ended; a second call changes nothing.

        ``read``: makes an interaction of what was kept, with the client that is connected now.
        """
        if self._started:
            return
        self._started = True
        try:
            kept = await self._shelf.all(_KIND)
        except OSError as error:
            log.warning("What was open could not be read: %s", error)
            return
        for ident, text in kept.items():
            try:
                raw = json.loads(text)
                interaction = read(raw)
                old = discord.utils.utcnow() - interaction.created_at > _OPEN_FOR
            except Exception as error:
                log.warning("An interaction that was open could not be read: %s", type(error).__name__)
                old = True
            if old:
                await self._forget(ident)
            else:
                self.told(raw)
                self.take(interaction)

    async def stop(self) -> None:
        """Let what is nearly done finish; the rest is taken up at the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_FAREWELL_S)
        await end(tuple(self._tasks))

    def told(self, raw: object) -> None:
        """What the next interaction of this id came as."""
        if isinstance(raw, dict) and isinstance(ident := raw.get("id"), str):
            self._told[ident] = raw
            while len(self._told) > _TOLD_KEPT:
                self._told.popitem(last=False)

    def take(self, interaction: Interaction) -> None:
        """Begin to answer; an interaction may come again after the gateway was lost, and is answered once."""
        raw = self._told.pop(str(interaction.id), None)
        if interaction.id in self._seen or not sound(interaction):
            return
        self._seen[interaction.id] = None
        while len(self._seen) > _SEEN_KEPT:
            self._seen.popitem(last=False)
        task = begin(self._run(interaction, raw), "discord: an answer")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, interaction: Interaction, raw: Raw | None) -> None:
        if raw is None or interaction.type not in _ASKING:
            await self._handle(interaction)
            return
        # Side by side: it is on the disk long before the acknowledgement has crossed the network.
        noted = begin(self._note(str(interaction.id), raw), "discord: a note of what is open")
        try:
            await self._handle(interaction)
        finally:
            await noted
        await self._forget(str(interaction.id))

    async def _note(self, ident: str, raw: Raw) -> None:
        try:
            await self._shelf.put(_KIND, ident, json.dumps(raw))
        except OSError as error:
            log.warning("What is open could not be written down: %s", error)

    async def _forget(self, ident: str) -> None:
        with suppress(OSError):
            await self._shelf.forget(_KIND, ident)
