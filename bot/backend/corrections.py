"""Errors in the catalogue that people report: filed, decided on, and taken into the next seeding."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from functools import partial

from bot.backend.documents import Document, page_of
from bot.backend.gateway import Convex, TokenSource
from bot.backend.identity import Signer
from handlers.model import Actor, Correction, CorrectionStatus, Cursor, Page
from music.catalogue import TRADITIONS, Catalogue, CatalogueError, Raga, Tradition
from music.ragafaults import faults, faults_between
from music.swaras import SwaraError, parse_scale

log = logging.getLogger(__name__)

STATUSES: tuple[CorrectionStatus, ...] = ("open", "accepted", "declined")

_PAGE = 100
_MAX_PAGES = 50
_DEADLINE_S = 30.0

_TEXTS = frozenset(("thaat", "parent", "jati", "vadi", "samvadi", "description", "notes"))
_LISTS = frozenset(("time", "season", "rasa", "mood", "kin"))
_SCALES = frozenset(("arohana", "avarohana", "nyasa"))


def correction_of(document: Document) -> Correction:
    """One correction."""
    return Correction(
        id=document.text("id"),
        raga=document.text("raga"),
        tradition=document.choice("tradition", TRADITIONS),
        field=document.text("field"),
        text=document.text("text"),
        status=document.choice("status", STATUSES),
        created_at_ms=document.number("createdAt"),
        value=document.optional_text("value"),
        note=document.optional_text("note"),
        account=document.optional_text("account"),
        decided_by=document.optional_text("decidedBy"),
    )


class Corrections:
    """What a person reports. Every method raises errors of handlers.errors and nothing else."""

    def __init__(self, convex: Convex, signer: Signer) -> None:
        self._convex = convex
        self._signer = signer

    async def file(
        self, actor: Actor, raga: str, tradition: Tradition, field: str, text: str, *, key: str
    ) -> str:
        """Report an error in a raga's entry; a replayed key gives the same id."""
        args = {"raga": raga, "tradition": tradition, "field": field, "text": text, "idempotencyKey": key}
        filed = await self._convex.mutation("corrections:file", args, partial(self._signer.user, actor))
        return Document({"id": filed}).text("id")

    async def mine(self, actor: Actor, cursor: Cursor | None, limit: int) -> Page[Correction]:
        """What the actor has reported, newest first."""
        args = {"paginationOpts": {"numItems": limit, "cursor": cursor}}
        page = await self._convex.query("corrections:mine", args, partial(self._signer.user, actor))
        return page_of(Document(page), correction_of)


class Curation:
    """What a curator does, or the bot for its operator; ``token`` says who. Raises errors of handlers.errors."""

    def __init__(self, convex: Convex, token: TokenSource) -> None:
        self._convex = convex
        self._token = token

    async def reports(self, status: CorrectionStatus, cursor: Cursor | None, limit: int) -> Page[Correction]:
        """Reports in this state, the oldest first."""
        args = {"status": status, "paginationOpts": {"numItems": limit, "cursor": cursor}}
        return page_of(
            Document(await self._convex.query("corrections:list", args, self._token)), correction_of
        )

    async def decide(
        self, correction: str, accept: bool, *, value: str | None = None, note: str | None = None
    ) -> Correction:
        """Accept or decline an open report; the same again is harmless."""
        args: dict[str, object] = {"id": correction, "accept": accept}
        args |= {name: text for name, text in (("value", value), ("note", note)) if text is not None}
        decided = await self._convex.mutation("corrections:decide", args, self._token, repeatable=True)
        return correction_of(Document(decided))

    async def accepted(self) -> list[Correction]:
        """Everything that was accepted, in the order of the decisions."""
        found: list[Correction] = []
        cursor: Cursor | None = None
        for _ in range(_MAX_PAGES):
            args = {"paginationOpts": {"numItems": _PAGE, "cursor": cursor}}
            answer = await self._convex.query(
                "corrections:accepted", args, self._token, deadline_s=_DEADLINE_S
            )
            page = page_of(Document(answer), correction_of)
            found += page.items
            cursor = page.next
            if cursor is None:
                return found
        log.warning("Of the accepted corrections only the first %d are taken in.", len(found))
        return found


def corrected(catalogue: Catalogue, accepted: Iterable[Correction]) -> Catalogue:
    """The catalogue with what was accepted, as long as its own files do not say so; itself where nothing changes.

    A correction that is no form of its field, or would make an entry faulty, is left out with a warning.
    """
    ragas = list(catalogue.ragas)
    places: dict[tuple[str, str], int] = {
        (raga.name, raga.tradition): place for place, raga in enumerate(ragas)
    }
    for correction in accepted:
        place = places.get((correction.raga, correction.tradition))
        if place is None or correction.field not in _TAKEN_IN:
            continue
        try:
            changed = _changed(ragas[place], correction)
            trouble = _new_faults(ragas, place, changed)
        except (CatalogueError, SwaraError, ValueError) as error:
            trouble = [str(error)]
        if trouble:
            log.warning("The correction %s is left out: %s", correction.id, "; ".join(trouble))
        else:
            ragas[place] = changed
    return catalogue if tuple(ragas) == catalogue.ragas else Catalogue(ragas)


_TAKEN_IN = _TEXTS | _LISTS | _SCALES | {"aliases", "prahar"}


def _changed(raga: Raga, correction: Correction) -> Raga:
    value = _value(correction)
    if correction.field == "aliases" and isinstance(value, list):
        value = list(dict.fromkeys((*raga.aliases, *(name for name in value if name != raga.name))))
    return Raga.from_document(raga.to_document() | {correction.field: value})


def _value(correction: Correction) -> object:
    """What the entry is to say, in the form of its field. Raises SwaraError, ValueError."""
    text = (correction.value or correction.text).strip()
    if correction.field in _SCALES:
        return list(parse_scale(text))
    listed = [word.strip() for word in text.split(",") if word.strip()]
    if correction.field == "prahar":
        return [int(word) for word in listed]
    return listed if correction.field in _LISTS or correction.field == "aliases" else text


def _new_faults(ragas: Sequence[Raga], place: int, changed: Raga) -> list[str]:
    """What is wrong with an entry now that was not before."""
    after = [*ragas[:place], changed, *ragas[place + 1 :]]
    known = {*faults(ragas[place]), *(fault for _, fault in faults_between(ragas))}
    return [
        fault
        for fault in (*faults(changed), *(fault for _, fault in faults_between(after)))
        if fault not in known
    ]


def hints(accepted: Iterable[Correction]) -> str:
    """Accepted corrections as lines for the catalogue's TOML files; what has no form of a field stands as a comment."""
    lines: list[str] = []
    for correction in accepted:
        lines.append(f"# {correction.raga} ({correction.tradition})")
        if correction.note:
            lines.append(f"# {json.dumps(correction.note, ensure_ascii=False)}")
        try:
            value = _value(correction) if correction.field in _TAKEN_IN else None
        except (SwaraError, ValueError):
            value = None
        if value is None:
            proposed = json.dumps(correction.value or correction.text, ensure_ascii=False)
            lines.append(f"# {correction.field}: {proposed}")
        else:
            if correction.field in _SCALES and isinstance(value, list):
                value = " ".join(value)
            # TOML writes strings, numbers and lists of them as JSON does.
            lines.append(f"{correction.field} = {json.dumps(value, ensure_ascii=False)}")
        lines.append("")
    return "\n".join(lines)
