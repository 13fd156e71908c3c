"""Convex's documents, read into the handlers' types. Numbers arrive as floats, absent fields are not there."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

from handlers.errors import RagaBotError
from handlers.model import (
    AccountId,
    Cursor,
    Favorite,
    FavoriteTarget,
    Generation,
    GenerationId,
    GenerationMetadata,
    GenerationRequest,
    MessageRef,
    Notice,
    NoticeKind,
    Page,
    Progress,
    StorageId,
)

log = logging.getLogger(__name__)

NOTICES: tuple[NoticeKind, ...] = (
    "link_asked",
    "linked",
    "link_declined",
    "link_undone",
    "unlinked",
    "deleted",
)

Item = TypeVar("Item")
Choice = TypeVar("Choice", bound=str)


class UnexpectedDocumentError(RagaBotError):
    """My memory gave me something that I could not read. Please try again in a moment."""

    code = "unexpected_document"


@dataclass(frozen=True, slots=True)
class Job:
    """A piece that a worker holds the lease of; ``attempt`` counts from 1."""

    generation: GenerationId
    request: GenerationRequest
    attempt: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """An open promise to show a piece in the message that asked for it."""

    id: str
    message: MessageRef
    account: AccountId
    generation: Generation
    audio_url: str | None


@dataclass(frozen=True, slots=True)
class LiveState:
    """What a bot's one subscription shows: open deliveries, notices, what is announced, the next waiting job, the
    catalogue's version."""

    deliveries: tuple[Delivery, ...] = ()
    waiting_job: str | None = None
    catalogue_version: str | None = None
    notices: tuple[Notice, ...] = ()
    announcement: str | None = None


