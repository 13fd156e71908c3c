"""The elements that a picture is made of, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from bot.drawing.lettering import Outline
from bot.drawing.palette import Palette, mixed
from bot.drawing.spiral import Point, Spiral

_ROUND = 'stroke-linecap="round" stroke-linejoin="round"'


def around(step: float, radius: float) -> Point:
    """The point at a twelfth of the wheel; step 0 is at the top, and they count clockwise."""
    angle = math.tau * step / 12.0
    return radius * math.sin(angle), -radius * math.cos(angle)


def circle(center: Point, radius: float, fill: str = "none", stroke: str = "none", width: float = 0.0) -> str:
    """A circle or, with a stroke alone, a ring."""
    x, y = center
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{fill}" stroke="{stroke}"'
        f' stroke-width="{width:.1f}"/>'
    )


def line(points: Sequence[Point], color: str, width: float) -> str:
    """A line through points, with round ends."""
    return f'<path d="M{"L".join(map(_xy, points))}" fill="none" stroke="{color}" stroke-width="{width:.2f}" {_ROUND}/>'


def sector(step: int, radius: float, color: str) -> str:
    """The slice of the wheel that belongs to a step."""
    start, end = around(step - 0.5, radius), around(step + 0.5, radius)
    return f'<path d="M0 0L{_xy(start)}A{radius} {radius} 0 0 1 {_xy(end)}Z" fill="{color}"/>'


def text(written: Outline, x: float, y: float, color: str) -> str:
    """An outlined text with its baseline's left end at (x, y)."""
    glyphs = "".join(
        f'<path transform="matrix({scale:.5f} 0 0 {-scale:.5f} {x + right:.2f} {y + down:.2f})" d="{glyph.path}"/>'
        for right, down, scale, glyph in written.glyphs
    )
    return f'<g fill="{color}">{glyphs}</g>'


def arrow(points: Sequence[Point], color: str, width: float) -> Iterator[str]:
    """A line with a head, whose tip is the last point."""
    tip = points[-1]
    length, half = 13.0 + width * 1.5, 7.0 + width * 0.9
    shaft = [point for point in points if math.dist(point, tip) > length * 0.6]
    back = shaft[-1] if shaft else points[0]
    if len(shaft) > 1:
        yield line(shaft, color, width)
    angle = math.atan2(tip[1] - back[1], tip[0] - back[0])
    corners = [
        (
            tip[0] - behind * length * math.cos(angle) - aside * half * math.sin(angle),
            tip[1] - behind * length * math.sin(angle) + aside * half * math.cos(angle),
        )
        for behind, aside in ((0.0, 0.0), (1.0, 1.0), (0.78, 0.0), (1.0, -1.0))
    ]
    yield (
        f'<path d="M{"L".join(map(_xy, corners))}Z" fill="{color}" stroke="{color}" stroke-width="2.5" {_ROUND}/>'
    )


def way(spiral: Spiral, color: str, colors: Palette, width: float) -> Iterator[str]:
    """A way that grows stronger as it goes, a bead for each swara, an arrow at the last."""
    legs = [leg for leg in spiral.legs if len(leg) > 1]
    for number, leg in enumerate(legs, 1):
        share = number / len(legs)
        tint = mixed(colors.skin, color, 0.6 + 0.4 * share)
        if number < len(legs):
            yield line(leg, tint, width * (0.65 + 0.35 * share))
        else:
            yield from arrow(leg, tint, width)
    beads = [spiral.points[stop] for stop in spiral.stops[:-1]]
    for number, bead in enumerate(beads):
        tint = mixed(colors.skin, color, 0.7 + 0.3 * number / len(beads))
        yield circle(bead, width * 0.78, fill=colors.paper, stroke=tint, width=width * 0.45)


def _xy(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
