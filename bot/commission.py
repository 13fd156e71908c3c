"""From a stored request to what the engine takes. Other front ends write requests too, and leave more open."""

from __future__ import annotations

import hashlib
import re

from handlers.model import GenerationId, GenerationRequest
from music.catalogue import Catalogue, Raga, Tradition
from music.choosing import raga_for
from music.request import INSTRUMENTS, KEYS, SEED_MAX, STYLES, TALAS, VOICES, PieceError, PieceRequest

_VOICE_BY_WORD = {"male": "baritone", "female": "alto"}
_TRADITIONS: tuple[Tradition, ...] = ("Hindustani", "Carnatic")


def commission(generation: GenerationId, request: GenerationRequest, catalogue: Catalogue) -> PieceRequest:
    """The piece to make. The same generation always gives the same. Raises PieceError."""
    seed = request.seed if request.seed > 0 else _seed_of(generation, request)
    vocal = request.music_type == "vocal"
    instruments = tuple(_named(name, tuple(INSTRUMENTS)) for name in request.instruments)
    return PieceRequest(
        raga=_raga(request, catalogue, seed),
        duration_s=request.duration_s,
        seed=seed,
        tempo_bpm=request.tempo_bpm,
        key=None if request.key is None else _named(request.key, KEYS),
        instruments=instruments or (() if vocal else ("sitar",)),
        voice=_voice(request.voice, seed) if vocal else None,
        tala=None if request.tala is None else _named(request.tala, TALAS),
        mood=request.mood or None,
        theme=request.theme or None,
        style=None if request.style is None else _named(request.style, tuple(STYLES)),
    )


def _seed_of(generation: GenerationId, request: GenerationRequest) -> int:
    # A request of ours with the seed 0 means 0; one that names no raga comes from a front end without seeds.
    if request.raga:
        return request.seed
    return int.from_bytes(hashlib.sha256(generation.encode()).digest()[:8], "big") % SEED_MAX


def _raga(request: GenerationRequest, catalogue: Catalogue, seed: int) -> Raga:
    tradition = next((name for name in _TRADITIONS if name == request.tradition), None)
    if not request.raga:
        return raga_for(
            catalogue,
            mood=request.mood or None,
            theme=request.theme or None,
            tradition=tradition,
            seed=seed,
        )
    raga = catalogue.get(request.raga, tradition)
    if raga is None:
        raise PieceError(
            f"I do not know the raga {request.raga} any more. /search finds one to take instead."
        )
    return raga


def _named(text: str, names: tuple[str, ...]) -> str:
    """The name as the engine writes it; what it does not know is left for the engine to refuse."""
    return next((name for name in names if name.casefold() == text.strip().casefold()), text)


def _voice(text: str | None, seed: int) -> str:
    voices = tuple(VOICES)
    if not text:
        return voices[seed % len(voices)]
    words: list[str] = re.findall(r"\w+", text.casefold())
    for word in words:
        if word in VOICES:
            return word
    return next((_VOICE_BY_WORD[word] for word in words if word in _VOICE_BY_WORD), text)
