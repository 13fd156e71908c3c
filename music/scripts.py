"""Names between ISO 15919 and the scripts of India, which share one plan of letters (as in ISCII, Unicode).

A name written once in ISO 15919 gives its spelling in five scripts, one typed in any of nine becomes Latin.
"""

from __future__ import annotations

import re
from functools import cache

CARNATIC_SCRIPTS = ("Devanagari", "Tamil", "Telugu", "Kannada", "Malayalam")
"""The scripts that a Carnatic name is given in."""

_BASES = {
    "Devanagari": 0x0900,
    "Bengali": 0x0980,
    "Gurmukhi": 0x0A00,
    "Gujarati": 0x0A80,
    "Odia": 0x0B00,
    "Tamil": 0x0B80,
    "Telugu": 0x0C00,
    "Kannada": 0x0C80,
    "Malayalam": 0x0D00,
}
_FIRST, _LAST, _BLOCK = 0x0900, 0x0D7F, 0x80

_CONSONANTS = {
    name: 0x15 + index
    for index, name in enumerate(
        [
            "k",
            "kh",
            "g",
            "gh",
            "ṅ",
            "c",
            "ch",
            "j",
            "jh",
            "ñ",
            "ṭ",
            "ṭh",
            "ḍ",
            "ḍh",
            "ṇ",
            "t",
            "th",
            "d",
            "dh",
            "n",
            "ṉ",
            "p",
            "ph",
            "b",
            "bh",
            "m",
            "y",
            "r",
            "ṟ",
            "l",
            "ḷ",
            "ḻ",
            "v",
            "ś",
            "ṣ",
            "s",
            "h",
        ]
    )
}
_VOWELS = {
    "a": (0x05, None),
    "ā": (0x06, 0x3E),
    "i": (0x07, 0x3F),
    "ī": (0x08, 0x40),
    "u": (0x09, 0x41),
    "ū": (0x0A, 0x42),
    "r̥": (0x0B, 0x43),
    "e": (0x0E, 0x46),
    "ē": (0x0F, 0x47),
    "ai": (0x10, 0x48),
    "o": (0x12, 0x4A),
    "ō": (0x13, 0x4B),
    "au": (0x14, 0x4C),
}
_ANUSVARA, _VIRAMA = 0x02, 0x4D
_LETTER = re.compile("r̥|[kgcjṭḍtdpb]h|a[iu]|.", re.DOTALL)

_ROWS = ("kgṅ", "cjñ", "ṭḍṇ", "tdn", "pbm")
_NASAL_OF = {stop: row[2] for row in _ROWS for stop in row[:2]}

_TAMIL = {
    **dict.fromkeys(("k", "kh", "g", "gh"), "k"),
    **dict.fromkeys(("c", "ch", "ś"), "c"),
    **dict.fromkeys(("j", "jh"), "j"),
    **dict.fromkeys(("ṭ", "ṭh", "ḍ", "ḍh"), "ṭ"),
    **dict.fromkeys(("t", "th", "d", "dh"), "t"),
    **dict.fromkeys(("p", "ph", "b", "bh"), "p"),
}


def in_script(iso: str, script: str) -> str:
    """A name in ISO 15919 (words apart by blanks) in one of `CARNATIC_SCRIPTS`, in its usual orthography.

    Raises ValueError for a letter that ISO 15919 does not have.
    """
    return " ".join(_word(_LETTER.findall(word), script) for word in iso.split())


def _word(letters: list[str], script: str) -> str:
    for letter in letters:
        if letter not in _CONSONANTS and letter not in _VOWELS and letter != "ṁ":
            raise ValueError(f"{letter!r} is no letter of ISO 15919")
    letters = _orthography(letters, script)
    base = _BASES[script]
    written: list[int] = []
    open_consonant = False
    for letter in letters:
        if letter in _VOWELS:
            alone, sign = _VOWELS[letter]
            code = sign if open_consonant else alone
            if code is not None:
                written.append(base + code)
            open_consonant = False
            continue
        if open_consonant:
            written.append(base + _VIRAMA)
        open_consonant = letter != "ṁ"
        written.append(base + (_CONSONANTS[letter] if open_consonant else _ANUSVARA))
    if open_consonant:
        written.append(base + _VIRAMA)
    return "".join(map(chr, written))


