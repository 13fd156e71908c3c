"""Old names beside the catalogue: the same name is matched, what is only like one is listed."""

from __future__ import annotations

from functools import lru_cache

from music.catalogue import Catalogue, Raga
from music.folding import plain_key, sound_key
from music.raga import TRADITIONS
from music.swaras import Tradition

_SUGGESTED = 200
"""So many unknown names are looked up for what they may mean; more than that nobody reads."""


class Names:
    """Finds the catalogue's raga of an old name. ``both``: names that either tradition has, with none said."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._left = _SUGGESTED
        self.match = lru_cache(maxsize=16384)(self._match)

    def _match(self, name: str, tradition: Tradition | None) -> Raga | None:
        """The raga of exactly this name or spelling. Without a tradition only where one tradition alone has it."""
        if tradition is not None:
            return self._catalogue.get(name, tradition)
        found = [raga for one in TRADITIONS if (raga := self._catalogue.get(name, one)) is not None]
        return found[0] if len(found) == 1 else None

    def hint(self, name: str, tradition: Tradition | None) -> str:
        """Why a name was not matched, for the list of those that want a look."""
        if tradition is None and self._catalogue.get(name) is not None:
            return "both traditions have a raga of this name, and the row says none"
        if self._left <= 0:
            return "no raga of the catalogue"
        self._left -= 1
        match = self._catalogue.find(name[:80], tradition)
        near = [raga.name for raga in ((match.raga,) if match.raga else ()) + match.others]
        return f"no raga of the catalogue; like {', '.join(near[:3])}" if near else "no raga of the catalogue"


def keys(name: str) -> tuple[str, str]:
    """What two rows of the same name share, and what two of nearly the same do."""
    return plain_key(name), sound_key(name)
