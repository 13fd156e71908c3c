"""The worker with a real deployment, a real subscription and real processes; only the engines do as they are told."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot import worker as room
from bot.backend.audio import AudioStore
from bot.backend.documents import LiveState
from bot.backend.live import Live
from bot.progress import ProgressBoard
from bot.rendering import load_engine
from bot.worker import worker_name
from handlers.model import Actor, MessageRef, Progress
from tests.bot import engines
from tests.bot.deployment import Deployment, actor, between, deployment, state_with
from tests.bot.doubles import REQUEST
from tests.bot.workshop import Scene, deliveries_of
from tests.bot_process import ended

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def convex(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployment(tmp_path_factory.mktemp("convex")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(convex: Deployment) -> AsyncIterator[Live]:
    subscription = Live(convex.url, convex.signer.bot)
    await subscription.start()
    yield subscription
    await subscription.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def mira(convex: Deployment) -> AsyncIterator[Actor]:
    """Somebody whose unfinished pieces go when a test is over, so that the next one finds an empty queue."""
    person = actor()
    yield person
    while await convex.backend.cancel(person, None) is not None:
        pass


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_AGAIN_S", (0.05, 0.2))
    monkeypatch.setattr(room, "_HAND_IN_PAUSES_S", (0.01, 0.02))


@pytest.fixture
def scene(convex: Deployment, live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv(engines.FOLDER, str(tmp_path))
    os.mkfifo(tmp_path / "gate")
    audio = AudioStore(tmp_path / "audio", 2**20, convex.http, convex.record.file_url)
    return Scene(convex, live, tmp_path, ProgressBoard(), audio)


async def test_a_piece_is_made_from_the_asking_to_the_audio(scene: Scene, mira: Actor) -> None:
    reports: list[Progress | None] = []
    with scene.board.watched(lambda piece: reports.append(scene.board.newest(piece))):
        async with scene.worker(first_report_s=0.05):
            piece = await scene.convex.ask(mira, theme="hold")
            await scene.rendering(piece.id)

            def reported(state: LiveState) -> bool:
                return any(one.generation.progress is not None for one in deliveries_of(state, piece.id))

            (delivery,) = deliveries_of(await state_with(scene.live, reported), piece.id)
            assert delivery.generation.progress is not None
            assert delivery.generation.progress.stage in ("compose", "melody")
            with scene.gate():
                made = await scene.outcome(piece.id)
    assert (made.status, made.error) == ("completed", None)
    assert made.metadata is not None
    assert made.metadata.duration_s == piece.request.duration_s
    assert made.audio is not None
    # It was put on this machine's shelf, and what Convex holds is the same.
    assert [path.read_bytes() for path in (scene.folder / "audio").iterdir()] == [engines.MP3]
    url = await scene.convex.record.file_url(made.audio)
    assert url is not None
    assert (await scene.convex.http.get(url)).content == engines.MP3
    shown = [(report.stage, report.fraction) for report in reports if report is not None]
    assert [stage for stage, _ in shown] == ["compose", "melody", "upload"]
    assert [fraction for _, fraction in shown] == sorted(fraction for _, fraction in shown)
    assert 0.0 < shown[-1][1] < 1.0


async def test_the_real_engine_makes_a_piece(scene: Scene, mira: Actor) -> None:
    async with scene.worker(load=load_engine):
        made = await scene.outcome((await scene.convex.ask(mira)).id)
    assert made.status == "completed"
    assert made.audio is not None
    assert made.metadata is not None
    assert "Yaman" in made.metadata.title
    assert made.metadata.duration_s == pytest.approx(5.0, abs=0.5)
    path = await scene.audio.path(made.audio)
    assert path.stat().st_size == made.metadata.size_bytes


async def test_a_quick_piece_costs_four_calls_and_an_idle_worker_none(scene: Scene, mira: Actor) -> None:
    bot = scene.convex.as_bot(scene.convex.bot)
    async with scene.worker(bot.jobs()):
        for _ in range(2):
            await scene.outcome((await scene.convex.ask(mira)).id)
    calls = bot.convex.calls
    assert calls.pop("jobs:release") == 1  # at the start; there was nothing to give back at the end
    assert {path: count / 2 for path, count in calls.items()} == {
        "jobs:claim": 1,
        "files:generateUploadUrl": 1,
        "upload": 1,
        "jobs:complete": 1,
    }


async def test_a_piece_that_waited_for_a_worker_is_made(scene: Scene, mira: Actor) -> None:
    pieces = [await scene.convex.ask(mira) for _ in range(3)]
    async with scene.worker():
        for piece in pieces:
            assert (await scene.outcome(piece.id)).status == "completed"
    assert len(engines.begun(scene.folder)) == 3


@pytest.mark.parametrize(
    ("theme", "raga", "sentence"),
    [("refuse", "Yaman", engines.REFUSAL), ("", "No Such Raga", "I do not know the raga No Such Raga")],
)
async def test_what_cannot_be_made_is_said_once_in_a_sentence(
    scene: Scene, mira: Actor, theme: str, raga: str, sentence: str
) -> None:
    request = replace(REQUEST, theme=theme or REQUEST.theme, raga=raga)
    message = MessageRef("web", mira.account, "m1")
    async with scene.worker():
        piece = await scene.convex.backend.start_generation(
            mira, request, key=secrets.token_hex(8), delivery=message
        )
        told = await scene.outcome(piece.id)
        assert (told.status, told.error_code, told.audio) == ("failed", "invalid", None)
        assert told.error is not None
        assert told.error.startswith(sentence)
        assert (await scene.outcome((await scene.convex.ask(mira)).id)).status == "completed"
    assert len(engines.begun(scene.folder)) == (2 if theme == "refuse" else 1)


@pytest.mark.parametrize("theme", ["crash", "fail"])
async def test_a_piece_that_goes_wrong_each_time_is_given_up_kindly(
    scene: Scene, mira: Actor, theme: str
) -> None:
    async with scene.worker():
        piece = await scene.convex.ask(mira, theme=theme)
        told = await scene.outcome(piece.id)
        assert (told.status, told.error_code) == ("failed", "failed")
        assert told.error is not None
        assert "Please ask for it once more" in told.error
        assert "ArithmeticError" not in told.error
        assert (await scene.outcome((await scene.convex.ask(mira)).id)).status == "completed"
    assert len({pid for pid, _ in engines.begun(scene.folder)}) == 4


async def test_a_process_that_crashes_once_costs_an_attempt_and_no_piece(scene: Scene, mira: Actor) -> None:
    async with scene.worker():
        piece = await scene.convex.ask(mira, theme="crash once")
        assert (await scene.outcome(piece.id)).status == "completed"
    assert len({pid for pid, _ in engines.begun(scene.folder)}) == 2


async def test_a_process_that_somebody_kills_costs_an_attempt_and_no_piece(scene: Scene, mira: Actor) -> None:
    async with scene.worker():
        piece = await scene.convex.ask(mira, theme="hang once")
        os.kill(await scene.rendering(piece.id), signal.SIGKILL)
        assert (await scene.outcome(piece.id)).status == "completed"


async def test_a_piece_that_hangs_is_ended_at_its_deadline_and_made_anew(
    scene: Scene, mira: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_RENDER_BASE_S", -7.0)  # three seconds for a piece of five
    async with scene.worker():
        piece = await scene.convex.ask(mira, theme="hang once")
        pid = await scene.rendering(piece.id)
        await ended(pid)
        assert (await scene.outcome(piece.id)).status == "completed"
    assert len(engines.begun(scene.folder)) == 2


async def test_cancelling_here_stops_the_process(scene: Scene, mira: Actor) -> None:
    async with scene.worker():
        piece = await scene.convex.ask(mira, theme="hang")
        pid = await scene.rendering(piece.id)
        await scene.convex.backend.cancel(mira, piece.id)
        assert scene.board.cancel(piece.id)
        await ended(pid)
        told = await scene.outcome(piece.id)
        assert (told.status, told.error_code) == ("failed", "cancelled")
        # Its process was replaced, and nothing is made of it later.
        assert (await scene.outcome((await scene.convex.ask(mira)).id)).status == "completed"
        assert not scene.board.cancel(piece.id)
    assert len(engines.begun(scene.folder)) == 2


async def test_cancelling_elsewhere_stops_the_process_at_its_next_report(scene: Scene, mira: Actor) -> None:
    async with scene.worker(first_report_s=0.05):
        piece = await scene.convex.ask(mira, theme="hang")
        pid = await scene.rendering(piece.id)
        await scene.convex.backend.cancel(mira, piece.id)
        await ended(pid)
    assert len(engines.begun(scene.folder)) == 1


async def test_a_worker_that_stops_leaves_its_piece_to_the_next(scene: Scene, mira: Actor) -> None:
    piece = await scene.convex.ask(mira, theme="hold")
    async with scene.worker():
        pid = await scene.rendering(piece.id)
    await ended(pid)
    scene.board.forget(piece.id)  # what comes now is news
    async with scene.worker():
        # It was asked to stop, so the attempt does not count.
        assert await scene.rendering(piece.id, attempt=1) != pid
        with scene.gate():
            assert (await scene.outcome(piece.id)).status == "completed"
    assert len(engines.begun(scene.folder)) == 2
    assert len(list((scene.folder / "audio").iterdir())) == 1


async def test_a_worker_takes_up_what_its_killed_namesake_held(scene: Scene, mira: Actor) -> None:
    piece = await scene.convex.ask(mira)
    killed = scene.convex.jobs("namesake")
    job = await killed.claim()
    assert job is not None
    async with scene.worker(scene.convex.jobs("namesake")):
        assert (await scene.outcome(piece.id)).status == "completed"
    newest = scene.board.newest(piece.id)
    assert newest is not None
    assert newest.attempt == 2


async def test_a_worker_that_lost_its_lease_begins_anew(scene: Scene, mira: Actor) -> None:
    jobs = scene.convex.jobs()
    async with scene.worker(jobs, first_report_s=0.05):
        piece = await scene.convex.ask(mira, theme="hold")
        pid = await scene.rendering(piece.id)
        assert await jobs.release() == 1
        await ended(pid)
        await scene.rendering(piece.id, attempt=2)
        with scene.gate():
            assert (await scene.outcome(piece.id)).status == "completed"
    assert len(engines.begun(scene.folder)) == 2


async def test_two_workers_make_each_piece_once(scene: Scene, mira: Actor) -> None:
    async with scene.worker(), scene.worker():
        pieces = [await scene.convex.ask(mira) for _ in range(5)]
        for piece in pieces:
            assert (await scene.outcome(piece.id)).status == "completed"
    assert len(engines.begun(scene.folder)) == 5
    assert len(list((scene.folder / "audio").iterdir())) == 5


async def test_one_worker_makes_as_many_at_once_as_it_has_processes(scene: Scene, mira: Actor) -> None:
    async with scene.worker(size=2):
        first, second = [await scene.convex.ask(mira, theme="hold") for _ in range(2)]
        await scene.rendering(first.id)
        await scene.rendering(second.id)
        assert len({pid for pid, _ in engines.begun(scene.folder)}) == 2
        with scene.gate():
            for piece in (first, second):
                assert (await scene.outcome(piece.id)).status == "completed"


@pytest.mark.parametrize(
    "path",
    ["jobs:release", "jobs:claim", "files:generateUploadUrl", "upload", "jobs:complete"],
)
@pytest.mark.parametrize("how", ["refuse", "lose"])
async def test_a_call_that_fails_at_first_is_repeated_and_the_piece_made_once(
    scene: Scene, mira: Actor, path: str, how: str
) -> None:
    async with between(scene.convex) as way:
        jobs = scene.convex.as_bot(scene.convex.bot, way.url).jobs()
        (way.refuse if how == "refuse" else way.lose)[path] = 1
        async with scene.worker(jobs):
            piece = await scene.convex.ask(mira)
            assert (await scene.outcome(piece.id)).status == "completed"
        assert (way.refuse + way.lose).total() == 0
    assert len(engines.begun(scene.folder)) == 1


async def test_a_piece_that_is_refused_is_uploaded_anew(scene: Scene, mira: Actor) -> None:
    async with between(scene.convex) as way:
        jobs = scene.convex.as_bot(scene.convex.bot, way.url).jobs()
        way.spoil["jobs:complete"] = 2
        async with scene.worker(jobs):
            piece = await scene.convex.ask(mira)
            assert (await scene.outcome(piece.id)).status == "completed"
        # The file that was refused may be the fault; the music itself need not be made anew.
        assert way.passed["upload"] == 3
    assert len(engines.begun(scene.folder)) == 1


async def test_a_piece_that_is_refused_each_time_is_another_attempt(scene: Scene, mira: Actor) -> None:
    async with between(scene.convex) as way:
        jobs = scene.convex.as_bot(scene.convex.bot, way.url).jobs()
        way.spoil["jobs:complete"] = 3
        async with scene.worker(jobs):
            piece = await scene.convex.ask(mira)
            assert (await scene.outcome(piece.id)).status == "completed"
    assert len(engines.begun(scene.folder)) == 2


@pytest.mark.parametrize("how", ["refuse", "lose"])
async def test_a_failure_is_told_through_an_outage(scene: Scene, mira: Actor, how: str) -> None:
    async with between(scene.convex) as way:
        jobs = scene.convex.as_bot(scene.convex.bot, way.url).jobs()
        (way.refuse if how == "refuse" else way.lose)["jobs:fail"] = 1
        async with scene.worker(jobs):
            piece = await scene.convex.ask(mira, theme="refuse")
            assert (await scene.outcome(piece.id)).error == engines.REFUSAL
        assert (way.refuse + way.lose).total() == 0


async def test_a_shelf_that_is_full_costs_no_piece(scene: Scene, mira: Actor) -> None:
    (scene.folder / "audio").write_text("a file stands in the way")
    async with scene.worker():
        piece = await scene.convex.ask(mira)
        assert (await scene.outcome(piece.id)).status == "completed"


async def test_a_worker_stops_while_convex_is_away(
    scene: Scene, mira: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    async with between(scene.convex) as way:
        jobs = scene.convex.as_bot(scene.convex.bot, way.url).jobs()
        piece = await scene.convex.ask(mira, theme="hang")
        async with scene.worker(jobs):
            pid = await scene.rendering(piece.id)
            way.refuse["jobs:release"] = 1000
        await ended(pid)
        assert "Convex is out of reach" in caplog.text
        way.refuse.clear()
        assert await jobs.release() == 1


async def test_workers_of_one_machine_have_names_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with worker_name(folder, "b1") as first:
        with worker_name(folder, "b1") as second:
            assert (first, second) == ("worker:b1-0", "worker:b1-1")
        with worker_name(folder, "b1") as again:
            assert again == second
    with worker_name(folder, "b1") as next_first:
        assert next_first == first
