"""Manners of making music: what sets khayal, dhrupad, thumri, bhajan, an instrument's gat and a kriti apart.

A manner is a tempo, the talas that go with it, a form, and how richly notes are adorned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from music.request import PieceRequest


@dataclass(frozen=True, slots=True)
class Manner:
    """``tempo_bpm`` is where the calmest and the liveliest piece lie, ``bend`` how the ones between do.

    ``alap`` multiplies the time before the tala begins. ``pulsed`` says that jod, and jhala where there is
    room, follow the alap. ``fast`` is what the later gat holds: runs (taans), play with the pulse
    (layakari), or neither. ``kan``, ``meend`` and ``murki`` are how often a note that has room gets one.
    """

    name: str
    tempo_bpm: tuple[float, float]
    bend: float
    talas: tuple[tuple[str, float], ...]
    lively_talas: tuple[tuple[str, float], ...]
    alap: float = 1.0
    pulsed: bool = False
    fast: str = ""
    kan: float = 0.2
    meend: float = 0.18
    murki: float = 0.0


_SERIOUS: Final = (("Teental", 0.55), ("Rupak", 0.15), ("Jhaptal", 0.15), ("Ektal", 0.15))
_LIVELY: Final = (("Teental", 0.6), ("Keherwa", 0.2), ("Ektal", 0.1), ("Dadra", 0.1))
_LIGHT: Final = (("Keherwa", 0.45), ("Dadra", 0.35), ("Rupak", 0.2))
_CARNATIC: Final = (("Adi", 0.6), ("Rupaka", 0.15), ("Misra Chapu", 0.15), ("Khanda Chapu", 0.1))

GAT: Final = Manner("gat", (48.0, 210.0), 1.25, _SERIOUS, _LIVELY, pulsed=True, fast="taans")
KRITI: Final = Manner("kriti", (62.0, 130.0), 1.0, _CARNATIC, _CARNATIC, fast="svaras")
STYLES: Final[dict[str, Manner]] = {
    "khayal": Manner("khayal", (44.0, 190.0), 1.25, _SERIOUS, _LIVELY, fast="taans", murki=0.05),
    "dhrupad": Manner(
        "dhrupad",
        (42.0, 84.0),
        1.0,
        (("Ektal", 0.6), ("Jhaptal", 0.4)),
        (("Jhaptal", 0.6), ("Ektal", 0.4)),
        alap=1.45,
        pulsed=True,
        fast="layakari",
        kan=0.05,
        meend=0.4,
    ),
    "thumri": Manner("thumri", (58.0, 116.0), 1.0, _LIGHT, _LIGHT, alap=0.6, kan=0.28, murki=0.24),
    "bhajan": Manner("bhajan", (74.0, 140.0), 1.0, _LIGHT, _LIGHT, alap=0.4, kan=0.15, murki=0.1),
}
"""The manners of `music.request.STYLES`."""

_SLOW_FROM_S: Final = 90.0
_SHORT_TEMPO_BPM: Final = 66.0


def manner_of(request: PieceRequest) -> Manner:
    """The manner asked for; without one, khayal for a Hindustani voice, a gat for instruments, or a kriti."""
    if request.style is not None:
        return STYLES[request.style]
    if request.raga.tradition == "Carnatic":
        return KRITI
    return STYLES["khayal"] if request.voice is not None else GAT


def slowest_bpm(manner: Manner, duration_s: float) -> float:
    """The calmest tempo: a slow cycle needs time to be heard as one, so short pieces are never vilambit."""
    slowest, fastest = manner.tempo_bpm
    return slowest if duration_s >= _SLOW_FROM_S else min(fastest, max(slowest, _SHORT_TEMPO_BPM))
