"""Text as outlines: HarfBuzz shapes it, as Indian scripts need, with the Noto fonts that come as a package.

No font of the machine takes part, so a picture looks the same everywhere. What no font covers is never drawn as
boxes: `covered` says so beforehand, and `outline` refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import as_file, files

import uharfbuzz as hb

_PACKAGE = "manimgx_fonts"
# In order of preference: most glyphs are in the first.
_FONTS = (
    "NotoSans",
    "NotoSansDevanagari",
    "NotoSansTamil",
    "NotoSansTelugu",
    "NotoSansKannada",
    "NotoSansMalayalam",
    "NotoSansBengali",
    "NotoSansGujarati",
    "NotoSansGurmukhi",
    "NotoSansOriya",
    "NotoSansSymbols",
)
_JOINERS = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")


class LetteringError(ValueError):
    """A text that the fonts cannot write."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """A shape of a font as SVG path data in the font's units, in which y grows upwards."""

    path: str
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Outline:
    """A written text: its glyphs with their places in pixels, the baseline's left end at (0, 0), y downwards.

    Each of ``glyphs`` is x, y, pixels per unit of its font, and the shape. ``above`` and ``below`` say how far the
    ink reaches over and under the baseline.
    """

    glyphs: tuple[tuple[float, float, float, Glyph], ...]
    width: float
    above: float
    below: float


def covered(text: str) -> bool:
    """Whether there is a glyph for every character of a text."""
    return all(name is not None for name, _ in _runs(text))


def writable(text: str) -> str:
    """The text without the characters that no font has."""
    return "".join(run for name, run in _runs(text) if name is not None)


@lru_cache(maxsize=1024)
def outline(text: str, size: float, weight: int = 400) -> Outline:
    """A text in one line; ``size`` is the font's in pixels, ``weight`` 400 (regular) to 700 (bold).

    Raises `LetteringError` for a text with a character that no font has.
    """
    glyphs: list[tuple[float, float, float, Glyph]] = []
    x = above = below = 0.0
    for name, run in _runs(text):
        if name is None:
            raise LetteringError(f"No font has all the glyphs of {text!r}.")
        buffer = hb.Buffer()
        buffer.add_str(run)
        # Else HarfBuzz would take the language of whoever runs the bot.
        buffer.language = "und"
        buffer.guess_segment_properties()
        hb.shape(_font(name, weight), buffer)
        scale = size / _face(name).upem
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            if info.codepoint == 0:
                raise LetteringError(f"{name} has no glyph for a part of {text!r}.")
            glyph = _glyph(name, weight, info.codepoint)
            y = -place.y_offset * scale
            if glyph.path:
                glyphs.append((x + place.x_offset * scale, y, scale, glyph))
                above = max(above, glyph.top * scale - y)
                below = max(below, y - glyph.bottom * scale)
            x += place.x_advance * scale
    return Outline(tuple(glyphs), x, above, below)


def fitted(text: str, size: float, width: float, weight: int = 400) -> Outline:
    """The text at ``size``, or smaller where it would be wider than ``width``."""
    written = outline(text, size, weight)
    if written.width <= width:
        return written
    return outline(text, size * width / written.width, weight)


class _Pen:
    """Takes a glyph's contours from HarfBuzz and writes them down as path data."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.heights: list[float] = []

    def _write(self, command: str, *points: tuple[float, float]) -> None:
        self.heights += [y for _, y in points]
        self.commands.append(command + " ".join(f"{x:.0f} {y:.0f}" for x, y in points))

    # The names of the protocol that HarfBuzz calls.
    def moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the pen protocol names it so
        self._write("M", point)

    def lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the pen protocol names it so
        self._write("L", point)

    def qCurveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802 - the pen protocol names it so
        self._write("Q", *points)

    def curveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802 - the pen protocol names it so
        self._write("C", *points)

    def closePath(self) -> None:  # noqa: N802 - the pen protocol names it so
        self.commands.append("Z")

    def endPath(self) -> None:  # noqa: N802 - the pen protocol names it so
        """An open contour's end; a fill closes it by itself."""


@lru_cache(maxsize=4096)
def _glyph(name: str, weight: int, number: int) -> Glyph:
    pen = _Pen()
    _font(name, weight).draw_glyph_with_pen(number, pen)
    return Glyph("".join(pen.commands), max(pen.heights, default=0.0), min(pen.heights, default=0.0))


@cache
def _face(name: str) -> hb.Face:
    with as_file(files(_PACKAGE) / f"{name}[wght].ttf") as path:
        return hb.Face(hb.Blob(path.read_bytes()))


@cache
def _font(name: str, weight: int) -> hb.Font:
    font = hb.Font(_face(name))
    font.set_variations({"wght": weight})
    return font


@cache
def _glyphs(name: str) -> frozenset[int]:
    return frozenset(_face(name).unicodes)


def _runs(text: str) -> list[tuple[str | None, str]]:
    """A text in pieces of one font each, ``None`` for what no font has. A font is kept as long as it serves."""
    found: list[tuple[str | None, str]] = []
    for character in text:
        kept = found[-1][0] if found else None
        if kept is not None and (character in _JOINERS or ord(character) in _glyphs(kept)):
            name: str | None = kept
        else:
            name = next((font for font in _FONTS if ord(character) in _glyphs(font)), None)
        if found and name == kept:
            found[-1] = (name, found[-1][1] + character)
        else:
            found.append((name, character))
    return found
