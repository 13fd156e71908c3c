"""The catalogue: seeded once, followed by version, kept for the next start, and never worse for an outage."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from bot.backend import snapshot as room
from bot.backend.gateway import Convex
from bot.backend.snapshot import BATCH, SeedCounts, Snapshot, seed
from handlers.errors import RagaBotError, UnavailableError
from music.catalogue import Catalogue, CatalogueError, load
from tests.bot.doubles import LiveStates
from tests.bot.peer import Peer, error, peer, says, value

DEADLINE_S = 30.0
PACKAGED = load()
SOME = Catalogue(PACKAGED.ragas[:3], "v2")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(room, "_LONGEST_PAUSE_S", 0.02)


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[tuple[Peer, Convex]]:
    async with asyncio.timeout(DEADLINE_S), peer() as double, httpx.AsyncClient(trust_env=False) as http:
        yield double, Convex(double.url, http)


def token(*, fresh: bool = False) -> str:
    return "a token"


def documents(catalogue: Catalogue, start: int, end: int) -> list[dict[str, Any]]:
    """Rows as Convex gives them, with its own fields."""
    rows = [raga.to_document() for raga in catalogue.ragas[start:end]]
    return [row | {"_id": f"r{number}", "_creationTime": 1.5} for number, row in enumerate(rows)]


def page(catalogue: Catalogue, start: int = 0, end: int | None = None, cursor: str | None = None) -> Any:
    rows = documents(catalogue, start, len(catalogue.ragas) if end is None else end)
    return value({"page": rows, "isDone": cursor is None, "continueCursor": cursor or ""})


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_new_version_is_fetched_page_by_page_and_kept(tmp_path: Path) -> None:
    cache = tmp_path / "new" / "catalogue.json"
    async with server() as (double, convex):
        snapshot = Snapshot(convex, PACKAGED, cache)
        assert snapshot.catalogue() is PACKAGED
        double.will(page(SOME, 0, 2, "c2"), page(SOME, 2))
        await snapshot.refresh("v2")
        assert snapshot.catalogue().version == "v2"
        assert snapshot.catalogue().ragas == SOME.ragas
        assert [call.path for call in double.calls] == ["ragas:page"] * 2
        assert [call.args["paginationOpts"] for call in double.calls] == [
            {"numItems": BATCH, "cursor": None},
            {"numItems": BATCH, "cursor": "c2"},
        ]
        again = Snapshot(convex, PACKAGED, cache)
        await again.refresh("v2")
        await snapshot.refresh("v2")
        assert again.catalogue().ragas == SOME.ragas
        assert len(double.calls) == 2
    assert names_in(cache.parent) == ["catalogue.json"]


async def test_the_packaged_version_costs_no_call(tmp_path: Path) -> None:
    async with server() as (double, convex):
        snapshot = Snapshot(convex, PACKAGED, tmp_path / "catalogue.json")
        await snapshot.refresh(PACKAGED.version)
        double.will(page(SOME))
        await snapshot.refresh("v2")
        await snapshot.refresh(PACKAGED.version)
        assert snapshot.catalogue() is PACKAGED
        assert len(double.calls) == 1


@pytest.mark.parametrize(
    "kept", ["", "{", "[]", "null", '{"version": "v2"}', '{"version": "v2", "ragas": [{"name": 1}]}',
             '{"version": "v1", "ragas": []}'],
)  # fmt: skip
async def test_a_broken_or_old_copy_is_fetched_anew(tmp_path: Path, kept: str) -> None:
    cache = tmp_path / "catalogue.json"
    cache.write_text(kept)
    async with server() as (double, convex):
        snapshot = Snapshot(convex, PACKAGED, cache)
        double.will(page(SOME))
        await snapshot.refresh("v2")
        assert snapshot.catalogue().ragas == SOME.ragas
    assert json.loads(cache.read_text())["version"] == "v2"


async def test_a_copy_that_cannot_be_kept_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with server() as (double, convex):
        snapshot = Snapshot(convex, PACKAGED, tmp_path / "file" / "catalogue.json")
        double.will(page(SOME))
        await snapshot.refresh("v2")
        assert snapshot.catalogue().version == "v2"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(None), RagaBotError),
        (value({"page": [{"name": "Yaman"}], "isDone": True, "continueCursor": ""}), CatalogueError),
        (value({"page": "none", "isDone": True, "continueCursor": ""}), RagaBotError),
        (value(None), RagaBotError),
    ],
)
async def test_a_refresh_that_fails_leaves_the_catalogue_as_it_is(
    tmp_path: Path, answer: Any, kind: type[Exception]
) -> None:
    async with server() as (double, convex):
        snapshot = Snapshot(convex, PACKAGED, tmp_path / "catalogue.json")
        double.will(*[answer] * 9)
        with pytest.raises(kind):
            await snapshot.refresh("v2")
        assert snapshot.catalogue() is PACKAGED
    assert names_in(tmp_path) == []


async def test_an_outage_leaves_the_catalogue_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For this one alone: a short deadline would cut a slow machine's good answers off too.
    monkeypatch.setattr(room, "_CALL_DEADLINE_S", 0.3)
    async with server() as (double, convex):
        snapshot = Snapshot(convex, PACKAGED, tmp_path / "catalogue.json")
        double.will(*[says("", 503)] * 9)
        with pytest.raises(UnavailableError):
            await snapshot.refresh("v2")
        assert snapshot.catalogue() is PACKAGED
    assert names_in(tmp_path) == []


async def test_pages_without_end_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MAX_PAGES", 3)
    async with server() as (double, convex):
        snapshot = Snapshot(convex, PACKAGED, tmp_path / "catalogue.json")
        double.will(*[page(SOME, 0, 1, "on and on")] * 5)
        with pytest.raises(CatalogueError, match="more than 300 ragas"):
            await snapshot.refresh("v2")
        assert len(double.calls) == 3


Hear = Callable[[str], Awaitable[None]]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[Hear]:
    """Waits until the log has said something."""
    came = asyncio.Event()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert record.name
            came.set()

    async def wait(text: str) -> None:
        while text not in caplog.text:
            came.clear()
            await came.wait()

    # Handlers are called in the order in which they were added: pytest's own has written by then.
    ear = Ear()
    logging.getLogger().addHandler(ear)
    with caplog.at_level(logging.INFO):
        yield wait
    logging.getLogger().removeHandler(ear)


async def test_it_follows_the_live_state_and_outlasts_an_outage(tmp_path: Path, heard: Hear) -> None:
    async with server() as (double, convex):
        snapshot, states = Snapshot(convex, PACKAGED, tmp_path / "catalogue.json"), LiveStates()
        # More failures than any fixed number of tries that one might think of; the state itself says nothing again.
        double.will(*[error(None)] * 20, page(SOME))
        await snapshot.start(states)
        try:
            await states.set(version=None)
            await states.set(version="v2")
            await heard("holds 3 ragas now")
            assert snapshot.catalogue().version == "v2"
            assert len(double.calls) == 21
        finally:
            await snapshot.stop()
        await snapshot.stop()


async def test_what_cannot_be_read_is_not_asked_for_again_and_again(tmp_path: Path, heard: Hear) -> None:
    other = Catalogue(PACKAGED.ragas[:1], "v3")
    async with server() as (double, convex):
        snapshot, states = Snapshot(convex, PACKAGED, tmp_path / "catalogue.json"), LiveStates()
        bad = {"page": [{"name": "Yaman"}], "isDone": True, "continueCursor": ""}
        double.will(value(bad), page(other))
        await snapshot.start(states)
        try:
            await states.set(version="v2")
            await heard("stays as it is")
            await states.set(version="v3")
            await heard("holds 1 ragas now")
            assert snapshot.catalogue().version == "v3"
            assert len(double.calls) == 2
        finally:
            await snapshot.stop()


NONE_ACCEPTED = value({"page": [], "isDone": True, "continueCursor": ""})


async def test_seeding_what_is_there_is_two_calls() -> None:
    async with server() as (double, convex):
        double.will(NONE_ACCEPTED, value({"version": SOME.version, "count": 3}))
        counts = await seed(convex, token, SOME)
        assert counts == SeedCounts(unchanged=3, published=False)
        assert [(call.kind, call.path) for call in double.calls] == [
            ("query", "corrections:accepted"),
            ("query", "catalogue:version"),
        ]


@pytest.mark.parametrize("known", [None, {"version": "v0", "count": 1}])
async def test_seeding_goes_in_batches_and_is_published_last(known: object) -> None:
    known_well = [raga for raga in PACKAGED.ragas if raga.name == "Yaman"]
    catalogue = Catalogue([*PACKAGED.ragas[: BATCH + 4], *known_well], "v5")
    reports: list[tuple[int, int]] = []
    async with server() as (double, convex):
        double.will(
            NONE_ACCEPTED,
            value(known),
            value({"added": 90, "changed": 3, "unchanged": 7}),
            value({"added": 0, "changed": 5, "unchanged": 0}),
            value(None),
        )
        counts = await seed(convex, token, catalogue, report=lambda done, of: reports.append((done, of)))
        assert counts == SeedCounts(90, 8, 7, published=True)
        assert reports == [(BATCH, BATCH + 5), (BATCH + 5, BATCH + 5)]
        first, second, published = double.calls[2:]
        batches = [cast("list[dict[str, Any]]", call.args["ragas"]) for call in (first, second)]
        assert [len(batch) for batch in batches] == [BATCH, 5]
        sent = [raga for batch in batches for raga in batch]
        # Each with its place among those asked for most, if it has one.
        places = {(raga["name"], raga["tradition"]): raga.pop("familiarity", None) for raga in sent}
        assert sent == [raga.to_document() for raga in catalogue.ragas]
        assert places["Yaman", "Hindustani"] == 0
        assert places[catalogue.ragas[0].name, catalogue.ragas[0].tradition] is None
        assert (published.path, published.args) == (
            "catalogue:publish",
            {"version": "v5", "count": BATCH + 5},
        )
        assert {call.token for call in (first, second, published)} == {"a token"}


async def test_a_seeding_that_breaks_off_publishes_nothing() -> None:
    async with server() as (double, convex):
        double.will(NONE_ACCEPTED, value(None), error(None))
        with pytest.raises(RagaBotError):
            await seed(convex, token, SOME)
        assert [call.path for call in double.calls] == [
            "corrections:accepted",
            "catalogue:version",
            "catalogue:upsert",
        ]
