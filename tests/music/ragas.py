"""Ragas for the tests of the engine, written out here so that the catalogue may change without them."""

from __future__ import annotations

from music.catalogue import Raga, Tradition
from music.swaras import parse_scale


def _raga(
    name: str,
    tradition: Tradition,
    arohana: str,
    avarohana: str,
    vadi: str | None = None,
    samvadi: str | None = None,
    nyasa: str = "",
    pakad: tuple[str, ...] = (),
) -> Raga:
    return Raga(
        name=name,
        tradition=tradition,
        arohana=parse_scale(arohana),
        avarohana=parse_scale(avarohana),
        vadi=vadi,
        samvadi=samvadi,
        nyasa=parse_scale(nyasa),
        pakad=tuple(parse_scale(phrase) for phrase in pakad),
    )


YAMAN = _raga(
    "Yaman",
    "Hindustani",
    "N3, R2 G3 M2 D2 N3 S'",
    "S' N3 D2 P M2 G3 R2 S",
    "G3",
    "N3",
    "R2 G3 P N3",
    ("N3, R2 G3 R2 S", "P M2 G3 R2 S"),
)
BHAIRAV = _raga(
    "Bhairav",
    "Hindustani",
    "S R1 G3 M1 P D1 N3 S'",
    "S' N3 D1 P M1 G3 R1 S",
    "D1",
    "R1",
    "M1 P",
    ("G3 M1 D1 P",),
)
MALKAUNS = _raga("Malkauns", "Hindustani", "S G2 M1 D1 N2 S'", "S' N2 D1 M1 G2 S", "M1", "S", "M1")
DARBARI_KANADA = _raga(
    "Darbari Kanada",
    "Hindustani",
    "S R2 G2 M1 P D1 N2 S'",
    "S' D1 N2 P M1 P G2 M1 R2 S",
    "R2",
    "P",
    "R2 P",
)
LALIT = _raga(
    "Lalit",
    "Hindustani",
    "N3, R1 G3 M1 M2 M1 G3 M2 D1 N3 S'",
    "S' N3 D1 M2 D1 M2 M1 G3 R1 S",
    "M1",
    "S",
    "G3 M1",
)
DESH = _raga("Desh", "Hindustani", "S R2 M1 P N3 S'", "S' N2 D2 P M1 G3 R2 S", "R2", "P")
MOHANAM = _raga("Mohanam", "Carnatic", "S R2 G3 P D2 S'", "S' D2 P G3 R2 S", "G3", "D2")
MAYAMALAVAGOWLA = _raga("Mayamalavagowla", "Carnatic", "S R1 G3 M1 P D1 N3 S'", "S' N3 D1 P M1 G3 R1 S")
REETIGOWLA = _raga(
    "Reetigowla", "Carnatic", "S G2 R2 G2 M1 N2 D2 M1 N2 N2 S'", "S' N2 D2 M1 G2 M1 P M1 G2 R2 S"
)
NADANAMAKRIYA = _raga("Nadanamakriya", "Carnatic", "S R1 G3 M1 P D1 N3", "N3 D1 P M1 G3 R1 S N3,")
VIVADI = _raga("Chalanata", "Carnatic", "S R3 G3 M1 P D3 N3 S'", "S' N3 D3 P M1 G3 R3 S")

HEARD = (YAMAN, BHAIRAV, MALKAUNS, DARBARI_KANADA, LALIT, MOHANAM, MAYAMALAVAGOWLA, REETIGOWLA)
ALL = (*HEARD, DESH, NADANAMAKRIYA, VIVADI)
