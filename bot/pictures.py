"""The pictures of cards: drawn when they are first asked for, by a library that is loaded only then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bot.platforms import Drawn, Theme
from handlers.errors import NotFoundError, UnavailableError
from handlers.model import Picture
from handlers.values import tradition
from music.catalogue import Catalogue

if TYPE_CHECKING:
    from bot.drawing import Pictures
    from music.raga import Raga

log = logging.getLogger(__name__)


class Drawings:
    """Finds the raga of a picture, and has it drawn."""

    def __init__(self, folder: Path, catalogue: Callable[[], Catalogue]) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._loaded: tuple[Pictures, Callable[[Raga], str]] | None = None

    async def __call__(self, picture: Picture, theme: Theme) -> Drawn:
        """The file, and its words. Raises NotFoundError, UnavailableError."""
        raga = self._catalogue().get(picture.raga, tradition(picture.tradition))
        if raga is None:
            raise NotFoundError
        if self._loaded is None:
            self._loaded = await asyncio.to_thread(self._load)
        pictures, described = self._loaded
        try:
            path = await pictures.of(raga, theme)
        except (OSError, RuntimeError, ValueError) as error:
            log.warning(
                "The picture of %s could not be drawn: %s", raga.name, str(error) or type(error).__name__
            )
            raise UnavailableError from None
        return Drawn(path, described(raga))

    def _load(self) -> tuple[Pictures, Callable[[Raga], str]]:
        from bot.drawing import Pictures, described

        return Pictures(self._folder), described
