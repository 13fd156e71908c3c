"""The queue as workers see it, in the real deployment, with answers that get lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.backend.documents import Job
from bot.backend.jobs import Jobs
from handlers.errors import InvalidInputError, RagaBotError
from handlers.model import Actor, Generation, Progress, StorageId
from tests.bot.deployment import Deployment, actor, between, deployment, place
from tests.bot.doubles import METADATA

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def convex(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployment(tmp_path_factory.mktemp("convex")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def mira(convex: Deployment) -> AsyncIterator[Actor]:
    """Somebody whose unfinished pieces go when a test is over, so that the next one finds an empty queue."""
    person = actor()
    yield person
    while await convex.backend.cancel(person, None) is not None:
        pass


async def claimed(jobs: Jobs, piece: Generation) -> Job:
    job = await jobs.claim()
    assert job is not None
    assert job.generation == piece.id
    return job


async def test_from_the_claim_to_the_end(convex: Deployment, mira: Actor) -> None:
    jobs = convex.jobs()
    assert await jobs.claim() is None
    piece = await convex.ask(mira)
    job = await claimed(jobs, piece)
    assert (job.attempt, job.request) == (1, piece.request)
    assert await jobs.claim([job.generation]) is None
    assert await jobs.progress(job, Progress("melody", 0.4, 12.0))
    seen = await convex.backend.generation(mira, place(mira), piece.id)
    assert seen.progress == Progress("melody", 0.4, 12.0)
    audio = await jobs.upload(b"music")
    assert await jobs.complete(job, audio, METADATA)
    seen = await convex.backend.generation(mira, place(mira), piece.id)
    assert (seen.status, seen.audio, seen.metadata) == ("completed", audio, METADATA)
    assert not await jobs.progress(job, Progress("melody", 0.5))
    assert not await jobs.fail(job, "failed", "Too late.", retry=True)


async def test_first_come_first_served(convex: Deployment, mira: Actor) -> None:
    jobs = convex.jobs()
    pieces = [await convex.ask(mira) for _ in range(3)]
    held: list[Job] = []
    for piece in pieces:
        job = await jobs.claim([job.generation for job in held])
        assert job is not None
        assert job.generation == piece.id
        held.append(job)


async def test_a_claim_whose_answer_was_lost_holds_no_piece_up(convex: Deployment, mira: Actor) -> None:
    async with between(convex) as way:
        jobs = convex.as_bot(convex.bot, way.url).jobs()
        one, other = await convex.ask(mira), await convex.ask(mira)
        way.lose["jobs:claim"] = 1
        first = await claimed(jobs, one)
        assert first.attempt == 1
        assert way.passed["jobs:claim"] == 2
        way.lose["jobs:claim"] = 1
        second = await jobs.claim([first.generation])
        assert second is not None
        assert (second.generation, second.attempt) == (other.id, 1)


async def test_a_piece_that_is_handed_in_twice_counts_once(convex: Deployment, mira: Actor) -> None:
    async with between(convex) as way:
        jobs = convex.as_bot(convex.bot, way.url).jobs()
        job = await claimed(jobs, await convex.ask(mira))
        audio = await jobs.upload(b"music")
        way.lose["jobs:complete"] = 1
        assert await jobs.complete(job, audio, METADATA)
        assert way.passed["jobs:complete"] == 2
        assert len((await convex.backend.history(mira, None, 10)).items) == 1


async def test_failures_go_back_into_the_line_until_the_last_attempt(convex: Deployment, mira: Actor) -> None:
    jobs = convex.jobs()
    piece = await convex.ask(mira)
    for attempt in (1, 2, 3):
        job = await claimed(jobs, piece)
        assert job.attempt == attempt
        assert await jobs.fail(job, "failed", "A string broke.", retry=True) == (attempt < 3)
    seen = await convex.backend.generation(mira, place(mira), piece.id)
    assert (seen.status, seen.error_code, seen.error) == ("failed", "failed", "A string broke.")


async def test_what_a_worker_holds_is_released_to_the_next(convex: Deployment, mira: Actor) -> None:
    one, other = convex.jobs(), convex.jobs()
    job = await claimed(one, await convex.ask(mira))
    assert await other.release() == 0
    assert await other.claim() is None
    assert await one.release() == 1
    assert not await one.progress(job, Progress("melody", 0.4))
    again = await other.claim()
    assert again is not None
    assert (again.generation, again.attempt) == (job.generation, 2)
    late = await one.upload(b"late music")
    assert not await one.complete(job, late, METADATA)
    assert await convex.record.file_url(late) is None
    assert await other.complete(again, await other.upload(b"music"), METADATA)


async def test_a_cancelled_piece_is_nobodys(convex: Deployment, mira: Actor) -> None:
    jobs = convex.jobs()
    job = await claimed(jobs, await convex.ask(mira))
    await convex.backend.cancel(mira, job.generation)
    assert not await jobs.progress(job, Progress("melody", 0.4))
    assert not await jobs.complete(job, await jobs.upload(b"music"), METADATA)


async def test_a_worker_speaks_for_itself_alone(convex: Deployment, mira: Actor) -> None:
    one, other = convex.jobs(), convex.jobs()
    job = await claimed(one, await convex.ask(mira))
    other.worker = one.worker  # its token still says who it is
    with pytest.raises(RagaBotError):
        await other.claim()
    with pytest.raises(RagaBotError):
        await other.fail(job, "failed", "Not yours.", retry=False)
    assert await one.progress(job, Progress("melody", 0.4))


async def test_what_makes_no_sense_is_refused(convex: Deployment, mira: Actor) -> None:
    jobs = convex.jobs()
    job = await claimed(jobs, await convex.ask(mira))
    audio = await jobs.upload(b"music")
    with pytest.raises(InvalidInputError):
        await jobs.complete(job, audio, replace(METADATA, tonic_hz=-1.0))
    with pytest.raises(InvalidInputError):
        await jobs.progress(job, Progress("", 0.5))
    with pytest.raises(RagaBotError):
        await jobs.complete(job, StorageId("no such file"), METADATA)
    assert await jobs.complete(job, audio, METADATA)
