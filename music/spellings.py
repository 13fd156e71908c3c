"""All spellings of some ragas' names, and which of them a misspelt text comes nearest to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from music.folding import KEYS_KEPT, bare_key, plain_key, sound_key
from music.likeness import likeness

Hit = tuple[int, int]
"""How a raga bears a name (0: its own, 1: an alias, 2: in another script), then the raga's number."""

_SHORTEST = 3
_TELLING = 4
_CHANNEL = 12
"""So many spellings are taken from each way of comparing, ..."""
_WEIGHED = 16
"""... and so many of all these are weighed letter by letter."""
_FLOOR = 0.5
_HEARD = 0.2
"""How much the sound counts beside the letters."""
_ANOTHER_SCRIPT = 0.1
"""What is subtracted for a name in a script that was not typed: its letters cannot be compared."""
_BY_BEGINNING, _BY_MIDDLE, _BY_SHARE = 0.62, 0.5, 0.3
_VOWEL = re.compile("[aeiou]")
# The vowel signs of Indian scripts are no word characters to Python.
_WORD = re.compile(r"[\w\u0900-\u0d7f]+")
_PARTICLES = frozenset(("ki", "ka", "ke", "kee", "the", "of", "e"))


class _Spelling(NamedTuple):
    """One spelling with what it is compared by. ``letters`` is empty for another script than Latin."""

    letters: str
    sound: str
    bare: str
    bones: str


class Spellings:
    """Spellings of names and the ragas that bear them. Filled once, then only read."""

    def __init__(self, names: Iterable[tuple[str, Hit]]) -> None:
        self._hits: dict[_Spelling, list[Hit]] = defaultdict(list)
        self._of: tuple[dict[str, list[_Spelling]], ...] = tuple(defaultdict(list) for _ in range(5))
        for name, hit in names:
            spelling = _spelling(name)
            if not spelling.sound:
                continue
            if spelling not in self._hits:
                self._enter(spelling, name)
            self._hits[spelling].append(hit)
        self._keys = tuple(tuple(of) for of in self._of)

    def _enter(self, spelling: _Spelling, name: str) -> None:
        for of, key in zip(self._of, (spelling.letters, spelling.sound, spelling.bare), strict=False):
            if key:
                of[key].append(spelling)
        words = name.split()
        if len(words) > 1:
            self._of[3][sorted_key(name)].append(spelling)
            for word in words:
                if len(sound := sound_key(word)) >= _TELLING:
                    self._of[4][sound].append(spelling)

    def near(self, text: str) -> dict[Hit, float]:
        """The likest names' bearers, each with the likeness (0 to 1) of its likest name."""
        typed = _spelling(text)
        if max(len(typed.letters), len(typed.sound)) < _SHORTEST:
            return {}
        found: dict[_Spelling, float] = {}

        def offer(spelling: _Spelling, close: float) -> None:
            if close > found.get(spelling, 0.0):
                found[spelling] = close

        for spelling, close in self._as_a_whole(typed):
            offer(spelling, close)
        for spelling, close in self._in_part(typed, text):
            offer(spelling, close)
        best: dict[Hit, float] = {}
        for spelling, close in found.items():
            for hit in self._hits[spelling]:
                best[hit] = max(close, best.get(hit, 0.0))
        return best

    def as_spelt(self, text: str) -> float:
        """How like its letters are to those of the likest name that sounds the same, 1 for another script."""
        typed = _spelling(text)
        alike = self._of[1].get(typed.sound, [])
        if not typed.letters:
            return 1.0
        return max((likeness(typed.letters, one.letters) for one in alike if one.letters), default=1.0)

    def _as_a_whole(self, typed: _Spelling) -> Iterator[tuple[_Spelling, float]]:
        chosen: dict[_Spelling, float] = {}
        for channel, key in enumerate((typed.letters, typed.sound, typed.bare)):
            for near in _nearest(key, self._keys[channel]) if len(key) > 1 else ():
                for spelling in self._of[channel][near]:
                    if spelling not in chosen:
                        chosen[spelling] = _at_a_glance(typed, spelling)
        for spelling in sorted(chosen, key=chosen.__getitem__, reverse=True)[:_WEIGHED]:
            yield spelling, _weighed(typed, spelling)

    def _in_part(self, typed: _Spelling, text: str) -> Iterator[tuple[_Spelling, float]]:
        """Names of several words, of which one was typed, or all in another order; and names' beginnings."""
        sound = typed.sound
        if len(sound) < _TELLING:
            return
        for key in self._keys[1]:
            if sound in key and sound != key:
                # The beginning of a name, or one of its words, says more than its share of the letters.
                base = _BY_BEGINNING if key.startswith(sound) else _BY_MIDDLE
                for spelling in self._of[1][key]:
                    yield spelling, base + _BY_SHARE * len(sound) / len(key)
        if ordered := sorted_key(text):
            for key in _nearest(ordered, self._keys[3], 6):
                close = likeness(ordered, key) - 0.02
                for spelling in self._of[3][key]:
                    yield spelling, close
        else:
            for key in _nearest(sound, self._keys[4], 4):
                close = likeness(sound, key)
                for spelling in self._of[4][key]:
                    share = len(key) / len(spelling.sound)
                    yield spelling, close * (_BY_BEGINNING + _BY_SHARE * share)


def _nearest(key: str, keys: Sequence[str], limit: int = _CHANNEL) -> list[str]:
    found = process.extract(key, keys, scorer=OSA.normalized_similarity, limit=limit, score_cutoff=_FLOOR)
    return [near for near, _, _ in found]


def _at_a_glance(typed: _Spelling, other: _Spelling) -> float:
    """A quick likeness, by which the spellings to weigh are chosen."""
    heard = _heard(typed, other)
    if typed.letters and other.letters:
        return max(heard, OSA.normalized_similarity(typed.letters, other.letters))
    return heard


def _heard(typed: _Spelling, other: _Spelling) -> float:
    return (
        0.5 * OSA.normalized_similarity(typed.sound, other.sound)
        + 0.25 * OSA.normalized_similarity(typed.bare, other.bare)
        + 0.25 * OSA.normalized_similarity(typed.bones, other.bones)
    )


def _weighed(typed: _Spelling, other: _Spelling) -> float:
    heard = _heard(typed, other)
    if not typed.letters:
        return heard
    if not other.letters:
        return heard - _ANOTHER_SCRIPT
    return (1.0 - _HEARD) * likeness(typed.letters, other.letters) + _HEARD * heard


@lru_cache(maxsize=KEYS_KEPT)
def _bones(sound: str) -> str:
    """A sound key's consonants; its first letter whatever it is."""
    return (sound[:1] + _VOWEL.sub("", sound[1:])).replace("b", "v")


def _spelling(name: str) -> _Spelling:
    plain, sound = plain_key(name), sound_key(name)
    return _Spelling(plain if plain.isascii() else "", sound, bare_key(sound), _bones(sound))


def sorted_key(name: str) -> str:
    """The sound keys of a name's words in the order of the alphabet, without particles; "" for one word."""
    words = [sound_key(word) for word in _WORD.findall(name.casefold()) if word not in _PARTICLES]
    return " ".join(sorted(filter(None, words))) if len(words) > 1 else ""
