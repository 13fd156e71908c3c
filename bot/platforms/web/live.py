"""One open page: its WebSocket, what it may send, and what it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine, Sequence

from aiohttp import WSCloseCode, WSMsgType, web

from bot.platforms import Services
from bot.platforms.web.book import Change
from bot.platforms.web.conversation import Conversations
from bot.platforms.web.message_log import MessageLog
from bot.platforms.web.visitors import Visitor
from bot.platforms.web.wire import (
    Clear,
    Complete,
    Frame,
    FrameError,
    Hello,
    Ping,
    Press,
    Say,
    dump,
    read_frame,
    suggestions_json,
)

log = logging.getLogger(__name__)

TABS = 24
"""The most pages that one account has open at once."""

COMMANDS, COMMANDS_WINDOW_S = 30, 10.0
COMPLETIONS, COMPLETIONS_WINDOW_S = 200, 10.0
GARBAGE = 20
"""A page that sends so many frames that make no sense is closed."""

HEARTBEAT_S = 25.0
SUGGESTIONS = 12

_UNSENT = 600
_SEND_DEADLINE_S = 20.0


class FloodGate:
    """Lets so many events through in any window of time."""

    def __init__(self, count: int, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._window_s = window_s
        self._clock = clock
        self._passed: deque[float] = deque()

    def wait_s(self) -> float:
        """0 and the event counts; else how long until the next may pass."""
        now = self._clock()
        while self._passed and self._passed[0] <= now - self._window_s:
            self._passed.popleft()
        if len(self._passed) >= self._count:
            return self._passed[0] + self._window_s - now
        self._passed.append(now)
        return 0.0


class _Outbox:
    """Frames on their way to a page; a message that changes again before it is sent is sent once."""

    def __init__(self) -> None:
        self._frames: deque[str] = deque()
        self._changed: OrderedDict[str, Change] = OrderedDict()
        self._filled = asyncio.Event()

    def put(self, frame: str) -> None:
        """A frame of its own. What changed before it goes first."""
        self._flush()
        self._frames.append(frame)
        self._filled.set()

    def put_change(self, change: Change) -> None:
        """A changed message; the newest change stands last, so that numbers only grow."""
        self._changed[change.id] = change
        self._changed.move_to_end(change.id)
        self._filled.set()

    def __len__(self) -> int:
        return len(self._frames) + len(self._changed)

    async def next(self) -> str:
        """The next frame, as soon as there is one."""
        await self._filled.wait()
        self._flush()
        frame = self._frames.popleft()
        if not self._frames:
            self._filled.clear()
        return frame

    def _flush(self) -> None:
        if self._changed:
            newest = next(reversed(self._changed.values()))
            messages = ",".join(change.message for change in self._changed.values())
            head = dump({"type": "messages", "epoch": newest.epoch, "seq": newest.seq})
            self._frames.append(f'{head[:-1]},"messages":[{messages}]}}')
            self._changed.clear()


class LivePage:
    """Serves one WebSocket until it closes. ``Tab`` of bot.platforms.web.conversation."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        visitor: Visitor,
        services: Services,
        conversations: Conversations,
        message_log: MessageLog,
    ) -> None:
        self._socket = socket
        self._visitor = visitor
        self._services = services
        self._conversations = conversations
        self._log = message_log
        self._outbox = _Outbox()
        self._early: list[Change] | None = []
        self._welcomes = 0
        self._commands = FloodGate(COMMANDS, COMMANDS_WINDOW_S)
        self._completions = FloodGate(COMPLETIONS, COMPLETIONS_WINDOW_S)
        self._garbage = 0
        self._gave_up = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Read and write until either side closes."""
        account = self._visitor.account
        sender = asyncio.create_task(self._send())
        try:
            if self._conversations.join(account, self) > TABS:
                await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"too many open pages")
                return
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    await self._take(message.data)
                elif message.type is WSMsgType.BINARY:
                    self._refuse(FrameError("not_text", "I read text frames only."))
                if self._garbage >= GARBAGE:
                    await self._socket.close(
                        code=WSCloseCode.POLICY_VIOLATION, message=b"too much that makes no sense"
                    )
        finally:
            self._conversations.leave(account, self)
            tasks = (sender, *self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """The bot stops; the page will come back."""
        with contextlib.suppress(ConnectionError):
            await self._socket.close(
                code=WSCloseCode.GOING_AWAY, message=b"the bot is restarting", drain=False
            )

    def heard(self, changes: Sequence[Change]) -> None:
        """Pass changes on; before the first snapshot they are kept, and those it has are dropped then."""
        for change in changes:
            if self._early is not None:
                self._early.append(change)
            elif change.message:
                self._outbox.put_change(change)
            else:
                self._begin_welcome("", 0)
        if not self._gave_up and len(self._outbox) + len(self._early or ()) > _UNSENT:
            self._gave_up = True
            self._begin(self._give_up())

    async def _give_up(self) -> None:
        """Close: the page takes in too little, or lacks what it asked for. It comes back and asks again."""
        await self._socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"please come back")

    async def _send(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                frame = await self._outbox.next()
                try:
                    async with asyncio.timeout(_SEND_DEADLINE_S):
                        await self._socket.send_str(frame)
                except TimeoutError:
                    await self._give_up()
                    return

    async def _take(self, data: str) -> None:
        try:
            frame = read_frame(data)
            self._handle(frame)
        except FrameError as error:
            self._garbage += error.code not in ("too_many", "too_long")
            self._refuse(error)

    def _handle(self, frame: Frame) -> None:
        match frame:
            case Hello():
                self._begin_welcome(frame.epoch, frame.since)
            case Say():
                self._command(frame.id, frame.text, None)
            case Press():
                self._command(frame.id, frame.line, frame.message)
            case Complete():
                self._complete(frame)
            case Clear():
                self._begin(self._log.clear(self._visitor.account))
            case Ping():
                self._outbox.put('{"type":"pong"}')

    def _begin_welcome(self, epoch: str, since: int) -> None:
        """Send a snapshot. What changes until the last one is on its way waits, to come after it."""
        self._welcomes += 1
        self._early = [] if self._early is None else self._early
        self._begin(self._welcome(epoch, since))

    async def _welcome(self, epoch: str, since: int) -> None:
        snapshot = await self._log.snapshot(self._visitor.account, epoch, since)
        head = dump(
            {
                "type": "welcome",
                "epoch": snapshot.epoch,
                "seq": snapshot.seq,
                "reset": snapshot.reset,
            }
        )
        self._outbox.put(f'{head[:-1]},"messages":[{",".join(snapshot.messages)}]}}')
        self._welcomes -= 1
        if self._welcomes:
            return
        early, self._early = self._early or [], None
        self.heard(
            [change for change in early if change.seq > snapshot.seq or change.epoch != snapshot.epoch]
        )

    def _command(self, ask: str, line: str, pressed: str | None) -> None:
        wait_s = self._commands.wait_s()
        if wait_s:
            self._refuse(
                FrameError(
                    "too_many", "That was a lot at once. Please give me a few seconds, then send it again."
                ),
                ask=ask,
                retry_s=wait_s,
            )
            return
        self._begin(self._answer(ask, line, pressed))

    async def _answer(self, ask: str, line: str, pressed: str | None) -> None:
        try:
            answer = await self._conversations.ask(self._visitor, ask, line, pressed=pressed)
        except FrameError as error:
            self._refuse(error, ask=ask)
            return
        except asyncio.CancelledError:
            raise
        except Exception:
            # The conversation has logged it; the page must not wait for an answer that will not come.
            self._refuse(FrameError("failed", "Something went wrong here. Please send that again."), ask=ask)
            return
        self._outbox.put(
            dump(
                {
                    "type": "answered",
                    "id": answer.ask,
                    "message": answer.message,
                    "ok": answer.reply["ok"],
                    "notice": answer.reply["notice"],
                }
            )
        )

    def _complete(self, frame: Complete) -> None:
        if self._completions.wait_s():
            suggestions = []
        else:
            suggestions = suggestions_json(self._services.complete(frame.line)[:SUGGESTIONS])
        self._outbox.put(
            dump(
                {
                    "type": "suggestions",
                    "request": frame.request,
                    "line": frame.line,
                    "suggestions": suggestions,
                }
            )
        )

    def _refuse(self, error: FrameError, *, ask: str | None = None, retry_s: float | None = None) -> None:
        self._outbox.put(
            dump(
                {"type": "error", "code": error.code, "message": error.message, "id": ask, "retry_s": retry_s}
            )
        )

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("A page could not be served.", exc_info=error)
            self._begin(self._give_up())
