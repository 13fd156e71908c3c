"""Pictures of ragas: the wheel of twelve swaras with the way up and the way down, as PNG in two themes.

`draw` makes one, `described` says in words what it shows, and `Pictures` keeps those that were made in a folder.
"""

from bot.drawing.describing import described
from bot.drawing.palette import THEMES, Theme
from bot.drawing.picture import draw
from bot.drawing.pictures import Pictures

__all__ = ["THEMES", "Pictures", "Theme", "described", "draw"]