class Document:
    """A Convex object whose fields are asked for by type; whatever is not as asked raises UnexpectedDocumentError.

    ``null`` and an absent field are the same.
    """

    __slots__ = ("_fields",)

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise UnexpectedDocumentError
        self._fields = cast("dict[str, object]", value)

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self._fields.get(name)
        if not isinstance(value, str):
            raise UnexpectedDocumentError
        return value

    def optional_text(self, name: str) -> str | None:
        """A string, if there is one."""
        return None if self._fields.get(name) is None else self.text(name)

    def choice(self, name: str, choices: tuple[Choice, ...]) -> Choice:
        """One of some strings."""
        for choice in choices:
            if self._fields.get(name) == choice:
                return choice
        raise UnexpectedDocumentError

    def number(self, name: str) -> float:
        """A finite number that must be there."""
        value = self._fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise UnexpectedDocumentError
        return float(value)

    def optional_number(self, name: str) -> float | None:
        """A number, if there is one."""
        return None if self._fields.get(name) is None else self.number(name)

    def flag(self, name: str, *, absent: bool = False) -> bool:
        """A boolean."""
        value = self._fields.get(name, absent)
        if not isinstance(value, bool):
            raise UnexpectedDocumentError
        return value

    def settings(self, name: str) -> dict[str, str | float | bool]:
        """Plain values by name; an absent object is empty, and what is not plain in it is left out."""
        value = self._fields.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise UnexpectedDocumentError
        return {str(one): plain for one, plain in value.items() if isinstance(plain, str | float | bool)}

    def values(self, name: str) -> tuple[object, ...]:
        """A list; an absent one is empty."""
        value = self._fields.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise UnexpectedDocumentError
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; an absent one is empty."""
        values = self.values(name)
        if not all(isinstance(value, str) for value in values):
            raise UnexpectedDocumentError
        return cast("tuple[str, ...]", values)

    def optional_texts(self, name: str) -> tuple[str, ...] | None:
        """A list of strings, if there is one."""
        return None if self._fields.get(name) is None else self.texts(name)

    def record(self, name: str) -> dict[str, object]:
        """An object whose fields have names of their own."""
        return dict(self.inner(name)._fields)

    def inner(self, name: str) -> Document:
        """An object that must be there."""
        return Document(self._fields.get(name))

    def optional_inner(self, name: str) -> Document | None:
        """An object, if there is one."""
        return None if self._fields.get(name) is None else self.inner(name)


def request_of(document: Document) -> GenerationRequest:
    """A stored request. Rows of other front ends may name no raga, tradition or seed: these come as "" and 0."""
    after = document.optional_text("after")
    return GenerationRequest(
        raga=document.optional_text("raga") or "",
        tradition=document.optional_text("tradition") or "",
        music_type=document.choice("musicType", ("instrumental", "vocal")),
        instruments=document.texts("instruments"),
        voice=document.optional_text("voice"),
        mood=document.text("mood"),
        theme=document.text("theme"),
        duration_s=document.number("duration"),
        seed=int(document.optional_number("seed") or 0),
        tempo_bpm=document.optional_number("tempo"),
        key=document.optional_text("key"),
        tala=document.optional_text("tala"),
        style=document.optional_text("style"),
        after=None if after is None else GenerationId(after),
    )


def request_document(request: GenerationRequest) -> dict[str, object]:
    """A request as Convex stores it; what is not set is left out."""
    document: dict[str, object | None] = {
        "raga": request.raga or None,
        "tradition": request.tradition or None,
        "musicType": request.music_type,
        "instruments": list(request.instruments) or None,
        "voice": request.voice,
        "mood": request.mood,
        "theme": request.theme,
        "duration": request.duration_s,
        "seed": request.seed,
        "tempo": request.tempo_bpm,
        "key": request.key,
        "tala": request.tala,
        "style": request.style,
        "after": request.after,
    }
    return {name: value for name, value in document.items() if value is not None}


def generation_of(document: Document) -> Generation:
    """A view of a generation."""
    status: Literal["processing", "completed", "failed"] = document.choice(
        "status", ("processing", "completed", "failed")
    )
    position = document.optional_number("position")
    audio = document.optional_text("audioFileId")
    metadata = document.optional_inner("metadata")
    return Generation(
        id=GenerationId(document.text("id")),
        status=status,
        request=request_of(document.inner("request")),
        created_at_ms=document.number("createdAt"),
        favorite=document.flag("favorite"),
        own=document.flag("own", absent=True),
        progress=_progress(document) if status == "processing" else None,
        position=None if position is None else int(position),
        audio=None if audio is None else StorageId(audio),
        metadata=None if metadata is None else _metadata(metadata),
        title=document.optional_text("title"),
        made_after=document.flag("after"),
        shared=document.flag("shared"),
        error_code=document.optional_text("errorCode"),
        error=document.optional_text("error"),
    )


def _progress(view: Document) -> Progress | None:
    percent = view.optional_number("progress")
    stage = view.optional_text("stage")
    if percent is None or stage is None:
        return None
    return Progress(
        stage=stage,
        fraction=min(1.0, max(0.0, percent / 100.0)),
        seconds_left=view.optional_number("secondsLeft"),
        attempt=int(view.optional_number("attempt") or 1),
    )


def _metadata(document: Document) -> GenerationMetadata | None:
    # Another front end's rows may carry metadata of their own shape: then there is none for us.
    try:
        return GenerationMetadata(
            title=document.text("title"),
            performer=document.text("performer"),
            duration_s=document.number("durationS"),
            tonic_hz=document.number("tonicHz"),
            tempo_bpm=document.number("tempoBpm"),
            tala=document.text("tala"),
            size_bytes=int(document.number("sizeBytes")),
            score=document.optional_text("score"),
        )
    except UnexpectedDocumentError:
        return None


def metadata_document(metadata: GenerationMetadata) -> dict[str, object]:
    """What the worker says of a piece, as Convex stores it."""
    score = {} if metadata.score is None else {"score": metadata.score}
    return {
        "title": metadata.title,
        "performer": metadata.performer,
        "durationS": metadata.duration_s,
        "tonicHz": metadata.tonic_hz,
        "tempoBpm": metadata.tempo_bpm,
        "tala": metadata.tala,
        "sizeBytes": metadata.size_bytes,
        **score,
    }


def favorite_of(document: Document) -> Favorite:
    """One kept thing."""
    view = document.optional_inner("generation")
    generation = None if view is None else generation_of(view)
    return Favorite(
        target=FavoriteTarget(
            generation=None if generation is None else generation.id,
            raga=document.optional_text("raga"),
            tradition=document.optional_text("tradition"),
        ),
        created_at_ms=document.number("createdAt"),
        generation=generation,
    )


def job_of(document: Document) -> Job:
    """A claimed job."""
    return Job(
        generation=GenerationId(document.text("generationId")),
        request=request_of(document.inner("request")),
        attempt=int(document.number("attempt")),
    )


def delivery_of(document: Document) -> Delivery:
    """One open delivery."""
    return Delivery(
        id=document.text("deliveryId"),
        message=MessageRef(document.text("platform"), document.text("chat"), document.text("message")),
        account=AccountId(document.text("account")),
        generation=generation_of(document.inner("generation")),
        audio_url=document.optional_text("audioUrl"),
    )


def live_state_of(document: Document) -> LiveState:
    """The result of ``deliveries:watch``. A delivery that cannot be read is left out: it must not hide the others."""
    deliveries = []
    for value in document.values("deliveries"):
        try:
            deliveries.append(delivery_of(Document(value)))
        except UnexpectedDocumentError:
            log.warning("A delivery could not be read and is left alone.")
    return LiveState(
        deliveries=tuple(deliveries),
        waiting_job=document.optional_text("waitingJob"),
        catalogue_version=document.optional_text("catalogueVersion"),
        notices=tuple(_notices(document)),
        announcement=document.optional_text("announcement"),
    )


def _notices(document: Document) -> Iterator[Notice]:
    for value in document.values("notices"):
        try:
            one = Document(value)
            yield Notice(
                id=one.text("noticeId"),
                account=AccountId(one.text("account")),
                platform=one.text("platform"),
                kind=one.choice("kind", NOTICES),
                details=one.settings("details"),
            )
        except UnexpectedDocumentError:
            log.warning("A notice could not be read and is left alone.")


def page_of(document: Document, read: Callable[[Document], Item]) -> Page[Item]:
    """One page of Convex's pagination."""
    items = tuple(read(Document(value)) for value in document.values("page"))
    return Page(items, None if document.flag("isDone") else Cursor(document.text("continueCursor")))
