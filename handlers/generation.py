"""Having pieces made: asked for freely, as another take, varied, longer; stopped, played again, removed."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from handlers import guide as guided
from handlers.command import Option
from handlers.errors import InvalidInputError, NotFoundError
from handlers.hour import moment
from handlers.lookup import button, find, which
from handlers.model import Generation, GenerationId, GenerationRequest, Preferences, Reply, Request
from handlers.pieces import parameters, show
from handlers.ports import House
from handlers.reading import take_apart
from handlers.wishes import Wish, read_wish
from music.catalogue import TRADITIONS, Catalogue, Raga
from music.choosing import MOODS, THEMES, raga_for, times_of
from music.places import city_named
from music.request import (
    DURATION_S,
    INSTRUMENTS,
    KEYS,
    SEED_MAX,
    STYLES,
    TALAS,
    VOICES,
    PieceError,
    PieceRequest,
)

DEFAULT_DURATION_S = 60.0

OPTIONS = (
    Option("raga", "The raga; left out, one is chosen by mood, theme and hour", "raga", example="Yaman"),
    Option("mood", "What it should feel like", "choice", tuple(MOODS), "peaceful"),
    Option("theme", "What it is for", "choice", tuple(THEMES), "evening devotion"),
    Option("instrument", "One to four instruments", "choice", tuple(INSTRUMENTS), "sitar"),
    Option("voice", "Who sings", "choice", tuple(VOICES), "alto"),
    Option("style", "The manner of song", "choice", tuple(STYLES), "dhrupad"),
    Option(
        "duration",
        "How long: 5 seconds to 10 minutes",
        "number",
        ("30s", "60s", "90s", "2min", "3min"),
        "60s",
    ),
    Option(
        "tempo", "Matras a minute, or vilambit, madhya, drut", "text", ("vilambit", "madhya", "drut"), "drut"
    ),
    Option("key", "The note of Sa", "choice", KEYS, "D"),
    Option("tala", "The cycle", "choice", TALAS, "Teental"),
    Option("seed", "A number; the same one gives the same piece", "number", example="7"),
    Option("tradition", "Hindustani or Carnatic", "choice", ("Hindustani", "Carnatic"), "Carnatic"),
)
PIECE = (Option("piece", "Which piece", "piece"),)

_LEADS = {
    "Hindustani": ("sitar", "sarod", "bansuri", "santoor", "harmonium", "violin"),
    "Carnatic": ("veena", "violin", "bansuri"),
}
"""Instruments at home in each tradition, the first of them the usual choice."""

_SEED_CHOICES = 1_000_000
"""A seed chosen for somebody is short enough to be typed again."""


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


async def guide(house: House, request: Request) -> Reply:
    """A step of the guided `/generate`, or its end: the piece that was chosen."""
    step, chosen = guided.step_of(request)
    if step == guided.MAKE:
        return await generate(house, replace(request, text=chosen.wish(), options={}))
    return guided.turn(house.ragas.catalogue(), step, chosen)


async def generate(house: House, request: Request) -> Reply:
    """Queue a piece; the reply is the message that will show how it goes. Without a wish, a guide begins."""
    catalogue = house.ragas.catalogue()
    if not request.text.strip() and not request.options:
        return guided.begin(catalogue)
    likes = await house.people.preferences(request.actor)
    wish = _liked(read_wish(request, catalogue), likes)
    # A repeated event must ask for the same piece, so what is left to chance hangs on the event.
    seed = wish.seed if wish.seed is not None else _number(request.event) % _SEED_CHOICES
    if wish.raga:
        match = find(catalogue, wish.raga, wish.tradition)
        if match.raga is None:
            said = replace(wish, raga="").words()
            return which(catalogue, wish.raga, match, lambda name: _shortest(f"/generate {name}", said))
        raga = match.raga
    else:
        at = moment(house, city_named(str(likes.get("place", ""))))
        hour = None if wish.mood or wish.theme else at.hour
        raga = raga_for(catalogue, wish.mood, wish.theme, hour, wish.tradition, seed, at.sunrise_hour)
    return await _start(house, request, _filled(wish, raga, seed), raga)


def _liked(wish: Wish, likes: Preferences) -> Wish:
    """The wish, and where it says nothing, what its person prefers."""

    def liked(name: str) -> str | None:
        value = likes.get(name)
        return value if isinstance(value, str) else None

    duration = likes.get("duration")
    played = bool(wish.instruments or wish.voice or wish.style)
    instrument = None if played else liked("instrument")
    # Who asks for a raga by its name means that one, whatever tradition they like.
    tradition = next((name for name in TRADITIONS if not wish.raga and liked("tradition") == name), None)
    return replace(
        wish,
        tradition=wish.tradition or tradition,
        duration_s=wish.duration_s or (float(duration) if isinstance(duration, float | int) else None),
        key=wish.key or liked("tonic"),
        instruments=wish.instruments or ((instrument,) if instrument in INSTRUMENTS else ()),
        voice=wish.voice or (liked("voice") if not played and instrument is None else None),
    )


def _shortest(line: str, more: str) -> str:
    longer = f"{line} {more}".strip()
    return longer if button("", longer) else line


def _filled(wish: Wish, raga: Raga, seed: int) -> GenerationRequest:
    """The wish with everything chosen that it left open."""
    # A manner of song with nobody named is sung.
    voices = tuple(VOICES)
    sung = wish.style is not None and not wish.instruments
    voice = wish.voice or (voices[seed % len(voices)] if sung else None)
    return GenerationRequest(
        raga=raga.name,
        tradition=raga.tradition,
        music_type="vocal" if voice else "instrumental",
        instruments=wish.instruments or (() if voice else _LEADS[raga.tradition][:1]),
        voice=voice,
        mood=wish.mood or next(iter(raga.mood), "peaceful"),
        theme=wish.theme or next(iter(raga.time or times_of(raga.prahar)), "listening"),
        duration_s=wish.duration_s or DEFAULT_DURATION_S,
        seed=seed,
        tempo_bpm=wish.tempo_bpm,
        key=wish.key,
        tala=wish.tala,
        style=wish.style,
    )


async def _start(house: House, request: Request, asked: GenerationRequest, raga: Raga) -> Reply:
    _check(asked, raga)
    generation = await house.backend.start_generation(
        request.actor,
        asked,
        key=f"{request.command}:{request.event}",
        delivery=request.answer,
        group=None if request.place.private else request.place.group,
        room=request.place.room,
    )
    return show(generation)


def _check(asked: GenerationRequest, raga: Raga) -> None:
    """Refuse what the engine would refuse, before anything is queued."""
    try:
        PieceRequest(
            raga=raga,
            duration_s=asked.duration_s,
            seed=asked.seed,
            tempo_bpm=asked.tempo_bpm,
            key=asked.key,
            instruments=asked.instruments,
            voice=asked.voice,
            tala=asked.tala,
            mood=asked.mood,
            theme=asked.theme,
            style=asked.style,
        )
    except PieceError as error:
        raise InvalidInputError(str(error)) from None


def piece_named(request: Request, *others: str) -> GenerationId:
    """The piece that a button's line names, beside ``others``. Raises InvalidInputError, NotFoundError."""
    line = take_apart(request, ("piece", *others))
    ident = line.named.get("piece") or next(iter(line.words), "")
    if not ident:
        raise InvalidInputError("Which piece? /history lists yours, with buttons for each.")
    if not (ident.isascii() and ident.isalnum() and len(ident) <= 64):
        raise NotFoundError
    return GenerationId(ident)


