"""Shrutis, tuning, where Sa stands, talas and laya. Sources: docs/musicology.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from music.request import KEYS, PieceError
from music.swaras import semitone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from music.catalogue import Raga, Swara

OCTAVE_CENTS = 1200.0
A4_HZ = 440.0

SHRUTIS: tuple[tuple[str, Fraction], ...] = (
    ("chandovati", Fraction(1)),
    ("dayavati", Fraction(256, 243)),
    ("ranjani", Fraction(16, 15)),
    ("ratika", Fraction(10, 9)),
    ("raudri", Fraction(9, 8)),
    ("krodha", Fraction(32, 27)),
    ("vajrika", Fraction(6, 5)),
    ("prasarini", Fraction(5, 4)),
    ("priti", Fraction(81, 64)),
    ("marjani", Fraction(4, 3)),
    ("kshiti", Fraction(27, 20)),
    ("rakta", Fraction(45, 32)),
    ("sandipani", Fraction(729, 512)),
    ("alapini", Fraction(3, 2)),
    ("madanti", Fraction(128, 81)),
    ("rohini", Fraction(8, 5)),
    ("ramya", Fraction(5, 3)),
    ("ugra", Fraction(27, 16)),
    ("kshobhini", Fraction(16, 9)),
    ("tivra", Fraction(9, 5)),
    ("kumudvati", Fraction(15, 8)),
    ("manda", Fraction(243, 128)),
)
"""The 22 shrutis above Sa, named in the order of the Sangita Ratnakara as it is usually read today."""

JUST_RATIOS: tuple[Fraction, ...] = tuple(
    Fraction(*pair)
    for pair in (
        (1, 1),
        (16, 15),
        (9, 8),
        (6, 5),
        (5, 4),
        (4, 3),
        (45, 32),
        (3, 2),
        (8, 5),
        (5, 3),
        (9, 5),
        (15, 8),
    )
)
"""The shruti that each of the twelve keys takes, from Sa upward."""


def cents(ratio: Fraction | float) -> float:
    """The size of an interval in cents."""
    return OCTAVE_CENTS * math.log2(float(ratio))


def swara_cents(swara: Swara) -> float:
    """How far a swara, octave marks included, stands above (below: negative) the middle Sa, in cents."""
    octave, key = divmod(semitone(swara), 12)
    return OCTAVE_CENTS * int(octave) + cents(JUST_RATIOS[int(key)])


_ATI_KOMAL: dict[int, Fraction] = {1: Fraction(256, 243), 3: Fraction(32, 27), 8: Fraction(128, 81)}

SHRUTIS_OF: dict[str, dict[int, Fraction]] = {
    name: {key: _ATI_KOMAL[key] for key in keys}
    for name, keys in (("Bhairav", (1, 8)), ("Darbari Kanada", (3, 8)), ("Todi", (3,)))
}
"""The Hindustani ragas that take the lowest shruti (ati-komal) of Re, Ga or Dha, by key."""


def tuned_cents(raga: Raga, swara: Swara) -> float:
    """`swara_cents` with the raga's own shrutis."""
    octave, key = divmod(semitone(swara), 12)
    own = SHRUTIS_OF.get(raga.name, {}) if raga.tradition == "Hindustani" else {}
    return OCTAVE_CENTS * int(octave) + cents(own.get(int(key), JUST_RATIOS[int(key)]))


def swara_hz(swara: Swara, tonic_hz: float) -> float:
    """A swara's frequency over a given middle Sa."""
    return float(tonic_hz * 2.0 ** (swara_cents(swara) / OCTAVE_CENTS))


def pitch_classes(swaras: Iterable[Swara]) -> frozenset[int]:
    """The keys, 0 (Sa) to 11, that some swaras stand on."""
    return frozenset(semitone(swara) % 12 for swara in swaras)


@dataclass(frozen=True, slots=True)
class Register:
    """Where a performer's middle Sa usually stands, and how far they reach from it in semitones."""

    sa_hz: float
    lowest: int
    highest: int


def key_hz(key: str, octave: int) -> float:
    """The equal-tempered frequency of a key in a scientific octave (``key_hz("A", 4)`` is 440 Hz)."""
    return float(A4_HZ * 2.0 ** ((KEYS.index(key) - KEYS.index("A")) / 12 + octave - 4))


REGISTERS: dict[str, Register] = {
    "sitar": Register(key_hz("C#", 4), -12, 19),
    "sarod": Register(key_hz("C", 4), -12, 19),
    "veena": Register(key_hz("E", 3), -12, 22),
    "santoor": Register(key_hz("D", 4), -7, 21),
    "bansuri": Register(key_hz("E", 4), -7, 17),
    "harmonium": Register(key_hz("C#", 4), -12, 19),
    "violin": Register(key_hz("D", 4), -7, 19),
    "sarangi": Register(key_hz("E", 4), -12, 17),
    "guitar": Register(key_hz("D", 3), -10, 21),
    "baritone": Register(key_hz("B", 2), -7, 16),
    "tenor": Register(key_hz("C#", 3), -7, 16),
    "alto": Register(key_hz("G#", 3), -7, 16),
    "soprano": Register(key_hz("A#", 3), -7, 16),
}
"""The usual Sa of performers: medians of a corpus of recordings where it has them."""


