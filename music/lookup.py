"""Finding a raga by what a person typed: exact spellings, other scripts and misspellings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import OSA

from music.familiar import familiarity
from music.folding import NAME_LENGTH_MAX, plain_key, sound_key, tamil_key
from music.melakarta import MELAKARTAS
from music.raga import Raga
from music.scripts import has_tamil
from music.spellings import Hit, Spellings, sorted_key
from music.suggestions import Suggestions
from music.swaras import Tradition

OTHERS_MAX = 5
"""So many ragas are offered beside or instead of an answer."""

SURE = 0.87
"""From this likeness (0 to 1) on, a misspelt name is answered, if nothing else comes close."""

SURE_OF_SHORT = 0.93
"""The same for a short text, such as an English word, which comes near to some name easily."""

MARGIN = 0.07
"""What else comes at most so near (in likeness) makes an answer unsure."""

POSSIBLE = 0.73
"""From this likeness on, a raga is offered."""

_OTHER_TRADITION = 0.03
_WELL_KNOWN = 0.04
_KNOWN_PLACES = 300
_WELL_SPELT = 0.93
_SHORT = 5
_KIND_WORDS = frozenset(
    ("thaat", "that", "thata", "mela", "melam", "melakarta", "melakartha", "janya", "ragini", "scale")
)
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

# Words of the art are no misspelt ragas, however near they come to one.
_WORDS_OF_THE_ART = """
raga ragas ragam ragalu ragini mela melakarta thaat janya swara sargam shruti saptak alap alapana jod jhala gat
gamaka meend kan murki taan tala taal talam laya matta matra avartan teental tintal jhaptal ektal rupak rupaka
dadra keherwa dhamar adi chautal chapu khayal dhrupad thumri tappa tarana bhajan ghazal qawwali kriti varnam
tillana padam javali niraval kalpanaswaram bandish sitar tabla sarod santoor bansuri tanpura tambura harmonium
mridangam ghatam kanjira veena shehnai sarangi esraj dilruba pakhawaj nadaswaram surbahar rabab flute violin
guitar
"""
_NO_NAMES = frozenset(map(sound_key, _WORDS_OF_THE_ART.split()))

_Hits = list[Hit]
_Names = dict[str, _Hits]


def _named(raga: Raga, number: int) -> Iterator[tuple[str, Hit]]:
    """A raga's names; its own goes before an alias, an alias before another script."""
    for position, name in enumerate(raga.names):
        yield name, (0 if position == 0 else 1 if position <= len(raga.aliases) else 2, number)


class Index:
    """The names of some ragas under every key of music.folding. Immutable."""

    def __init__(self, ragas: Sequence[Raga]) -> None:
        self._ragas = ragas
        self._familiarity = [familiarity(raga) for raga in ragas]
        self._plain: _Names = defaultdict(list)
        self._sound: _Names = defaultdict(list)
        self._tamil: _Names = defaultdict(list)
        self._sorted: _Names = defaultdict(list)
        self._melakartas: dict[int, int] = {}
        self._own_plain = [plain_key(raga.name) for raga in ragas]
        for number, raga in enumerate(ragas):
            if raga.chakra is not None and raga.melakarta is not None:
                self._melakartas[raga.melakarta] = number
        names = [(name, hit) for number, raga in enumerate(ragas) for name, hit in _named(raga, number)]
        for name, hit in names:
            self._enter(name, hit)
        self._spellings = Spellings(names)
        self._suggestions = Suggestions(ragas)

    def _enter(self, name: str, hit: tuple[int, int]) -> None:
        sound = sound_key(name)
        keys = (
            (self._plain, plain_key(name)),
            (self._sound, sound),
            (self._tamil, tamil_key(sound)),
            (self._sorted, sorted_key(name)),
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
            match = self._same_name(twins, text, prefer)
            if self._spellings.as_spelt(text) >= _WELL_SPELT:
                return match
            # Perhaps a slip in a name that sounds otherwise, such as "revai", Reva's sound, for Revati.
            nearer = self._alike(text, sound, prefer)
            first = nearer.raga or next(iter(nearer.others), None)
            if first is None or (first in (match.raga, *match.others) and len(sound) > _SHORT):
                return match
            return nearer
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
        if hits := self._sorted.get(sorted_key(text)):
            return self._same_name(hits, text, prefer)
        joined = "".join(words)
        if hits := self._plain.get(joined) or self._sound.get(sound_key(joined)):
            return self._same_name(hits, text, prefer)  # such as "rag eshri", whose first word is no title
        stated = [word for word in words if word in _TRADITION_WORDS]
        rest = [word for word in words if word not in _TRADITION_WORDS and word not in _KIND_WORDS]
        if not rest or len(rest) == len(words):
            return None
        found = self.find(" ".join(rest), _TRADITION_WORDS[stated[0]] if stated else prefer)
        if found.kind == "near" and stated:
            # "Hindustani Kapi" is a name too, which was misspelt as a whole.
            whole = self._alike(text, sound_key(text), prefer)
            return whole if whole.kind == "near" else found
        return found if found.kind in ("exact", "near") else None

    def _alike(self, text: str, sound: str, prefer: Tradition | None) -> Match:
        if has_tamil(text) and (hits := self._tamil.get(tamil_key(sound))):
            numbers = self._ordered(hits, text, prefer)
            return Match("near", self._ragas[numbers[0]], self._at(numbers[1:]))
        ranked = self._ranked(text, prefer)
        if not ranked or ranked[0][0] < POSSIBLE:
            return NOTHING
        best, first = ranked[0]
        others = [number for likeness, number in ranked[1:] if likeness >= POSSIBLE]
        name = sound_key(self._ragas[first].name)
        rival = next(
            (likeness for likeness, number in ranked[1:] if sound_key(self._ragas[number].name) != name), 0.0
        )
        sure = SURE if len(plain_key(text)) > _SHORT else SURE_OF_SHORT
        if best >= sure and best - rival >= MARGIN:
            twins = [number for number in others if sound_key(self._ragas[number].name) == name]
            return Match("near", self._ragas[first], self._at(twins))
        return Match("unsure", None, self._at([first, *others]))

    def _ranked(self, text: str, prefer: Tradition | None) -> list[tuple[float, int]]:
        """The likest ragas with their likeness (0 to 1), best first."""
        likeness: dict[int, float] = {}
        for (rank, number), close in self._spellings.near(text).items():
            total = (
                close - 0.005 * rank - _OTHER_TRADITION * self._foreign(number, prefer) + self._weight(number)
            )
            likeness[number] = max(likeness.get(number, 0.0), total)
        plain = plain_key(text)

        def order(item: tuple[int, float]) -> tuple[float, bool, float, int, int]:
            number, total = item
            other = self._foreign(number, prefer)
            spelt = OSA.normalized_similarity(plain, self._own_plain[number])
            return (-round(total, 3), other, -spelt, self._familiarity[number], number)

        return [(total, number) for number, total in sorted(likeness.items(), key=order)]

    def _weight(self, number: int) -> float:
        """What being well known adds to a likeness: people ask for such ragas, and mistype them, most."""
        return _WELL_KNOWN * max(0.0, 1.0 - self._familiarity[number] / _KNOWN_PLACES)

    def suggest(self, prefix: str, limit: int) -> list[Raga]:
        """Ragas whose names begin with, hold, sound or almost read like what was typed so far."""
        return self._suggestions.of(prefix, limit)
