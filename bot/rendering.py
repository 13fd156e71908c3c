"""Processes that render pieces, so that the bot's own loop never waits for music.

Each is started ahead of time with the engine loaded. One that has to stop in the middle of a piece is killed
and replaced. All of them end with the bot, also when the bot is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, cast

from bot.backoff import Backoff
from handlers.model import GenerationMetadata
from music.request import DemonstrationRequest, PieceError, PieceRequest

if TYPE_CHECKING:
    from music.export import Format
    from music.score import Score

log = logging.getLogger(__name__)

_REPORT_GAP_S = 0.1
_STOP_DEADLINE_S = 1.0


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished piece as MP3."""

    data: bytes
    metadata: GenerationMetadata


@dataclass(frozen=True, slots=True)
class Exported:
    """A piece as the kind of file that was asked for; None where the request makes another piece by now."""

    data: bytes | None


Report = Callable[[str, float], None]
"""Takes a stage and the fraction done of the whole, 0 to 1."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A piece as another file, asked for. ``score``: the fingerprint of the piece that is meant."""

    piece: PieceRequest
    kind: Format
    score: str


Wanted = PieceRequest | DemonstrationRequest | ExportRequest
"""What can be rendered."""

Made = Rendered | Exported

Engine = Callable[[Wanted, Report], Made]
"""Makes a piece, or exports one. Raises PieceError with a kind sentence for a request that cannot be met."""

LoadEngine = Callable[[], Engine]
"""Imports an engine, in the process that will use it. Must be importable by name."""


class RenderError(Exception):
    """A piece was not finished, for no fault of the request; the message is for the log."""


@dataclass(frozen=True, slots=True)
class _Reported:
    stage: str
    fraction: float


@dataclass(frozen=True, slots=True)
class _Refused:
    message: str


@dataclass(frozen=True, slots=True)
class _Failed:
    reason: str


def load_engine() -> Engine:
    """Raga Bot's own engine; importing it takes a second or two."""
    from bot.drawing.contour import draw_piece
    from music.compose import compose
    from music.demonstration import make_demonstration
    from music.export import export
    from music.piece import make_piece

    def cover(score: Score) -> bytes | None:
        try:
            return draw_piece(score, "dark")
        except Exception as error:  # a piece is worth more than its picture
            print(f"A piece goes without its picture: {type(error).__name__}: {error}", file=sys.stderr)
            return None

    def render(request: Wanted, report: Report) -> Made:
        match request:
            case ExportRequest(wanted, kind, score):
                known = compose(wanted).fingerprint == score
                return Exported(export(wanted, kind, report) if known else None)
            case DemonstrationRequest():
                piece = make_demonstration(
                    request.raga, report, tonic=request.key, instrument=request.instrument
                )
            case _:
                piece = make_piece(request, report, cover)
        metadata = GenerationMetadata(
            title=piece.title,
            performer=piece.performer,
            duration_s=float(piece.duration_s),
            tonic_hz=float(piece.tonic_hz),
            tempo_bpm=float(piece.tempo_bpm),
            tala=piece.tala,
            size_bytes=len(piece.mp3),
            score=piece.score.fingerprint,
        )
        return Rendered(piece.mp3, metadata)

    return render


def serve(connection: Connection, load: LoadEngine) -> None:
    """What a rendering process does: one request after another, until the bot goes."""
    # Ctrl-C reaches the whole process group; it is the bot that decides when this ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)  # people who chat come before music that is made ahead of its turn
    engine = load()
    while True:
        try:
            request = cast(Wanted, connection.recv())
        except (EOFError, OSError):
            return
        connection.send(_answer(engine, request, connection))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _answer(engine: Engine, request: Wanted, connection: Connection) -> Made | _Refused | _Failed:
    last_stage, next_at = "", 0.0

    def report(stage: str, fraction: float) -> None:
        nonlocal last_stage, next_at
        now = time.monotonic()
        if stage != last_stage or now >= next_at:
            last_stage, next_at = stage, now + _REPORT_GAP_S
            connection.send(_Reported(stage, float(fraction)))

    try:
        return engine(request, report)
    except PieceError as error:
        return _Refused(str(error))
    except Exception as error:  # the bot logs it, and another attempt may go better
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        line = "" if where is None else f" at {where.tb_frame.f_code.co_name}:{where.tb_lineno}"
        return _Failed(f"{type(error).__name__}: {error}{line}")


