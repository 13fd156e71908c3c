"""Makes the pieces that wait: takes a lease, renders, uploads, hands in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.backend.audio import AudioStore
from bot.backend.documents import Job
from bot.backend.jobs import Jobs
from bot.backend.live import States
from bot.backoff import Backoff
from bot.commission import commission
from bot.progress import ProgressBoard
from bot.rendering import Rendered, RenderError, Renderers
from bot.upkeep import begin, end, keep_up
from handlers.errors import RagaBotError, UnavailableError
from handlers.model import GenerationId, Progress, StorageId
from music.catalogue import Catalogue
from music.request import PieceError

log = logging.getLogger(__name__)

RENDERED_SHARE = 0.97
"""The part of the whole that rendering is; the rest is the upload."""

_RENDER_BASE_S = 60.0
"""A piece may take so long for the machine's other work, and twice the time that playing it takes."""

_AGAIN_S = (5.0, 60.0)
_FIRST_REPORT_S = 4.0
_LONGEST_REPORT_GAP_S = 30.0
_HAND_IN_S = 600.0
_HAND_IN_PAUSES_S = (0.5, 15.0)
_REFUSALS = 3
_GIVE_UP_S = 90.0
_RELEASE_S = 1.5
_KIND_FAILURE = "Something went wrong while I made this piece. Please ask for it once more."


