"""What comes before the tala: the free alap, the pulsed jod, and jhala, which weaves the drone strings in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from music import rhythm
from music.improvisation import along
from music.melody import slots
from music.swaras import semitone

if TYPE_CHECKING:
    from music.improvisation import Improvisation
    from music.score import Section

_WHOLE_ARC: Final = (1.0, 0.0, 2.5, 4.5, 6.5, 9.0, 11.5, 8.0, 4.0, 1.0)
_ALAP_ARC: Final = (1.0, -1.0, -2.0, 2.0, 3.5, 5.5, 7.0, 5.0, 2.0)
_JOD_ARC: Final = (1.0, 3.0, 5.0, 7.5, 10.0, 12.0, 9.0, 4.0)
_JHALA_ARC: Final = (5.0, 8.0, 11.0, 8.0, 2.0)
"""Where the melody's middle lies along a part, in semitones above the middle Sa; the first is an alap's
that no jod follows."""

JOD_TICK_S: Final = 0.17
JHALA_TICK_S: Final = 0.14


def play_free(played: Improvisation) -> None:
    """Every part before the tala, each from Sa and back to Sa."""
    parts = played.plan.free
    for part in parts:
        if part.end_s - part.start_s < 1.5:
            continue
        if part.name in ("jod", "jhala"):
            _pulsed(played, part)
        else:
            _alap(played, part, _WHOLE_ARC if len(parts) == 1 else _ALAP_ARC)
            played.alap_notes = len(played.melody.notes)
        played.sections.append(part)


def _free_rhythm(played: Improvisation, length_s: float) -> list[float]:
    """A phrase of the alap: a few short notes, some held ones, and a long one to rest on."""
    rng = played.rng
    rest = length_s * rng.uniform(0.25, 0.36)
    left = length_s - rest
    # The very first note is Sa, and is given time to be heard against the drone.
    opening = min(0.8, 0.25 * left) if not played.melody.notes else 0.0
    lengths: list[float] = [float(opening)] if opening else []
    left -= opening
    short = 0.35 + 0.2 * played.plan.energy
    while left > 0.0:
        kind, size = rng.random(2)
        if kind < short:
            length = 0.16 + 0.18 * size
        elif kind < 0.85:
            length = 0.4 + 0.5 * size
        else:
            length = 0.9 + 0.7 * size
        if left - length < 0.15:
            length = left
        lengths.append(float(length))
        left -= length
    return [*lengths, float(rest)]


def _alap(played: Improvisation, part: Section, arc: tuple[float, ...]) -> None:
    """Free phrases that climb from the middle Sa and come back."""
    fixed, melody = played.plan, played.melody
    total = part.end_s - part.start_s
    count = max(1, round(total / (5.6 - 2.0 * fixed.energy)))
    weights = played.rng.uniform(0.8, 1.25, count)
    lengths = total * weights / weights.sum()
    at = part.start_s
    # Short alaps keep to the lower half of the arc.
    reach = min(1.0, 0.35 + total / 60.0)
    for number, length in enumerate(lengths.tolist()):
        center = 1.0 + (along(arc, number / max(1, count - 1)) - 1.0) * reach
        center += fixed.register * (0 < number < count - 1)
        pakads = played.pakad(at, length * 0.95, 0.5) if number in (1, count // 2 + 1) else []
        if pakads:
            path, places = pakads[int(played.rng.integers(len(pakads)))]
            stretch = length / (places[-1].onset_s + places[-1].duration_s - at)
            places = slots(at, [slot.duration_s * stretch for slot in places])
            melody.add(path, places, player=played.player(), velocity=0.7)
        else:
            melody.phrase(
                slots(at, _free_rhythm(played, length)),
                played.home() if number == count - 1 else melody.goal(center),
                center=center,
                player=played.player(),
                velocity=0.66,
                turning=0.35,
            )
        at += length


def _pulsed(played: Improvisation, part: Section) -> None:
    """Jod or jhala: phrases on an even pulse that no cycle counts, quicker and higher as they go."""
    fixed, melody = played.plan, played.melody
    jhala = part.name == "jhala"
    total = part.end_s - part.start_s
    ticks = round(total / (JHALA_TICK_S if jhala else JOD_TICK_S))
    tick = total / ticks
    count = max(1, round(total / (3.2 if jhala else 4.2)))
    bounds = [round(ticks * number / count / 4.0) * 4 for number in range(count)] + [ticks]
    arc = _JHALA_ARC if jhala else _JOD_ARC
    for number in range(count):
        fraction = number / max(1, count - 1)
        center = along(arc, fraction) + fixed.register * (number < count - 1)
        length = bounds[number + 1] - bounds[number]
        energy = min(1.0, 0.25 + 0.3 * fixed.energy + 0.35 * fraction)
        divided = rhythm.durations(played.rng, length // 2, energy)
        lengths = [2 * n for n in divided[:-1]] + [length - 2 * sum(divided[:-1])]
        melody.phrase(
            slots(part.start_s + bounds[number] * tick, [n * tick for n in lengths]),
            played.home() if number == count - 1 else melody.goal(center),
            center=center,
            player=played.player(),
            velocity=0.7 + 0.08 * fraction,
            turning=0.25,
            again=0.12 if jhala else 0.05,
        )


def settle_alap(played: Improvisation) -> None:
    """Stretches and shortens the alap's free notes to bring the whole melody nearer to its balance."""
    melody = played.melody
    count = played.alap_notes
    if count < 2:
        return
    alap, rest = melody.notes[:count], melody.notes[count:]
    keys = [semitone(note.swara) % 12 for note in alap]
    lengths = np.array([note.duration_s for note in alap])
    total = lengths.sum()
    fixed_s = np.bincount(
        [semitone(note.swara) % 12 for note in rest], [note.duration_s for note in rest], minlength=12
    )
    least = np.maximum(0.14, 0.4 * lengths)
    least[[0, -1]] = 0.7 * lengths[[0, -1]]
    for _ in range(8):
        held = fixed_s + np.bincount(keys, lengths, minlength=12)
        wanted = np.clip(melody.shares * held.sum() / np.maximum(held, 1e-6), 0.5, 2.0)
        lengths = np.clip(lengths * wanted[keys] ** 0.6, least, 3.4)
        lengths *= total / lengths.sum()
    onsets = alap[0].onset_s + np.concatenate(([0.0], np.cumsum(lengths)[:-1]))
    melody.notes = [
        replace(note, onset_s=float(onset), duration_s=float(length))
        for note, onset, length in zip(alap, onsets, lengths, strict=True)
    ] + rest
