"""Draw pictures into a folder: ``python -m bot.drawing folder [raga ...]``; without a name, ten for the docs."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.drawing.palette import THEMES
from bot.drawing.picture import draw, slug
from music.catalogue import CatalogueError, load

_SHOWN = (
    "Yaman",
    "Bhairav",
    "Malkauns",
    "Darbari Kanada",
    "Gaud Malhar",
    "Lalit",
    "Mohanam",
    "Reetigowla",
    "Sahana",
    "Kharaharapriya",
)


def main(arguments: list[str]) -> int:
    """Exit status 2 for wrong use or a name that no raga has."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    folder, names = Path(arguments[0]), arguments[1:] or _SHOWN
    try:
        catalogue = load()
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        raga = catalogue.get(name)
        if raga is None:
            print(f"There is no raga {name!r}.", file=sys.stderr)
            return 2
        for theme in THEMES:
            (folder / f"{slug(raga.name)}-{theme}.png").write_bytes(draw(raga, theme))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
