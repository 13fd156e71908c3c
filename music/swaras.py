"""The sixteen swara names on their twelve keys, octave marks, and how each tradition writes them."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Literal, TypeAlias

Swara: TypeAlias = str
"""One of the names of `PITCH_CLASS`, then ``'`` for each octave up or ``,`` for each octave down."""

Tradition = Literal["Hindustani", "Carnatic"]

PITCH_CLASS: dict[str, int] = {
    "S": 0,
    "R1": 1,
    "R2": 2,
    "R3": 3,
    "G1": 2,
    "G2": 3,
    "G3": 4,
    "M1": 5,
    "M2": 6,
    "P": 7,
    "D1": 8,
    "D2": 9,
    "D3": 10,
    "N1": 9,
    "N2": 10,
    "N3": 11,
}
"""The key, in semitones above Sa, that each name stands on: sixteen names share twelve keys."""

_HINDUSTANI = ("S", "r", "R", "g", "G", "m", "M♯", "P", "d", "D", "n", "N")
_SUBSCRIPTS = str.maketrans("123", "₁₂₃")
_DOT_ABOVE, _DOT_BELOW = "\N{COMBINING DOT ABOVE}", "\N{COMBINING DOT BELOW}"


class SwaraError(ValueError):
    """A text that is no swara."""


@cache
def _parts(token: Swara) -> tuple[str, int]:
    name = token.rstrip("',")
    marks = token[len(name) :]
    if name not in PITCH_CLASS or len(set(marks)) > 1:
        raise SwaraError(
            f"{token!r} is no swara: one of {' '.join(PITCH_CLASS)}, then ' or , for other octaves."
        )
    return name, -len(marks) if "," in marks else len(marks)


def base(token: Swara) -> str:
    """A swara's name without octave marks (``base("N3,")`` is ``"N3"``). Raises `SwaraError`."""
    return _parts(token)[0]


def octave(token: Swara) -> int:
    """How many octaves above (below: negative) the middle one a swara stands. Raises `SwaraError`."""
    return _parts(token)[1]


def semitone(token: Swara) -> int:
    """Semitones above the middle Sa: ``S`` 0, ``S'`` 12, ``N3,`` -1. Raises `SwaraError`."""
    name, octaves = _parts(token)
    return PITCH_CLASS[name] + 12 * octaves


def parse_scale(text: str) -> tuple[Swara, ...]:
    """The swaras of a line such as ``"S R2 G3 M2 P D2 N3 S'"``. Raises `SwaraError`."""
    tokens = tuple(text.split())
    for token in tokens:
        _parts(token)
    return tokens


@cache
def sargam(token: Swara, tradition: Tradition) -> str:
    """A swara as its tradition writes it, with a dot above (below) for the upper (lower) octave.

    Hindustani: ``S r R g G m M♯ P d D n N``, a small letter for komal Re, Ga, Dha, Ni and shuddha Ma.
    Carnatic: ``S R₁ G₁ … N₃``. Raises `SwaraError`.
    """
    name, octaves = _parts(token)
    written = name.translate(_SUBSCRIPTS) if tradition == "Carnatic" else _HINDUSTANI[PITCH_CLASS[name]]
    dots = (_DOT_ABOVE if octaves > 0 else _DOT_BELOW) * abs(octaves)
    return unicodedata.normalize("NFC", written[0] + dots) + written[1:]
