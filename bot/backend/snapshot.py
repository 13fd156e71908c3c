"""The catalogue in memory: packaged with the bot, replaced as a whole when Convex holds another."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from bot.backend.corrections import Curation, corrected
from bot.backend.documents import Document
from bot.backend.gateway import Convex, TokenSource
from bot.backend.live import States
from bot.backoff import Backoff
from bot.upkeep import end, keep_up
from handlers.errors import RagaBotError
from handlers.model import Cursor
from music.catalogue import Catalogue, CatalogueError, Raga
from music.familiar import UNFAMILIAR, familiarity

log = logging.getLogger(__name__)

BATCH = 100
"""So many ragas go to or come from Convex in one call."""

_CALL_DEADLINE_S = 30.0
_MAX_PAGES = 100
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0


class Snapshot:
    """The newest catalogue, also kept in a file for the next start. A refresh that fails leaves it as it is."""

    def __init__(self, convex: Convex, packaged: Catalogue, cache: Path) -> None:
        self._convex = convex
        self._packaged = packaged
        self._current = packaged
        self._cache = cache
        self._task: asyncio.Task[None] | None = None

    def catalogue(self) -> Catalogue:
        """The catalogue as it stands now."""
        return self._current

    async def start(self, states: States) -> None:
        """Begin to follow the version in the live state; returns at once."""
        self._task = keep_up(lambda: self._follow(states), "The catalogue's refresh")

    async def stop(self) -> None:
        """Stop to follow."""
        if self._task is not None:
            await end([self._task])
            self._task = None

    async def refresh(self, version: str) -> None:
        """Hold the catalogue of this version. Raises errors of handlers.errors, CatalogueError."""
        if version == self._packaged.version:
            self._current = self._packaged
        elif version != self._current.version:
            kept = await asyncio.to_thread(self._read, version)
            self._current = kept or await self._load(version)
            log.info("The catalogue holds %d ragas now.", len(self._current.ragas))

    async def _follow(self, states: States) -> None:
        async for state in states.states():
            version = state.catalogue_version
            if version is None or version == self._current.version:
                continue
            trouble = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
            while version != self._current.version:
                try:
                    await self.refresh(version)
                except CatalogueError as error:
                    log.error("The catalogue stays as it is: %s", error)  # noqa: TRY400 - the sentence says it all
                    break  # it will not read better the next time
                except RagaBotError as error:
                    # The live state says nothing again after an outage, so it is for us to go on asking.
                    log.warning("The catalogue stays as it is for now: %s", error.code)
                    await asyncio.sleep(trouble.pause_s())

    async def _load(self, version: str) -> Catalogue:
        documents = await _pages(self._convex)
        catalogue = await asyncio.to_thread(_catalogue, documents, version)
        await asyncio.to_thread(self._write, version, documents)
        return catalogue

    def _read(self, version: str) -> Catalogue | None:
        try:
            kept = json.loads(self._cache.read_text("utf-8"))
            if kept["version"] == version:
                return _catalogue(kept["ragas"], version)
        except (OSError, ValueError, KeyError, TypeError, CatalogueError):
            return None  # it is only a copy; the original is fetched anew
        return None

    def _write(self, version: str, documents: list[dict[str, Any]]) -> None:
        draft = self._cache.with_name(f".{self._cache.name}.{secrets.token_hex(4)}")
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(
                json.dumps({"version": version, "ragas": documents}, ensure_ascii=False), "utf-8"
            )
            draft.replace(self._cache)
        except OSError as error:
            log.warning("The catalogue could not be kept in %s: %s", self._cache, error.strerror)
            with contextlib.suppress(OSError):
                draft.unlink()


async def _pages(convex: Convex) -> list[dict[str, Any]]:
    """Every raga that Convex holds, as documents."""
    documents: list[dict[str, Any]] = []
    cursor: Cursor | None = None
    for _ in range(_MAX_PAGES):
        options = {"numItems": BATCH, "cursor": cursor}
        answer = await convex.query("ragas:page", {"paginationOpts": options}, deadline_s=_CALL_DEADLINE_S)
        page = Document(answer)
        documents += cast("list[dict[str, Any]]", page.values("page"))
        if page.flag("isDone"):
            return documents
        cursor = Cursor(page.text("continueCursor"))
    raise CatalogueError(f"Convex holds more than {_MAX_PAGES * BATCH} ragas.")


def _catalogue(documents: list[dict[str, Any]], version: str) -> Catalogue:
    """The catalogue of some documents, its index made. Raises CatalogueError."""
    catalogue = Catalogue((Raga.from_document(document) for document in documents), version)
    catalogue.find("Yaman")  # what the first lookup would have to wait for
    return catalogue


def _seeded(raga: Raga) -> dict[str, Any]:
    """A raga's document with its place among the well known ones, by which Convex orders what it finds."""
    place = familiarity(raga)
    return raga.to_document() | ({} if place == UNFAMILIAR else {"familiarity": place})


