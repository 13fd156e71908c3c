"""The handlers' backend against the real deployment: everybody sees their own, and repeats change nothing."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.backend.backend import ConvexBackend
from bot.backend.identity import Keys, Signer
from bot.backend.snapshot import SeedCounts, Snapshot, seed
from handlers.errors import (
    InvalidInputError,
    NotAuthenticatedError,
    NotFoundError,
    RagaBotError,
    TooManyError,
    UnavailableError,
)
from handlers.model import (
    AccountId,
    Actor,
    Cursor,
    FavoriteTarget,
    Generation,
    GenerationId,
    MessageRef,
    Place,
    StorageId,
)
from music.catalogue import Catalogue, load
from tests.bot.deployment import ISSUER, Deployment, actor, between, deployment, place
from tests.bot.doubles import METADATA, REQUEST

pytestmark = pytest.mark.asyncio(loop_scope="module")

RAGA = FavoriteTarget(raga="Yaman", tradition="Hindustani")
RAGAS = Catalogue(raga for raga in load().ragas if raga.name in ("Yaman", "Bhairav", "Kafi"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def convex(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployment(tmp_path_factory.mktemp("convex")) as running:
        await seed(running.convex, running.signer.bot, RAGAS)
        yield running


async def finished(convex: Deployment, who: Actor) -> Generation:
    """A piece of theirs, made."""
    asked = await convex.ask(who)
    jobs = convex.jobs()
    # Whatever other tests have left in the line goes first.
    while (job := await jobs.claim()) is not None:
        await jobs.complete(job, await jobs.upload(b"music"), METADATA)
        if job.generation == asked.id:
            break
    return await convex.backend.generation(who, place(who), asked.id)


def key() -> str:
    return secrets.token_hex(8)


async def test_a_piece_is_asked_for_and_seen(convex: Deployment) -> None:
    mira = actor()
    asked = await convex.ask(mira)
    assert (asked.status, asked.own) == ("processing", True)
    seen = await convex.backend.generation(mira, place(mira), asked.id)
    assert seen.request == asked.request
    assert (seen.status, seen.progress, seen.audio) == ("processing", None, None)
    assert seen.position is not None
    assert abs(seen.created_at_ms - asked.created_at_ms) < 60_000


async def test_a_replayed_key_is_the_same_piece(convex: Deployment) -> None:
    mira, again = actor(), key()
    first = await convex.backend.start_generation(mira, REQUEST, key=again, delivery=None)
    other = replace(REQUEST, seed=8)
    second = await convex.backend.start_generation(mira, other, key=again, delivery=None)
    assert second.id == first.id
    assert len((await convex.backend.history(mira, None, 10)).items) == 1
    ravi = await convex.backend.start_generation(actor("ravi"), REQUEST, key=again, delivery=None)
    assert ravi.id != first.id


async def test_an_answer_that_was_lost_makes_no_second_piece(convex: Deployment) -> None:
    mira = actor()
    async with between(convex) as way:
        far = convex.as_bot(convex.bot, way.url)
        way.lose["musicGeneration:startGeneration"] = 1
        await far.backend.start_generation(mira, REQUEST, key=key(), delivery=None)
        assert way.passed["musicGeneration:startGeneration"] == 2
    assert len((await convex.backend.history(mira, None, 10)).items) == 1


async def test_a_removed_piece_does_not_come_back_with_a_late_repeat(convex: Deployment) -> None:
    mira, again = actor(), key()
    first = await convex.backend.start_generation(mira, REQUEST, key=again, delivery=None)
    await convex.backend.remove(mira, first.id)
    await convex.backend.remove(mira, first.id)
    late = await convex.backend.start_generation(mira, REQUEST, key=again, delivery=None)
    assert late.id == first.id
    assert (await convex.backend.history(mira, None, 10)).items == ()


async def test_history_goes_page_by_page_newest_first(convex: Deployment) -> None:
    mira = actor()
    asked = [(await convex.ask(mira)).id for _ in range(5)]
    seen: list[str] = []
    cursor: Cursor | None = None
    sizes = []
    while True:
        page = await convex.backend.history(mira, cursor, 2)
        sizes.append(len(page.items))
        seen += [piece.id for piece in page.items]
        if page.next is None:
            break
        cursor = page.next
    assert seen == asked[::-1]
    assert sizes[:3] == [2, 2, 1]
    assert (await convex.backend.history(actor("ravi"), None, 2)).items == ()


async def test_hearts_are_set_and_not_toggled_by_repeats(convex: Deployment) -> None:
    mira = actor()
    piece = await finished(convex, mira)
    target = FavoriteTarget(generation=piece.id)

    async def heart(on: bool | None, once: str, what: FavoriteTarget = target) -> bool:
        return await convex.backend.set_favorite(mira, place(mira), what, on, key=once)

    turn = key()
    assert await heart(None, turn)
    assert await heart(None, turn)
    assert (await convex.backend.generation(mira, place(mira), piece.id)).favorite
    assert await heart(True, key(), RAGA)
    raga, kept = (await convex.backend.favorites(mira, None, 10)).items
    assert (raga.target, raga.generation) == (RAGA, None)
    assert kept.target == target
    assert kept.generation is not None
    assert kept.generation.favorite
    assert not await heart(None, key())
    assert not await heart(False, key(), RAGA)
    assert (await convex.backend.favorites(mira, None, 10)).items == ()


async def test_favorites_go_page_by_page(convex: Deployment) -> None:
    mira = actor()
    names = ["Yaman", "Bhairav", "Kafi"]
    for name in names:
        target = FavoriteTarget(raga=name, tradition="Hindustani")
        await convex.backend.set_favorite(mira, place(mira), target, True, key=key())
    first = await convex.backend.favorites(mira, None, 2)
    assert first.next is not None
    second = await convex.backend.favorites(mira, first.next, 2)
    assert [kept.target.raga for kept in (*first.items, *second.items)] == names[::-1]


async def test_cancelling_stops_a_piece_once(convex: Deployment) -> None:
    mira = actor()
    old, new = await convex.ask(mira), await convex.ask(mira)
    stopped = await convex.backend.cancel(mira, None)
    assert stopped is not None
    assert (stopped.id, stopped.status, stopped.error_code) == (new.id, "failed", "cancelled")
    again = await convex.backend.cancel(mira, new.id)
    assert again is not None
    assert again.id == new.id
    assert (await convex.backend.generation(mira, place(mira), old.id)).status == "processing"
    await convex.backend.cancel(mira, old.id)
    assert await convex.backend.cancel(mira, None) is None
    done = await finished(convex, mira)
    assert await convex.backend.cancel(mira, done.id) is None


async def test_a_removed_piece_takes_its_audio_along(convex: Deployment) -> None:
    mira = actor()
    piece = await finished(convex, mira)
    assert piece.audio is not None
    assert await convex.record.file_url(piece.audio)
    await convex.backend.remove(mira, piece.id)
    assert await convex.record.file_url(piece.audio) is None
    with pytest.raises(NotFoundError):
        await convex.backend.generation(mira, place(mira), piece.id)


async def test_another_persons_piece_is_not_there(convex: Deployment) -> None:
    piece, ravi = await finished(convex, actor()), actor("ravi")
    for attempt in (
        convex.backend.generation(ravi, place(ravi), piece.id),
        convex.backend.set_favorite(ravi, place(ravi), FavoriteTarget(generation=piece.id), True, key=key()),
        convex.backend.cancel(ravi, piece.id),
        convex.backend.remove(ravi, piece.id),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_a_piece_in_a_common_chat_is_there_for_all_who_read_it(convex: Deployment) -> None:
    mira, ravi = actor(), actor("ravi")
    chat = Place("web", key(), private=False)
    message = MessageRef("web", chat.chat, "m1")
    asked = await convex.backend.start_generation(mira, REQUEST, key=key(), delivery=message)
    seen = await convex.backend.generation(ravi, chat, asked.id)
    assert not seen.own
    assert await convex.backend.set_favorite(ravi, chat, FavoriteTarget(generation=asked.id), True, key=key())
    with pytest.raises(NotFoundError):
        await convex.backend.cancel(ravi, asked.id)
    stranger = convex.as_bot("anotherbot")
    with pytest.raises(NotFoundError):
        await stranger.backend.generation(actor("eve"), chat, asked.id)


@pytest.mark.parametrize("id_", ["", "no such piece", "k" * 10_000, "सरगम", "../..", "k57"])
async def test_an_id_of_any_letters_is_not_found(convex: Deployment, id_: str) -> None:
    mira, piece = actor(), GenerationId(id_)
    with pytest.raises(NotFoundError):
        await convex.backend.generation(mira, place(mira), piece)
    with pytest.raises(NotFoundError):
        await convex.backend.cancel(mira, piece)
    with pytest.raises(NotFoundError):
        await convex.backend.remove(mira, piece)
    with pytest.raises(NotFoundError):
        await convex.record.file_url(StorageId(id_))


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_s": 0.0},
        {"duration_s": -1.0},
        {"duration_s": 1e9},
        {"duration_s": float("nan")},
        {"tempo_bpm": float("inf")},
        {"seed": -1},
        {"seed": 2**40},
        {"raga": "x" * 10_000},
        {"mood": ""},
        {"instruments": ("sitar",) * 9},
    ],
)
async def test_bad_input_is_refused_in_a_sentence(convex: Deployment, changes: dict[str, Any]) -> None:
    request = replace(REQUEST, **changes)
    with pytest.raises(InvalidInputError) as caught:
        await convex.backend.start_generation(actor(), request, key=key(), delivery=None)
    assert caught.value.message.endswith(".")
    assert caught.value.message != InvalidInputError().message


async def test_wrong_types_are_an_error_and_the_deployment_lives_on(convex: Deployment) -> None:
    mira = actor()
    await convex.ask(mira)
    with pytest.raises(RagaBotError):
        await convex.convex.query("musicGeneration:history", {}, convex.signer.bot)
    with pytest.raises(RagaBotError):
        await convex.convex.mutation(
            "musicGeneration:startGeneration", {"request": "a song"}, convex.signer.bot
        )
    with pytest.raises(RagaBotError):
        await convex.convex.query("no:suchFunction", {})
    with pytest.raises(InvalidInputError):
        await convex.backend.history(mira, None, 0)
    with pytest.raises(InvalidInputError):
        await convex.backend.history(mira, Cursor("no cursor"), 5)
    assert len((await convex.backend.history(mira, None, 5)).items) == 1


async def test_the_sixth_unfinished_piece_has_to_wait(convex: Deployment) -> None:
    mira = actor()
    for _ in range(5):
        await convex.ask(mira)
    with pytest.raises(TooManyError, match="still being made"):
        await convex.ask(mira)


async def test_a_strangers_key_opens_nothing(convex: Deployment, tmp_path: Path) -> None:
    forger = ConvexBackend(convex.convex, Signer(Keys.load(tmp_path), convex.bot, ISSUER))
    with pytest.raises(NotAuthenticatedError):
        await forger.history(actor(), None, 5)
    elsewhere = ConvexBackend(convex.convex, Signer(convex.keys, convex.bot, "https://elsewhere.test"))
    with pytest.raises(NotAuthenticatedError):
        await elsewhere.history(actor(), None, 5)
    with pytest.raises(NotAuthenticatedError):
        await convex.convex.query(
            "musicGeneration:history", {"paginationOpts": {"numItems": 5, "cursor": None}}
        )


async def test_an_account_that_is_none_is_refused(convex: Deployment) -> None:
    with pytest.raises(RagaBotError):
        await convex.backend.history(Actor(AccountId("nobody"), "Nobody"), None, 5)


async def test_a_deployment_that_is_away_is_unavailable(convex: Deployment) -> None:
    async with between(convex) as way:
        far = convex.as_bot(convex.bot, way.url)
        way.refuse["musicGeneration:cancel"] = 1
        with pytest.raises(UnavailableError):
            await far.backend.cancel(actor(), None)  # not repeated: it could stop a second piece
        assert way.passed["musicGeneration:cancel"] == 0
        way.refuse["musicGeneration:history"] = 1
        assert (await far.backend.history(actor(), None, 5)).items == ()


async def test_a_delivery_is_marked_by_its_own_bot(convex: Deployment) -> None:
    mira = actor()
    await convex.ask(mira)

    async def open_ones() -> list[str]:
        state = await convex.convex.query("deliveries:watch", {}, convex.signer.bot)
        return [one["deliveryId"] for one in state["deliveries"] if one["account"] == mira.account]

    (delivery,) = await open_ones()
    with pytest.raises(NotFoundError):
        await convex.as_bot("anotherbot").record.delivered(delivery)
    assert await open_ones() == [delivery]
    await convex.record.delivered(delivery)
    await convex.record.delivered(delivery)
    assert await open_ones() == []


async def test_the_catalogue_is_brought_in_once_and_read_back(convex: Deployment, tmp_path: Path) -> None:
    again = await seed(convex.convex, convex.signer.bot, RAGAS)
    assert again == SeedCounts(unchanged=len(RAGAS.ragas), published=False)
    fewer = Catalogue(RAGAS.ragas[:1])
    snapshot = Snapshot(convex.convex, fewer, tmp_path / "catalogue.json")
    await snapshot.refresh(RAGAS.version)
    assert set(snapshot.catalogue().ragas) == set(RAGAS.ragas)
    other = Catalogue(RAGAS.ragas, "another version")
    counts = await seed(convex.convex, convex.signer.bot, other)
    assert counts == SeedCounts(unchanged=len(RAGAS.ragas), published=True)
    with pytest.raises(RagaBotError):
        await seed(convex.convex, convex.jobs()._token, RAGAS)
