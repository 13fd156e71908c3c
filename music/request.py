"""What may be asked of the engine: ranges, names, and one piece's request. Imports nothing heavy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from music.catalogue import Raga

DURATION_S = (5.0, 600.0)
"""Shortest and longest piece."""

TEMPO_BPM = (30.0, 400.0)
"""Slowest and fastest laya, in matras (Carnatic: aksharas) a minute."""

SEED_MAX = 2**31 - 1
"""Seeds run from 0 to this."""

INSTRUMENTS_MAX = 4
"""So many instruments play together at most."""

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""Where Sa may stand."""

INSTRUMENTS: dict[str, str] = {
    "sitar": "Sitar",
    "sarod": "Sarod",
    "veena": "Veena",
    "santoor": "Santoor",
    "bansuri": "Bansuri",
    "harmonium": "Harmonium",
    "violin": "Violin",
    "tabla": "Tabla",
    "mridangam": "Mridangam",
    "sarangi": "Sarangi",
    "guitar": "Guitar",
}
"""What can be heard, by name, with the label to show."""

DRUMS = ("tabla", "mridangam")
"""The instruments that keep the tala. Asked for alone, they play solo over a repeated melody (lehra)."""

VOICES: dict[str, str] = {
    "baritone": "Baritone (male)",
    "tenor": "Tenor (male)",
    "alto": "Alto (female)",
    "soprano": "Soprano (female)",
}
"""Who can sing, by name, with the label to show."""

STYLES: dict[str, str] = {
    "khayal": "Khayal",
    "dhrupad": "Dhrupad",
    "thumri": "Thumri",
    "bhajan": "Bhajan",
}
"""The manners of Hindustani song, by name, with the label to show."""

TALAS = (
    "Teental",
    "Ektal",
    "Jhaptal",
    "Rupak",
    "Keherwa",
    "Dadra",
    "Adi",
    "Rupaka",
    "Misra Chapu",
    "Khanda Chapu",
)
"""The cycles that can be kept; the last four are Carnatic."""


class PieceError(ValueError):
    """A piece that cannot be made as asked. The text is a sentence for the person who asked."""


def _number(value: float) -> str:
    return f"{value:g}"


def _listed(names: tuple[str, ...] | dict[str, str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"


def _within(value: object, bounds: tuple[float, float]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and bounds[0] <= value <= bounds[1]


@dataclass(frozen=True, slots=True)
class DemonstrationRequest:
    """A raga's arohana and avarohana, asked for. What is ``None`` is its tradition's usual choice."""

    raga: Raga
    key: str | None = None
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class PieceRequest:
    """One piece, asked for. What is ``None`` is chosen by the engine.

    ``instruments`` holds the players in the order in which they come in. With a ``voice`` the voice leads
    and the instruments answer it; then the tuple may be empty. ``style`` is a manner of singing, one of
    `STYLES`. Raises `PieceError` when a value is out of range.
    """

    raga: Raga
    duration_s: float = 60.0
    seed: int = 0
    tempo_bpm: float | None = None
    key: str | None = None
    instruments: tuple[str, ...] = ("sitar",)
    voice: str | None = None
    tala: str | None = None
    mood: str | None = None
    theme: str | None = None
    style: str | None = None

    def __post_init__(self) -> None:
        low, high = DURATION_S
        if not _within(self.duration_s, DURATION_S):
            raise PieceError(
                f"A piece lasts between {_number(low)} seconds and {_number(high / 60)} minutes."
            )
        low, high = TEMPO_BPM
        if self.tempo_bpm is not None and not _within(self.tempo_bpm, TEMPO_BPM):
            raise PieceError(f"The tempo lies between {_number(low)} and {_number(high)} beats a minute.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed <= SEED_MAX:
            raise PieceError(f"A seed is a whole number from 0 to {SEED_MAX}.")
        if self.key is not None and self.key not in KEYS:
            raise PieceError(f"The key is the note of Sa: {_listed(KEYS)}.")
        if self.voice is not None and self.voice not in VOICES:
            raise PieceError(f"The voice is {_listed(VOICES)}.")
        if self.style is not None and self.style not in STYLES:
            raise PieceError(f"The manners that I know are {_listed(STYLES)}.")
        if self.tala is not None and self.tala not in TALAS:
            raise PieceError(f"The talas that I can keep are {_listed(TALAS)}.")
        self._check_instruments()

    def _check_instruments(self) -> None:
        if not self.instruments and self.voice is None:
            raise PieceError(f"Please choose an instrument ({_listed(INSTRUMENTS)}) or a voice.")
        for name in self.instruments:
            if name not in INSTRUMENTS:
                raise PieceError(f"The instruments that I can play are {_listed(INSTRUMENTS)}.")
        if len(set(self.instruments)) != len(self.instruments):
            raise PieceError("Please name each instrument once.")
        if len(self.instruments) > INSTRUMENTS_MAX:
            raise PieceError(f"At most {INSTRUMENTS_MAX} instruments play together.")
