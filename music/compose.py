"""From a request to a score: alap, gat in the tala, tihai, and home to Sa."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from music.form import Plan, generator, plan
from music.improvisation import Improvisation
from music.ornament import adorn
from music.score import Note, Score, Section
from music.swaras import semitone
from music.theory import drone_ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from music.catalogue import Raga
    from music.melody import Melody
    from music.request import PieceRequest

_VADI_WEIGHTS: Final = (1.3, 1.35, 1.45, 1.6, 1.3, 1.8, 1.4, 2.2, 1.5, 2.8, 3.5, 4.5)
"""How much the vadi is favored over other swaras, attempt by attempt."""

_MOST_ATTEMPTS: Final = 48
"""So often a piece is drawn anew before one is taken in which the vadi falls short."""

_ENOUGH: Final = 0.29
"""With so large a share for any two swaras besides Sa and Pa, an attempt is good enough."""

CHIKARI: Final = frozenset({"sitar", "sarod", "veena"})
"""The instruments with high drone strings that are struck between the notes."""


def _held(raga: Raga, notes: Sequence[Note]) -> dict[int, float]:
    """How much of the melody's time each key of the raga has; sums to 1."""
    held: dict[int, float] = {semitone(s) % 12: 0.0 for s in (*raga.arohana, *raga.avarohana)}
    for note in notes:
        held[semitone(note.swara) % 12] += note.duration_s
    total = sum(held.values())
    return {key: value / total for key, value in held.items()}


def vadi_has_its_due(raga: Raga, notes: Sequence[Note]) -> bool:
    """Whether the vadi is among the three longest-held swaras, and with the samvadi above an even share."""
    if raga.vadi is None:
        return True
    held = _held(raga, notes)
    even = 1.0 / len(held)
    vadi = held[semitone(raga.vadi) % 12]
    if sorted(held.values(), reverse=True).index(vadi) > 2:
        return False
    if raga.samvadi is None:
        return vadi >= 1.03 * even
    return vadi + held[semitone(raga.samvadi) % 12] >= 2.05 * even


def _lawful(melody: Melody) -> bool:
    """Whether every step of the line is one that the raga makes."""
    leads = melody.grammar.leads
    swaras = [note.swara for note in melody.notes]
    return all(leads(a, b) for a, b in set(pairwise(swaras)))


def _balance(raga: Raga, notes: Sequence[Note]) -> float:
    """The share of the two least-held swaras besides Sa and Pa: what tells the raga from its neighbors."""
    colors = sorted(share for key, share in _held(raga, notes).items() if key not in (0, 7))
    return sum(colors[:2])


def _sams(fixed: Plan) -> tuple[float, ...]:
    cycle_s = fixed.tala.matras * fixed.matra_s
    count = fixed.gat_matras // fixed.tala.matras
    return tuple(fixed.sam_s - back * cycle_s for back in range(count, -1, -1))


def _chikari(fixed: Plan, notes: Sequence[Note], rng: np.random.Generator) -> tuple[float, ...]:
    """Strokes on the high drone strings, where a note of the gat is held long enough to leave the hand free.

    In a longer, livelier piece they fill the last part of the gat on every pulse (jhala).
    """
    if not CHIKARI.intersection(fixed.players):
        return ()
    tick = fixed.pulse.tick_s
    jhala_s = fixed.sam_s
    if fixed.duration_s >= 90.0 and fixed.energy >= 0.4:
        jhala_s -= 0.2 * (fixed.sam_s - fixed.gat_s)
    onsets: list[float] = []
    for note in notes:
        if note.player != 0 or note.onset_s < fixed.gat_s - 1e-6 or note.onset_s >= fixed.sam_s - 1e-6:
            continue
        ticks = round(note.duration_s / tick)
        jhala = note.onset_s >= jhala_s
        if ticks < (2 if jhala else 4) or (not jhala and rng.random() > 0.35 + 0.5 * fixed.energy):
            continue
        pattern = range(1, ticks) if jhala else range(2, ticks, 2)
        onsets += [note.onset_s + place * tick for place in pattern]
    return tuple(onsets)


def _give_vadi_its_due(played: Improvisation, raga: Raga) -> None:
    """Lets the vadi and samvadi trade lengths with longer notes, in a gat too short to come out otherwise.

    Lengths are traded within the one stretch before the sam, so that they still sum to it.
    """
    notes = played.melody.notes
    for _ in range(12):
        if raga.vadi is None or vadi_has_its_due(raga, notes):
            break
        due = {semitone(s) % 12 for s in (raga.vadi, raga.samvadi) if s is not None}
        lengths = [note.duration_s for note in notes[:-1]]
        colors = [semitone(note.swara) % 12 in due for note in notes[:-1]]
        short = min((n for n, color in enumerate(colors) if color), key=lengths.__getitem__, default=None)
        long = max((n for n, color in enumerate(colors) if not color), key=lengths.__getitem__, default=None)
        if short is None or long is None or lengths[short] >= lengths[long]:
            break
        lengths[short], lengths[long] = lengths[long], lengths[short]
        onset = notes[0].onset_s
        for place, length in enumerate(lengths):
            notes[place] = replace(notes[place], onset_s=onset, duration_s=length)
            onset += length


def compose(request: PieceRequest) -> Score:
    """Composes a piece. Equal requests give equal scores, whatever was composed before."""
    fixed = plan(request)
    # Long pieces come into balance by themselves; a short one is drawn several times, and the best one kept.
    attempts = max(3, min(16, round(560.0 / fixed.duration_s)))
    best: tuple[tuple[bool, bool, float], Improvisation, list[tuple[float, bool]]] | None = None
    for number in range(_MOST_ATTEMPTS):
        weight = _VADI_WEIGHTS[number % len(_VADI_WEIGHTS)]
        played = Improvisation(fixed, generator(request, f"melody {number}"), weight)
        played.alap()
        tihai = played.gat()
        lawful = _lawful(played.melody)
        played.settle_alap()
        melody_notes = played.melody.notes
        worth = (lawful, vadi_has_its_due(request.raga, melody_notes), _balance(request.raga, melody_notes))
        if best is None or worth > best[0]:
            best = worth, played, tihai
        if best[0][0] and best[0][1] and (best[0][2] >= _ENOUGH or number + 1 >= attempts):
            break
    if best is None:
        raise AssertionError("at least one attempt is made")
    _, played, tihai = best
    if len(tihai) == 1 and len(fixed.players) == 1 and not played.sections:
        _give_vadi_its_due(played, request.raga)
    played.drums(tihai)
    notes = sorted(played.melody.notes, key=lambda note: (note.onset_s, note.player))
    gat = "kriti" if request.raga.tradition == "Carnatic" else "gat"
    sections = [
        *played.sections,
        Section(gat, fixed.gat_s, tihai[0][0]),
        Section("tihai", tihai[0][0], fixed.sam_s),
        Section("close", fixed.sam_s, fixed.duration_s),
    ]
    score = Score(
        raga=request.raga.name,
        tradition=request.raga.tradition,
        seed=request.seed,
        duration_s=fixed.duration_s,
        tonic_hz=fixed.tonic_hz,
        tempo_bpm=fixed.tempo_bpm,
        tala=fixed.tala.name,
        players=fixed.players,
        notes=tuple(notes),
        strokes=tuple(played.strokes),
        sections=tuple(sections),
        sams=_sams(fixed),
        drone_ratios=drone_ratios(request.raga),
    )
    score = replace(score, chikari=_chikari(fixed, notes, generator(request, "chikari")))
    grammar = played.melody.grammar
    return replace(score, notes=adorn(score, grammar, generator(request, "ornaments")))
