"""The bot's one live subscription, kept up through outages by a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from convex import json_to_convex

from bot.backend.documents import Document, LiveState, live_state_of
from bot.backend.gateway import TokenSource
from bot.backoff import Backoff
from handlers.errors import RagaBotError

log = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
_MAX_LINE_BYTES = 32 * 2**20
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0
_STOP_DEADLINE_S = 1.0
_PRIVATE_PREFIXES = ("DISCORD_", "TELEGRAM_")

Command = Sequence[str]
OUR_COMMAND: Command = (sys.executable, "-P", "-m", "bot.backend.live_process")


class States(Protocol):
    """Where the newest LiveState comes from."""

    def states(self) -> AsyncIterator[LiveState]:
        """The state as it is, then each changed one."""


class LiveError(Exception):
    """The subscription ended; the message is for the log."""


class Live:
    """The newest LiveState, for any number of readers.

    ``answer_deadline_s``: how long a state may keep us waiting where one is due, which is at the start and after each
    new token. ``renewal_s``: how often the token is renewed, well within its life.
    """

    def __init__(
        self,
        url: str,
        token: TokenSource,
        *,
        path: str = "deliveries:watch",
        command: Command = OUR_COMMAND,
        answer_deadline_s: float = 30.0,
        renewal_s: float = 420.0,
    ) -> None:
        self._url = url
        self._token = token
        self._path = path
        self._command = tuple(command)
        self._answer_deadline_s = answer_deadline_s
        self._renewal_s = renewal_s
        self._state: LiveState | None = None
        self._version = 0
        self._changed = asyncio.Condition()
        self._answered = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.restarts = 0

    async def start(self) -> None:
        """Begin to follow; returns at once."""
        self._keeper = asyncio.create_task(self._keep_up(), name="live subscription")

    async def stop(self) -> None:
        """End the process, within about a second."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None

    async def states(self) -> AsyncIterator[LiveState]:
        """The state as it is, then each changed one; a slow reader sees the newest only."""
        seen = 0
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._version != seen)  # noqa: B023 - read while it is waited
                seen, state = self._version, self._state
            if state is not None:
                yield state

    async def restarted(self, times: int) -> None:
        """Wait until the process was started anew so often."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.restarts >= times)

    async def _keep_up(self) -> None:
        backoff = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        while True:
            self._answered.clear()
            try:
                await self._follow()
            except (LiveError, OSError, ValueError, RagaBotError) as error:
                log.warning("The live subscription ended and starts anew: %s", error)
            except Exception:
                log.exception("The live subscription failed and starts anew.")
            if self._answered.is_set():
                backoff.reset()
            await asyncio.sleep(backoff.pause_s())
            async with self._changed:
                self.restarts += 1
                self._changed.notify_all()

    async def _follow(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_MAX_LINE_BYTES,
            env=_environment(os.environ),
        )
        try:
            if process.stdin is None or process.stdout is None:
                raise LiveError("it has no pipes")
            # The token goes by stdin: arguments and environment can be read by others on the machine.
            token = self._token(fresh=True)
            order = {"url": self._url, "path": self._path, "token": token, "parent": os.getpid()}
            process.stdin.write(_line(order))
            await _first_end(self._read(process.stdout), self._renew(process.stdin))
        finally:
            await _end(process)

    async def _renew(self, stdin: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(self._answer_deadline_s):
                    await self._answered.wait()
            except TimeoutError:
                raise LiveError(f"no answer in {self._answer_deadline_s:.0f} s") from None
            await asyncio.sleep(self._renewal_s)
            # A new identity makes Convex answer anew, so a subscription that died in silence shows here.
            self._answered.clear()
            stdin.write(_line({"token": self._token(fresh=True)}))
            await stdin.drain()

    async def _read(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            said = json.loads(line, parse_int=float)
            error = Document(said).optional_text("error")
            if error is not None:
                raise LiveError(error)
            state = live_state_of(Document(json_to_convex(said["value"])))
            self._answered.set()
            if state != self._state:
                async with self._changed:
                    self._state = state
                    self._version += 1
                    self._changed.notify_all()
        raise LiveError("its process ended")


async def _first_end(*jobs: Coroutine[None, None, None]) -> None:
    """Run them together until one ends, and end the others; raises what the ended one raised."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if not name.startswith(_PRIVATE_PREFIXES)}
    paths = [str(_ROOT), *filter(None, [environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        process.kill()  # there is nothing that it would have to put in order
    try:
        async with asyncio.timeout(_STOP_DEADLINE_S):
            await process.wait()
    except TimeoutError:
        log.warning("The live subscription's process %d does not end.", process.pid)
