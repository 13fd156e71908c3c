"""A raga's picture as SVG: its names above, the wheel below, what the marks mean in the corners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.drawing.lettering import covered, fitted, outline, writable
from bot.drawing.palette import Palette, mixed
from bot.drawing.strokes import around, arrow, text
from bot.drawing.wheel import DISC, RADIUS, Role, disc, wheel
from music.raga import Raga

WIDTH, HEIGHT = 1000, 970

_MARGIN = 40.0
_BETWEEN = 36.0  # between a name in one script and the next
_SMALL = 31.0  # letters of a name are no smaller while there is another row: about 11 pixels on a phone
_CENTER = (500.0, 600.0)
_NATIVE = {"Hindustani": ("Devanagari",), "Carnatic": ("Tamil", "Telugu", "Kannada", "Malayalam")}


def svg(raga: Raga, colors: Palette) -> str:
    """The whole picture."""
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{colors.paper}"/>',
            *_heading(raga, colors),
            f'<g transform="translate({_CENTER[0]} {_CENTER[1]})">',
            *wheel(raga, colors),
            *_directions(colors),
            "</g>",
            *_legend(raga, colors),
            "</svg>",
        )
    )


def native_names(raga: Raga) -> list[str]:
    """The name in the scripts of its tradition, as far as there are glyphs for them."""
    written = dict(raga.scripts)
    names = [written[script] for script in _NATIVE[raga.tradition] if script in written]
    return [name for name in names or written.values() if covered(name)]


def family(raga: Raga) -> str:
    """Where the raga belongs: its tradition, and its thaat or melakarta."""
    if raga.tradition == "Hindustani":
        return "Hindustani" if raga.thaat is None else f"Hindustani · {raga.thaat} thaat"
    if raga.parent is not None:
        return f"Carnatic · janya of {raga.parent}" + (
            "" if raga.melakarta is None else f" ({raga.melakarta})"
        )
    if raga.melakarta is None:
        return "Carnatic"
    return f"Carnatic · melakarta {raga.melakarta}" + (
        "" if raga.chakra is None else f" · {raga.chakra} chakra"
    )


def _heading(raga: Raga, colors: Palette) -> Iterator[str]:
    width = WIDTH - 2 * _MARGIN
    title = fitted(writable(raga.name), 76.0, width, 600)
    yield text(title, (WIDTH - title.width) / 2.0, 86.0, colors.ink)
    names = native_names(raga)
    size = 50.0 if len(names) == 1 else 40.0
    two = len(names) > 2 and _row_size(names, size) < _SMALL
    if two:
        yield from _row(names[:2], _SMALL, 131.0, colors.accent)
        yield from _row(names[2:], _SMALL, 173.0, colors.accent)
    elif names:
        yield from _row(names, size, 153.0, colors.accent)
    bottom = 222.0 if two else 212.0
    line = fitted(writable(family(raga)), 32.0, width)
    yield text(line, (WIDTH - line.width) / 2.0, bottom, colors.soft)


def _row_size(names: Sequence[str], size: float) -> float:
    """``size``, or the smaller one at which the names fit side by side."""
    room = WIDTH - 2 * _MARGIN - _BETWEEN * (len(names) - 1)
    return min(size, size * room / sum(outline(name, size, 500).width for name in names))


def _row(names: Sequence[str], size: float, y: float, color: str) -> Iterator[str]:
    """Names side by side in the middle."""
    written = [outline(name, _row_size(names, size), 500) for name in names]
    x = (WIDTH - sum(one.width for one in written) - _BETWEEN * (len(written) - 1)) / 2.0
    for one in written:
        yield text(one, x, y, color)
        x += one.width + _BETWEEN


def _directions(colors: Palette) -> Iterator[str]:
    """Which color is which way, and where it goes, at the shoulders of the wheel."""
    for word, color, side in (("Arohana", colors.arohana, -1.0), ("Avarohana", colors.avarohana, 1.0)):
        bow = [around(side * step / 100.0, RADIUS + 26.0) for step in range(200, 139, -5)]
        yield from arrow(bow, color, 6.0)
        written = outline(word, 34.0, 600)
        deep = mixed(color, colors.ink, 0.22)  # letters need more contrast than a line
        edge = _CENTER[0] - _MARGIN
        yield text(written, -edge if side < 0 else edge - written.width, -RADIUS + 66.0, deep)


def _legend(raga: Raga, colors: Palette) -> Iterator[str]:
    """Vadi and samvadi by name, in the lower corners."""
    roles: tuple[tuple[str | None, Role], ...] = ((raga.vadi, "vadi"), (raga.samvadi, "samvadi"))
    y = HEIGHT - _MARGIN - DISC + 8.0
    for swara, role in roles:
        if swara is None:
            continue
        left = role == "vadi"
        x = _MARGIN + DISC if left else WIDTH - _MARGIN - DISC
        yield from disc((x, y), swara, raga.tradition, role, colors)
        written = outline(role, 34.0, 500)
        yield text(
            written, x + DISC + 14.0 if left else x - DISC - 14.0 - written.width, y + 11.0, colors.ink
        )
