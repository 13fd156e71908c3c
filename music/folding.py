"""Names made comparable: three keys, each folding more than the one before.

`plain_key` sets aside case, marks and blanks; `sound_key` what transliterations write differently; and
`bare_key` the vowels that Indian scripts and quick typing leave out. `tamil_key` compares with Tamil, which
writes k and g alike.
Sources of the rules: docs/musicology.md.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from music.scripts import is_indic, to_latin

NAME_LENGTH_MAX = 80
"""So many characters of what a person typed are read."""

KEYS_KEPT = 1 << 15
"""So many keys of each kind are kept: those of a catalogue's names and their words, each needed several times while an
index is built, and what people typed lately."""

_RAGA = "ra{1,2}g(?:a{1,2}m?|amu|alu|u)?"
_PREFIX = re.compile(rf"^(?:{_RAGA}|राग|రాగం?|ರಾಗ|രാഗം|ராகம்)[\s:._-]+(?=\S)")
_SUFFIX = re.compile(rf"(?<=\S)[\s_-]+{_RAGA}$")
_FLAP = re.compile("r\u0323h?(?=[aeiouāīūēō])")
_VOCALIC = re.compile("r[\u0323\u0325]")
# Harvard-Kyoto tells itself by a capital within a word; popular spelling has z for j, and no G or J for nasals.
_HARVARD_KYOTO = re.compile("[a-z][AIUMHGJTDNSRL]")
_NASALS = re.compile("G(?=[kg])|J(?=[cj])")
_MARKS = re.compile("[\u0300-\u036f]")
_NOT_A_LETTER = re.compile(r"[\W_]+")
_NOT_LATIN = re.compile("[^a-z0-9]+")
_NOT_A_KEY = re.compile("[^\\w\u0900-\u0d7f]+|_+")

_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        ("x", "ks"),
        ("q", "k"),
        ("[ao]w(?=[^aeiouyw])", "o"),
        ("w", "v"),
        ("z", "j"),
        ("f", "p"),
        ("ck", "k"),
        ("[ao]u|oa(?=[^aeiouy])", "o"),
        ("oo|uu", "u"),
        ("ee|ii|ie(?=[^aeiouy]|$)", "i"),
        ("aa+", "a"),
        ("(?<=...)ai$", "a"),
        ("a[iey](?=[^aeiouy]|$)|ai(?=y)|ei", "e"),
        ("[iy]+(?=[aeou])", "y"),
        ("(?<=[^aeiouy])y(?=[^aeiouy]|$)", "i"),
        ("(?<=[bcdgjklmnprstvy])h+|(?<=[aeiou])h$", ""),
        ("(?:dn(?=y)|[jg]n|gy)y?", "gn"),
        ("m(?=[^aeiouymh])", "n"),
        (r"(.)\1+", r"\1"),
        ("(?<=[bdgkmpst])r[iu](?=[^aeiouy])", "r"),
        ("^r(?=[^aeiouy])", "ri"),
        ("a(?:m|mu)?$", ""),
    )
)
_BARE = str.maketrans({"b": "v", "e": "i", "o": "u", "y": "i"})
_VOICELESS = str.maketrans({"g": "k", "h": "k", "j": "c", "s": "c", "d": "t", "b": "p"})
_DOUBLE = re.compile(r"(.)\1+")


@lru_cache(maxsize=KEYS_KEPT)
def plain_key(text: str) -> str:
    """Case, Latin marks, blanks, punctuation and the word raga set aside; other scripts as they are."""
    clean = unicodedata.normalize("NFKC", text[: 2 * NAME_LENGTH_MAX].strip()).casefold()
    if clean.isascii():
        return _NOT_A_LETTER.sub("", _without_raga(clean))[:NAME_LENGTH_MAX]
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", clean)).replace("\u093c", "")
    bare = _without_raga(bare).replace("\u200c", "").replace("\u200d", "")
    return _NOT_A_KEY.sub("", bare)[:NAME_LENGTH_MAX]


def _without_raga(name: str) -> str:
    return _SUFFIX.sub("", _PREFIX.sub("", name))


@lru_cache(maxsize=KEYS_KEPT)
def sound_key(text: str) -> str:
    """How a name sounds, whatever script or scheme it is written in.

    Schemes are IAST, ISO 15919, ITRANS, Harvard-Kyoto and popular spelling. Empty when the text holds no
    Latin or Indic letter.
    """
    clean = text[:NAME_LENGTH_MAX].strip()
    if not clean.isascii():
        clean = unicodedata.normalize("NFKC", clean)
        if any(map(is_indic, clean)):
            clean = to_latin(clean)
        clean = unicodedata.normalize("NFD", clean)
    if _HARVARD_KYOTO.search(clean):
        clean = _NASALS.sub("n", clean.replace("z", "s"))
    clean = clean.casefold().replace("r^i", "ri")
    if not clean.isascii():
        clean = _MARKS.sub("", _VOCALIC.sub("ri", _FLAP.sub("d", clean)))
    key = _NOT_LATIN.sub("", _without_raga(clean))
    for pattern, replacement in _RULES:
        key = pattern.sub(replacement, key)
    return key


@lru_cache(maxsize=KEYS_KEPT)
def bare_key(sound: str) -> str:
    """A sound key without its a's (but a leading one), b and v, e and i, o and u alike."""
    return _DOUBLE.sub(r"\1", sound[:1] + sound[1:].replace("a", "")).translate(_BARE)


@lru_cache(maxsize=KEYS_KEPT)
def tamil_key(sound: str) -> str:
    """A sound key with voiced and voiceless stops, and what Tamil writes with them, alike."""
    return _DOUBLE.sub(r"\1", sound.translate(_VOICELESS))
