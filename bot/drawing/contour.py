"""A piece as a picture: its pitch over the tala's grid, on lines that are named in its tradition's sargam."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.drawing.lettering import fitted, outline, writable
from bot.drawing.palette import Palette, Theme, mixed, palette
from bot.drawing.raster import png
from bot.drawing.spiral import Point
from bot.drawing.strokes import circle, line, text
from music.contour import Degree, Moment, degrees, phrases
from music.score import Score
from music.swaras import Tradition, base, sargam
from music.tags import performers

WIDTH = 1000

_MARGIN = 36.0
_LEFT = 92.0  # where the lines begin, right of their names
_RIGHT = WIDTH - 24.0
_HEAD = 128.0
_ROW_S = 40.0  # so much time a row has at most, while there are rows left
_ROWS = 3
_ROW_HEIGHTS = (520.0, 400.0, 330.0)
_GAP = 66.0  # between rows: the times, and the names of the sections
_LETTER = 27.0
_LEAST_GAP = 32.0  # between two names of lines
_ABOVE_CENTS = 120.0  # air over the highest and under the lowest note
_DRUMS = 26.0  # the lane of the strokes under the melody
_MATRA_FROM = 9.0  # pixels: narrower matras are left out, and so are narrower vibhags
_LINES = (4.6, 3.2)  # the melody's line, and where time is dense
_DENSE = 8.0  # pixels a second
_TIME = 70.0  # what a row's first and last moment take of its lower edge
_CROSS_GAP = 24.0  # between two signs of the sam


@dataclass(frozen=True, slots=True)
class _Row:
    """A stretch of time, and where it stands."""

    start_s: float
    end_s: float
    top: float
    bottom: float
    lowest: float
    highest: float

    def x(self, time_s: float) -> float:
        return _LEFT + (time_s - self.start_s) / (self.end_s - self.start_s) * (_RIGHT - _LEFT)

    def y(self, cents: float) -> float:
        share = (cents - self.lowest) / (self.highest - self.lowest)
        return self.bottom - _DRUMS - share * (self.bottom - _DRUMS - self.top)

    @property
    def pixels(self) -> float:
        """How many pixels a second takes."""
        return (_RIGHT - _LEFT) / (self.end_s - self.start_s)

    def holds(self, time_s: float) -> bool:
        return self.start_s - 1e-6 <= time_s <= self.end_s + 1e-6


def draw_piece(score: Score, theme: Theme) -> bytes:
    """The picture as a PNG, `WIDTH` pixels wide. The same score gives the same bytes, in any thread."""
    colors = palette(theme)
    return png(svg(score, colors), WIDTH, height(score), colors.levels)


def height(score: Score) -> int:
    """How high the picture is, in pixels: longer pieces have more rows."""
    rows = _rows(score)
    return math.ceil(rows[-1].bottom + 52.0)


def described_piece(score: Score) -> str:
    """What the picture shows, in words for those who cannot see it."""
    beat = f", {score.tala} at {score.tempo_bpm:g} beats a minute" if score.tala else ""
    parts = ", ".join(section.name for section in score.sections)
    return (
        f"The melody of a piece in raga {score.raga}{beat}, {score.duration_s:.0f} seconds long, as a line over"
        f" its swaras. Its parts: {parts}."
    )


def svg(score: Score, colors: Palette) -> str:
    """The whole picture."""
    rows = _rows(score)
    tall = height(score)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{tall}">',
        f'<rect width="{WIDTH}" height="{tall}" fill="{colors.paper}"/>',
        *_heading(score, colors),
    ]
    for row in rows:
        parts += _ground(score, row, colors)
        parts += _grid(score, row, colors)
        parts += _melody(score, row, colors)
    return "".join((*parts, "</svg>"))


def _rows(score: Score) -> list[_Row]:
    count = min(_ROWS, max(1, math.ceil(score.duration_s / _ROW_S)))
    tall, each_s = _ROW_HEIGHTS[count - 1], score.duration_s / count
    used = degrees(score)
    lowest = min(0.0, used[0].cents if used else 0.0) - _ABOVE_CENTS
    highest = max(1200.0, used[-1].cents if used else 0.0) + _ABOVE_CENTS
    found = []
    for number in range(count):
        top = _HEAD + 34.0 + number * (tall + _GAP)
        found.append(_Row(number * each_s, (number + 1) * each_s, top, top + tall, lowest, highest))
    return found


def _heading(score: Score, colors: Palette) -> Iterator[str]:
    width = WIDTH - 2 * _MARGIN
    title = fitted(writable(score.raga), 58.0, width, 600)
    yield text(title, _MARGIN, 68.0, colors.ink)
    facts = [performers(score.players)]
    if score.tala:
        facts += [score.tala, f"{score.tempo_bpm:.0f} bpm"]
    written = fitted(writable(" · ".join(facts)), 31.0, width)
    yield text(written, _MARGIN, 114.0, colors.soft)


def _rect(left: float, top: float, right: float, bottom: float, color: str) -> str:
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
        f' fill="{color}"/>'
    )


def _ground(score: Score, row: _Row, colors: Palette) -> Iterator[str]:
    """The sections, shaded by turns and named above, and the times at both ends."""
    yield _rect(_LEFT, row.top, _RIGHT, row.bottom, colors.skin)
    shade = mixed(colors.skin, colors.line, 0.38)
    free = _LEFT
    for number, section in enumerate(score.sections):
        start_s, end_s = max(row.start_s, section.start_s), min(row.end_s, section.end_s)
        if end_s - start_s <= 0.0:
            continue
        left, right = row.x(start_s), row.x(end_s)
        if number % 2:
            yield _rect(left, row.top, right, row.bottom, shade)
        written = outline(writable(section.name), _LETTER)
        # A name stands over its section; one that would run into the last name or off the edge is left out.
        if left >= free and left + written.width <= _RIGHT and (right - left > 24.0):
            yield text(written, left, row.top - 11.0, colors.soft)
            free = left + written.width + 18.0
    for time_s, side in ((row.start_s, 0.0), (row.end_s, 1.0)):
        written = outline(f"{int(time_s) // 60}:{int(time_s) % 60:02d}", 24.0)
        x = _LEFT if side == 0.0 else _RIGHT - written.width
        yield text(written, x, row.bottom + 27.0, colors.dim)


def _named(used: Sequence[Degree], row: _Row) -> list[Degree]:
    """The swaras whose lines get their names: Sa and Pa first, then those held longest, as far as there is room."""

    def worth(degree: Degree) -> tuple[int, float]:
        return {"S": 0, "P": 1}.get(base(degree.swara), 2), -degree.held_s

    chosen: list[Degree] = []
    for degree in sorted(used, key=worth):
        if all(abs(row.y(degree.cents) - row.y(other.cents)) >= _LEAST_GAP for other in chosen):
            chosen.append(degree)
    return chosen


def _grid(score: Score, row: _Row, colors: Palette) -> Iterator[str]:
    """The swaras' lines with their names, the matras and vibhags, the sams with their cross, the strokes."""
    yield from _time_grid(score, row, colors)
    tradition: Tradition = "Carnatic" if score.tradition == "Carnatic" else "Hindustani"
    used = degrees(score)
    named = _named(used, row)
    for degree in used:
        y = row.y(degree.cents)
        sa = base(degree.swara) == "S"
        yield line(((_LEFT, y), (_RIGHT, y)), colors.dim if sa else colors.line, 2.2 if sa else 1.2)
        if degree in named:
            yield from _name(sargam(degree.swara, tradition), y, sa, colors)


