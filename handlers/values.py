"""From the words of a person to values: every option is read the same way, wherever it was typed or chosen."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from handlers.errors import InvalidInputError
from music.catalogue import TRADITIONS, Tradition
from music.choosing import MOODS, THEMES, TIMES, mood_named
from music.request import (
    DURATION_S,
    INSTRUMENTS,
    INSTRUMENTS_MAX,
    KEYS,
    SEED_MAX,
    STYLES,
    TALAS,
    TEMPO_BPM,
    VOICES,
)

Value = TypeVar("Value")
Reader = Callable[[str], Value]
"""Takes what was typed. Raises InvalidInputError with a sentence that says what would be understood."""

TEMPI_BPM = {"vilambit": 45.0, "slow": 45.0, "madhya": 100.0, "medium": 100.0, "drut": 220.0, "fast": 220.0}
"""Laya by name: a tempo in the middle of each, in matras a minute (docs/musicology.md)."""

_UNIT_S = {"s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0}
_UNIT_S |= {"m": 60.0, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0}
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_LENGTH = re.compile(rf"({_NUMBER})\s*({'|'.join(sorted(_UNIT_S, key=len, reverse=True))})?")
_MINUTES_AND_SECONDS = re.compile(r"(\d{1,3})(?::|m(?:in)?\s*)(\d{1,2})s?")
_TEMPO = re.compile(rf"({_NUMBER})\s*(?:bpm)?")
_KEY = re.compile(r"([a-g])\s*(#|♯|sharp|b|♭|flat)?(?:\s+(?:major|minor))?")
_BETWEEN_NAMES = re.compile(r"\s*(?:,|\+|&|\band\b)\s*|\s+")
_SHOWN_CHARACTERS = 40

_INSTRUMENT_WORDS = {
    "flute": "bansuri",
    "bansri": "bansuri",
    "murali": "bansuri",
    "venu": "bansuri",
    "vina": "veena",
    "santur": "santoor",
    "sarode": "sarod",
    "fiddle": "violin",
    "peti": "harmonium",
    "mridanga": "mridangam",
    "mrudangam": "mridangam",
    "tablas": "tabla",
}
_VOICE_WORDS = {"male": "baritone", "man": "baritone", "female": "alto", "woman": "alto"}
_STYLE_WORDS = {
    "khyal": "khayal",
    "kheyal": "khayal",
    "drupad": "dhrupad",
    "dhrupada": "dhrupad",
    "tumri": "thumri",
    "bhajans": "bhajan",
}
_TALA_WORDS = {
    "tintal": "Teental",
    "tritaal": "Teental",
    "trital": "Teental",
    "ektaal": "Ektal",
    "jhaptaal": "Jhaptal",
    "roopak": "Rupak",
    "kaherva": "Keherwa",
    "kaharva": "Keherwa",
    "kaharwa": "Keherwa",
    "keharwa": "Keherwa",
    "aadi": "Adi",
    "roopaka": "Rupaka",
    "mishra chapu": "Misra Chapu",
}


def shown(text: str) -> str:
    """What was typed, cut to a length that fits into a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def listed(names: Iterable[str]) -> str:
    """``a, b or c``."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _finite(digits: str) -> float | None:
    try:
        number = float(digits)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def duration_s(text: str) -> float:
    """A length: ``90``, ``90s``, ``1.5 min``, ``1:30``; in seconds."""
    low, high = DURATION_S
    plain = _plain(text)
    value: float | None = None
    if both := _MINUTES_AND_SECONDS.fullmatch(plain):
        value = 60.0 * int(both[1]) + int(both[2])
    elif length := _LENGTH.fullmatch(plain):
        number = _finite(length[1])
        value = None if number is None else number * _UNIT_S[length[2] or "s"]
    if value is None or not low <= value <= high:
        raise InvalidInputError(
            f"A piece lasts from {low:g} seconds to {high / 60:g} minutes, so I cannot make one of "
            f"“{shown(text)}”. Try duration:60, 90s or 2min."
        )
    return value


def tempo_bpm(text: str) -> float:
    """A tempo: ``96``, ``96 bpm``, or a laya by name; in matras a minute."""
    low, high = TEMPO_BPM
    plain = _plain(text).removesuffix(" laya")
    tempo = _TEMPO.fullmatch(plain)
    value = TEMPI_BPM.get(plain) if tempo is None else _finite(tempo[1])
    if value is None or not low <= value <= high:
        raise InvalidInputError(
            f"The tempo lies between {low:g} and {high:g} matras a minute, or is vilambit, madhya or drut; "
            f"“{shown(text)}” is none of these. Try tempo:96."
        )
    return value


def key(text: str) -> str:
    """The note of Sa, such as ``C#``, ``c sharp`` or ``Db``."""
    found = _KEY.fullmatch(_plain(text))
    if found is None:
        raise InvalidInputError(
            f"The key is the note of Sa: {listed(KEYS)}. “{shown(text)}” is none of these."
        )
    step = {"#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}.get(found[2] or "", 0)
    return KEYS[(KEYS.index(found[1].upper()) + step) % len(KEYS)]


def seed(text: str) -> int:
    """A whole number; the same one gives the same piece."""
    plain = _plain(text).removesuffix(".0")
    if not plain.isascii() or not plain.isdigit() or len(plain) > 10 or int(plain) > SEED_MAX:
        raise InvalidInputError(
            f"A seed is a whole number from 0 to {SEED_MAX}; “{shown(text)}” is none. Try seed:7."
        )
    return int(plain)


def page(text: str) -> int:
    """The number of a page of a list, from 1."""
    plain = _plain(text).removesuffix(".0")
    if not plain.isascii() or not plain.isdigit() or not 1 <= len(plain) <= 5 or int(plain) < 1:
        raise InvalidInputError(f"A page is a whole number from 1; “{shown(text)}” is none. Try page:1.")
    return int(plain)


def _choice(text: str, names: Iterable[str], words: dict[str, str]) -> str | None:
    plain = _plain(text)
    return next((name for name in names if name.casefold() == plain), words.get(plain))


def instruments(text: str) -> tuple[str, ...]:
    """One to four instruments, parted by commas, ``and`` or blanks."""
    found: list[str] = []
    for word in filter(None, _BETWEEN_NAMES.split(text.strip())):
        name = _choice(word, INSTRUMENTS, _INSTRUMENT_WORDS)
        if name is None:
            raise InvalidInputError(f"I play {listed(INSTRUMENTS)}. “{shown(word)}” is none of these.")
        if name not in found:
            found.append(name)
    if not found:
        raise InvalidInputError(f"Please name an instrument: {listed(INSTRUMENTS)}.")
    if len(found) > INSTRUMENTS_MAX:
        raise InvalidInputError(
            f"At most {INSTRUMENTS_MAX} instruments play together. Please leave some out."
        )
    return tuple(found)


def voice(text: str) -> str:
    """Who sings."""
    name = _choice(text.strip().removesuffix("voice"), VOICES, _VOICE_WORDS)
    if name is None:
        raise InvalidInputError(f"The voice is {listed(VOICES)}. “{shown(text)}” is none of these.")
    return name


def style(text: str) -> str:
    """A manner of song."""
    name = _choice(text, STYLES, _STYLE_WORDS)
    if name is None:
        raise InvalidInputError(
            f"The manners of song that I know are {listed(STYLES)}. “{shown(text)}” is none of these."
        )
    return name


def tala(text: str) -> str:
    """The cycle."""
    plain = re.sub(r"\s+(?:tala|taal|tal|talam)$", "", _plain(text))
    name = _choice(plain, TALAS, _TALA_WORDS) or _choice(plain.replace("taal", "tal"), TALAS, _TALA_WORDS)
    if name is None:
        raise InvalidInputError(
            f"The talas that I can keep are {listed(TALAS)}. “{shown(text)}” is none of these."
        )
    return name


def mood(text: str) -> str:
    """One of the moods, also by a word that means it."""
    named = mood_named(text)
    if named is None:
        raise InvalidInputError(
            f"The moods that I know are {listed(MOODS)}. “{shown(text)}” is none of these."
        )
    return named


def theme(text: str) -> str:
    """What the piece is for."""
    name = _choice(text, THEMES, {})
    if name is None:
        raise InvalidInputError(
            f"The themes that I know are {listed(THEMES)}. “{shown(text)}” is none of these."
        )
    return name


def tradition(text: str) -> Tradition:
    """Hindustani or Carnatic."""
    plain = _plain(text)
    words: dict[str, Tradition] = {"north": "Hindustani", "south": "Carnatic", "karnatak": "Carnatic"}
    for name in TRADITIONS:
        if name.casefold() == plain:
            return name
    if plain not in words:
        raise InvalidInputError(f"The tradition is Hindustani or Carnatic. “{shown(text)}” is neither.")
    return words[plain]


def time(text: str) -> str:
    """A part of the day."""
    name = _choice(text, TIMES, {})
    if name is None:
        raise InvalidInputError(f"The times are {listed(TIMES)}. “{shown(text)}” is none of these.")
    return name


def switch(text: str) -> bool:
    """On or off."""
    plain = _plain(text)
    if plain not in ("on", "off"):
        raise InvalidInputError(f"Say on or off; “{shown(text)}” is neither.")
    return plain == "on"
