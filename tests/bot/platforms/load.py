"""Many pieces at once on one platform, ended by turns by a watcher of the real kind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import httpx

from bot.backend.audio import AudioStore
from bot.backend.documents import Delivery
from bot.delivery import DeliveryWatcher
from bot.platforms import Platform
from bot.progress import ProgressBoard
from handlers.model import AccountId, Generation, Progress, Reply, StorageId
from tests.bot.doubles import LiveStates
from tests.bot.platforms.double import AUDIO, finished, progress

CHATS, PIECES_A_CHAT = 50, 4
WITHIN_S = 3.0
STEP_S = 0.12


def show(generation: Generation) -> Reply:
    """As a platform gets a piece to see, named so that it can be told from the others."""
    if generation.status == "completed":
        return finished(f"piece {generation.id}")
    at = generation.progress or Progress("Mixing", 0.0)
    return replace(progress(at.fraction), text=f"piece {generation.id}")


class Load:
    """Pieces under way, and when each was done (by the peer's clock)."""

    def __init__(self, pieces: Sequence[Delivery], clock: Callable[[], float]) -> None:
        self.pieces = list(pieces)
        self._clock = clock
        self.marked: set[str] = set()
        self.done_at: dict[str, float] = {}

    @property
    def over(self) -> bool:
        """Whether every piece has been delivered."""
        return len(self.marked) == len(self.pieces)

    async def run(
        self, platform: Platform, audio_file: Path, folder: Path, finish: Callable[[], Awaitable[None]]
    ) -> None:
        """End one piece after another, with progress for all that are left; ``finish`` waits until it is over."""
        live, board = LiveStates(), ProgressBoard()
        async with httpx.AsyncClient(trust_env=False) as http:
            audio = AudioStore(folder / "audio", 2**30, http, _fetched)
            await audio.put(AUDIO, await asyncio.to_thread(audio_file.read_bytes))
            watcher = DeliveryWatcher(live, self._mark, {platform.name: platform}, board, audio, show, _loud)
            await watcher.start()
            try:
                await live.set(*self.pieces)
                for number, piece in enumerate(tuple(self.pieces)):
                    share = min(0.99, (number + 1) / len(self.pieces))
                    for other in self.pieces[number:]:
                        board.report(other.generation.id, Progress("Mixing", share, 9.0))
                    self._end(number, piece)
                    await live.set(*(one for one in self.pieces if one.id not in self.marked))
                    await asyncio.sleep(STEP_S)  # pieces are not all done at once
                await finish()
            finally:
                await watcher.stop()
                await audio.stop()

    def waits_s(self, posted: Iterable[tuple[str, float]]) -> list[float]:
        """How long each result took from its end to its post, the shortest first. ``posted``: its text and when."""
        found = {text.partition("piece ")[2]: at_s for text, at_s in posted}
        assert found.keys() == self.done_at.keys()
        return sorted(found[ident] - at_s for ident, at_s in self.done_at.items())

    def _end(self, number: int, piece: Delivery) -> None:
        done = replace(piece.generation, status="completed", audio=AUDIO)
        self.pieces[number] = replace(piece, generation=done)
        self.done_at[piece.generation.id] = self._clock()

    async def _mark(self, ident: str) -> None:
        self.marked.add(ident)


async def _loud(_: AccountId) -> bool:
    return False


async def _fetched(_: StorageId) -> str | None:
    raise AssertionError("the file is here already")