def _orthography(letters: list[str], script: str) -> list[str]:
    """The letters as the script spells them."""
    following = [*letters[1:], ""]
    if script == "Tamil":
        return [
            spelt
            for pair in zip(letters, following, [True, *[False] * len(letters)], strict=False)
            for spelt in _in_tamil(*pair)
        ]
    spelt = list(letters)
    if script != "Malayalam":
        spelt = [
            "ṁ" if _NASAL_OF.get(after[:1]) == letter else letter
            for letter, after in zip(letters, following, strict=True)
        ]
    if script == "Devanagari":
        short = {"e": "ē", "o": "ō"}
        spelt = [short.get(letter, letter) for letter in spelt]
        return [*spelt[:-1], "m"] if spelt[-1] == "ṁ" else spelt
    if spelt[-1] == "ā" and len(spelt) > 1:
        spelt[-1] = "a"
    if script == "Kannada" and spelt[-1] == "ṁ":
        spelt.pop()
    return spelt


def _in_tamil(letter: str, after: str, first: bool) -> tuple[str, ...]:
    if letter == "ṁ":
        return ("m",)
    if letter == "r̥":
        return ("r", "i")
    if letter == "ś" and after == "r":
        return ("s",)
    if letter == "n":
        return ("n",) if first or after[:1] in {"t", "d"} else ("ṉ",)
    return (_TAMIL.get(letter, letter),)


def _latin_letters() -> dict[int, str]:
    """The Latin letters of every place of the common plan; "" for signs that say nothing here."""
    latin = {place: name for name, place in _CONSONANTS.items()}
    for name, (alone, sign) in _VOWELS.items():
        latin[alone] = name
        if sign is not None:
            latin[sign] = name
    latin |= {0x0D: "e", 0x11: "o", 0x45: "e", 0x49: "o", 0x4E: "e", 0x01: "n", _ANUSVARA: "m", 0x03: "h"}
    # Letters of some blocks only: Urdu sounds, the flaps that popular spelling writes d, tippi.
    latin |= {
        0x58: "k",
        0x59: "kh",
        0x5A: "g",
        0x5B: "j",
        0x5C: "d",
        0x5D: "dh",
        0x5E: "ph",
        0x5F: "y",
        0x70: "n",
    }
    return latin


_LATIN = _latin_letters()
_CONSONANT_PLACES = frozenset([*_CONSONANTS.values(), *range(0x58, 0x60)])
_SIGNS = frozenset(sign for _, sign in _VOWELS.values() if sign is not None) | {0x45, 0x49, 0x4E, _VIRAMA}
_CHILLUS = {0x0D7A: "n", 0x0D7B: "n", 0x0D7C: "r", 0x0D7D: "l", 0x0D7E: "l", 0x0D7F: "k", 0x09CE: "t"}
_NUKTA = 0x3C


def is_indic(character: str) -> bool:
    """Whether a character belongs to one of the nine scripts."""
    return _FIRST <= ord(character) <= _LAST


def has_tamil(text: str) -> bool:
    """Whether a text holds Tamil letters, which do not tell voiced from voiceless stops."""
    return any(_BASES["Tamil"] <= ord(character) < _BASES["Tamil"] + _BLOCK for character in text)


@cache
def _place(character: str) -> int:
    return (ord(character) - _FIRST) % _BLOCK


def to_latin(text: str) -> str:
    """A text with every letter of the nine scripts in Latin letters, the inherent vowel written out."""
    written: list[str] = []
    pending = False
    for character in text:
        if character in "\u200c\u200d":
            continue
        if not is_indic(character):
            written.append("a" * pending + character)
            pending = False
        elif ord(character) in _CHILLUS:
            written.append("a" * pending + _CHILLUS[ord(character)])
            pending = False
        else:
            place = _place(character)
            if place == _NUKTA:
                continue
            if pending and place not in _SIGNS:
                written.append("a")
            written.append(_LATIN.get(place, ""))
            pending = place in _CONSONANT_PLACES
    return "".join(written) + "a" * pending