def _name(written: str, y: float, sa: bool, colors: Palette) -> Iterator[str]:
    """A swara's name left of its line; its sharp stands high, as on the wheel."""
    ink, weight = (colors.ink, 600) if sa else (colors.soft, 400)
    sharp = written.endswith("♯")
    letter = outline(writable(written.removesuffix("♯")), _LETTER, weight)
    mark = outline("♯", 0.66 * _LETTER, weight) if sharp else None
    x = _LEFT - 12.0 - letter.width - (mark.width if mark else 0.0)
    yield text(letter, x, y + 0.34 * _LETTER, ink)
    if mark:
        yield text(mark, x + letter.width, y + 0.1 * _LETTER, ink)


def _time_grid(score: Score, row: _Row, colors: Palette) -> Iterator[str]:
    lane = row.bottom - _DRUMS
    if len(score.sams) > 1:
        yield from _cycles(score, row, colors)
    struck = [stroke for stroke in score.strokes if row.holds(stroke.onset_s)]
    # Dots that would touch each other are drawn smaller.
    widest = max(1.4, min(5.2, 0.42 * score.matra_s * row.pixels))
    for stroke in struck:
        size = widest * (0.35 + 0.65 * min(1.0, stroke.velocity))
        yield circle((row.x(stroke.onset_s), lane + 0.5 * _DRUMS), size, fill=colors.soft)


