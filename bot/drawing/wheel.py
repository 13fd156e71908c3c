"""The wheel of twelve steps: its names on a ring, the way up outside of it, the way down inside."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.drawing.lettering import outline
from bot.drawing.palette import Palette, mixed
from bot.drawing.spiral import Point, Spiral, breadth, spiral
from bot.drawing.strokes import around, circle, line, sector, text, way
from music.raga import Raga
from music.swaras import PITCH_CLASS, Tradition, base, sargam, semitone

RADIUS = 350.0
DISC = 34.0
"""The radius of the disc that holds a swara's name."""

_HUB = 40.0  # nothing comes nearer to the center but its ornament
_GAP = 18.0  # at least, between a way and the ring of names or the rim
_LANE = 25.0  # between the lanes of a crooked way, where there is room
_RING = 226.0  # the radius of the ring of names, where nothing asks for another
_STROKE = 9.0

# The names of steps that a raga leaves out: those that come to mind first in either tradition.
_NAMES = ("S", "R1", "R2", "G2", "G3", "M1", "M2", "P", "D1", "D2", "N2", "N3")
_KOMAL = frozenset({"R1", "G2", "D1", "N2"})

Role = Literal["vadi", "samvadi", "used", "unused"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things are: the radius of the ring of names, both ways, and how broad they are drawn."""

    ring: float
    arohana: Spiral
    avarohana: Spiral
    stroke: float


def plan(raga: Raga) -> Plan:
    """Shares the room out: the more crooked a way, the broader its band."""
    up = [semitone(swara) for swara in raga.arohana] or [0]
    down = [semitone(swara) for swara in raga.avarohana] or [0]
    room = RADIUS - _HUB - 2 * DISC - 4 * _GAP
    lane = min(_LANE, room / max(1.0, breadth(up) + breadth(down)))
    outer, inner = breadth(up) * lane, breadth(down) * lane
    lowest = _HUB + inner + 2 * _GAP + DISC
    highest = RADIUS - outer - 2 * _GAP - DISC
    ring = min(max(_RING, lowest), highest)
    # The way up runs in the middle of its band; the way down close to the names, where its circles are the largest.
    start = (ring + DISC + RADIUS - outer) / 2.0
    return Plan(
        ring=ring,
        arohana=spiral(up, start, lane),
        avarohana=spiral(down, ring - DISC - _GAP - 3.0, -lane),
        stroke=min(_STROKE, lane * 0.48),
    )


def steps(raga: Raga) -> dict[int, str]:
    """The steps that a raga has, each with its swara as the scale first names it."""
    found: dict[int, str] = {}
    for swara in (*raga.arohana, *raga.avarohana):
        found.setdefault(PITCH_CLASS[base(swara)], base(swara))
    return found


def wheel(raga: Raga, colors: Palette) -> Iterator[str]:
    """SVG elements of the wheel around (0, 0)."""
    used = steps(raga)
    placed = plan(raga)
    roles: dict[int, Role] = dict.fromkeys(used, "used")
    yield circle((0.0, 0.0), RADIUS, fill=colors.skin)
    for swara, role, share in ((raga.samvadi, "samvadi", 0.08), (raga.vadi, "vadi", 0.2)):
        if swara is not None:
            step = PITCH_CLASS[base(swara)]
            roles[step] = "vadi" if role == "vadi" else "samvadi"
            yield sector(step, RADIUS, mixed(colors.skin, colors.vadi, share))
    for step in range(12):
        color, width = (colors.line, 2.5) if step in used else (colors.faint, 2.0)
        yield line((around(step, _HUB), around(step, RADIUS)), color, width)
    yield circle((0.0, 0.0), placed.ring, stroke=colors.paper, width=2 * DISC + 8.0)
    yield circle((0.0, 0.0), RADIUS, stroke=colors.line, width=3.0)
    yield circle((0.0, 0.0), 12.0, fill=colors.ink)
    yield circle((0.0, 0.0), 21.0, stroke=colors.line, width=3.0)
    yield from way(placed.arohana, colors.arohana, colors, placed.stroke)
    yield from way(placed.avarohana, colors.avarohana, colors, placed.stroke)
    for step in range(12):
        swara = used.get(step, _NAMES[step])
        yield from disc(around(step, placed.ring), swara, raga.tradition, roles.get(step, "unused"), colors)


def disc(center: Point, swara: str, tradition: Tradition, role: Role, colors: Palette) -> Iterator[str]:
    """A swara's name in its disc. A komal swara is underlined, besides its small letter."""
    ink, size, weight = colors.ink, 39.0, 600
    match role:
        case "vadi":
            ink = colors.on_vadi
            yield circle(center, DISC, fill=colors.vadi)
        case "samvadi":
            yield circle(center, DISC - 2.5, fill=colors.paper, stroke=colors.vadi, width=5.0)
        case "used":
            yield circle(center, DISC - 1.0, fill=colors.paper, stroke=colors.line, width=2.5)
        case "unused":
            ink, size, weight = colors.dim, 29.0, 400
    name = sargam(swara, tradition)
    letter, mark = name[0], name[1:]
    written = outline(letter, size, weight)
    small = outline(unicodedata.normalize("NFKC", mark), size * 0.68, weight) if mark else None
    width = written.width + (0.0 if small is None else small.width)
    # Letters stand in the middle by their ink: a small one is not as tall, and g hangs down.
    x, y = center[0] - width / 2.0, center[1] + (written.above - written.below) / 2.0
    komal = tradition == "Hindustani" and swara in _KOMAL
    if komal:
        y -= 0.07 * size
    yield text(written, x, y, ink)
    if small is not None:
        # A sharp stands high, a number low: larger than the font's own subscripts, for small screens.
        lift = 0.24 * size if mark == "♯" else -0.14 * size
        yield text(small, x + written.width, y - lift, ink)
    if komal:
        bar = y + written.below + 0.15 * size
        yield line(((x + 1.0, bar), (x + width - 1.0, bar)), ink, size * 0.09)