class _Renderer:
    """One process, and one thread of ours that talks with it (its pipe has no other way to be waited for)."""

    def __init__(self, load: LoadEngine) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, self._theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=serve, args=(self._theirs, load), daemon=True)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="renderer")
        self._closed = False

    async def start(self) -> None:
        """Begin to load the engine; returns before that is done. Raises OSError."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._start)

    def _start(self) -> None:
        # Ctrl-C reaches the whole process group, also a process that is only beginning: it inherits this thread's mask.
        # The tracker comes first, because its own start would undo the mask.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        # Else we would hold the other end ourselves, and never hear that the process has gone.
        self._theirs.close()

    async def make(self, request: Wanted, report: Report) -> Made:
        """Raises PieceError, RenderError."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._connection.send, request)
            while True:
                match await loop.run_in_executor(self._thread, self._connection.recv):
                    case _Reported(stage, fraction):
                        report(stage, fraction)
                    case Rendered() | Exported() as made:
                        return made
                    case _Refused(message):
                        raise PieceError(message)
                    case _Failed(reason):
                        raise RenderError(reason)
        except (EOFError, OSError):
            raise RenderError("its process ended") from None

    @property
    def alive(self) -> bool:
        """Whether its process still runs."""
        return not self._closed and self._process.is_alive()

    def kill(self) -> None:
        """End the process where it stands."""
        if not self._closed and self._process.pid is not None:
            self._process.kill()

    async def close(self) -> None:
        """Kill, and tidy up after it."""
        self.kill()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._connection.close()
        self._theirs.close()
        if self._process.pid is not None:
            self._process.kill()  # it may have been started after its end was decided
            self._process.join(_STOP_DEADLINE_S)
            if self._process.exitcode is None:
                log.warning("The rendering process %d does not end.", self._process.pid)
            else:
                self._process.close()


class Renderers:
    """A fixed number of rendering processes, all of them ready ahead of time."""

    def __init__(self, size: int, load: LoadEngine = load_engine) -> None:
        self.size = size
        self._load = load
        self._idle: asyncio.Queue[_Renderer] = asyncio.Queue()
        self._all: set[_Renderer] = set()
        self._changes: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self) -> None:
        """Start the processes; they load the engine while the bot goes on."""
        self._stopping = False
        for _ in range(self.size):
            self._later(self._add())

    async def stop(self) -> None:
        """Kill them all, in about a second."""
        self._stopping = True
        for task in tuple(self._changes):
            task.cancel()
        await asyncio.gather(*self._changes, return_exceptions=True)
        await asyncio.gather(*(renderer.close() for renderer in self._all))
        self._all.clear()

    async def render(
        self, request: PieceRequest | DemonstrationRequest, report: Report, deadline_s: float
    ) -> Rendered:
        """Make a piece; ``report`` is called on this loop. The deadline counts from when a process is free.

        Cancelling stops the work really. Raises PieceError, RenderError.
        """
        made = await self._make(request, report, deadline_s)
        if not isinstance(made, Rendered):
            raise RenderError("a piece was asked for, and a file was made")
        return made

    async def export(self, request: ExportRequest, report: Report, deadline_s: float) -> bytes | None:
        """Make a piece as another file, otherwise as `render`; None where it would be another piece."""
        return (await self._make(request, report, deadline_s)).data

    async def _make(self, request: Wanted, report: Report, deadline_s: float) -> Made:
        while not (renderer := await self._idle.get()).alive:
            # It was killed while it had nothing to do, which is no fault of this piece.
            self._later(self._replace(renderer))
        healthy = False
        try:
            async with asyncio.timeout(deadline_s):
                made = await renderer.make(request, report)
            healthy = True
        except TimeoutError:
            raise RenderError(f"not done after {deadline_s:.0f} s") from None
        except PieceError:
            healthy = True
            raise
        else:
            return made
        finally:
            if healthy:
                self._idle.put_nowait(renderer)
            else:
                renderer.kill()
                self._later(self._replace(renderer))

    async def _add(self) -> None:
        backoff = Backoff(0.5, 30.0)
        while True:
            renderer = _Renderer(self._load)
            self._all.add(renderer)
            try:
                await renderer.start()
            except OSError as error:
                log.error("A rendering process could not be started: %s", error.strerror)  # noqa: TRY400
                self._all.discard(renderer)
                await renderer.close()
                await asyncio.sleep(backoff.pause_s())
            else:
                self._idle.put_nowait(renderer)
                return

    async def _replace(self, renderer: _Renderer) -> None:
        await renderer.close()
        self._all.discard(renderer)
        await self._add()

    def _later(self, change: Coroutine[None, None, None]) -> None:
        if self._stopping:
            change.close()  # a piece that ends because of the stop needs no new process
            return
        task = asyncio.create_task(change)
        self._changes.add(task)
        task.add_done_callback(self._changed)

    def _changed(self, task: asyncio.Task[None]) -> None:
        self._changes.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A rendering process could not be replaced.", exc_info=error)