def _cycles(score: Score, row: _Row, colors: Palette) -> Iterator[str]:
    """A line at each matra where there is room, a stronger one at each sam, and the sam's sign below."""
    lane, faint = row.bottom - _DRUMS, mixed(colors.skin, colors.line, 0.7)
    first, last = score.sams[0], score.sams[-1]
    if score.matra_s * row.pixels >= _MATRA_FROM:
        beats = (first + number * score.matra_s for number in range(round((last - first) / score.matra_s)))
        for beat in filter(row.holds, beats):
            yield line(((row.x(beat), row.top), (row.x(beat), lane)), faint, 1.0)
    apart = (score.sams[1] - first) * row.pixels
    every = max(1, math.ceil(_CROSS_GAP / apart))
    tint = colors.accent if apart >= 2.0 * _CROSS_GAP else mixed(colors.skin, colors.accent, 0.5)
    for number, sam in enumerate(score.sams):
        if row.holds(sam) and number % every == 0:
            x = row.x(sam)
            yield line(((x, row.top), (x, row.bottom)), tint, 2.0 if apart >= _CROSS_GAP else 1.0)
            if _LEFT + _TIME < x < _RIGHT - _TIME:
                yield from _cross((x, row.bottom + 17.0), colors.accent)


def _cross(center: Point, color: str) -> Iterator[str]:
    """The sign of the sam, as notation has it."""
    x, y = center
    for slope in (1.0, -1.0):
        yield line(((x - 6.0, y - 6.0 * slope), (x + 6.0, y + 6.0 * slope)), color, 3.2)


def _melody(score: Score, row: _Row, colors: Palette) -> Iterator[str]:
    """Each player's line in a color of its own, the first one on top."""
    tints = (colors.arohana, colors.avarohana, colors.vadi, colors.accent)
    for phrase in sorted(phrases(score), key=lambda phrase: -phrase.player):
        inside = _clipped(phrase.moments, row)
        if len(inside) > 1:
            points = [(row.x(time_s), row.y(cents)) for time_s, cents in inside]
            width = _LINES[0] if row.pixels >= _DENSE else _LINES[1]
            yield line(points, tints[phrase.player % len(tints)], width)


def _clipped(moments: Sequence[Moment], row: _Row) -> list[Moment]:
    """The part of a line that lies in a row's time; a note that goes on in the next row is cut at the edge."""
    found: list[Moment] = []
    for number, (time_s, cents) in enumerate(moments):
        if row.holds(time_s):
            if not found and number and moments[number - 1][0] < row.start_s:
                found.append((row.start_s, moments[number - 1][1]))
            found.append((time_s, cents))
        elif found and time_s > row.end_s:
            found.append((row.end_s, found[-1][1]))
            break
        elif not found and number and moments[number - 1][0] < row.start_s and time_s > row.end_s:
            # One long note through the whole row.
            return [(row.start_s, cents), (row.end_s, cents)]
    return found