@contextlib.contextmanager
def worker_name(state_dir: Path, bot: str) -> Iterator[str]:
    """A worker's name for as long as the context lasts: the first that no other process here has taken.

    A worker that was killed leaves its name to the next one, which so finds the jobs that it still holds.
    Raises OSError.
    """
    import fcntl

    state_dir.mkdir(parents=True, exist_ok=True)
    for number in range(1024):
        with (state_dir / f"worker-{number}.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield f"worker:{bot}-{number}"
            return
    raise OSError("too many workers on this machine")


class Worker:
    """As many pieces at once as there are renderers. It sleeps until the live state shows a waiting job."""

    def __init__(
        self,
        jobs: Jobs,
        renderers: Renderers,
        states: States,
        catalogue: Callable[[], Catalogue],
        board: ProgressBoard,
        audio: AudioStore,
        *,
        first_report_s: float = _FIRST_REPORT_S,
    ) -> None:
        self._jobs = jobs
        self._renderers = renderers
        self._states = states
        self._catalogue = catalogue
        self._board = board
        self._audio = audio
        self._first_report_s = first_report_s
        self._waiting: str | None = None
        self._wake = asyncio.Event()
        self._running: dict[GenerationId, asyncio.Task[None]] = {}
        self._left: set[GenerationId] = set()  # given up without Convex's knowing: their leases have to end
        self._unsure = False  # a claim was sent, and what came of it is not known
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to work; returns at once."""
        await self._renderers.start()
        self._tasks = [
            keep_up(self._listen, "The worker's ear"),
            keep_up(self._take_jobs, "The worker"),
        ]

    async def stop(self) -> None:
        """Stop within three seconds; what was not finished can be taken up again at once, here or elsewhere."""
        await end(self._tasks)
        self._tasks = []
        interrupted = bool(self._running) or self._unsure
        await end(self._running.values())
        if interrupted:
            try:
                await self._jobs.release(polite=True, deadline_s=_RELEASE_S)
            except RagaBotError:
                log.warning(
                    "Convex is out of reach: the unfinished pieces are taken up when their leases end."
                )
        await self._renderers.stop()

    async def _listen(self) -> None:
        async for state in self._states.states():
            if state.waiting_job != self._waiting:
                self._waiting = state.waiting_job
                self._wake.set()

    async def _take_jobs(self) -> None:
        await self._release_old()
        tried: str | None = None
        again = Backoff(*_AGAIN_S)
        trouble = Backoff(0.5, 30.0)
        while True:
            self._wake.clear()
            waiting = self._waiting
            if waiting is None:
                tried = None
            if (waiting is None and not self._unsure) or len(self._running) >= self._renderers.size:
                await self._wake.wait()
                continue
            if waiting == tried and not self._unsure:
                # The state has not caught up with our last claim; or the same job waits again.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(again.pause_s()):
                        await self._wake.wait()
                    continue
            else:
                again.reset()
            self._unsure = True
            try:
                job = await self._jobs.claim({*self._running, *self._left})
            except RagaBotError as error:
                # Asked again although nothing may wait: the answer that was lost may have been a job.
                log.warning("No job could be taken: %s", error.code)
                await asyncio.sleep(trouble.pause_s())
                continue
            self._unsure = False
            tried = waiting
            trouble.reset()
            if job is not None:
                self._begin(job)

    async def _release_old(self) -> None:
        """Put back what an earlier process of this name still holds."""
        trouble = Backoff(0.5, 30.0)
        while True:
            try:
                count = await self._jobs.release()
            except RagaBotError as error:
                log.warning("The worker waits for Convex: %s", error.code)
                await asyncio.sleep(trouble.pause_s())
            else:
                if count:
                    log.info("%d unfinished pieces are taken up again.", count)
                return

    def _begin(self, job: Job) -> None:
        old = self._running.get(job.generation)
        if old is not None:
            old.cancel()  # its lease was lost: this is the next attempt
        task = begin(self._work(job), f"Piece {job.generation}")
        self._running[job.generation] = task
        self._left.discard(job.generation)
        task.add_done_callback(lambda done: self._ended(job, done))

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        if self._running.get(job.generation) is task:
            del self._running[job.generation]
            if not task.cancelled() and task.exception() is not None:
                self._left.add(job.generation)
        self._wake.set()

    async def _work(self, job: Job) -> None:
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - a coroutine runs in a task
            raise RuntimeError("a job needs a task of its own")
        report = _Reporter(job, self._board)
        with self._board.stoppable(job.generation, lambda: _cancel(task)):
            beating = begin(self._beat(job, report, task), f"The lease of {job.generation}")
            try:
                await self._make(job, report)
            finally:
                await end([beating])

    async def _make(self, job: Job, report: _Reporter) -> None:
        try:
            request = commission(job.generation, job.request, self._catalogue())
            deadline_s = _RENDER_BASE_S + 2.0 * request.duration_s
            piece = await self._renderers.render(request, report.rendering, deadline_s)
        except PieceError as error:
            log.info("A piece cannot be made as asked: %s", error)
            await self._give_up(job, "invalid", str(error), retry=False)
        except RenderError as error:
            log.error("Piece %s failed in attempt %d: %s", job.generation, job.attempt, error)  # noqa: TRY400
            await self._give_up(job, "failed", _KIND_FAILURE, retry=True)
        except Exception:
            log.exception("Piece %s failed in attempt %d.", job.generation, job.attempt)
            await self._give_up(job, "failed", _KIND_FAILURE, retry=True)
        else:
            report.uploading()
            await self._hand_in(job, piece)

    async def _hand_in(self, job: Job, piece: Rendered) -> None:
        """Upload and complete, through an outage of up to ten minutes: the work is done, and worth the patience."""
        trouble = Backoff(*_HAND_IN_PAUSES_S)
        audio: StorageId | None = None
        refusals = 0
        try:
            async with asyncio.timeout(_HAND_IN_S):
                while refusals < _REFUSALS:
                    try:
                        if audio is None:
                            audio = await self._jobs.upload(piece.data)
                            await self._keep(audio, piece.data)
                        if not await self._jobs.complete(job, audio, piece.metadata):
                            log.info("Piece %s was no longer wanted.", job.generation)
                    except RagaBotError as error:
                        log.warning("Piece %s is not handed in yet: %s", job.generation, error.code)
                        if not isinstance(error, UnavailableError):
                            refusals += 1
                            audio = None  # perhaps the deployment has lost it
                        await asyncio.sleep(trouble.pause_s())
                    else:
                        return
        except TimeoutError:
            pass
        log.error("Piece %s could not be handed in.", job.generation)
        await self._give_up(job, "failed", _KIND_FAILURE, retry=True)

    async def _keep(self, audio: StorageId, mp3: bytes) -> None:
        try:
            await self._audio.put(audio, mp3)
        except OSError as error:
            log.warning("A piece could not be kept on this machine: %s", error.strerror)

    async def _give_up(self, job: Job, code: str, message: str, *, retry: bool) -> None:
        trouble = Backoff(0.5, 10.0)
        try:
            async with asyncio.timeout(_GIVE_UP_S):
                while True:
                    try:
                        await self._jobs.fail(job, code, message, retry=retry)
                    except RagaBotError as error:
                        log.warning("A failure could not be noted yet: %s", error.code)
                        await asyncio.sleep(trouble.pause_s())
                    else:
                        return
        except TimeoutError:
            log.error("Piece %s waits for its lease to end.", job.generation)  # noqa: TRY400 - that is all there is
            self._left.add(job.generation)

    async def _beat(self, job: Job, report: _Reporter, work: asyncio.Task[None]) -> None:
        """Renew the lease with ever fewer reports. Quick pieces are done before the first of them."""
        gap_s = self._first_report_s
        while True:
            await asyncio.sleep(gap_s)
            gap_s = min(gap_s * 2.0, _LONGEST_REPORT_GAP_S)
            try:
                proceed = await self._jobs.progress(job, report.newest())
            except RagaBotError as error:
                log.warning("A report did not reach Convex: %s", error.code)
            else:
                if not proceed:
                    log.info("Piece %s is no longer wanted here.", job.generation)
                    work.cancel()
                    return


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


class _Reporter:
    """One attempt's progress, with the time left guessed from the time taken."""

    def __init__(self, job: Job, board: ProgressBoard) -> None:
        self._job = job
        self._board = board
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._stage = "compose"
        self._fraction = 0.0
        self.rendering(self._stage, 0.0)

    def rendering(self, stage: str, fraction: float) -> None:
        """The engine's own report."""
        self._put_up(stage, min(1.0, max(0.0, fraction)) * RENDERED_SHARE)

    def uploading(self) -> None:
        """The music is there; it is on its way."""
        self._put_up("upload", RENDERED_SHARE)

    def newest(self) -> Progress:
        """How it stands now."""
        taken_s = self._clock() - self._began
        left_s = taken_s * (1.0 - self._fraction) / self._fraction if self._fraction > 0.02 else None
        return Progress(self._stage, self._fraction, left_s, self._job.attempt)

    def _put_up(self, stage: str, fraction: float) -> None:
        self._stage, self._fraction = stage, max(self._fraction, fraction)
        self._board.report(self._job.generation, self.newest())