async def _original(house: House, request: Request) -> tuple[Generation, Raga]:
    generation = await house.backend.generation(request.actor, request.place, piece_named(request))
    raga = _raga_of(house.ragas.catalogue(), generation.request)
    if raga is None:
        raise InvalidInputError("Its raga is no longer in the catalogue. /search finds another one.")
    return generation, raga


def _raga_of(catalogue: Catalogue, request: GenerationRequest) -> Raga | None:
    for name in ("Hindustani", "Carnatic"):
        if request.tradition == name:
            return catalogue.get(request.raga, name)
    return catalogue.get(request.raga)


def _new_seed(request: Request, old: int) -> int:
    seed = _number(f"{request.event} {old}") % _SEED_CHOICES
    return seed if seed != old else (old + 1) % SEED_MAX


async def again(house: House, request: Request) -> Reply:
    """Another take: the same wishes, another seed."""
    generation, raga = await _original(house, request)
    old = generation.request
    asked = replace(
        old, raga=raga.name, tradition=raga.tradition, seed=_new_seed(request, old.seed), after=generation.id
    )
    return await _start(house, request, _playable(asked, raga), raga)


async def vary(house: House, request: Request) -> Reply:
    """The same raga and length in another color: other players, another tempo, another seed."""
    generation, raga = await _original(house, request)
    old = generation.request
    seed = _new_seed(request, old.seed)
    # A singer stays the singer; what accompanies is another instrument.
    others = [name for name in _LEADS[raga.tradition] if name not in old.instruments]
    asked = replace(
        old,
        raga=raga.name,
        tradition=raga.tradition,
        instruments=(others[seed % len(others)],),
        tempo_bpm=None,
        seed=seed,
        after=generation.id,
    )
    return await _start(house, request, _playable(asked, raga), raga)


