"""The colors of a picture in its two themes; paper, ink and accent are those of the chat page."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colors as ``#rrggbb``.

    ``arohana`` and ``avarohana`` are a warm and a cold one, which stay apart for color-blind eyes too. ``vadi`` is
    the red of kumkum; ``on_vadi`` is written upon it. ``dim`` is for what the raga leaves out.
    """

    paper: str
    skin: str
    ink: str
    soft: str
    dim: str
    line: str
    faint: str
    accent: str
    arohana: str
    avarohana: str
    vadi: str
    on_vadi: str

    @property
    def levels(self) -> frozenset[int]:
        """The levels, 0 to 255, that red, green and blue have in these colors."""
        return frozenset(int(color[at : at + 2], 16) for color in astuple(self) for at in (1, 3, 5))


_PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        paper="#fffdfa",
        skin="#fbf1e4",
        ink="#2b2119",
        soft="#6d5c4e",
        dim="#a08c78",
        line="#dac7b0",
        faint="#eee0cf",
        accent="#9a3b1d",
        arohana="#e07a1f",
        avarohana="#14707c",
        vadi="#a8282b",
        on_vadi="#fff7f0",
    ),
    "dark": Palette(
        paper="#17120f",
        skin="#231a14",
        ink="#f6ede2",
        soft="#c2b1a0",
        dim="#86735f",
        line="#4f4034",
        faint="#382c22",
        accent="#f0b68c",
        arohana="#f08a2c",
        avarohana="#6cc5d1",
        vadi="#f2796b",
        on_vadi="#2a100c",
    ),
}


def palette(theme: Theme) -> Palette:
    """The colors of a theme."""
    return _PALETTES[theme]


def mixed(one: str, other: str, share: float) -> str:
    """The color that has ``share`` (0 to 1) of ``other`` in it and the rest of ``one``."""
    parts = (
        round(int(one[at : at + 2], 16) * (1.0 - share) + int(other[at : at + 2], 16) * share)
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)
