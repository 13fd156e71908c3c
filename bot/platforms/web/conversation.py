"""What is said in the page, from the line to the answer in the log; and who hears of each change."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.platforms import Services
from bot.platforms.web.book import Change
from bot.platforms.web.message_log import Ask, MessageLog
from bot.platforms.web.pictures import CardPictures
from bot.platforms.web.visitors import PLATFORM, Visitor
from bot.platforms.web.wire import FrameError, ReplyJson, clean_line, read_line
from handlers.model import AccountId, MessageRef, Reply, Request

log = logging.getLogger(__name__)

ASKS_AT_ONCE = 16
"""Of one account; what is asked beyond it is refused."""

_FAREWELL_S = 0.5
_PURGE_GAP_S = 24 * 3600.0
_FAILED = Reply(text="Something went wrong here. Please send that again.", ok=False)
_CUT_SHORT = Reply(
    text="I was interrupted twice while I worked on this, so I have put it aside. Please send it again.",
    ok=False,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of something asked. ``message``: the id of the message that shows it, if one does."""

    ask: str
    message: str | None
    reply: ReplyJson


class Tab(Protocol):
    """A page that shows a conversation."""

    def heard(self, changes: Sequence[Change]) -> None:
        """Some messages of its conversation have changed. Must not block or raise."""


class Conversations:
    """Runs what people ask, each thing once, and keeps every tab of an account in step."""

    def __init__(self, services: Services, message_log: MessageLog, pictures: CardPictures) -> None:
        self._services = services
        self._log = message_log
        self._pictures = pictures
        self._tabs: defaultdict[AccountId, set[Tab]] = defaultdict(set)
        self._running: dict[tuple[AccountId, str], asyncio.Task[Answer]] = {}
        self._tidying: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what was being answered when the bot last stopped, and begin to tidy."""
        for ask in await self._log.given_up():
            await self._log.settle(ask, _CUT_SHORT)
        for ask in await self._log.unanswered():
            task = asyncio.create_task(self._respond(ask), name="web: an answer taken up")
            self._keep((ask.account, ask.id), task)
        self._tidying = asyncio.create_task(self._tidy(), name="web: tidying")

    async def stop(self) -> None:
        """Let what is nearly answered finish; the rest is taken up at the next start."""
        tasks: list[asyncio.Task[None] | asyncio.Task[Answer]] = [*self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=_FAREWELL_S)
        tasks = [*self._running.values(), *([self._tidying] if self._tidying else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def join(self, account: AccountId, tab: Tab) -> int:
        """A tab begins to listen; returns how many of this account do now."""
        self._tabs[account].add(tab)
        return len(self._tabs[account])

    def leave(self, account: AccountId, tab: Tab) -> None:
        """A tab has gone."""
        self._tabs[account].discard(tab)
        if not self._tabs[account]:
            del self._tabs[account]

    def published(self, changes: Sequence[Change]) -> None:
        """Tell the tabs; the log calls this in the order of the changes, which are of one account."""
        for tab in tuple(self._tabs.get(changes[0].account, ())):
            tab.heard(changes)

    async def ask(self, visitor: Visitor, ask: str, text: str, *, pressed: str | None = None) -> Answer:
        """Answer a line, or find the answer it had. Raises FrameError when it cannot be taken.

        Cancelling the caller does not stop the answer: it is written to the log all the same.
        """
        line = clean_line(text)
        key = (visitor.account, ask)
        task = self._running.get(key)
        if task is None:
            if sum(account == visitor.account for account, _ in self._running) >= ASKS_AT_ONCE:
                raise FrameError(
                    "too_many", "I am still busy with what you asked before. Please wait a moment."
                )
            task = asyncio.create_task(self._answer(visitor, ask, line, pressed), name="web: an answer")
            self._keep(key, task)
        return await asyncio.shield(task)

    def _keep(self, key: tuple[AccountId, str], task: asyncio.Task[Answer]) -> None:
        def done(finished: asyncio.Task[Answer]) -> None:
            del self._running[key]
            if not finished.cancelled() and (error := finished.exception()):
                log.error("An answer in the page could not be written down.", exc_info=error)

        self._running[key] = task
        task.add_done_callback(done)

    async def _answer(self, visitor: Visitor, ask: str, line: str, pressed: str | None) -> Answer:
        written, _ = await self._log.ask(
            visitor.account, ask, line, visitor.locale, said=pressed is None, pressed=pressed
        )
        return await self._respond(written)

    async def _respond(self, ask: Ask) -> Answer:
        if ask.result is not None:
            return _answer(ask.id, ask.result)
        visitor = Visitor(ask.account, ask.locale)
        try:
            command, text = read_line(ask.line)
            request = Request(
                actor=visitor.actor,
                place=visitor.place,
                command=command,
                event=ask.id,
                text=text,
                answer=MessageRef(platform=PLATFORM, chat=ask.account, message=ask.answer),
            )
            reply = await self._services.respond(request)
        except Exception:
            # Handlers have a boundary of their own; a fault in it must not leave a message waiting.
            log.exception("An answer in the page could not be given.")
            reply = _FAILED
        return _answer(ask.id, await self._log.settle(ask, reply, await self._pictures.of(reply)))

    async def _tidy(self) -> None:
        while True:
            gone = await self._log.purge()
            if gone:
                log.info("%d conversations in the page were idle for half a year and are forgotten.", gone)
            await asyncio.sleep(_PURGE_GAP_S)


def _answer(ask: str, result: str) -> Answer:
    value = json.loads(result)
    return Answer(ask=ask, message=value["message"], reply=value["reply"])
