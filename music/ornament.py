"""Ornaments: which note gets one, and the pitch curve that it is sung or pulled with.

An ornament keeps its length when the tempo changes. A curve stays near swaras of the raga for most of its
time: glides are short and S-shaped, oscillations narrow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from music.swaras import semitone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from music.grammar import Grammar
    from music.manner import Manner
    from music.score import Note, Ornament, Score

ANDOLIT: Final[dict[str, tuple[int, ...]]] = {
    "Bhairav": (1, 8),
    "Ramkali": (1, 8),
    "Darbari Kanada": (3, 8),
    "Darbari": (3, 8),
    "Adana": (3, 8),
    "Gunkali": (1, 8),
    "Jogiya": (1, 8),
    "Miyan Malhar": (3,),
}
"""The keys that a Hindustani raga holds with a slow oscillation (andolan)."""

KAN_S: Final = 0.055
MURKI_S: Final = 0.22
"""How long a murki's two touches take, the note between them included."""

MEEND_S: Final = (0.15, 0.26)
ANDOLAN_HZ: Final = (1.7, 2.6)
ANDOLAN_CENTS: Final = 18.0
KAMPITA_HZ: Final = (3.6, 5.2)
KAMPITA_CENTS: Final = 22.0
SLIDE_S: Final = 0.04
VIBRATO_AFTER_S: Final = 0.25


def _kan(note: Note, grammar: Grammar, before: Note | None) -> float | None:
    """The pitch of a grace note that the avarohana lets fall onto this note, if there is one near."""
    here = semitone(note.swara)
    above = sorted(a for a, b in grammar.pairs if b == here and 0 < a - here <= 4)
    for pitch in above:
        if (
            before is None
            or semitone(before.swara) == pitch
            or (semitone(before.swara), pitch) in grammar.pairs
        ):
            return float(grammar.cents[int(np.flatnonzero(grammar.at(pitch))[0])])
    return None


def adorn(score: Score, grammar: Grammar, manner: Manner, rng: np.random.Generator) -> tuple[Note, ...]:
    """The score's notes with ornaments, as often as the manner has them."""
    carnatic = score.tradition == "Carnatic"
    held = ANDOLIT.get(score.raga, ()) if not carnatic else ()
    chances = rng.random((len(score.notes), 2))
    before: dict[int, Note] = {}
    adorned: list[Note] = []
    for note, (chance, other) in zip(score.notes, chances, strict=True):
        last = before.get(note.player)
        joined = last is not None and abs(last.onset_s + last.duration_s - note.onset_s) < 0.02
        key = semitone(note.swara) % 12
        ornament: Ornament = ""
        touch: float | None = None
        if key in held and note.duration_s >= 0.6:
            ornament = "andolan"
        elif carnatic and key not in (0, 7) and note.duration_s >= 0.4 and chance < 0.55:
            ornament = "kampita"
        elif (
            last is not None
            and joined
            and note.duration_s >= 0.55
            and last.duration_s >= 0.2
            and 0 < abs(semitone(last.swara) - semitone(note.swara)) <= 5
            and chance < manner.meend
        ):
            ornament, touch = "meend", last.cents
        elif note.duration_s >= 0.28 and other < manner.kan + manner.murki:
            touch = _kan(note, grammar, last)
            if touch is not None:
                ornament = "murki" if note.duration_s >= 0.5 and other < manner.murki else "kan"
        new = replace(note, ornament=ornament, touch_cents=touch)
        adorned.append(new)
        before[note.player] = new
    return tuple(adorned)


def _s_curve(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 to 1 over 0 to 1, flat at both ends, steep between: most of a glide is spent near its ends."""
    y = np.clip(x, 0.0, 1.0)
    return np.asarray(y**3 * (y * (6.0 * y - 15.0) + 10.0))


def curve(
    note: Note,
    time_s: NDArray[np.float64],
    *,
    vibrato_cents: float = 0.0,
    from_cents: float | None = None,
) -> NDArray[np.float64]:
    """A note's pitch over time, in cents above the middle Sa.

    ``time_s`` counts from the onset and may go on after the end; ``vibrato_cents`` is what a singer or a bow
    adds to a long plain note, ``from_cents`` the pitch that a voice or a bow slides from, as it does between
    any two notes. Float64, the shape of ``time_s``.
    """
    pitch = np.full(time_s.shape, note.cents)
    # Where in its swing an oscillation begins follows from the note, so that the score alone fixes the sound.
    phase = (note.onset_s * 7.31) % 1.0
    if note.ornament == "meend" and note.touch_cents is not None:
        span = min(MEEND_S[0] + 0.0002 * abs(note.cents - note.touch_cents), MEEND_S[1], note.duration_s / 2)
        pitch += (note.touch_cents - note.cents) * (1.0 - _s_curve(time_s / span))
    elif note.ornament == "kan" and note.touch_cents is not None:
        pitch += (note.touch_cents - note.cents) * (1.0 - _s_curve((time_s - KAN_S + 0.015) / 0.03))
    elif note.ornament == "murki" and note.touch_cents is not None:
        # The touch, the note, the touch again, a quarter of the time each, then the note.
        quarter = MURKI_S / 4.0
        away = 1.0 - _s_curve((time_s - quarter + 0.015) / 0.03)
        away += _s_curve((time_s - 2.0 * quarter + 0.015) / 0.03)
        away -= _s_curve((time_s - 3.0 * quarter + 0.015) / 0.03)
        pitch += (note.touch_cents - note.cents) * away
    elif from_cents is not None:
        slide_s = min(SLIDE_S, 0.022 * note.duration_s)
        pitch += (from_cents - note.cents) * (1.0 - _s_curve(time_s / slide_s))
    if note.ornament in ("andolan", "kampita"):
        low, high = ANDOLAN_HZ if note.ornament == "andolan" else KAMPITA_HZ
        depth = ANDOLAN_CENTS if note.ornament == "andolan" else KAMPITA_CENTS
        rate = low + (high - low) * phase
        # Whole swings, so that the note settles where it began.
        swings = max(1, round(rate * max(0.2, note.duration_s - 0.12)))
        rate = swings / max(0.2, note.duration_s - 0.12)
        swing = np.sin(2.0 * np.pi * rate * (time_s - 0.06))
        pitch += depth * swing * ((time_s > 0.06) & (time_s < note.duration_s - 0.06))
    if vibrato_cents and note.ornament in ("", "meend", "kan", "murki") and note.duration_s > 0.5:
        rise = np.clip((time_s - VIBRATO_AFTER_S) / 0.4, 0.0, 1.0)
        pitch += vibrato_cents * rise * np.sin(2.0 * np.pi * (5.2 + 0.6 * phase) * time_s)
    return pitch
