"""The plan of a piece: who plays, how fast, in which tala, and how its time is divided."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from music.manner import Manner, manner_of, slowest_bpm
from music.request import DRUMS
from music.rhythm import Pulse, pulse
from music.score import Section
from music.theory import TALAS, Tala, tala_named, tonic_hz

if TYPE_CHECKING:
    from music.catalogue import Raga
    from music.request import PieceRequest

CHIKARI: Final = frozenset({"sitar", "sarod", "veena"})
"""The instruments with high drone strings that are struck between the notes."""

_AROUSAL: Final[dict[str, float]] = {
    "peaceful": 0.15,
    "calm": 0.15,
    "serene": 0.15,
    "meditat": 0.1,
    "contempl": 0.15,
    "devotion": 0.3,
    "prayer": 0.25,
    "spiritual": 0.25,
    "melanchol": 0.2,
    "sad": 0.2,
    "pathos": 0.2,
    "longing": 0.3,
    "romantic": 0.42,
    "tender": 0.35,
    "serious": 0.25,
    "majest": 0.4,
    "playful": 0.7,
    "joy": 0.75,
    "happy": 0.75,
    "festiv": 0.8,
    "heroic": 0.8,
    "energ": 0.9,
    "dance": 0.85,
    "fusion": 0.65,
    "ambient": 0.1,
    "practice": 0.4,
    "learning": 0.35,
    "improvis": 0.5,
}
"""How lively a mood or theme is, by the beginning of a word in it: tempo and regularity carry arousal."""


def liveliness(mood: str | None, theme: str | None) -> float:
    """How lively a piece should be, from 0 to 1; the mood counts twice as much as the theme."""
    found: list[float] = []
    for text, times in ((mood, 2), (theme, 1)):
        words = (text or "").casefold()
        values = [value for stem, value in _AROUSAL.items() if stem in words]
        if values:
            found += [sum(values) / len(values)] * times
    return sum(found) / len(found) if found else 0.5


_REGISTER: Final[dict[str, float]] = {
    "serious": -2.0,
    "melanchol": -2.0,
    "sad": -2.0,
    "peaceful": -1.0,
    "calm": -1.0,
    "meditat": -1.5,
    "longing": 0.5,
    "romantic": 0.5,
    "playful": 1.0,
    "joy": 1.0,
    "happy": 1.0,
    "festiv": 1.5,
    "energ": 1.0,
    "heroic": 1.5,
}
"""By how many semitones a mood or theme moves the middle of the melody."""


def register_shift(mood: str | None, theme: str | None) -> float:
    """Where the melody lies beside its usual course, in semitones: grave moods lie low, bright ones high."""
    words = f"{mood or ''} {theme or ''}".casefold()
    found = [shift for stem, shift in _REGISTER.items() if stem in words]
    return sum(found) / len(found) if found else 0.0


def generator(request: PieceRequest, part: str) -> np.random.Generator:
    """The random numbers of one part of a piece, drawn from its seed and raga alone.

    A part has numbers of its own, so that a change in one part leaves the others as they were.
    """
    name = f"{request.raga.tradition}/{request.raga.name}/{part}".encode()
    digest = hashlib.sha256(name).digest()
    return np.random.default_rng([request.seed, int.from_bytes(digest[:8], "big")])


@dataclass(frozen=True, slots=True)
class Plan:
    """What is fixed before the first note. Times are in seconds from the beginning.

    ``free`` are the parts before the tala (alap, jod, jhala; alapana), one after the other. The gat begins
    at ``gat_s`` on matra ``first_matra`` of the cycle and ends on the sam at ``sam_s``.
    """

    raga: Raga
    manner: Manner
    players: tuple[str, ...]
    drums: tuple[str, ...]
    drums_lead: bool
    tonic_hz: float
    tempo_bpm: float
    tala: Tala
    pulse: Pulse
    energy: float
    register: float
    duration_s: float
    free: tuple[Section, ...]
    gat_s: float
    gat_matras: int
    first_matra: int
    sam_s: float

    @property
    def matra_s(self) -> float:
        """How long a matra lasts."""
        return 60.0 / self.tempo_bpm


def _players(request: PieceRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    melodic = tuple(name for name in request.instruments if name not in DRUMS)
    drums = tuple(name for name in request.instruments if name in DRUMS)
    if request.voice is not None:
        return (request.voice, *melodic), drums
    if not melodic:
        return ("harmonium" if drums[0] == "tabla" else "violin",), drums
    return melodic, drums


def _tempo(rng: np.random.Generator, energy: float, manner: Manner, duration_s: float) -> float:
    slowest, fastest = slowest_bpm(manner, duration_s), manner.tempo_bpm[1]
    return float(round(slowest + (fastest - slowest) * energy**manner.bend + rng.uniform(-5.0, 5.0)))


def _tala(rng: np.random.Generator, energy: float, manner: Manner) -> str:
    choices = manner.lively_talas if energy > 0.6 else manner.talas
    return str(rng.choice([name for name, _ in choices], p=[weight for _, weight in choices]))


_JOD_FROM_S: Final = 20.0
_JHALA_FROM_S: Final = 42.0
"""So much time before the tala leaves room for a jod, and for a jhala after it."""


def _free(
    manner: Manner, tradition: str, players: tuple[str, ...], begin: float, end: float
) -> tuple[Section, ...]:
    """Divides the time before the tala."""
    total = end - begin
    if total <= 0.0:
        return ()
    shares = {"alapana" if tradition == "Carnatic" else "alap": 1.0}
    if (
        manner.pulsed
        and total >= _JHALA_FROM_S
        and (CHIKARI.intersection(players) or manner.name == "dhrupad")
    ):
        shares = {"alap": 0.56, "jod": 0.28, "jhala": 0.16}
    elif manner.pulsed and total >= _JOD_FROM_S:
        shares = {"alap": 0.62, "jod": 0.38}
    parts: list[Section] = []
    for name, share in shares.items():
        parts.append(Section(name, begin, begin + share * total))
        begin += share * total
    return tuple(parts)


def plan(request: PieceRequest) -> Plan:
    """Chooses what the request leaves open, and divides the time."""
    rng = generator(request, "plan")
    energy = liveliness(request.mood, request.theme)
    manner = manner_of(request)
    drawn_tempo = _tempo(rng, energy, manner, request.duration_s)
    drawn_tala = _tala(rng, energy, manner)
    tempo = drawn_tempo if request.tempo_bpm is None else float(request.tempo_bpm)
    tala = TALAS[drawn_tala] if request.tala is None else tala_named(request.tala)
    players, drums = _players(request)
    matra_s = 60.0 / tempo
    duration = float(request.duration_s)

    lead = min(2.0, 0.04 * duration)
    tail = min(5.0, max(1.1, 0.07 * duration))
    sam = duration - tail
    room = sam - lead
    share = (
        0.0 if duration < 20.0 else min(0.4, 0.22 + duration / 1500.0) * (1.25 - 0.6 * energy) * manner.alap
    )
    breath = min(1.0, 0.3 * room * share)
    matras = max(1, int((room - share * room) / matra_s + 1e-9))
    if matras > 2 * tala.matras:
        # From two cycles on the gat begins with the pickup of half a cycle that leads to the sam.
        pickup = tala.bars[-1] if len(tala.bars) < 3 else tala.bars[len(tala.bars) // 2]
        matras -= (matras + pickup) % tala.matras
    gat = sam - matras * matra_s
    return Plan(
        raga=request.raga,
        manner=manner,
        players=players,
        drums=drums or (tala.drum,),
        drums_lead=request.voice is None and len(drums) == len(request.instruments),
        tonic_hz=tonic_hz(players[0], request.key),
        tempo_bpm=tempo,
        tala=tala,
        pulse=pulse(tempo),
        energy=energy,
        register=register_shift(request.mood, request.theme),
        duration_s=duration,
        free=_free(manner, request.raga.tradition, players, lead, gat - breath) if share else (),
        gat_s=gat,
        gat_matras=matras,
        first_matra=-matras % tala.matras,
        sam_s=sam,
    )
