"""What a file says about its piece: title, performers, raga, tala, tempo, key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from music.request import INSTRUMENTS, KEYS, VOICES
from music.swaras import semitone
from music.theory import A4_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from music.score import Score


def midi_key(hz: float) -> float:
    """A frequency as a key of MIDI, 69 being A4, with its fraction."""
    return 69.0 + 12.0 * float(np.log2(hz / A4_HZ))


def musical_key(score: Score) -> tuple[int, bool]:
    """The key of Sa (0 is C), and whether the melody has the minor third and not the major one.

    A raga has no key; this is the nearest thing that the readers of other music have a field for.
    """
    heard = {semitone(note.swara) % 12 for note in score.notes}
    return round(midi_key(score.tonic_hz)) % 12, 3 in heard and 4 not in heard


def performers(names: Sequence[str]) -> str:
    """Players and singers as a person reads them: ``Tenor, Sitar``."""
    return ", ".join(VOICES[name].split(" (")[0] if name in VOICES else INSTRUMENTS[name] for name in names)


def title_of(score: Score) -> str:
    """``Yaman · Teental``."""
    return f"{score.raga} · {score.tala}" if score.tala else score.raga


def tags(score: Score, title: str, performer: str) -> dict[str, str]:
    """Tags as ffmpeg takes them: names of its own, frames of ID3 by their four letters, and free ones."""
    key, minor = musical_key(score)
    beat = f"{score.tala}, {score.tempo_bpm:g} bpm, " if score.tala else ""
    found = {
        "title": title,
        "artist": performer,
        "album": "Raga Bot",
        "genre": f"{score.tradition} classical",
        "comment": f"Raga {score.raga}, {beat}Sa {score.tonic_hz:.2f} Hz, seed {score.seed}",
        "TKEY": KEYS[key] + ("m" if minor else ""),
        "raga": score.raga,
        "tonic": f"{score.tonic_hz:.2f} Hz",
    }
    if score.tala:
        found |= {"TBPM": f"{score.tempo_bpm:.0f}", "tala": score.tala}
    return found
