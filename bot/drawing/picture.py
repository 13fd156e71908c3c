"""One picture: a raga and a theme in, a PNG out."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from importlib.metadata import version

from bot.drawing.card import HEIGHT, WIDTH, svg
from bot.drawing.palette import Theme, palette
from bot.drawing.raster import png
from music.raga import Raga

# Counted up when the same SVG becomes another PNG; all else that changes the picture changes the SVG.
_RASTER = 1


def draw(raga: Raga, theme: Theme) -> bytes:
    """The picture as a PNG of `WIDTH` by `HEIGHT` pixels. The same raga gives the same bytes, in any thread."""
    colors = palette(theme)
    return png(svg(raga, colors), WIDTH, HEIGHT, colors.levels)


@lru_cache(maxsize=4096)
def file_name(raga: Raga, theme: Theme) -> str:
    """A name that stays the same as long as the picture does."""
    drawn = f"{_RASTER} {version('thorvg-python')} {svg(raga, palette(theme))}"
    digest = hashlib.sha256(drawn.encode()).hexdigest()[:16]
    return f"{slug(raga.name)}-{theme}-{digest}.png"


def slug(name: str) -> str:
    """A raga's name as a part of a file's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:60] or "raga"
