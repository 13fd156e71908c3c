"""What can be wrong with an entry of the catalogue, and with entries beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from music.choosing import MOODS, RASAS, SEASONS, TIMES
from music.folding import plain_key
from music.melakarta import MELAKARTAS, melakarta_scale
from music.raga import Raga
from music.swaras import PITCH_CLASS, Swara, base, semitone

THAATS = ("Bilawal", "Kalyan", "Khamaj", "Bhairav", "Purvi", "Marwa", "Kafi", "Asavari", "Bhairavi", "Todi")
"""Bhatkhande's ten."""

SOURCES = (
    "Kramik Pustak Malika",
    "Raga Vijnana",
    "The Raga Guide",
    "Sangita Sampradaya Pradarsini",
    "Sangraha Chudamani",
    "Ragas in Carnatic Music",
    "Raganidhi",
)
"""The works that an entry may name; docs/musicology.md gives them in full."""

NAME_LENGTH_MAX = 60
TEXT_LENGTH_MAX = 600
_LOWEST, _HIGHEST = -12, 24


def faults(raga: Raga, foreign: Sequence[Swara] = ()) -> Iterator[str]:
    """What is wrong with one entry. ``foreign``: swaras (anya) that it takes from outside its melakarta."""
    for name in raga.names:
        if not plain_key(name) or len(name) > NAME_LENGTH_MAX:
            yield f"the name {name!r} is empty or too long"
    spellings = [plain_key(name) for name in (raga.name, *raga.aliases)]
    for alias in raga.aliases:
        if spellings.count(plain_key(alias)) > 1:
            yield f"the alias {alias!r} is given twice"
    yield from _scale_faults(raga)
    yield from _melakarta_faults(raga, foreign)
    yield from _note_faults(raga)
    if raga.thaat is not None and raga.thaat not in THAATS:
        yield f"{raga.thaat!r} is none of the ten thaats"
    if any(not 1 <= prahar <= 8 for prahar in raga.prahar):
        yield "a prahar is a number from 1 to 8"
    words = (
        ("time", raga.time, TIMES),
        ("season", raga.season, SEASONS),
        ("rasa", raga.rasa, RASAS),
        ("mood", raga.mood, MOODS),
        ("sources", raga.sources, SOURCES),
    )
    for field, given, known in words:
        for word in given:
            if word not in known:
                yield f"{field} does not know {word!r}: {', '.join(known)}"
    if raga.reviewed and not raga.sources:
        yield "a reviewed entry names its sources"
    for field, text in (("description", raga.description), ("notes", raga.notes)):
        if len(text) > TEXT_LENGTH_MAX:
            yield f"{field} is longer than {TEXT_LENGTH_MAX} characters"


def _scale_faults(raga: Raga) -> Iterator[str]:
    lines = [("arohana", raga.arohana, True), ("avarohana", raga.avarohana, False)]
    for one in raga.variants:
        if not one.note or len(one.note) > NAME_LENGTH_MAX * 2:
            yield "a variant's note says in a few words whose it is"
        if (one.arohana, one.avarohana) == (raga.arohana, raga.avarohana):
            yield "a variant is the raga's own form"
        lines += [("variant's arohana", one.arohana, True), ("variant's avarohana", one.avarohana, False)]
    for field, line, rising in lines:
        pitches = [semitone(swara) for swara in line]
        if len(line) < 4:
            yield f"the {field} has fewer than four swaras"
            continue
        if all(pitch % 12 for pitch in pitches):
            yield f"the {field} has no S"
        if min(pitches) < _LOWEST or max(pitches) > _HIGHEST:
            yield f"the {field} leaves the three octaves"
        if any(a == b for a, b in pairwise(line)):
            yield f"the {field} says a swara twice running"
        if (pitches[-1] <= pitches[0]) == rising:
            yield f"the {field} ends {'below' if rising else 'above'} its beginning"


def _melakarta_faults(raga: Raga, foreign: Sequence[Swara]) -> Iterator[str]:
    sung = {base(swara) for swara in (*raga.arohana, *raga.avarohana)}
    if raga.melakarta is None:
        if raga.tradition == "Carnatic":
            yield "a Carnatic raga names its melakarta"
        return
    if raga.tradition == "Hindustani":
        yield "a Hindustani raga has a thaat, no melakarta"
        return
    if not 1 <= raga.melakarta <= MELAKARTAS:
        yield f"a melakarta is a number from 1 to {MELAKARTAS}"
        return
    own = {base(swara) for swara in melakarta_scale(raga.melakarta)}
    for swara in sorted(sung - own - set(foreign), key=_place):
        scale = " ".join(sorted(own, key=_place))
        yield f"{swara} is not of melakarta {raga.melakarta} ({scale}), nor foreign"
    for swara in foreign:
        if swara in own:
            yield f"{swara} is of melakarta {raga.melakarta}, so it is not foreign"


def _place(swara: Swara) -> tuple[int, str]:
    return PITCH_CLASS[swara], swara


def _note_faults(raga: Raga) -> Iterator[str]:
    sung = {base(swara) for swara in (*raga.arohana, *raga.avarohana)}
    stated = (
        ("vadi", (raga.vadi,) if raga.vadi else ()),
        ("samvadi", (raga.samvadi,) if raga.samvadi else ()),
        ("nyasa", raga.nyasa),
        ("pakad", tuple(swara for phrase in raga.pakad for swara in phrase)),
    )
    for field, swaras in stated:
        for swara in swaras:
            if base(swara) not in sung:
                yield f"{swara} of {field} is in neither arohana nor avarohana"
    if raga.vadi and raga.vadi == raga.samvadi:
        yield "vadi and samvadi are the same"
    if any(len(phrase) < 2 for phrase in raga.pakad):
        yield "a phrase of the pakad has at least two swaras"


def faults_between(ragas: Sequence[Raga]) -> Iterator[tuple[int, str]]:
    """What is wrong with entries beside each other, each with its place: a name given twice, unknown kin."""
    owners: dict[tuple[str, str], int] = {}
    for place, raga in enumerate(ragas):
        for name in (raga.name, *raga.aliases):
            owner = owners.setdefault((raga.tradition, plain_key(name)), place)
            if owner != place:
                yield place, f"the name {name!r} is also that of {ragas[owner].name}"
    known = {name for _, name in owners}
    for place, raga in enumerate(ragas):
        for name in raga.kin:
            if plain_key(name) not in known:
                yield place, f"its kin {name!r} is not in the catalogue"
