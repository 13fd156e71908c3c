"""A raga in a few seconds: up its arohana, down its avarohana, its first pakad phrase, and home to Sa."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from music.form import CHIKARI
from music.ornament import ANDOLIT
from music.piece import perform
from music.request import DRUMS, INSTRUMENTS, KEYS, PieceError
from music.score import Note, Ornament, Score, Section
from music.swaras import base, semitone
from music.theory import drone_ratios, tonic_hz, tuned_cents

if TYPE_CHECKING:
    from music.catalogue import Raga, Swara
    from music.piece import Piece, Report

PLAYED_ON: Final = {"Hindustani": "sitar", "Carnatic": "veena"}
"""The instrument of each tradition, where none is asked for."""

LEAD_S: Final = 0.9
"""The tanpura is heard alone first."""

TAIL_S: Final = 1.5
"""The last Sa rings on."""

PLAYED_S: Final = (8.0, 12.3)
"""The notes take at least and at most so long: with lead and tail 10.4 to 14.7 s."""

_BEAT_S: Final = 0.6
"""How long a plain note is held, unless that makes too little or too much of all of them."""

_HELD: Final = 2
"""For so many beats the last note of a line, and a swara with andolan, is held."""

_HOME: Final = 3
"""For so many beats the Sa is held on which all comes to rest."""

_ANDOLAN_FROM_S: Final = 0.5
_KAMPITA_FROM_S: Final = 0.4
_MEEND_FROM_S: Final = 0.4
"""A shorter note stays plain: the ornament would hide the swara that it adorns."""

_MEEND_REACH: Final = 5
"""A meend spans so many semitones at most: a fourth."""


def _parts(raga: Raga) -> dict[str, list[tuple[Swara, int]]]:
    """What is played, by the names of its parts: the swaras, and for how many beats each is held.

    The lines are as the catalogue has them, vakra turns and all; one that ends elsewhere is followed by a Sa.
    """
    lines = {"arohana": raga.arohana, "avarohana": raga.avarohana}
    if raga.pakad:
        lines["pakad"] = raga.pakad[0]
    *_, ending = lines.values()
    if base(ending[-1]) != "S":
        lines["close"] = ("S",)
    andolit = ANDOLIT.get(raga.name, ()) if raga.tradition == "Hindustani" else ()
    parts = {
        part: [*((s, _HELD if semitone(s) % 12 in andolit else 1) for s in line[:-1]), (line[-1], _HELD)]
        for part, line in lines.items()
    }
    *_, close = parts.values()
    close[-1] = (close[-1][0], _HOME)
    return parts


def _ornament(raga: Raga, part: str, swara: Swara, duration_s: float, last: Note | None) -> Ornament:
    """Andolan and kampita as the raga and its tradition have them; meend down to where the raga rests."""
    key = semitone(swara) % 12
    if (
        key in (ANDOLIT.get(raga.name, ()) if raga.tradition == "Hindustani" else ())
        and duration_s >= _ANDOLAN_FROM_S
    ):
        return "andolan"
    if raga.tradition == "Carnatic" and key not in (0, 7) and duration_s >= _KAMPITA_FROM_S:
        return "kampita"
    resting = {semitone(s) % 12 for s in ("S", raga.vadi, raga.samvadi, *raga.nyasa) if s is not None}
    if last is None or part == "arohana" or key not in resting or duration_s < _MEEND_FROM_S:
        return ""
    return "meend" if 0 < semitone(last.swara) - semitone(swara) <= _MEEND_REACH else ""


def demonstrate(raga: Raga, *, tonic: str | None = None, instrument: str | None = None) -> Score:
    """The score of a raga's demonstration, 10 to 15 s whatever the raga. Nothing in it is left to chance.

    ``tonic`` is one of `music.request.KEYS`, ``instrument`` a melodic one of `music.request.INSTRUMENTS`.
    Raises `PieceError` for anything else.
    """
    player = instrument or PLAYED_ON[raga.tradition]
    if player not in INSTRUMENTS or player in DRUMS:
        raise PieceError("A raga is demonstrated on an instrument that plays a melody.")
    if tonic is not None and tonic not in KEYS:
        raise PieceError(f"Sa may stand on {', '.join(KEYS[:-1])} or {KEYS[-1]}.")
    parts = _parts(raga)
    total = sum(beats for part in parts.values() for _, beats in part)
    shortest, longest = PLAYED_S
    beat_s = min(longest, max(shortest, _BEAT_S * total)) / total

    notes: list[Note] = []
    sections: list[Section] = []
    chikari: list[float] = []
    onset_s = LEAD_S
    for name, part in parts.items():
        begun_s, last = onset_s, notes[-1] if name == "close" else None
        for swara, beats in part:
            duration_s = beats * beat_s
            ornament = _ornament(raga, name, swara, duration_s, last)
            last = Note(
                onset_s,
                duration_s,
                swara,
                tuned_cents(raga, swara),
                ornament,
                # A player leans into the notes a little as they rise.
                velocity=0.74 + 0.01 * min(12, max(0, semitone(swara))),
                touch_cents=last.cents if last is not None and ornament == "meend" else None,
            )
            notes.append(last)
            onset_s += duration_s
        sections.append(Section(name, begun_s, onset_s))
        if player in CHIKARI:
            # The hand is free while the last note of a part is held.
            chikari += [notes[-1].onset_s + beat * beat_s for beat in range(1, part[-1][1])]
    return Score(
        raga=raga.name,
        tradition=raga.tradition,
        seed=0,
        duration_s=round(onset_s + TAIL_S, 3),
        tonic_hz=tonic_hz(player, tonic),
        tempo_bpm=60.0 / beat_s,
        tala="",
        players=(player,),
        notes=tuple(notes),
        sections=tuple(sections),
        chikari=tuple(chikari),
        drone_ratios=drone_ratios(raga),
    )


def make_demonstration(
    raga: Raga, report: Report, *, tonic: str | None = None, instrument: str | None = None
) -> Piece:
    """Renders what `demonstrate` writes, like any piece. Equal calls give equal bytes on one machine.

    Raises `PieceError`, and `EncodeError` when ffmpeg fails.
    """
    score = demonstrate(raga, tonic=tonic, instrument=instrument)
    title = f"Raga {raga.name}: arohana and avarohana"
    return perform(raga, score, report, title=title, performer=INSTRUMENTS[score.players[0]])
