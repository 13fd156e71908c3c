"""How a piece comes home: a tihai (Carnatic: mora), or a plain close, and the drums that lead there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from music import rhythm
from music.melody import SA, Slot, slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from music.improvisation import Improvisation


def lengths(played: Improvisation, ticks: int) -> tuple[int, int]:
    """The lengths of a tihai's run and of its landings, in ticks; three runs and two landings fit."""
    fixed = played.plan
    most = min(ticks // 3, round(6.0 / fixed.pulse.tick_s))
    run = max(2, min(12, int(played.rng.integers(6, 11)), (most - 2) // 3))
    landing = max(1, min(run // 2, (most - 3 * run) // 2))
    # In slow talas both are whole quarters of a matra, so that the drums can strike with the melody.
    quarter = max(1, round(fixed.pulse.per_matra / 4.0))
    return -(-run // quarter) * quarter, -(-landing // quarter) * quarter


def _returns(played: Improvisation, path: Sequence[int]) -> bool:
    """Whether a run may come from Sa and go to Sa."""
    grammar = played.melody.grammar
    places = grammar.places
    return grammar.allows("S", places[path[0]].swara) and grammar.allows(places[path[-1]].swara, "S")


def play(played: Improvisation, start_s: float, run: int, landing: int) -> list[tuple[float, bool]]:
    """A run three times, landing on Sa; the third landing is the sam and rings to the end."""
    fixed, melody = played.plan, played.melody
    tick = fixed.pulse.tick_s
    divided: list[int] = []
    while sum(divided) < run:
        divided.append(min(run - sum(divided), int(played.rng.choice((1, 2, 2)))))
    home = played.home()
    once = slots(start_s, [n * tick for n in divided])
    melody.promised_s = 0.0
    melody.openings = {SA}
    melody.place = melody.place if melody.place is not None and home[melody.place] else None
    path = melody.draw(once, melody.grammar.before(home), center=4.0, turning=0.5, again=0.15)
    sa = int(np.flatnonzero(home)[0])
    if path is None or not _returns(played, path):
        path = [sa] * len(once)
    onsets: list[tuple[float, bool]] = []
    for repeat in range(3):
        at = start_s + repeat * (run + landing) * tick
        # The first two landings are short, with silence after them; only the third one rings.
        end = fixed.duration_s - at - run * tick if repeat == 2 else min(2, landing) * tick
        places = [*slots(at, [n * tick for n in divided]), Slot(at + run * tick, end)]
        onsets += [(slot.onset_s, False) for slot in places[:-1]] + [(places[-1].onset_s, True)]
        for player in range(len(fixed.players)):
            melody.add([*path, sa], places, player=player, velocity=0.82)
    return onsets


def close(played: Improvisation) -> list[tuple[float, bool]]:
    """Sa on the sam, held to the end by everyone."""
    fixed, melody = played.plan, played.melody
    sa = int(np.flatnonzero(played.home())[0])
    for player in range(len(fixed.players)):
        melody.add([sa], [Slot(fixed.sam_s, fixed.duration_s - fixed.sam_s)], player=player, velocity=0.82)
    return [(fixed.sam_s, True)]


def play_drums(played: Improvisation, ending: Sequence[tuple[float, bool]]) -> None:
    """The theka up to the cadence, which the drums strike with the melody."""
    fixed = played.plan
    first, start, matras = fixed.first_matra, fixed.gat_s, fixed.gat_matras
    lead_in = -first % fixed.tala.matras
    if not fixed.drums_lead and fixed.gat_matras - lead_in >= 2 * fixed.tala.matras:
        # The melody's pickup calls the drums, which come in on the sam.
        start, matras, first = start + lead_in * fixed.matra_s, matras - lead_in, 0
    busy = 0.9 if fixed.drums_lead else 0.25 + 0.4 * fixed.energy
    for drum in fixed.drums:
        beats = rhythm.theka(
            played.rng,
            fixed.tala,
            drum,
            start_s=start,
            first_matra=first,
            matras=matras,
            matra_s=fixed.matra_s,
            busy=busy,
        )
        played.strokes += [stroke for stroke in beats if stroke.onset_s < ending[0][0] - 1e-6]
        played.strokes += rhythm.tihai_strokes(fixed.tala, drum, ending, fixed.sam_s, fixed.matra_s)
    played.strokes.sort(key=lambda stroke: (stroke.onset_s, stroke.drum, stroke.bol))
