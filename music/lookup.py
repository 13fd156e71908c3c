"""Finding a raga by what a person typed: exact spellings, other scripts and misspellings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rapidfuzz import process
from rapidfuzz.distance import OSA

from music.familiar import familiarity
from music.folding import NAME_LENGTH_MAX, bare_key, plain_key, sound_key, tamil_key
from music.melakarta import MELAKARTAS
from music.raga import Raga
from music.scripts import has_tamil
from music.swaras import Tradition

OTHERS_MAX = 5
"""So many ragas are offered beside or instead of an answer."""

SURE = 0.8
"""From this likeness (0 to 1) on, a misspelt name is answered, if nothing else comes close."""

MARGIN = 0.07
"""What else comes at most so near (in likeness) makes an answer unsure."""

POSSIBLE = 0.6
"""From this likeness on, a raga is offered."""

_NEAREST = 16
_SHORTEST = 3
_TELLING = 4
_OTHER_TRADITION = 0.03
_NO_NAMES = frozenset(map(sound_key, ("raga", "ragas", "ragam", "ragalu", "mela", "thaat")))
_PARTICLES = frozenset(("ki", "ka", "ke", "kee", "the", "of"))
_VOWEL = re.compile("[aeiou]")
# The vowel signs of Indian scripts are no word characters to Python.
_WORD = re.compile(r"[\w\u0900-\u0d7f]+")
_MELAKARTA = re.compile(r"(?:mela(?:karta)?[\s.#-]*)?(\d{1,2})")
_TRADITION_WORDS: dict[str, Tradition] = {
    **dict.fromkeys(("carnatic", "karnatic", "karnatak", "karnataka", "carnatik", "southindian"), "Carnatic"),
    **dict.fromkeys(("hindustani", "hindusthani", "northindian"), "Hindustani"),
}


@dataclass(frozen=True, slots=True)
class Match:
    """What a name was understood as.

    ``exact``: the name or one of its spellings. ``near``: misspelt, but surely this one. ``unsure``:
    ``raga`` is None and ``others`` holds up to five that may have been meant. ``none``: nothing like it. With
    ``exact`` and ``near``, ``others`` holds ragas of the same name, such as in the other tradition.
    """

    kind: Literal["exact", "near", "unsure", "none"]
    raga: Raga | None = None
    others: tuple[Raga, ...] = ()


NOTHING = Match("none")

_Hits = list[tuple[int, int]]
_Names = dict[str, _Hits]


class Index:
    """The names of some ragas under every key of music.folding. Immutable."""

    def __init__(self, ragas: Sequence[Raga]) -> None:
        self._ragas = ragas
        self._familiarity = [familiarity(raga) for raga in ragas]
        self._plain: _Names = defaultdict(list)
        self._sound: _Names = defaultdict(list)
        self._bare: _Names = defaultdict(list)
        self._tamil: _Names = defaultdict(list)
        self._sorted: _Names = defaultdict(list)
        self._words: _Names = defaultdict(list)
        self._melakartas: dict[int, int] = {}
        self._own_plain = [plain_key(raga.name) for raga in ragas]
        for number, raga in enumerate(ragas):
            if raga.chakra is not None and raga.melakarta is not None:
                self._melakartas[raga.melakarta] = number
            for position, name in enumerate(raga.names):
                # The raga's own name goes before an alias, an alias before another script.
                for word in name.split()[1:]:
                    self._words[plain_key(word)].append((position, number))
                self._enter(name, (0 if position == 0 else 1 if position <= len(raga.aliases) else 2, number))
        self._sound_keys = tuple(self._sound)
        self._sounds: dict[str, list[str]] = defaultdict(list)
        for sound in self._sound_keys:
            self._sounds[bare_key(sound)].append(sound)
        self._bare_keys = tuple(self._bare)
        self._heads: Callable[[int], dict[str, _Hits]] = lru_cache(maxsize=NAME_LENGTH_MAX)(self._cut)

    def _enter(self, name: str, hit: tuple[int, int]) -> None:
        sound = sound_key(name)
        keys = (
            (self._plain, plain_key(name)),
            (self._sound, sound),
            (self._bare, bare_key(sound)),
            (self._tamil, tamil_key(sound)),
            (self._sorted, _sorted_key(name)),
        )
        for hits, key in keys:
            if key and all(number != hit[1] for _, number in hits[key]):
                hits[key].append(hit)

    def get(self, name: str, tradition: Tradition | None) -> Raga | None:
        """The raga of exactly this name or spelling, case, marks and transliteration aside."""
        for hits in (self._plain.get(plain_key(name)), self._sound.get(sound_key(name))):
            if hits:
                fitting = [hit for hit in hits if tradition in (None, self._ragas[hit[1]].tradition)]
                if fitting:
                    return self._ragas[self._ordered(fitting, name, None)[0]]
        return None

    def find(self, text: str, prefer: Tradition | None) -> Match:
        """What raga a person means."""
        if not text or len(text) > NAME_LENGTH_MAX:
            return NOTHING
        sound = sound_key(text)
        hits = self._plain.get(plain_key(text))
        twins = self._sound.get(sound, [])
        if hits:
            return self._same_name(hits, text, prefer, twins)
        if not sound or sound in _NO_NAMES:
            return NOTHING
        if twins:
            return self._same_name(twins, text, prefer)
        return self._roundabout(text, prefer) or self._alike(text, sound, prefer)

    def _same_name(
        self, hits: _Hits, text: str, prefer: Tradition | None, twins: Iterable[tuple[int, int]] = ()
    ) -> Match:
        """The answer for a name; ``twins`` are ragas whose names sound the same."""
        numbers = self._ordered(hits, text, prefer)
        alike = [number for number in self._ordered(twins, text, prefer) if number not in numbers]
        ranks = {number: rank for rank, number in hits}
        if (
            ranks[numbers[0]]
            and alike
            and self._foreign(numbers[0], prefer) > self._foreign(alike[0], prefer)
        ):
            # A mere alias in the other tradition gives way to a name of the same sound in the preferred one.
            numbers, alike = alike, numbers
        numbers += alike
        return Match("exact", self._ragas[numbers[0]], self._at(numbers[1:]))

    def _ordered(self, hits: Iterable[tuple[int, int]], text: str, prefer: Tradition | None) -> list[int]:
        """Ragas of one key: the preferred tradition first, own names next, then the likest spelling."""
        hits = list(hits)
        if len(hits) == 1:
            return [hits[0][1]]
        plain = plain_key(text)

        def order(hit: tuple[int, int]) -> tuple[bool, int, float, int, int]:
            rank, number = hit
            likeness = OSA.normalized_similarity(plain, self._own_plain[number])
            return (self._foreign(number, prefer), rank, -likeness, self._familiarity[number], number)

        return [number for _, number in sorted(hits, key=order)]

    def _foreign(self, number: int, prefer: Tradition | None) -> bool:
        return prefer not in (None, self._ragas[number].tradition)

    def _at(self, numbers: Iterable[int]) -> tuple[Raga, ...]:
        return tuple(self._ragas[number] for number in numbers)[:OTHERS_MAX]

    def _roundabout(self, text: str, prefer: Tradition | None) -> Match | None:
        """Names given as a melakarta's number, with their tradition, or with their words in another order."""
        melakarta = _MELAKARTA.fullmatch(text.strip().casefold())
        if melakarta and 1 <= (number := int(melakarta[1])) <= MELAKARTAS and number in self._melakartas:
            return Match("exact", self._ragas[self._melakartas[number]])
        words = _WORD.findall(text.casefold())
        if len(words) < 2:
            return None
        stated = [word for word in words if word in _TRADITION_WORDS]
        if stated and len(stated) < len(words):
            rest = " ".join(word for word in words if word not in _TRADITION_WORDS)
            found = self.find(rest, _TRADITION_WORDS[stated[0]])
            return found if found.kind in ("exact", "near") else None
        hits = self._sorted.get(_sorted_key(text))
        return self._same_name(hits, text, prefer) if hits else None

    def _alike(self, text: str, sound: str, prefer: Tradition | None) -> Match:
        if has_tamil(text) and (hits := self._tamil.get(tamil_key(sound))):
            numbers = self._ordered(hits, text, prefer)
            return Match("near", self._ragas[numbers[0]], self._at(numbers[1:]))
        bare = bare_key(sound)
        if len(bare) > _TELLING and (hits := self._bare.get(bare)):
            numbers = self._ordered(hits, text, prefer)
            traditions = [self._ragas[number].tradition for number in numbers]
            if len(set(traditions)) == len(traditions):
                return Match("near", self._ragas[numbers[0]], self._at(numbers[1:]))
        ranked = self._ranked(text, sound, prefer)
        if not ranked or ranked[0][0] < POSSIBLE:
            return NOTHING
        best, first = ranked[0]
        others = [number for likeness, number in ranked[1:] if likeness >= POSSIBLE]
        name = sound_key(self._ragas[first].name)
        rival = next(
            (likeness for likeness, number in ranked[1:] if sound_key(self._ragas[number].name) != name), 0.0
        )
        if best >= SURE and best - rival >= MARGIN:
            twins = [number for number in others if sound_key(self._ragas[number].name) == name]
            return Match("near", self._ragas[first], self._at(twins))
        return Match("unsure", None, self._at([first, *others]))

    def _ranked(self, text: str, sound: str, prefer: Tradition | None) -> list[tuple[float, int]]:
        """The likest ragas with their likeness (0 to 1), best first."""
        if len(sound) < _SHORTEST:
            return []
        bare, bones, plain = bare_key(sound), _bones(sound), plain_key(text)
        near = {key for key, _, _ in _nearest(sound, self._sound_keys)}
        for key, _, _ in _nearest(bare, self._bare_keys):
            near.update(self._sounds[key])
        if len(sound) >= _TELLING:
            near.update(key for key in self._sound_keys if sound in key)
        likeness: dict[int, float] = {}
        for key in near:
            close = (
                0.5 * OSA.normalized_similarity(sound, key)
                + 0.25 * OSA.normalized_similarity(bare, bare_key(key))
                + 0.25 * OSA.normalized_similarity(bones, _bones(key))
            )
            if len(sound) >= _TELLING and sound in key:
                # The beginning of a name, or one of its words, says more than its share of the letters.
                close = max(close, (0.7 if key.startswith(sound) else 0.6) + 0.3 * len(sound) / len(key))
            for rank, number in self._sound[key]:
                total = close - 0.01 * rank - _OTHER_TRADITION * self._foreign(number, prefer)
                likeness[number] = max(likeness.get(number, 0.0), total)

        def order(item: tuple[int, float]) -> tuple[float, bool, float, int, int]:
            number, total = item
            other = self._foreign(number, prefer)
            spelt = OSA.normalized_similarity(plain, self._own_plain[number])
            return (-round(total, 3), other, -spelt, self._familiarity[number], number)

        return [(total, number) for number, total in sorted(likeness.items(), key=order)]

    def suggest(self, prefix: str, limit: int) -> list[Raga]:
        """Ragas whose names begin with, hold, sound or almost read like what was typed so far."""
        plain = plain_key(prefix)
        if prefix.strip() and not plain:
            return []
        if not plain:
            return self._best(dict.fromkeys(range(len(self._ragas)), 0), limit)
        sound = sound_key(prefix)
        if 2 * len(sound) < len(plain):
            sound = ""  # little is left of it, such as of "zzzz"
        bare = bare_key(sound)
        tiers: dict[int, int] = {}

        def offer(hits: Iterable[tuple[int, int]], tier: int) -> None:
            for _, number in hits:
                tiers[number] = min(tier, tiers.get(number, tier))

        for key, hits in self._plain.items():
            if key.startswith(plain):
                offer(hits, 0 if key == plain else 1)
            elif plain in key:
                offer(hits, 5)
        for word, hits in self._words.items():
            if word.startswith(plain):
                offer([hit for hit in hits if hit[0] == 0], 2)
                offer(hits, 3)
        for key, hits in self._sound.items():
            if sound and key.startswith(sound):
                offer(hits, 4)
            elif len(sound) >= _SHORTEST and (sound in key or bare_key(key).startswith(bare)):
                offer(hits, 6)
        if len(tiers) < OTHERS_MAX and len(sound) >= _SHORTEST:
            heads = self._heads(len(sound))
            for head, close, _ in _nearest(sound, tuple(heads), limit, POSSIBLE):
                offer(heads[head], 17 - round(10 * close))
        return self._best(tiers, limit)

    def _cut(self, length: int) -> dict[str, _Hits]:
        heads: dict[str, _Hits] = defaultdict(list)
        for key, hits in self._sound.items():
            heads[key[:length]].extend(hits)
        return heads

    def _best(self, tiers: dict[int, int], limit: int) -> list[Raga]:
        """Ragas by tier, the well-known ones first and the short names before the long ones."""

        def order(number: int) -> tuple[int, int, int, int]:
            return (tiers[number], self._familiarity[number], len(self._own_plain[number]), number)

        return [self._ragas[number] for number in sorted(tiers, key=order)[: max(limit, 0)]]


def _nearest(
    key: str, keys: Sequence[str], limit: int = _NEAREST, at_least: float = 0.0
) -> list[tuple[str, float, int]]:
    return process.extract(key, keys, scorer=OSA.normalized_similarity, limit=limit, score_cutoff=at_least)


@lru_cache(maxsize=8192)
def _bones(sound: str) -> str:
    """A sound key's consonants; its first letter whatever it is."""
    return (sound[:1] + _VOWEL.sub("", sound[1:])).replace("b", "v")


def _sorted_key(name: str) -> str:
    words = [sound_key(word) for word in _WORD.findall(name.casefold()) if word not in _PARTICLES]
    return " ".join(sorted(words)) if len(words) > 1 else ""