def tonic_hz(performer: str, key: str | None) -> float:
    """The middle Sa: where the performer usually has it or, in a key asked for, the nearest Sa to that."""
    usual = REGISTERS[performer].sa_hz
    if key is None:
        return usual
    candidates = [key_hz(key, octave) for octave in range(1, 7)]
    return min(candidates, key=lambda hz: (abs(math.log2(hz / usual)), hz))


def octave_shift(performer: str, tonic: float) -> int:
    """By how many octaves a further player moves the lead's notes to play where their instrument sounds."""
    return round(math.log2(REGISTERS[performer].sa_hz / tonic))


def drone_sa_hz(tonic: float) -> float:
    """The Sa of the tanpura's middle strings: the tonic's octave that falls on 104 to 208 Hz, G#2 to G#3."""
    return float(tonic * 2.0 ** (-math.floor(math.log2(tonic / key_hz("G#", 2)) + 1e-9)))


def drone_ratios(raga: Raga) -> tuple[float, float, float, float]:
    """The four strings of the tanpura over its Sa, in the order in which they are plucked.

    The first is Pa, Ma where the raga has no Pa but a pure Ma, Ni where it has neither.
    """
    keys = pitch_classes((*raga.arohana, *raga.avarohana))
    if 7 in keys:
        first = Fraction(3, 4)
    elif 5 in keys:
        first = Fraction(2, 3)
    elif 11 in keys:
        first = Fraction(15, 16)
    elif 10 in keys:
        first = Fraction(9, 10)
    else:
        first = Fraction(1)
    return (float(first), 1.0, 1.0, 0.5)


Drum = Literal["tabla", "mridangam"]


@dataclass(frozen=True, slots=True)
class Tala:
    """A cycle: its vibhags (angas) in matras, and its theka, the bols of each matra evenly spaced."""

    name: str
    drum: Drum
    vibhags: tuple[int, ...]
    theka: tuple[tuple[str, ...], ...]

    @property
    def matras(self) -> int:
        """How many matras one avartana has."""
        return sum(self.vibhags)

    @property
    def bars(self) -> tuple[int, ...]:
        """The matras, counted from 0, on which a vibhag begins; the first is the sam."""
        return tuple(sum(self.vibhags[:index]) for index in range(len(self.vibhags)))


def _tala(name: str, drum: Drum, vibhags: tuple[int, ...], theka: str) -> Tala:
    bols = tuple(tuple(matra.split("-")) for matra in theka.replace("|", " ").split())
    if len(bols) != sum(vibhags):
        raise ValueError(f"the theka of {name} has {len(bols)} matras")
    return Tala(name, drum, vibhags, bols)


_TALAS = (
    _tala(
        "Teental",
        "tabla",
        (4, 4, 4, 4),
        "Dha Dhin Dhin Dha | Dha Dhin Dhin Dha | Dha Tin Tin Ta | Ta Dhin Dhin Dha",
    ),
    _tala(
        "Ektal",
        "tabla",
        (2, 2, 2, 2, 2, 2),
        "Dhin Dhin | Dha-Ge Ti-Ra-Ki-Ta | Tu Na | Kat Ta | Dha-Ge Ti-Ra-Ki-Ta | Dhin Na",
    ),
    _tala("Jhaptal", "tabla", (2, 3, 2, 3), "Dhi Na | Dhi Dhi Na | Ti Na | Dhi Dhi Na"),
    _tala("Rupak", "tabla", (3, 2, 2), "Tin Tin Na | Dhi Na | Dhi Na"),
    _tala("Keherwa", "tabla", (4, 4), "Dha Ge Na Ti | Na Ka Dhi Na"),
    _tala("Dadra", "tabla", (3, 3), "Dha Dhi Na | Dha Tu Na"),
    _tala(
        "Adi",
        "mridangam",
        (4, 2, 2),
        "Tham-Ta Nam-Dhin Dhin-Ta Nam-Dhin | Thom-Ta Nam-Dhin | Dhin-Ta Nam-Thom",
    ),
    _tala("Rupaka", "mridangam", (2, 4), "Tham-Ta Nam-Dhin | Thom-Ta Nam-Dhin Dhin-Ta Nam-Thom"),
    _tala("Misra Chapu", "mridangam", (3, 4), "Tham Nam Dhin | Thom-Ta Nam Dhin-Ta Nam-Thom"),
    _tala("Khanda Chapu", "mridangam", (2, 3), "Tham Nam-Dhin | Thom-Ta Dhin Nam-Thom"),
)

TALAS: dict[str, Tala] = {tala.name: tala for tala in _TALAS}
"""The talas by name, in the order of `music.request.TALAS`."""


def tala_named(name: str) -> Tala:
    """The tala of that name; raises `PieceError` when there is none."""
    try:
        return TALAS[name]
    except KeyError:
        raise PieceError(f"The talas that I can keep are {', '.join(TALAS)}.") from None


Laya = Literal["vilambit", "madhya", "drut"]


def laya(tempo_bpm: float) -> Laya:
    """Slow up to 60 matras a minute, middle up to 150, fast above."""
    if tempo_bpm <= 60.0:
        return "vilambit"
    return "madhya" if tempo_bpm <= 150.0 else "drut"
