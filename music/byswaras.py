"""Finding ragas by their notes: what a text of notes means, and whose swaras those are.

A text is read as Hindustani sargam (``S r G m P``, a small letter for komal Re, Ga, Dha, Ni and shuddha Ma), as
the catalogue's own sixteen names (``S R2 G3``), as syllables (``Sa Re Ga``, in any script of India), with blanks
or without (``SRGPD``). Arohana and avarohana may stand apart by ``/`` or ``|``. Sa need not be written.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from music.familiar import familiarity
from music.folding import plain_key
from music.raga import Raga
from music.scripts import is_indic, to_latin
from music.swaras import PITCH_CLASS, Swara, base

TEXT_LENGTH_MAX = 200
"""So many characters are read as notes."""

_FEWEST = 3
_FEWEST_IN_A_WORD = 4
_TIVRA_SIGNS = "♯#^'’′"
_MARKED = re.compile("[\u0331\u0332\u0952]")
_RAISED = re.compile("[\u0301\u030d\u0951]")
_OTHER_MARKS = re.compile("[\u0300-\u036f]")
_DESCENT = re.compile(r"\bav(?:a|e)roh\w*|\bdescen\w*", re.IGNORECASE)
_TITLES = re.compile(r"\b(?:aroh\w*|ascen\w*|notes?|swaras?|swaram)\b", re.IGNORECASE)
_KINDS = (
    (re.compile(r"\bkomal\s*", re.IGNORECASE), "_"),
    (re.compile(r"\bt(?:i|ee)vra?\s*", re.IGNORECASE), "^"),
    (re.compile(r"\bshuddha?\s*", re.IGNORECASE), "="),
)
_BETWEEN = re.compile(r"[\s,.;:\-–—>→()\[\]{}…~*]+")
_PARTS = re.compile(r"[/|]+")
_NOTE = re.compile(
    rf"([_^=]?)(sa|r[ei]|ga|ma|pa|dha?a|da|ni|[srgmpdn])([123]?)([_{re.escape(_TIVRA_SIGNS)}]*)",
    re.IGNORECASE,
)
_NATURAL = {"R": "R2", "G": "G3", "M": "M1", "D": "D2", "N": "N3"}
_KOMAL = {"R": "R1", "G": "G2", "M": "M1", "D": "D1", "N": "N2"}


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes as the catalogue names them, without octaves. ``down`` is empty when only one line was given."""

    up: tuple[Swara, ...]
    down: tuple[Swara, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Ragas for some notes, in each group the well-known ones first.

    ``exact``: of just these swaras, ascent and descent together (or, if both were given, each alone).
    ``fitting``: whose ascent or descent alone has just these, or which do in the form of another school.
    ``near``: with one swara more, less or other. ``notes`` is how the text was read.
    """

    notes: Notes
    exact: tuple[Raga, ...] = ()
    fitting: tuple[Raga, ...] = ()
    near: tuple[Raga, ...] = ()

    @property
    def ragas(self) -> tuple[Raga, ...]:
        """All of them, the best first."""
        return (*self.exact, *self.fitting, *self.near)


class _Note(NamedTuple):
    letter: str
    upper: bool
    syllable: bool
    digit: str
    kind: str  # "_" komal, "^" tivra, "=" shuddha, "" as the letter says


def read_notes(text: str) -> tuple[Notes, ...]:
    """The ways in which a text can be read as notes, the likeliest first; none for a text that holds no notes.

    More than one where habits differ: whether a capital M is tivra, and whether small letters are komal.
    """
    lines = _lines(text)
    notes = [note for line in lines for note in line]
    letters = {note.letter for note in notes}
    if len(letters) < (_FEWEST if _told_apart(text) else _FEWEST_IN_A_WORD):
        return ()
    readings: dict[Notes, None] = {}
    for by_case, sharp in _habits(notes):
        try:
            read = [tuple(_swara(note, by_case, sharp) for note in line) for line in lines]
        except KeyError:
            return ()  # such as P2
        readings[Notes(*read)] = None
    return tuple(readings)


def _told_apart(text: str) -> bool:
    """Whether more than the letters of one word says that notes are meant."""
    return any(character.isdigit() for character in text) or len(text.split()) > 1


def _lines(text: str) -> list[list[_Note]]:
    """One line of notes, or two; none if anything else stands in the text."""
    if len(text) > TEXT_LENGTH_MAX:
        return []
    clean = unicodedata.normalize("NFKC", text)
    marked = _RAISED.sub("♯", _MARKED.sub("_", unicodedata.normalize("NFD", clean)))
    if any(map(is_indic, marked)):
        marked = unicodedata.normalize("NFD", to_latin(unicodedata.normalize("NFC", marked)))
    clean = _OTHER_MARKS.sub("", marked)
    clean = _TITLES.sub(" ", _DESCENT.sub("/", clean))
    for word, sign in _KINDS:
        clean = word.sub(sign, clean)
    parts = [part for line in _PARTS.split(clean) if (part := _BETWEEN.sub(" ", line).strip())]
    lines = [list(_notes(part)) for part in parts]
    if not all(lines):
        return []
    return lines if len(lines) <= 2 else [[note for line in lines for note in line]]


def _notes(part: str) -> Iterator[_Note]:
    """The notes of a line; nothing at all if there is anything but notes."""
    found: list[_Note] = []
    for word in part.split():
        notes = list(_notes_of_word(word))
        # "spring" is S, P, Ri, N and G, but nobody mixes letters and syllables within a word.
        if not notes or len({note.syllable for note in notes}) > 1:
            return
        found += notes
    yield from found


def _notes_of_word(word: str) -> Iterator[_Note]:
    place = 0
    found: list[_Note] = []
    while place < len(word):
        match = _NOTE.match(word, place)
        if match is None:
            return
        before, name, digit, after = match.groups()
        raised = any(sign in after for sign in _TIVRA_SIGNS) and name[0] in "Mm"
        kind = before or ("_" if "_" in after else "^" if raised and not digit else "")
        found.append(_Note(name[0].upper(), name[0].isupper(), len(name) > 1, digit, kind))
        place = match.end()
    yield from found


def _habits(notes: Sequence[_Note]) -> list[tuple[bool, bool]]:
    """How the notes may be meant: whether small letters are komal, and whether a capital M is tivra."""
    digits = any(note.digit for note in notes)
    syllables = any(note.syllable for note in notes)
    uppers = [note.upper for note in notes]
    if digits or any(note.kind == "^" for note in notes):
        # Who marks one Ma as tivra means shuddha by another.
        return [(not digits and not syllables and not all(uppers), False), (False, digits)]
    if all(uppers):
        return [(False, False)] if syllables else [(False, True), (False, False)]
    if not any(uppers):
        return [(False, False)] if syllables else [(True, False), (False, False)]
    habits = [(True, False), (True, True)] if syllables else [(True, True)]
    if uppers[0] and not any(uppers[1:]):
        habits.append((False, False))  # a telephone's capital
    return habits


def _swara(note: _Note, by_case: bool, sharp: bool) -> Swara:
    """Raises KeyError where there is no such swara."""
    if note.letter in "SP" or note.digit:
        name = note.letter + note.digit
        if name not in PITCH_CLASS:
            raise KeyError(name)
        return name
    if note.letter == "M":
        plain = note.kind in ("=", "_") or not (note.kind == "^" or (sharp and note.upper))
        return "M1" if plain else "M2"
    komal = note.kind == "_" or (not note.kind and by_case and not note.upper)
    return (_KOMAL if komal else _NATURAL)[note.letter]


def _mask(swaras: Iterable[Swara]) -> int:
    """The keys that swaras stand on, as twelve bits; Sa always. R2 and G1 are one key."""
    bits = 1
    for swara in swaras:
        bits |= 1 << PITCH_CLASS[base(swara)]
    return bits


def _neighbors(mask: int) -> Iterator[int]:
    """All sets of keys with one key more, less or other; never without Sa."""
    inside = [1 << key for key in range(1, 12) if mask >> key & 1]
    outside = [1 << key for key in range(1, 12) if not mask >> key & 1]
    yield from (mask ^ key for key in (*inside, *outside))
    yield from (mask ^ one ^ other for one, other in product(inside, outside))


class SwaraIndex:
    """Some ragas by the keys of their swaras. Immutable; finding looks sets up and searches nothing through."""

    def __init__(self, ragas: Sequence[Raga]) -> None:
        self._ragas = ragas
        self._place = [(familiarity(raga), raga.name, raga.tradition) for raga in ragas]
        self._names = frozenset(plain_key(name) for raga in ragas for name in raga.names)
        self._whole: dict[int, set[int]] = defaultdict(set)
        self._up: dict[int, set[int]] = defaultdict(set)
        self._down: dict[int, set[int]] = defaultdict(set)
        self._elsewhere: dict[int, set[int]] = defaultdict(set)
        for number, raga in enumerate(ragas):
            up, down = _mask(raga.arohana), _mask(raga.avarohana)
            self._whole[up | down].add(number)
            self._up[up].add(number)
            self._down[down].add(number)
            for form in raga.variants:
                self._elsewhere[_mask(form.arohana) | _mask(form.avarohana)].add(number)

    def find(self, text: str) -> Found | None:
        """The ragas of the notes in a text; None if it is meant as a name, or as anything but notes.

        A text that is exactly some raga's name or spelling is that name, whatever notes it could be.
        """
        if plain_key(text) in self._names:
            return None
        readings = read_notes(text)
        return self.of(readings) if readings else None

    def of(self, readings: Sequence[Notes]) -> Found:
        """The ragas of notes that can be read in one or more ways, of which the likelier goes first."""
        exact: dict[int, None] = {}
        for notes in readings:
            exact |= dict.fromkeys(self._ordered(self._exact(notes)))
        notes = readings[0]
        fitting = self._fitting(notes) - exact.keys()
        near = self._near(notes) - exact.keys() - fitting
        return Found(notes, self._at(exact), self._at(self._ordered(fitting)), self._at(self._ordered(near)))

    def _exact(self, notes: Notes) -> set[int]:
        if notes.down:
            return self._up.get(_mask(notes.up), set()) & self._down.get(_mask(notes.down), set())
        return self._whole.get(_mask(notes.up), set())

    def _fitting(self, notes: Notes) -> set[int]:
        up, down = _mask(notes.up), _mask(notes.down or notes.up)
        together = up | down
        return (
            self._up.get(up, set())
            | self._down.get(down, set())
            | self._whole.get(together, set())
            | self._elsewhere.get(together, set())
        )

    def _near(self, notes: Notes) -> set[int]:
        together = _mask((*notes.up, *notes.down))
        return {number for mask in _neighbors(together) for number in self._whole.get(mask, ())}

    def _ordered(self, numbers: Iterable[int]) -> list[int]:
        return sorted(numbers, key=self._place.__getitem__)

    def _at(self, numbers: Iterable[int]) -> tuple[Raga, ...]:
        return tuple(self._ragas[number] for number in numbers)
