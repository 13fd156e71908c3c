"""What a raga's picture shows, in words: for those who hear the page or the chat read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from textwrap import shorten

from bot.drawing.card import family, native_names
from music.raga import Raga
from music.swaras import PITCH_CLASS, Swara, Tradition, base, octave, semitone

_LIMIT = 999  # characters; Discord takes 1024
_SPOKEN = {"S": "Sa", "R": "Re", "G": "Ga", "M": "Ma", "P": "Pa", "D": "Dha", "N": "Ni"}
_HINDUSTANI = (
    "Sa",
    "komal Re",
    "Re",
    "komal Ga",
    "Ga",
    "Ma",
    "tivra Ma",
    "Pa",
    "komal Dha",
    "Dha",
    "komal Ni",
    "Ni",
)


def described(raga: Raga) -> str:
    """Two sentences, under 1000 characters, with all that the picture tells."""
    names = f"{raga.name} ({', '.join(native_names(raga))})" if native_names(raga) else raga.name
    marked = [
        f"{role} {spoken(swara, raga.tradition)}"
        for role, swara in (("vadi", raga.vadi), ("samvadi", raga.samvadi))
        if swara is not None
    ]
    text = (
        f"Raga {names}, {family(raga).replace(' · ', ', ')}, drawn on a wheel of twelve steps. "
        f"Arohana{_manner(raga.arohana)}: {_said(raga.arohana, raga.tradition)}; "
        f"avarohana{_manner(raga.avarohana)}: {_said(raga.avarohana, raga.tradition)}"
        + (f"; {', '.join(marked)}." if marked else ".")
    )
    return shorten(text, _LIMIT, placeholder=" …")


def spoken(swara: Swara, tradition: Tradition) -> str:
    """A swara as it is said aloud: ``komal Re``, ``lower Ni``, ``Ri 2``."""
    name = base(swara)
    if tradition == "Hindustani":
        said = _HINDUSTANI[PITCH_CLASS[name]]
    else:
        syllable = {"R": "Ri", "D": "Da"}.get(name[0], _SPOKEN[name[0]])
        said = f"{syllable} {name[1:]}".rstrip()
    octaves = octave(swara)
    return said if octaves == 0 else f"{'upper' if octaves > 0 else 'lower'} {said}"


def _said(swaras: Sequence[Swara], tradition: Tradition) -> str:
    return ", ".join(spoken(swara, tradition) for swara in swaras)


def _manner(swaras: Sequence[Swara]) -> str:
    ways = {later > earlier for earlier, later in pairwise(map(semitone, swaras)) if later != earlier}
    return " (crooked, vakra)" if len(ways) > 1 else ""
