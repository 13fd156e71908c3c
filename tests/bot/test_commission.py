"""Requests of every origin become something that the engine takes, or a kind refusal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.commission import commission
from handlers.model import GenerationId, GenerationRequest
from music.catalogue import Catalogue, load
from music.request import INSTRUMENTS, KEYS, SEED_MAX, TALAS, VOICES, PieceError, PieceRequest
from tests.bot.doubles import REQUEST

PIECE = GenerationId("k1")
FOREIGN = replace(REQUEST, raga="", tradition="", seed=0, instruments=())


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def made(catalogue: Catalogue, request: GenerationRequest = REQUEST, **changes: Any) -> PieceRequest:
    return commission(PIECE, replace(request, **changes), catalogue)


def test_a_request_of_ours_is_taken_as_it_is(catalogue: Catalogue) -> None:
    piece = made(catalogue, tempo_bpm=72.0, key="D", tala="Jhaptal")
    assert (piece.raga.name, piece.raga.tradition) == ("Yaman", "Hindustani")
    assert (piece.duration_s, piece.seed, piece.tempo_bpm) == (30.0, 7, 72.0)
    assert (piece.key, piece.tala, piece.instruments, piece.voice) == ("D", "Jhaptal", ("sitar",), None)
    assert (piece.mood, piece.theme) == ("peaceful", "evening devotion")


def test_the_tradition_decides_between_namesakes(catalogue: Catalogue) -> None:
    twice = {raga.name for raga in catalogue.ragas if raga.tradition == "Hindustani"} & {
        raga.name for raga in catalogue.ragas if raga.tradition == "Carnatic"
    }
    name = min(twice)
    for tradition in ("Hindustani", "Carnatic"):
        assert made(catalogue, raga=name, tradition=tradition).raga.tradition == tradition


def test_names_of_other_front_ends_are_read_loosely(catalogue: Catalogue) -> None:
    piece = made(catalogue, instruments=(" Sitar", "BANSURI "), key=" f# ", tala="teental", tradition="both")
    assert piece.instruments == ("sitar", "bansuri")
    assert (piece.key, piece.tala) == ("F#", "Teental")


@pytest.mark.parametrize(
    ("text", "voice"),
    [("tenor", "tenor"), ("Female Soprano", "soprano"), ("male", "baritone"), ("a female voice", "alto")],
)
def test_voices_are_read_from_words(catalogue: Catalogue, text: str, voice: str) -> None:
    piece = made(catalogue, music_type="vocal", instruments=(), voice=text)
    assert (piece.voice, piece.instruments) == (voice, ())


def test_what_is_open_is_chosen_and_always_the_same(catalogue: Catalogue) -> None:
    first, again = made(catalogue, FOREIGN), made(catalogue, FOREIGN)
    assert first == again
    assert first.instruments == ("sitar",)
    assert 0 <= first.seed <= SEED_MAX
    other = commission(GenerationId("k2"), FOREIGN, catalogue)
    assert other.seed != first.seed
    sung = made(catalogue, FOREIGN, music_type="vocal", voice=None)
    assert sung.voice in VOICES


def test_a_seed_of_ours_may_be_zero(catalogue: Catalogue) -> None:
    assert made(catalogue, seed=0).seed == 0


def test_a_mood_and_a_theme_of_any_words_choose_a_raga(catalogue: Catalogue) -> None:
    for mood, theme in (("", ""), ("joyful", "festival"), ("no such mood", "🎻"), ("x" * 60, "y" * 60)):
        piece = made(catalogue, FOREIGN, mood=mood, theme=theme)
        assert piece.raga in catalogue.ragas


def test_the_tradition_that_was_asked_for_is_kept(catalogue: Catalogue) -> None:
    for number in range(20):
        request = replace(FOREIGN, tradition="Carnatic")
        assert commission(GenerationId(f"k{number}"), request, catalogue).raga.tradition == "Carnatic"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"raga": "No Such Raga"}, "I do not know the raga No Such Raga any more"),
        ({"instruments": ("theremin",)}, "The instruments that I can play are"),
        ({"instruments": ("sitar", "Sitar")}, "name each instrument once"),
        ({"instruments": tuple(INSTRUMENTS)[:5]}, "At most 4 instruments"),
        ({"key": "H"}, f"note of Sa: {KEYS[0]}"),
        ({"tala": "Waltz"}, f"talas that I can keep are {TALAS[0]}"),
        ({"music_type": "vocal", "voice": "bass"}, "The voice is"),
        ({"duration_s": 4.0}, "between 5 seconds and 10 minutes"),
        ({"duration_s": float("nan")}, "between 5 seconds and 10 minutes"),
        ({"tempo_bpm": 1e9}, "between 30 and 400"),
        ({"seed": SEED_MAX + 1}, "A seed is a whole number"),
    ],
)
def test_what_cannot_be_met_is_refused_in_a_sentence(
    catalogue: Catalogue, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(PieceError, match=sentence) as caught:
        made(catalogue, **changes)
    assert len(str(caught.value)) <= 500  # Convex takes no longer ones
