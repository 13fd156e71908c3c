"""What a person wishes of a piece, read from ``name:value`` pairs and from plain words alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handlers import values
from handlers.errors import InvalidInputError
from handlers.model import Request
from handlers.reading import take_apart
from music.catalogue import Catalogue, Tradition
from music.request import INSTRUMENTS_MAX

OPTION_NAMES = (
    "raga",
    "mood",
    "theme",
    "instrument",
    "voice",
    "style",
    "duration",
    "tempo",
    "key",
    "tala",
    "seed",
    "tradition",
)

_READERS: dict[str, Callable[[str], Any]] = {
    "mood": values.mood,
    "theme": values.theme,
    "instrument": values.instruments,
    "voice": values.voice,
    "style": values.style,
    "duration": values.duration_s,
    "tempo": values.tempo_bpm,
    "key": values.key,
    "tala": values.tala,
    "seed": values.seed,
    "tradition": values.tradition,
}

_NUMBER_WORD = re.compile(r"[+-]?\.?\d")
_LENGTH_WORD = re.compile(r"[+-]?[\d.]+(?:e\d+)?(?:s|secs?|seconds?|m|mins?|minutes?)?|\d+:\d{2}|\d+m\d+s?")
_SECONDS_WORDS = ("s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes")
_FILLERS = frozenset(
    (
        *("a", "an", "and", "for", "in", "of", "on", "with", "by", "the", "some", "me", "long", "please"),
        *(
            "make",
            "music",
            "piece",
            "played",
            "sung",
            "surprise",
            "voice",
            "raga",
            "raag",
            "ragam",
            "laya",
            "bpm",
            "+",
            "",
        ),
    )
)
_LONGEST_PHRASE = 3
_LONGEST_RAGA = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What was said of the piece; everything that was left open is None or empty."""

    raga: str = ""
    tradition: Tradition | None = None
    mood: str | None = None
    theme: str | None = None
    instruments: tuple[str, ...] = ()
    voice: str | None = None
    style: str | None = None
    duration_s: float | None = None
    tempo_bpm: float | None = None
    key: str | None = None
    tala: str | None = None
    seed: int | None = None

    def words(self) -> str:
        """The wish without its raga, in the fewest words that are read as the same."""
        said = [
            self.tradition or "",
            *self.instruments,
            self.voice or "",
            self.style or "",
            "" if self.duration_s is None else f"{self.duration_s:g}s",
            "" if self.tempo_bpm is None else f"{self.tempo_bpm:g}bpm",
            "" if self.key is None else f"in {self.key}",
            self.tala or "",
            "" if self.seed is None else f"seed {self.seed}",
            self.mood or "",
            self.theme or "",
        ]
        return " ".join(word for word in said if word)


def read_wish(request: Request, catalogue: Catalogue) -> Wish:
    """The wish in a request. Raises InvalidInputError for a value that cannot be read."""
    line = take_apart(request, OPTION_NAMES, _READERS)
    free = _Words(line.words, catalogue)
    # What stands behind a name of a raga belongs to the line: `raga:Yaman 60s`.
    if "raga" in line.named:
        named = _Words(tuple(line.named["raga"].split()), catalogue)
        free.found |= named.found
        free.raga = named.raga
    for name, text in line.named.items():
        if name in _READERS:
            free.found[name] = _READERS[name](text)
    return _wish(" ".join(free.raga), free.found)


def _wish(raga: str, found: Mapping[str, Any]) -> Wish:
    return Wish(
        raga=raga,
        tradition=found.get("tradition"),
        mood=found.get("mood"),
        theme=found.get("theme"),
        instruments=found.get("instrument", ()),
        voice=found.get("voice"),
        style=found.get("style"),
        duration_s=found.get("duration"),
        tempo_bpm=found.get("tempo"),
        key=found.get("key"),
        tala=found.get("tala"),
        seed=found.get("seed"),
    )


class _Words:
    """Plain words, from left to right: a raga's name where one stands, values where they are plain, else a raga."""

    def __init__(self, words: tuple[str, ...], catalogue: Catalogue) -> None:
        self.found: dict[str, Any] = {}
        self.raga: list[str] = []
        self._words = words
        self._catalogue = catalogue
        at = 0
        while at < len(words):
            at += self._raga(at) or self._value(at) or self._filler(at) or self._unknown(at)

    def _phrase(self, at: int, count: int) -> str:
        return " ".join(self._words[at : at + count]).strip(",.!?")

    def _left(self, at: int, most: int) -> range:
        return range(min(most, len(self._words) - at), 0, -1)

    def _raga(self, at: int) -> int:
        """The words of a known name, the longest first. A value's own word is never taken for one."""
        if self.raga:
            return 0
        for count in self._left(at, _LONGEST_RAGA):
            phrase = self._phrase(at, count)
            if _NUMBER_WORD.match(phrase) or (count == 1 and self._reads(phrase)):
                continue
            if self._catalogue.get(phrase) is not None:
                self.raga = phrase.split()
                return count
        return 0

    def _reads(self, word: str) -> bool:
        return any(
            _understood(_READERS[name], word)
            for name in ("instrument", "style", "tradition", "mood", "tempo")
        )

    def _value(self, at: int) -> int:
        word = self._phrase(at, 1).casefold()
        if word in ("key", "in", "seed", "tempo", "duration", "tala", "taal"):
            return self._introduced(at, "tala" if word == "taal" else word)
        if _NUMBER_WORD.match(word):
            return self._number(at)
        for count in self._left(at, _LONGEST_PHRASE):
            phrase = self._phrase(at, count)
            for name in ("theme", "tala", "voice", "style", "instrument", "tempo", "mood", "tradition"):
                if _understood(_READERS[name], phrase):
                    self._put(name, phrase)
                    return count
        return 0

    def _introduced(self, at: int, name: str) -> int:
        """A value behind its name, as in ``seed 7`` or ``in C sharp``."""
        name = "key" if name == "in" else name
        for count in self._left(at + 1, 2):
            phrase = self._phrase(at + 1, count)
            if _understood(_READERS[name], phrase):
                self._put(name, phrase)
                return 1 + count
        if self._words[at].casefold() in ("seed", "tempo", "duration") and at + 1 < len(self._words):
            self._put(name, self._phrase(at + 1, 1))  # raises, and says what would be understood
        return 0

    def _number(self, at: int) -> int:
        """A tempo where ``bpm`` says so, else a length in seconds."""
        word = self._phrase(at, 1).casefold()
        after = self._phrase(at + 1, 1).casefold() if at + 1 < len(self._words) else ""
        if word.endswith("bpm") or after == "bpm":
            self._put("tempo", word)
            return 1 + (after == "bpm")
        if not _LENGTH_WORD.fullmatch(word):
            return 0
        unit = after in _SECONDS_WORDS
        self._put("duration", f"{word} {after}" if unit else word)
        return 1 + unit

    def _put(self, name: str, text: str) -> None:
        value = _READERS[name](text)
        if name == "instrument":
            value = tuple(dict.fromkeys((*self.found.get(name, ()), *value)))
            if len(value) > INSTRUMENTS_MAX:
                values.instruments(" ".join(value))  # raises, and says how many play together
        self.found[name] = value

    def _filler(self, at: int) -> int:
        return int(self._phrase(at, 1).casefold() in _FILLERS)

    def _unknown(self, at: int) -> int:
        self.raga.append(self._phrase(at, 1))
        return 1


def _understood(reader: Callable[[str], Any], text: str) -> bool:
    try:
        reader(text)
    except InvalidInputError:
        return False
    return True