@dataclass(frozen=True, slots=True)
class SeedCounts:
    """What a seeding did; ``published`` is False when Convex had this catalogue already."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    published: bool = False


async def seed(
    convex: Convex,
    token: TokenSource,
    catalogue: Catalogue,
    *,
    report: Callable[[int, int], None] | None = None,
) -> SeedCounts:
    """Bring a catalogue into Convex, with the corrections that were accepted; two calls where it is there already.

    ``report`` takes ragas done and their number. Raises errors of handlers.errors.
    """
    accepted = await Curation(convex, token).accepted()
    catalogue = await asyncio.to_thread(corrected, catalogue, accepted)
    known = await convex.query("catalogue:version", {}, deadline_s=_CALL_DEADLINE_S)
    if known is not None and Document(known).text("version") == catalogue.version:
        return SeedCounts(unchanged=len(catalogue.ragas))
    counts = SeedCounts()
    for start in range(0, len(catalogue.ragas), BATCH):
        batch = [_seeded(raga) for raga in catalogue.ragas[start : start + BATCH]]
        answer = await convex.mutation(
            "catalogue:upsert", {"ragas": batch}, token, repeatable=True, deadline_s=_CALL_DEADLINE_S
        )
        done = Document(answer)
        counts = SeedCounts(
            counts.added + int(done.number("added")),
            counts.changed + int(done.number("changed")),
            counts.unchanged + int(done.number("unchanged")),
        )
        if report is not None:
            report(start + len(batch), len(catalogue.ragas))
    await convex.mutation(
        "catalogue:publish",
        {"version": catalogue.version, "count": len(catalogue.ragas)},
        token,
        repeatable=True,
        deadline_s=_CALL_DEADLINE_S,
    )
    return replace(counts, published=True)


async def strays(convex: Convex, catalogue: Catalogue) -> list[tuple[str, str]]:
    """Name and tradition of the ragas that only Convex has. Raises errors of handlers.errors, CatalogueError."""
    known = {(raga.name, raga.tradition) for raga in catalogue.ragas}
    held = [(str(one["name"]), str(one["tradition"])) for one in await _pages(convex)]
    return sorted(set(held) - known)


async def remove(convex: Convex, token: TokenSource, ragas: Sequence[tuple[str, str]]) -> int:
    """Take ragas out of Convex, hearts and pieces aside; how many were there. Raises errors of handlers.errors."""
    removed = 0
    for start in range(0, len(ragas), BATCH):
        batch = [{"name": name, "tradition": tradition} for name, tradition in ragas[start : start + BATCH]]
        answer = await convex.mutation(
            "catalogue:remove", {"ragas": batch}, token, repeatable=True, deadline_s=_CALL_DEADLINE_S
        )
        removed += int(Document({"removed": answer}).number("removed"))
    return removed
