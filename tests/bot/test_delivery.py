"""The delivery watcher against chats that are slow, gone, failing, or fine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot import delivery as room
from bot.backend.audio import AudioStore
from bot.delivery import DeliveryWatcher
from bot.platforms import MessageGoneError
from bot.progress import ProgressBoard
from handlers.errors import NotFoundError, UnavailableError
from handlers.model import AccountId, GenerationId, Progress, StorageId
from tests.bot.doubles import LiveStates, RecordingPlatform, Shown, delivery, show
from tests.bot.peer import Peer, gives, peer, says

DEADLINE_S = 30.0
QUIET = AccountId("web:quiet")


@dataclass(slots=True, eq=False)
class Scene:
    """A watcher, and all that it sees."""

    watcher: DeliveryWatcher
    live: LiveStates
    board: ProgressBoard
    web: RecordingPlatform
    other: RecordingPlatform
    audio: AudioStore
    convex: Peer
    marked: list[str] = field(default_factory=list)
    refuse: list[Exception] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def mark(self, delivery_id: str) -> None:
        self.marked.append(delivery_id)
        self._changed.set()
        if self.refuse:
            raise self.refuse.pop(0)

    async def until_marked(self, *ids: str) -> None:
        while not set(ids) <= set(self.marked):
            self._changed.clear()
            await self._changed.wait()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(room, "_LONGEST_PAUSE_S", 0.02)


@contextlib.asynccontextmanager
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    import httpx

    async with peer() as convex, httpx.AsyncClient(trust_env=False) as http:

        async def url_of(storage_id: StorageId) -> str | None:
            return None if storage_id == "s404" else f"{convex.url}/file"

        live, board = LiveStates(), ProgressBoard()
        web, other = RecordingPlatform(), RecordingPlatform("other")
        audio = AudioStore(tmp_path / "audio", 2**20, http, url_of)
        scene: Scene

        async def mark(delivery_id: str) -> None:
            await scene.mark(delivery_id)

        async def silent(account: AccountId) -> bool:
            return account == QUIET

        watcher = DeliveryWatcher(live, mark, {"web": web, "other": other}, board, audio, show, silent)
        scene = Scene(watcher, live, board, web, other, audio, convex)
        await watcher.start()
        try:
            async with asyncio.timeout(DEADLINE_S):
                yield scene
        finally:
            async with asyncio.timeout(5):
                await watcher.stop()
                await audio.stop()
        left = {task.get_name() for task in asyncio.all_tasks()} - {asyncio.current_task().get_name()}  # type: ignore[union-attr]
        assert not {name for name in left if "chat" in name or "edit" in name or "watcher" in name}


async def test_a_piece_for_somebody_who_wants_no_sound_is_silent(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        loud, quiet = delivery(1, "completed"), replace(delivery(2, "completed"), account=QUIET)
        scene.convex.will(gives(b"music"), gives(b"music"))
        await scene.live.set(loud, quiet)
        shown = await scene.web.until(lambda shown: len(shown) == 2)
        assert {one.message: one.reply.silent for one in shown} == {"m1": False, "m2": True}


async def test_a_piece_from_the_queue_to_the_end(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.live.set(delivery(position=2))
        await scene.web.until(lambda shown: len(shown) == 1)
        await scene.live.set(delivery(progress=Progress("melody", 0.4, 10.0)))
        await scene.web.until(lambda shown: len(shown) == 2)
        scene.convex.will(gives(b"music"))
        await scene.live.set(delivery(status="completed"))
        await scene.until_marked("d1")
        await scene.live.set()
    assert [(shown.how, shown.message, shown.nonce) for shown in scene.web.shown] == [
        ("edit", "m1", ""), ("edit", "m1", ""), ("deliver", "m1", "d1"),
    ]  # fmt: skip
    assert scene.web.texts() == ["g1 is made 2 before it", "g1 is made", "g1 completed"]
    assert scene.web.shown[1].reply.progress == Progress("melody", 0.4, 10.0)
    assert (await scene.audio.path(StorageId("s1"))).read_bytes() == b"music"
    assert scene.marked == ["d1"]
    assert not scene.other.shown


async def test_the_board_and_the_live_state_make_one_progress(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        scene.board.report(GenerationId("g1"), Progress("melody", 0.6))
        await scene.live.set(delivery(progress=Progress("compose", 0.1)))
        await scene.web.until(lambda shown: len(shown) == 1)
        scene.board.report(GenerationId("g1"), Progress("drone", 0.7))
        await scene.web.until(lambda shown: len(shown) == 2)
        await scene.live.set(delivery(progress=Progress("melody", 0.65)))
        scene.board.report(GenerationId("g1"), Progress("compose", 0.0, attempt=2))
        await scene.web.until(lambda shown: shown[-1].reply.progress == Progress("compose", 0.0, attempt=2))
    fractions = [shown.reply.progress.fraction for shown in scene.web.shown if shown.reply.progress]
    assert fractions == [0.6, 0.7, 0.0]


async def test_many_reports_become_few_edits(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        scene.web.edit_interval_s = 0.2
        await scene.live.set(delivery(progress=Progress("compose", 0.0)))
        await scene.web.until(lambda shown: len(shown) == 1)
        for step in range(1, 101):
            scene.board.report(GenerationId("g1"), Progress("melody", step / 100))
            await asyncio.sleep(0)
        await scene.web.until(lambda shown: shown[-1].reply.progress == Progress("melody", 1.0))
        assert len(scene.web.shown) == 2


async def test_a_result_does_not_wait_for_the_edit_interval(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        scene.web.edit_interval_s = 3600.0
        await scene.live.set(delivery(progress=Progress("compose", 0.0)))
        await scene.web.until(lambda shown: len(shown) == 1)
        await scene.live.set(delivery(status="failed", error_code="cancelled"))
        await scene.until_marked("d1")
    assert scene.web.texts() == ["g1 is made", "g1 cancelled"]


async def test_a_result_does_not_wait_for_an_edit_that_hangs(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        hanging = asyncio.Event()

        async def before(shown: Shown) -> None:
            if shown.reply.progress is not None:
                hanging.set()
                await asyncio.Event().wait()

        scene.web.before = before
        await scene.live.set(delivery(progress=Progress("compose", 0.1)))
        await hanging.wait()
        await scene.live.set(delivery(status="failed"))
        await scene.until_marked("d1")
    assert scene.web.texts() == ["g1 failed"]


async def test_one_chat_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        hanging = asyncio.Event()

        async def before(shown: Shown) -> None:
            if shown.message == "m1":
                hanging.set()
                await asyncio.Event().wait()

        scene.web.before = before
        stuck = delivery(1, "failed", chat="c1")
        await scene.live.set(stuck)
        await hanging.wait()
        await scene.live.set(stuck, delivery(2, "failed", chat="c2"), delivery(3, "failed", platform="other"))
        await scene.until_marked("d2", "d3")
        assert "d1" not in scene.marked


async def test_a_platform_that_hangs_altogether_holds_up_no_other(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        hanging = asyncio.Semaphore(0)

        async def before(shown: Shown) -> None:
            hanging.release()
            await asyncio.Event().wait()

        scene.web.before = before
        many = [delivery(number, "failed", chat=f"c{number}") for number in range(1, room.CALLS_AT_ONCE + 10)]
        await scene.live.set(*many)
        for _ in range(room.CALLS_AT_ONCE):
            await hanging.acquire()
        await scene.live.set(*many, delivery(99, "failed", platform="other"))
        await scene.until_marked("d99")
        assert hanging.locked()


async def test_a_chat_that_fails_is_tried_again_until_it_works(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        failures = [RuntimeError("down"), TimeoutError(), UnavailableError()]

        async def before(shown: Shown) -> None:
            if failures:
                raise failures.pop()

        scene.web.before = before
        scene.convex.will(says("", 500), says("", 404), gives(b"music"))
        await scene.live.set(delivery(1, "completed"))
        await scene.until_marked("d1")
    assert [(shown.how, shown.nonce) for shown in scene.web.shown] == [("deliver", "d1")]


async def test_a_mark_that_fails_is_repeated_without_a_second_post(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        scene.refuse = [UnavailableError(), UnavailableError()]
        await scene.live.set(delivery(1, "failed"))
        while len(scene.marked) < 3:
            await scene.until_marked("d1")
            await asyncio.sleep(0)
        await scene.live.set(delivery(1, "failed"), delivery(2, "failed"))
        await scene.until_marked("d2")
    assert scene.marked == ["d1", "d1", "d1", "d2"]
    assert scene.web.texts() == ["g1 failed", "g2 failed"]


@pytest.mark.parametrize("status", ["processing", "completed", "failed"])
async def test_a_message_that_has_gone_ends_its_delivery(tmp_path: Path, status: str) -> None:
    async with stage(tmp_path) as scene:

        async def before(shown: Shown) -> None:
            raise MessageGoneError

        scene.web.before = before
        stopped: list[str] = []
        scene.convex.will(gives(b"music"))
        with scene.board.stoppable(GenerationId("g1"), lambda: stopped.append("g1")):
            await scene.live.set(delivery(1, status))  # type: ignore[arg-type]  # one of the three
            await scene.until_marked("d1")
            await scene.live.set()
            await scene.live.set(delivery(2, "failed", platform="other"))
            await scene.until_marked("d2")
        # The piece itself goes on: it can be found in the history. What has failed is made no further.
        assert stopped == (["g1"] if status == "failed" else [])


async def test_a_platform_that_does_not_run_here_keeps_its_deliveries(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.live.set(delivery(1, "failed", platform="telegram"), delivery(2, "failed"))
        await scene.until_marked("d2")
        assert scene.marked == ["d2"]


async def test_cancelled_and_removed_pieces_stop_here(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        stopped: list[str] = []
        with (
            scene.board.stoppable(GenerationId("g1"), lambda: stopped.append("g1")),
            scene.board.stoppable(GenerationId("g2"), lambda: stopped.append("g2")),
            scene.board.stoppable(GenerationId("g3"), lambda: stopped.append("g3")),
        ):
            await scene.live.set(delivery(1), delivery(2), delivery(3))
            await scene.web.until(lambda shown: len(shown) == 3)
            await scene.live.set(delivery(1, "failed", error_code="cancelled"), delivery(3))
            await scene.until_marked("d1")
        assert stopped == ["g1", "g2"]


async def test_lost_audio_is_said_and_done(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.live.set(delivery(404, "completed"))
        await scene.until_marked("d404")
    [shown] = scene.web.shown
    assert shown.how == "edit"
    assert not shown.reply.ok
    assert "once more" in shown.reply.text


async def test_a_delivery_that_convex_no_longer_knows_is_let_go(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        scene.refuse = [NotFoundError()]
        await scene.live.set(delivery(1, "failed"))
        await scene.until_marked("d1")
        await scene.live.set(delivery(1, "failed"), delivery(2, "failed"))
        await scene.until_marked("d2")
    assert scene.marked == ["d1", "d2"]


async def test_results_come_before_progress_in_a_chat(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        await scene.live.set(*(delivery(number) for number in range(1, 5)), delivery(5, "failed"))
        await scene.web.until(lambda shown: len(shown) == 5)
    assert scene.web.texts()[0] == "g5 failed"


async def test_the_time_left_runs_on_but_the_share_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_TICK_S", 0.01)
    async with stage(tmp_path) as scene:
        await scene.live.set(delivery(progress=Progress("melody", 0.5, 3.0)))
        await scene.web.until(lambda shown: len(shown) == 3)
    progress = [shown.reply.progress for shown in scene.web.shown]
    assert [(p.fraction, p.seconds_left) for p in progress if p] == [(0.5, 3.0), (0.5, 2.0), (0.5, 1.0)]
