"""From a request to a score: the parts before the tala, those in it, the cadence, and home to Sa."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from music.alap import JHALA_TICK_S, JOD_TICK_S, play_free, settle_alap
from music.cadence import play_drums
from music.form import CHIKARI as CHIKARI  # also reached from here, where pieces are made
from music.form import Plan, generator, plan
from music.gat import Gat
from music.improvisation import Improvisation
from music.melody import FORMS
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

_VADI_WEIGHTS: Final = (1.2, 1.35, 1.5, 1.7, 2.0, 2.5, 3.2, 4.5)
"""How much the vadi is favored over other swaras: the next one after each attempt in which it fell short."""

_MOST_ATTEMPTS: Final = 48
"""So often a piece is drawn anew before one is taken in which the vadi falls short."""

_HOLDS_S: Final = {"sarod": 1.0, "santoor": 0.9, "guitar": 1.8, "veena": 2.2, "sitar": 2.4}
"""How long a string is heard well before it has died away."""

_MELODY: Final = 4
"""So many notes in a cycle can be known again."""

_SURELY: Final = 1.1
"""By how much the vadi should surpass what it has to, so that it is also heard."""

_ENOUGH: Final = 0.31
"""With so large a share for any two swaras besides Sa and Pa, an attempt is balanced enough."""


def _held(raga: Raga, notes: Sequence[Note]) -> dict[int, float]:
    """How much of the melody's time each key of the raga has; sums to 1."""
    held: dict[int, float] = {semitone(s) % 12: 0.0 for s in (*raga.arohana, *raga.avarohana)}
    for note in notes:
        held[semitone(note.swara) % 12] += note.duration_s
    total = sum(held.values())
    return {key: value / total for key, value in held.items()}


def vadi_has_its_due(raga: Raga, notes: Sequence[Note], least: float = 1.03) -> bool:
    """Whether the vadi is among the three longest-held swaras, and with the samvadi above an even share.

    ``least`` is by how much: a sound that dies away is heard for less time than it is written.
    """
    if raga.vadi is None:
        return True
    held = _held(raga, notes)
    even = 1.0 / len(held)
    key = semitone(raga.vadi) % 12
    vadi = held[key]
    if sum(share * least > vadi for other, share in held.items() if other != key) > 2:
        return False
    if raga.samvadi is None:
        return vadi >= least * even
    return vadi + held[semitone(raga.samvadi) % 12] >= 2.0 * least * even


def _lawful(melody: Melody) -> bool:
    """Whether every step of the line is one that the raga makes."""
    leads = melody.grammar.leads
    swaras = [note.swara for note in melody.notes]
    return all(leads(a, b) for a, b in set(pairwise(swaras)))


def _balance(raga: Raga, notes: Sequence[Note]) -> float:
    """The share of the two least-held of the swaras that would make another raga on their other key.

    Those are the swaras besides Sa and Pa that the raga has in one form only.
    """
    held = _held(raga, notes)
    colors = sorted(
        held.get(low, 0.0) + held.get(high, 0.0) for low, high in FORMS if (low in held) != (high in held)
    )
    return sum(colors[:2]) if len(colors) > 1 else 1.0


def _sams(fixed: Plan) -> tuple[float, ...]:
    cycle_s = fixed.tala.matras * fixed.matra_s
    count = fixed.gat_matras // fixed.tala.matras
    return tuple(fixed.sam_s - back * cycle_s for back in range(count, -1, -1))


def _repeats(fixed: Plan, notes: Sequence[Note]) -> int:
    """How many cycles of the tala with a melody in them are the same, note by note, as an earlier one."""
    bars = [
        tuple(
            (note.swara, round((note.onset_s - start) / fixed.pulse.tick_s), note.player) for note in inside
        )
        for start, end in pairwise(_sams(fixed))
        if (inside := [note for note in notes if start - 1e-6 <= note.onset_s < end - 1e-6])
    ]
    bars = [bar for bar in bars if len(bar) >= _MELODY]
    return len(bars) - len(set(bars))


