"""What a worker works with in tests: a real deployment, a real subscription, engines that do as they are told."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.backend.audio import AudioStore
from bot.backend.documents import Delivery, LiveState
from bot.backend.jobs import Jobs
from bot.backend.live import Live
from bot.progress import ProgressBoard
from bot.rendering import LoadEngine, Renderers
from bot.worker import Worker
from handlers.model import Generation, GenerationId
from music.catalogue import load as load_catalogue
from tests.bot import engines
from tests.bot.deployment import Deployment, state_with

DEADLINE_S = 60.0
NEVER_S = 3600.0
CATALOGUE = load_catalogue()


@dataclass(slots=True, eq=False)
class Scene:
    """What a worker works with; ``folder`` is where the engines leave their notes."""

    convex: Deployment
    live: Live
    folder: Path
    board: ProgressBoard
    audio: AudioStore

    @contextlib.asynccontextmanager
    async def worker(
        self,
        jobs: Jobs | None = None,
        *,
        size: int = 1,
        load: LoadEngine = engines.load,
        first_report_s: float = NEVER_S,
    ) -> AsyncIterator[Worker]:
        """A worker at work."""
        worker = Worker(
            jobs or self.convex.jobs(),
            Renderers(size, load),
            self.live,
            lambda: CATALOGUE,
            self.board,
            self.audio,
            first_report_s=first_report_s,
        )
        await worker.start()
        try:
            async with asyncio.timeout(DEADLINE_S):
                yield worker
        finally:
            async with asyncio.timeout(10):
                await worker.stop()

    async def rendering(self, piece: GenerationId, attempt: int = 1) -> int:
        """Wait until a process is at work on a piece; its id."""
        changed = asyncio.Event()
        with self.board.watched(lambda _: changed.set()):
            while (seen := self.board.newest(piece)) is None or (seen.stage, seen.attempt) != (
                "melody",
                attempt,
            ):
                changed.clear()
                await changed.wait()
        return engines.begun(self.folder)[-1][0]

    async def outcome(self, piece: GenerationId) -> Generation:
        """Wait until a piece is made or given up, as the one who asked for it sees it."""

        def settled(state: LiveState) -> bool:
            return any(one.generation.status != "processing" for one in deliveries_of(state, piece))

        (delivery,) = deliveries_of(await state_with(self.live, settled), piece)
        await self.convex.record.delivered(delivery.id)
        return delivery.generation

    @contextlib.contextmanager
    def gate(self) -> Iterator[None]:
        """While it is open, the engines that hold go on."""
        # For both ends: so the opening waits for nobody.
        descriptor = os.open(self.folder / "gate", os.O_RDWR)
        try:
            yield
        finally:
            os.close(descriptor)


def deliveries_of(state: LiveState, piece: GenerationId) -> list[Delivery]:
    """What a live state says of one piece."""
    return [one for one in state.deliveries if one.generation.id == piece]
