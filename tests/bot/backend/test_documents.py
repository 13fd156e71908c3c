"""Convex's documents as they come over the wire: whole, sparse, foreign and broken."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bot.backend.documents import (
    Document,
    UnexpectedDocumentError,
    delivery_of,
    favorite_of,
    generation_of,
    job_of,
    live_state_of,
    metadata_document,
    page_of,
    request_document,
    request_of,
)
from handlers.model import FavoriteTarget, GenerationId, GenerationRequest, MessageRef, Progress
from tests.bot.doubles import METADATA, REQUEST

FULL = GenerationRequest(
    raga="Yaman", tradition="Hindustani", music_type="vocal", instruments=("sitar", "tabla"), voice="alto",
    mood="calm", theme="evening", duration_s=30.0, seed=2**31 - 1, tempo_bpm=72.5, key="C#", tala="Jhaptal",
    after=None,
)  # fmt: skip
VIEW: dict[str, Any] = {
    "id": "g1",
    "status": "processing",
    "request": request_document(REQUEST),
    "createdAt": 1000.0,
    "favorite": False,
    "own": True,
}
DELIVERY: dict[str, Any] = {
    "deliveryId": "d1", "generationId": "g1", "platform": "web", "chat": "c1", "message": "m1",
    "account": "web:1", "generation": VIEW, "audioUrl": None,
}  # fmt: skip


@pytest.mark.parametrize("request_", [REQUEST, FULL])
def test_a_request_survives_the_way_there_and_back(request_: GenerationRequest) -> None:
    assert request_of(Document(request_document(request_))) == request_


def test_what_is_not_set_is_left_out() -> None:
    assert set(request_document(REQUEST)) == {
        "raga", "tradition", "musicType", "instruments", "mood", "theme", "duration", "seed",
    }  # fmt: skip


def test_a_foreign_request_leaves_more_open() -> None:
    row = {"musicType": "vocal", "mood": "calm", "theme": "night", "duration": 60.0, "voice": "male"}
    request = request_of(Document(row))
    assert (request.raga, request.tradition, request.seed, request.instruments) == ("", "", 0, ())
    assert (request.tempo_bpm, request.key, request.tala, request.after) == (None, None, None, None)


def test_progress_is_there_only_while_a_piece_is_made() -> None:
    reported = {"progress": 40.0, "stage": "melody", "secondsLeft": 12.0, "attempt": 2.0}
    assert generation_of(Document(VIEW | reported)).progress == Progress("melody", 0.4, 12.0, 2)
    assert generation_of(Document(VIEW | {"progress": 0.0})).progress is None
    done = VIEW | reported | {"status": "completed", "audioFileId": "s1"}
    assert generation_of(Document(done)).progress is None
    assert generation_of(Document(VIEW | reported | {"progress": 250.0})).progress == Progress(
        "melody", 1.0, 12.0, 2
    )


def test_a_finished_piece() -> None:
    view = VIEW | {"status": "completed", "audioFileId": "s1", "metadata": metadata_document(METADATA)}
    piece = generation_of(Document(view))
    assert (piece.audio, piece.metadata, piece.position) == ("s1", METADATA, None)


def test_foreign_metadata_is_none_for_us() -> None:
    view = VIEW | {"status": "completed", "audioFileId": "s1", "metadata": {"title": "A song"}}
    assert generation_of(Document(view)).metadata is None


def test_numbers_arrive_as_floats() -> None:
    position = generation_of(Document(VIEW | {"position": 3.0})).position
    assert position == 3
    assert isinstance(position, int)
    assert job_of(Document({"generationId": "g1", "request": VIEW["request"], "attempt": 2.0})).attempt == 2


def test_a_kept_piece_names_itself() -> None:
    kept = favorite_of(Document({"kind": "generation", "createdAt": 5.0, "generation": VIEW}))
    assert kept.target == FavoriteTarget(generation=GenerationId("g1"))
    assert kept.generation is not None
    assert kept.generation.id == "g1"


def test_a_kept_raga() -> None:
    row = {"kind": "raga", "createdAt": 5.0, "raga": "Yaman", "tradition": "Hindustani"}
    kept = favorite_of(Document(row))
    assert kept.target == FavoriteTarget(raga="Yaman", tradition="Hindustani")
    assert kept.generation is None


@pytest.mark.parametrize(
    "broken",
    [
        {"id": 1.0},
        {"status": "paused"},
        {"request": None},
        {"request": VIEW["request"] | {"musicType": "mime"}},
        {"request": VIEW["request"] | {"duration": "long"}},
        {"request": VIEW["request"] | {"duration": True}},
        {"request": VIEW["request"] | {"seed": float("nan")}},
        {"request": VIEW["request"] | {"instruments": ["sitar", 1.0]}},
        {"request": VIEW["request"] | {"instruments": "sitar"}},
        {"createdAt": float("inf")},
        {"favorite": 1.0},
        {"position": float("inf")},
        {"metadata": "none"},
    ],
)
def test_what_is_not_as_agreed_is_one_kind_of_error(broken: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedDocumentError):
        generation_of(Document(VIEW | broken))


@pytest.mark.parametrize("value", [None, [], "text", 1.0])
def test_only_an_object_is_a_document(value: object) -> None:
    with pytest.raises(UnexpectedDocumentError):
        Document(value)


def test_a_delivery() -> None:
    delivery = delivery_of(Document(DELIVERY | {"audioUrl": "http://x/1"}))
    assert delivery.message == MessageRef("web", "c1", "m1")
    assert (delivery.id, delivery.account, delivery.audio_url) == ("d1", "web:1", "http://x/1")
    assert delivery.generation.id == "g1"


def test_one_unreadable_delivery_does_not_hide_the_others(caplog: pytest.LogCaptureFixture) -> None:
    value = {
        "deliveries": [DELIVERY | {"generation": None}, DELIVERY, "what", DELIVERY | {"account": 7.0}],
        "waitingJob": "j1",
        "catalogueVersion": None,
    }
    with caplog.at_level(logging.WARNING):
        state = live_state_of(Document(value))
    assert [delivery.id for delivery in state.deliveries] == ["d1"]
    assert (state.waiting_job, state.catalogue_version) == ("j1", None)
    assert state.announcement is None
    assert live_state_of(Document({"announcement": "Back soon."})).announcement == "Back soon."
    assert len(caplog.records) == 3
    assert "web:1" not in caplog.text


def test_pages_end() -> None:
    page = page_of(Document({"page": [VIEW], "isDone": False, "continueCursor": "c2"}), generation_of)
    assert (len(page.items), page.next) == (1, "c2")
    last = page_of(Document({"page": [], "isDone": True, "continueCursor": ""}), generation_of)
    assert (last.items, last.next) == ((), None)
