"""A composed piece, before it sounds: what is played when. Everything turns into JSON and back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from music.catalogue import Swara

Ornament = Literal["", "kan", "murki", "meend", "andolan", "kampita"]
"""How a note is reached or held: a grace note, two of them, a glide, a slow or a faster oscillation."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note of the melody.

    ``cents`` is its tuned pitch above the middle Sa. ``player`` counts the score's players. ``touch_cents``
    is the pitch that a kan or a murki touches or a meend sets out from.
    """

    onset_s: float
    duration_s: float
    swara: Swara
    cents: float
    ornament: Ornament = ""
    velocity: float = 0.8
    player: int = 0
    touch_cents: float | None = None


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke of a drum. ``matra`` is its place in the cycle, counted from 0, in matras."""

    onset_s: float
    bol: str
    drum: str
    velocity: float
    matra: float


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Score:
    """A piece. Notes and strokes stand in order of onset; ``sams`` are the onsets of the cycles,
    ``chikari`` those of the strokes on a plucked instrument's two high drone strings.
    """

    raga: str
    tradition: str
    seed: int
    duration_s: float
    tonic_hz: float
    tempo_bpm: float
    tala: str
    players: tuple[str, ...]
    notes: tuple[Note, ...]
    strokes: tuple[Stroke, ...] = ()
    sections: tuple[Section, ...] = ()
    sams: tuple[float, ...] = ()
    chikari: tuple[float, ...] = ()
    drone_ratios: tuple[float, ...] = field(default=(0.75, 1.0, 1.0, 0.5))

    @property
    def matra_s(self) -> float:
        """How long a matra lasts."""
        return 60.0 / self.tempo_bpm

    @property
    def swaras(self) -> tuple[Swara, ...]:
        """The melody's swaras in order."""
        return tuple(note.swara for note in self.notes)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits by which the piece is told from any other, on every machine alike.

        Times count to a hundredth of a second and pitches to a cent, so that no machine's arithmetic matters.
        """
        notes = [
            (
                note.player,
                note.swara,
                round(note.onset_s, 2),
                round(note.duration_s, 2),
                round(note.cents),
                note.ornament,
            )
            for note in self.notes
        ]
        strokes = [(stroke.drum, stroke.bol, round(stroke.onset_s, 2)) for stroke in self.strokes]
        whole = (
            self.raga,
            self.players,
            self.tala,
            round(self.tempo_bpm, 1),
            round(self.tonic_hz, 1),
            notes,
            strokes,
        )
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:16]

    def to_document(self) -> dict[str, Any]:
        """The score as dicts, lists, strings and numbers."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document

    def to_json(self) -> str:
        """The score as indented JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Score:
        """The score that `to_document` was called on."""
        return cls(
            **{
                **document,
                "players": tuple(document["players"]),
                "notes": tuple(Note(**note) for note in document["notes"]),
                "strokes": tuple(Stroke(**stroke) for stroke in document["strokes"]),
                "sections": tuple(Section(**section) for section in document["sections"]),
                "sams": tuple(document["sams"]),
                "chikari": tuple(document["chikari"]),
                "drone_ratios": tuple(document["drone_ratios"]),
            }
        )
