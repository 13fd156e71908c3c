"""Swaras as people have written them, into the tokens of `music.swaras`. What can be read two ways is refused.

Letters: ``S r R g G m M P d D n N``, small for komal Re, Ga, Dha, Ni and shuddha Ma. Words: ``Sa Re Ga Ma Pa Dha Ni``,
with komal or tivra said beside them, or small for komal where Sa and Pa are written large. Numbers as in
``R2 G3``. The upper octave by ``'``, ``*``, ``^`` or a dot above, the lower by ``,``, a dot before, or a dot below.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from music.swaras import PITCH_CLASS, Swara


class SargamError(ValueError):
    """A line that cannot be read in one way only; the text says why."""


_NAMES = {
    **dict.fromkeys(("s", "sa", "shadja", "shadj"), "S"),
    **dict.fromkeys(("r", "re", "ri", "rishabh", "rishabha"), "R"),
    **dict.fromkeys(("g", "ga", "gandhar", "gandhara"), "G"),
    **dict.fromkeys(("m", "ma", "madhyam", "madhyama"), "M"),
    **dict.fromkeys(("p", "pa", "pancham", "panchama"), "P"),
    **dict.fromkeys(("d", "dha", "da", "dhaivat", "dhaivata"), "D"),
    **dict.fromkeys(("n", "ni", "nishad", "nishada"), "N"),
}
_SHUDDHA = {"S": "S", "R": "R2", "G": "G3", "M": "M1", "P": "P", "D": "D2", "N": "N3"}
_ALTERED = {"R": "R1", "G": "G2", "M": "M2", "D": "D1", "N": "N2"}

_WORDS = "|".join(sorted((name for name in _NAMES if len(name) > 1), key=len, reverse=True))
_TOKEN = re.compile(
    rf"(?P<low>\.*)(?:(?P<said>komal|tivra|teevra|tīvra|shuddh?a?|k|t)[:_\s]+)?(?P<name>{_WORDS}|[srgmpdn])"
    r"(?P<mark>[#♯♭b+]?)(?P<after>\((?:komal|k|tivra|teevra|t|shuddha?)\))?"
    r"(?P<number>[123]?)(?P<signs>[',*^\"\u0307\u0323\u0331\u0332\u030d]*)(?P<dot>\.?)",
    re.IGNORECASE,
)
_SAID = re.compile(r"\b(komal|tivra|teevra|shuddh?a?)[\s_-]+(?=[a-z])", re.IGNORECASE)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "′": "'", "`": "'", "˙": "\u0307", "”": '"', "″": '"'})
_GAPS = re.compile(r"[\s|/→>–—_-]+")
_FLAT_SIGNS, _SHARP_SIGNS = frozenset("♭b"), frozenset("#♯+")


@dataclass(frozen=True, slots=True)
class _Read:
    written: str
    letter: str
    altered: bool | None  # None: nothing but the case of its letters can say it
    number: str
    octave: int


def scale(written: str | Sequence[str], tradition: str | None = None) -> tuple[Swara, ...]:
    """The tokens of a scale or a phrase. Raises `SargamError`."""
    return _scale(written if isinstance(written, str) else tuple(written), tradition)


@lru_cache(maxsize=4096)
def _scale(written: str | tuple[str, ...], tradition: str | None) -> tuple[Swara, ...]:
    read = [_read(word) for word in _words(written)]
    unsaid = [one for one in read if one.altered is None and not one.number and one.letter not in "SP"]
    case = _case(read, unsaid, tradition)
    return tuple(_token(one, case) for one in read)


def swara(written: str, tradition: str | None = None) -> Swara:
    """One swara, without an octave. Raises `SargamError`."""
    tokens = scale(written, tradition)
    if len(tokens) != 1:
        raise SargamError(f"“{written[:40]}” is not one swara")
    return tokens[0].rstrip("',")


def _words(written: str | tuple[str, ...]) -> list[str]:
    if isinstance(written, tuple):
        return [word for item in written for word in _split(item)]
    return _split(written)


def _split(text: str) -> list[str]:
    text = unicodedata.normalize("NFD", text.translate(_QUOTES)).strip()
    # NFD takes no numbers down from their places below the line.
    text = text.translate(str.maketrans("₁₂₃¹²³", "123123"))
    text = _SAID.sub(lambda said: f"{said[1]}:", text).replace("(", " (").replace(" (", "(")
    words = [word for word in _GAPS.split(text) if word]
    if len(words) > 1 and all(word.endswith(",") for word in words[:-1]) and not words[-1].endswith(","):
        words = [
            word.removesuffix(",") for word in words
        ]  # a list with commas, not a scale in the lower octave
    if len(words) == 1 and re.fullmatch(r"[A-Za-z]+(?:\s*[,;]\s*[A-Za-z]+)+", words[0]):
        return re.split(r"\s*[,;]\s*", words[0])
    return [part for word in words for part in _parts(word)]


def _parts(word: str) -> list[str]:
    """A word, or the swaras that were written together in it."""
    if _TOKEN.fullmatch(word):
        return [word]
    parts, at = [], 0
    while at < len(word):
        match = _TOKEN.match(word, at)
        if match is None or match.end() == at or match["dot"]:
            raise SargamError(f"“{word[:40]}” is no swara")
        parts.append(match[0])
        at = match.end()
    return parts


def _read(word: str) -> _Read:
    match = _TOKEN.fullmatch(word)
    if match is None:
        raise SargamError(f"“{word[:40]}” is no swara")
    if match["dot"]:
        raise SargamError(f"the dot after “{word[:40]}” may mean either octave")
    name, signs = match["name"], match["signs"]
    letter = _NAMES[name.casefold()]
    up = sum({"'": 1, "*": 1, "^": 1, '"': 2, "\u0307": 1}.get(sign, 0) for sign in signs)
    down = len(match["low"]) + signs.count(",") + signs.count("\u0323")
    if up and down:
        raise SargamError(f"“{word[:40]}” lies in two octaves")
    return _Read(word, letter, _altered(letter, match, word), match["number"], up - down)


def _altered(letter: str, match: re.Match[str], word: str) -> bool | None:
    said = (match["said"] or (match["after"] or "")[1:-1]).casefold()
    mark = match["mark"].casefold()
    flat = (
        said.startswith("k")
        or (mark != "" and mark in _FLAT_SIGNS)
        or bool(set(match["signs"]) & {"\u0331", "\u0332"})
    )
    sharp = said.startswith("t") or (mark != "" and mark in _SHARP_SIGNS) or "\u030d" in match["signs"]
    if (flat and letter not in "RGDN") or (sharp and letter != "M") or (match["number"] and (flat or sharp)):
        raise SargamError(f"there is no “{word[:40]}”")
    if flat or sharp:
        return True
    return False if said.startswith("s") or letter in "SP" else None


def _case(read: list[_Read], unsaid: list[_Read], tradition: str | None) -> dict[str, bool]:
    """For each spelling whether it is komal (Ma: tivra). Raises `SargamError` where the case leaves it open."""
    names = {one.written: _bare(one.written) for one in read}
    anchors = {names[one.written][0] for one in read if one.letter in "SP"}
    small_counts = not any(anchor.islower() for anchor in anchors)
    if not small_counts and any(anchor.isupper() for anchor in anchors):
        raise SargamError("a Sa or Pa both large and small")
    spellings = {names[one.written] for one in unsaid}
    words = {name for name in spellings if len(name) > 1}
    letters = spellings - words
    found: dict[str, bool] = {}
    if letters:
        if not small_counts and any(letter.islower() for letter in letters):
            raise SargamError("small letters that may mean komal swaras or nothing")
        if tradition == "Carnatic" and all(letter.isupper() for letter in letters):
            raise SargamError("a Carnatic scale without numbers")
        found |= {letter: letter.isupper() if letter in "mM" else letter.islower() for letter in letters}
    if words:
        small = {word for word in words if word[0].islower()}
        if not small_counts or not anchors:
            small = set() if small == words or not small else small
            if small:
                raise SargamError("small words that may mean komal swaras or nothing")
        large_ma = [word for word in words - small if _NAMES[word.casefold()] == "M"]
        if small and large_ma:
            raise SargamError("a Ma that may be shuddha or tivra")
        if tradition == "Carnatic":
            raise SargamError("a Carnatic scale without numbers")
        found |= {word: word in small and _NAMES[word.casefold()] != "M" for word in words}
    return found


def _bare(written: str) -> str:
    match = _TOKEN.fullmatch(written)
    return match["name"] if match else written


def _token(one: _Read, case: dict[str, bool]) -> Swara:
    if one.number:
        name = f"{one.letter}{one.number}"
    elif one.altered if one.altered is not None else case.get(_bare(one.written), False):
        name = _ALTERED[one.letter]
    else:
        name = _SHUDDHA[one.letter]
    if name not in PITCH_CLASS:
        raise SargamError(f"there is no “{one.written[:40]}”")
    return name + ("'" * one.octave if one.octave > 0 else "," * -one.octave)