async def longer(house: House, request: Request) -> Reply:
    """The same wishes and seed at twice the length."""
    generation, raga = await _original(house, request)
    old, longest_s = generation.request, DURATION_S[1]
    if old.duration_s >= longest_s:
        raise InvalidInputError(
            f"It lasts {longest_s / 60:g} minutes already, and that is the longest I can make."
        )
    asked = replace(
        old,
        raga=raga.name,
        tradition=raga.tradition,
        duration_s=min(longest_s, 2.0 * old.duration_s),
        after=generation.id,
    )
    return await _start(house, request, _playable(asked, raga), raga)


def _playable(asked: GenerationRequest, raga: Raga) -> GenerationRequest:
    """A stored request may come from another front end, and leave more open than ours do."""
    if asked.instruments or asked.voice:
        return asked
    return replace(asked, instruments=_LEADS[raga.tradition][:1])


async def play(house: House, request: Request) -> Reply:
    """A piece once more, or how it stands."""
    return show(await house.backend.generation(request.actor, request.place, piece_named(request)))


async def cancel(house: House, request: Request) -> Reply:
    """Stop a piece of one's own: the one named, or the newest that runs."""
    line = take_apart(request, ("piece",))
    ident = piece_named(request) if line.named or line.words else None
    stopped = await house.backend.cancel(request.actor, ident)
    if stopped is None:
        text = "That piece is done already." if ident else "None of your pieces is being made right now."
        return Reply(notice=text, private=True, ok=False)
    return Reply(notice=f"Stopped. {parameters(stopped)}", private=True)


async def remove(house: House, request: Request) -> Reply:
    """Take a piece of one's own away; asks first."""
    line = take_apart(request, ("piece",))
    ident = piece_named(request)
    if "yes" in line.words[1:]:
        await house.backend.remove(request.actor, ident)
        return Reply(text="It is gone, and its audio with it.", private=True, replaces=True)
    generation = await house.backend.generation(request.actor, request.place, ident)
    if not generation.own:
        raise NotFoundError
    return Reply(
        text=f"Remove this piece for good, with its audio? {parameters(generation)}",
        buttons=((*button("Yes, remove it", f"/remove {ident} yes"), *button("Keep it", "/history")),),
        private=True,
    )
