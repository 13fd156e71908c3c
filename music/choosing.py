"""Moods, themes and the hour onto ragas. Sources of every table: docs/musicology.md."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from music.familiar import UNFAMILIAR, familiarity
from music.raga import CatalogueError

if TYPE_CHECKING:
    from music.catalogue import Catalogue
    from music.raga import Raga
    from music.swaras import Tradition

SUNRISE_HOUR = 6.0
"""When the first prahar begins, in hours after midnight, where nobody says otherwise."""

PRAHAR_HOURS = 3.0


@dataclass(frozen=True, slots=True)
class Prahar:
    """One of the eight watches, counted from sunrise. ``time`` is the word of `TIMES` for it."""

    number: int
    name: str
    time: str


PRAHARS = (
    Prahar(1, "First prahar of the day", "morning"),
    Prahar(2, "Second prahar of the day", "late morning"),
    Prahar(3, "Third prahar of the day", "afternoon"),
    Prahar(4, "Fourth prahar of the day", "late afternoon"),
    Prahar(5, "First prahar of the night", "evening"),
    Prahar(6, "Second prahar of the night", "night"),
    Prahar(7, "Third prahar of the night", "midnight"),
    Prahar(8, "Fourth prahar of the night", "dawn"),
)

ANY_TIME = "any time"
SUNSET = "sunset"

TIMES = (
    "dawn",
    "morning",
    "late morning",
    "afternoon",
    "late afternoon",
    SUNSET,
    "evening",
    "night",
    "midnight",
    ANY_TIME,
)
"""The words that entries say their hours with."""

SEASONS = ("spring", "summer", "monsoon", "autumn", "winter")

RASAS = (
    "shanta",
    "bhakti",
    "shringara",
    "karuna",
    "vira",
    "hasya",
    "adbhuta",
    "raudra",
    "bhayanaka",
    "vatsalya",
)

MOODS: dict[str, tuple[str, ...]] = {
    "peaceful": ("Yaman", "Bhairav", "Malkauns"),
    "joyful": ("Bilawal", "Kafi", "Bhairavi"),
    "romantic": ("Khamaj", "Desh", "Bageshri"),
    "devotional": ("Khamaj", "Desh", "Bageshri"),
    "energetic": ("Jog", "Hansadhwani", "Shivaranjani"),
    "melancholic": ("Darbari Kanada", "Marwa", "Puriya"),
    "longing": ("Bageshri", "Bhimpalasi", "Patdeep"),
    "serious": ("Darbari Kanada", "Malkauns", "Todi"),
    "heroic": ("Adana", "Shankara", "Hameer"),
    "playful": ("Pilu", "Khamaj", "Kafi"),
}
"""Moods, each with the ragas to suggest first."""

_RASA_MOODS = {
    "shanta": "peaceful",
    "bhakti": "devotional",
    "shringara": "romantic",
    "karuna": "melancholic",
    "vira": "heroic",
    "hasya": "playful",
}

_MOOD_WORDS = {
    "calm": "peaceful",
    "relaxed": "peaceful",
    "relaxing": "peaceful",
    "meditative": "peaceful",
    "serene": "peaceful",
    "happy": "joyful",
    "cheerful": "joyful",
    "bright": "joyful",
    "love": "romantic",
    "tender": "romantic",
    "spiritual": "devotional",
    "prayerful": "devotional",
    "lively": "energetic",
    "upbeat": "energetic",
    "sad": "melancholic",
    "melancholy": "melancholic",
    "sorrowful": "melancholic",
    "yearning": "longing",
    "grave": "serious",
    "solemn": "serious",
    "brave": "heroic",
    "valorous": "heroic",
    "light": "playful",
}


@dataclass(frozen=True, slots=True)
class Theme:
    """What a piece is for, with ragas that serve it. ``seasonal``: those of a season serve it too."""

    group: str
    ragas: tuple[str, ...]
    seasonal: bool = False


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


THEMES: dict[str, Theme] = {
    "morning prayer": Theme(
        "spiritual",
        _names(
            "Bhairav, Ahir Bhairav, Ramkali, Gunkali, Bilawal, Bairagi, Mayamalavagowla, Bowli, "
            "Bhoopalam, Dhanyasi"
        ),
    ),
    "evening devotion": Theme(
        "spiritual",
        _names(
            "Yaman, Puriya Dhanashri, Kedar, Shree, Bhupali, Mechakalyani, Purvikalyani, Vasanta,"
            " Yamunakalyani"
        ),
    ),
    "meditation": Theme(
        "spiritual",
        _names(
            "Yaman, Malkauns, Darbari Kanada, Bhairav, Bairagi, Todi, Hindolam, Revati, Sama, "
            "Shubhapantuvarali"
        ),
    ),
    "festival": Theme(
        "cultural",
        _names(
            "Kafi, Basant, Bahar, Hindol, Hansadhwani, Nattai, Gambhira Nattai, Madhyamavati, Surati, Mohanam"
        ),
    ),
    "season": Theme(
        "cultural", _names("Megh, Miyan Malhar, Gaud Malhar, Basant, Bahar, Vasanta, Amritavarshini"), True
    ),
    "region": Theme(
        "cultural",
        _names(
            "Mand, Pahadi, Desh, Sorath, Pilu, Sindhu Bhairavi, Punnagavarali, Senchurutti, Kurinji, Kapi"
        ),
    ),
    "fusion": Theme(
        "contemporary",
        _names(
            "Kirwani, Charukeshi, Jog, Hansadhwani, Shivaranjani, Simhendramadhyamam, "
            "Shanmukhapriya, Hamsadhwani"
        ),
    ),
    "ambient": Theme(
        "contemporary",
        _names("Yaman, Bageshri, Chandrakauns, Malkauns, Bhupali, Revati, Hindolam, Malayamarutam"),
    ),
    "dance": Theme(
        "contemporary",
        _names(
            "Tilak Kamod, Khamaj, Pilu, Jhinjhoti, Hamsadhwani, Behag, Nattakuranji, Kambhoji, Atana, Mohanam"
        ),
    ),
    "learning the raga": Theme(
        "educational",
        _names("Yaman, Bhupali, Durga, Kafi, Bhairav, Bilawal, Mayamalavagowla, Malahari, Mohanam, Abhogi"),
    ),
    "scale practice": Theme(
        "educational",
        _names("Bilawal, Yaman, Khamaj, Kafi, Bhairav, Mayamalavagowla, Dheerasankarabharanam, Harikambhoji"),
    ),
    "base for improvisation": Theme(
        "educational",
        _names(
            "Yaman, Kirwani, Bageshri, Charukeshi, Bhimpalasi, Mechakalyani, Kharaharapriya, "
            "Hanumatodi, Mohanam"
        ),
    ),
}
"""What a piece may be for."""


def prahar_at(hour: float, sunrise_hour: float = SUNRISE_HOUR) -> Prahar:
    """The watch of an hour of the day; both in hours after midnight, any number of days aside."""
    return PRAHARS[int((hour - sunrise_hour) % 24 // PRAHAR_HOURS) % len(PRAHARS)]


def times_of(prahars: Iterable[int]) -> tuple[str, ...]:
    """The words of `TIMES` for some watches."""
    return tuple(PRAHARS[number - 1].time for number in prahars if 1 <= number <= len(PRAHARS))


def mood_named(text: str) -> str | None:
    """The mood of `MOODS` that a word means, if it means one."""
    word = text.strip().casefold()
    return word if word in MOODS else _MOOD_WORDS.get(word)


def ragas_for_mood(catalogue: Catalogue, mood: str) -> list[Raga]:
    """The ragas of a mood: those to suggest first, then the best known. Empty for a word that is no mood."""
    named = mood_named(mood)
    if named is None:
        return []
    first = [raga for name in MOODS[named] if (raga := catalogue.get(name, "Hindustani"))]
    fitting = [raga for raga in catalogue.ragas if named in _moods(raga) and raga not in first]
    return [*first, *sorted(fitting, key=lambda raga: (familiarity(raga), raga.tradition, raga.name))]


def _moods(raga: Raga) -> tuple[str, ...]:
    # Where an entry names no mood, its rasa stands for one.
    return raga.mood or tuple(_RASA_MOODS[rasa] for rasa in raga.rasa if rasa in _RASA_MOODS)


def ragas_for_theme(catalogue: Catalogue, theme: str) -> list[Raga]:
    """The ragas that serve a theme. Empty for a word that is no theme."""
    known = THEMES.get(theme.strip().casefold())
    if known is None:
        return []
    named = [
        raga
        for name in known.ragas
        for tradition in _TRADITIONS
        if (raga := catalogue.get(name, tradition)) and raga.name == name
    ]
    if known.seasonal:
        named += [raga for raga in catalogue.ragas if raga.season and raga not in named]
    return named


_TRADITIONS: tuple[Tradition, ...] = ("Hindustani", "Carnatic")


def raga_for(
    catalogue: Catalogue,
    mood: str | None = None,
    theme: str | None = None,
    hour: float | None = None,
    tradition: Tradition | None = None,
    seed: int = 0,
    sunrise_hour: float = SUNRISE_HOUR,
) -> Raga:
    """A raga that suits what is asked. The same question, seed and catalogue give the same raga.

    The tradition is kept in any case; mood, theme and hour (after midnight) as far as some raga fits them
    together, the mood before the theme and the theme before the hour. Well-known ragas go before rare ones.
    Raises `CatalogueError` when the catalogue holds no raga of the tradition.
    """
    pool = [raga for raga in catalogue.ragas if tradition in (None, raga.tradition)]
    if not pool:
        raise CatalogueError("The catalogue holds no raga to choose from.")
    if mood:
        pool = _kept(pool, set(ragas_for_mood(catalogue, mood)).__contains__)
    if theme:
        pool = _kept(pool, set(ragas_for_theme(catalogue, theme)).__contains__)
    if hour is not None:
        watch = prahar_at(hour, sunrise_hour).number
        # One that belongs to the hour, or else one that belongs to no hour.
        timed = [raga for raga in pool if watch in raga.prahar]
        pool = timed or _kept(pool, lambda raga: not raga.prahar and not raga.season)
    pool = _kept(pool, lambda raga: familiarity(raga) < UNFAMILIAR)
    pool.sort(key=lambda raga: (raga.tradition, raga.name))
    digest = hashlib.sha256(f"{seed}".encode()).digest()
    return pool[int.from_bytes(digest[:8], "big") % len(pool)]


def _kept(pool: Sequence[Raga], fits: Callable[[Raga], bool]) -> list[Raga]:
    """The fitting ragas; all of them when none fits."""
    return [raga for raga in pool if fits(raga)] or list(pool)
