"""The 72 melakartas: scales by their number. Sources: docs/musicology.md."""

from __future__ import annotations

from music.swaras import Swara

MELAKARTAS = 72

CHAKRAS = (
    "Indu",
    "Netra",
    "Agni",
    "Veda",
    "Bana",
    "Rutu",
    "Rishi",
    "Vasu",
    "Brahma",
    "Disi",
    "Rudra",
    "Aditya",
)
"""The twelve groups of six melakartas; each name says its number: one moon, two eyes, three fires …"""

_RISHABHA_GANDHARA = (("R1", "G1"), ("R1", "G2"), ("R1", "G3"), ("R2", "G2"), ("R2", "G3"), ("R3", "G3"))
_DHAIVATA_NISHADA = (("D1", "N1"), ("D1", "N2"), ("D1", "N3"), ("D2", "N2"), ("D2", "N3"), ("D3", "N3"))


def melakarta_scale(number: int) -> tuple[Swara, ...]:
    """The ascending scale of a melakarta, ``S`` to ``S'``. Raises ValueError for a number outside 1 to 72.

    The first 36 have M1, the others M2. Within each half the chakra sets Ri and Ga, the place in the chakra
    Dha and Ni, both in the order in which the pair rises.
    """
    if not 1 <= number <= MELAKARTAS:
        raise ValueError(f"There are melakartas 1 to {MELAKARTAS}, not {number}.")
    half, place = divmod(number - 1, 36)
    chakra, step = divmod(place, 6)
    return ("S", *_RISHABHA_GANDHARA[chakra], ("M1", "M2")[half], "P", *_DHAIVATA_NISHADA[step], "S'")


def chakra_name(number: int) -> str:
    """The chakra that a melakarta belongs to. Raises ValueError for a number outside 1 to 72."""
    if not 1 <= number <= MELAKARTAS:
        raise ValueError(f"There are melakartas 1 to {MELAKARTAS}, not {number}.")
    return CHAKRAS[(number - 1) // 6]