def _chikari(
    fixed: Plan, sections: Sequence[Section], notes: Sequence[Note], rng: np.random.Generator
) -> tuple[float, ...]:
    """Strokes on the high drone strings, where a held note in a pulse leaves the hand free.

    In jhala they fill every pulse, in jod every other one.
    """
    if not CHIKARI.intersection(fixed.players):
        return ()
    onsets: list[float] = []
    for note in notes:
        inside = [part for part in sections if part.start_s - 1e-6 <= note.onset_s < part.end_s - 1e-6]
        if note.player != 0 or not inside or inside[-1].name in ("alap", "alapana", "tihai", "mora", "close"):
            continue
        name = inside[-1].name
        tick = fixed.pulse.tick_s
        if note.onset_s < fixed.gat_s - 1e-6:
            pulse = JHALA_TICK_S if name == "jhala" else JOD_TICK_S
            tick = note.duration_s / max(1, round(note.duration_s / pulse))
        ticks = round(note.duration_s / tick)
        jhala = name == "jhala"
        if ticks < (2 if jhala else 4):
            continue
        if not jhala and rng.random() > 0.35 + 0.5 * fixed.energy:
            continue
        pattern = range(1, ticks) if jhala else range(2, ticks, 2)
        onsets += [note.onset_s + place * tick for place in pattern]
    return tuple(onsets)


def _struck_again(fixed: Plan, notes: Sequence[Note], until_s: float) -> list[Note]:
    """Notes that a plucked or struck string cannot hold are struck again, on the pulse where there is one."""
    struck: list[Note] = []
    for note in notes:
        longest = _HOLDS_S.get(fixed.players[note.player])
        if longest is None or note.duration_s <= longest or note.onset_s > until_s - 1e-6:
            struck.append(note)
            continue
        times = int(-(-note.duration_s // longest))
        length = note.duration_s / times
        if note.onset_s > fixed.gat_s - 1e-6:
            length = max(1, round(length / fixed.pulse.tick_s)) * fixed.pulse.tick_s
        for number in range(times):
            begin = number * length
            end = note.duration_s if number == times - 1 else begin + length
            if end - begin > 0.5 * length:
                softer = note.velocity * 0.92 ** min(number, 3)
                struck.append(
                    replace(note, onset_s=note.onset_s + begin, duration_s=end - begin, velocity=softer)
                )
    return struck


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


def _attempt(
    fixed: Plan, request: PieceRequest, number: int, weight: float
) -> tuple[Improvisation, list[tuple[float, bool]]]:
    played = Improvisation(fixed, generator(request, f"melody {number}"), weight)
    play_free(played)
    ending = Gat(played).play()
    cadence = sum(note.onset_s > ending[0][0] - 1e-6 for note in played.melody.notes)
    played.melody.trade(played.alap_notes, len(played.melody.notes) - cadence)
    return played, ending


def compose(request: PieceRequest) -> Score:
    """Composes a piece. Equal requests give equal scores, whatever was composed before."""
    fixed = plan(request)
    raga = request.raga
    # Long pieces come into balance by themselves; a short one is drawn several times, and the best one kept.
    attempts = max(6, min(30, round(720.0 / fixed.duration_s)))
    best: tuple[tuple[bool, int, bool, float], Improvisation, list[tuple[float, bool]]] | None = None
    short = 0
    for number in range(_MOST_ATTEMPTS):
        weight = _VADI_WEIGHTS[min(short, len(_VADI_WEIGHTS) - 1)]
        played, ending = _attempt(fixed, request, number, weight)
        lawful = _lawful(played.melody)
        settle_alap(played)
        notes = played.melody.notes
        due = vadi_has_its_due(raga, notes) + vadi_has_its_due(raga, notes, _SURELY)
        short += due < 2
        worth = (lawful, due, not _repeats(fixed, notes), _balance(raga, notes))
        if best is None or worth > best[0]:
            best = worth, played, ending
        good = best[0][1] == 2 and best[0][2] and best[0][3] >= _ENOUGH
        if all(best[0][:2]) and (good or number + 1 >= attempts):
            break
    if best is None:
        raise AssertionError("at least one attempt is made")
    _, played, ending = best
    if len(ending) == 1 and len(fixed.players) == 1 and not fixed.free:
        _give_vadi_its_due(played, raga)
    play_drums(played, ending)
    played.melody.notes = _struck_again(fixed, played.melody.notes, ending[0][0])
    notes = sorted(played.melody.notes, key=lambda note: (note.onset_s, note.player))
    sections = [
        *played.sections,
        Section("mora" if raga.tradition == "Carnatic" else "tihai", ending[0][0], fixed.sam_s),
        Section("close", fixed.sam_s, fixed.duration_s),
    ]
    score = Score(
        raga=raga.name,
        tradition=raga.tradition,
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
        chikari=_chikari(fixed, sections, notes, generator(request, "chikari")),
        drone_ratios=drone_ratios(raga),
    )
    grammar = played.melody.grammar
    return replace(score, notes=adorn(score, grammar, fixed.manner, generator(request, "ornaments")))
