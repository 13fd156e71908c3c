"""The catalogue: all ragas that the bot knows, loaded from data/ragas or made from Convex's documents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from music.byswaras import Found, SwaraIndex
from music.familiar import familiarity
from music.folding import plain_key, sound_key
from music.lookup import Index, Match
from music.raga import TRADITIONS, CatalogueError, Raga
from music.ragafiles import read_folder
from music.swaras import Swara, Tradition

__all__ = ["TRADITIONS", "Catalogue", "CatalogueError", "Match", "Raga", "Swara", "Tradition", "load"]

# An installed package holds the files beside this module, a checkout in a folder of its own.
_FOLDERS = (Path(__file__).with_name("ragas"), Path(__file__).parents[1] / "data" / "ragas")


_TELLING = 3  # shorter words sound like too much
_INNER = 4  # shorter words stand inside too many names


class Catalogue:
    """Ragas and how to find them. Immutable; ``version`` is a hash of the content unless one is given."""

    def __init__(self, ragas: Iterable[Raga], version: str | None = None) -> None:
        self.ragas = tuple(ragas)
        self.version = version or _content_hash(self.ragas)

    def __reduce__(self) -> tuple[type[Catalogue], tuple[tuple[Raga, ...], str]]:
        # What is made from the ragas is made anew where it is needed.
        return Catalogue, (self.ragas, self.version)

    @cached_property
    def _index(self) -> Index:
        return Index(self.ragas)

    @cached_property
    def _swaras(self) -> SwaraIndex:
        return SwaraIndex(self.ragas)

    @cached_property
    def _texts(self) -> tuple[tuple[Raga, str, str, str], ...]:
        """Each raga with what a search reads: its words, how those of its names sound, and its names."""
        return tuple(
            (raga, _words(raga), _sounds(raga), " ".join(map(plain_key, raga.names))) for raga in self.ragas
        )

    def get(self, name: str, tradition: Tradition | None = None) -> Raga | None:
        """The raga of exactly this name or spelling; case, marks and ways of transliteration aside."""
        return self._index.get(name, tradition)

    def find(self, text: str, prefer: Tradition | None = None) -> Match:
        """The raga that a person means, however spelt. Of a name in both traditions, ``prefer`` decides."""
        return self._index.find(text, prefer)

    def suggest(self, prefix: str, limit: int = 25) -> list[Raga]:
        """Ragas to choose from while a name is typed, best first; for an empty text the best known ones."""
        return self._index.suggest(prefix, limit)

    def by_swaras(self, text: str) -> Found | None:
        """The ragas of the notes in a text, such as ``S R2 G3 P D2``; None where it is meant as a name."""
        return self._swaras.find(text)

    def search(
        self,
        text: str = "",
        tradition: Tradition | None = None,
        time: str | None = None,
        mood: str | None = None,
    ) -> list[Raga]:
        """Ragas that fit everything asked for, those found by name first; a misspelt name finds its likest.

        ``time`` is a word of `music.choosing.TIMES`, ``mood`` one of `music.choosing.MOODS` or a rasa.
        """
        fits = [
            (raga, words, sounds, spellings)
            for raga, words, sounds, spellings in self._texts
            if tradition in (None, raga.tradition)
            and (time is None or _says(raga.time, time))
            and (mood is None or _says((*raga.mood, *raga.rasa), mood))
        ]
        asked = text.split()
        if not asked:
            known = {raga: place for place, raga in enumerate(self.suggest("", len(self.ragas)))}
            return sorted((raga for raga, *_ in fits), key=known.__getitem__)
        keys = [(plain_key(word), sound_key(word)) for word in asked]
        found = [
            raga
            for raga, words, sounds, spellings in fits
            if all(
                (plain and f" {plain}" in words)
                or (len(sound) >= _TELLING and f" {sound}" in sounds)
                or (len(plain) >= _INNER and plain in spellings)
                for plain, sound in keys
            )
        ]
        named = self.suggest(text, len(self.ragas)) if len(text) <= 100 else []
        place = {raga: number for number, raga in enumerate(named)}
        if found:
            own = self.get(text) if len(text) <= 100 else None

            def order(raga: Raga) -> tuple[bool, bool, int, int]:
                return (raga is not own, raga not in place, familiarity(raga), place.get(raga, 0))

            return sorted(found, key=order)
        match = self.find(text, tradition)
        meant = (*((match.raga,) if match.raga else ()), *match.others)
        fitting = {raga for raga, *_ in fits}
        return [raga for raga in meant if raga in fitting]


def _says(words: Iterable[str], asked: str) -> bool:
    return asked.strip().casefold() in words


def _words(raga: Raga) -> str:
    melakarta = "" if raga.melakarta is None else f"melakarta {raga.melakarta}"
    fields = (
        *raga.names,
        raga.tradition,
        raga.thaat or "",
        raga.chakra or "",
        raga.parent or "",
        melakarta,
        *raga.time,
        *raga.season,
        *raga.rasa,
        *raga.mood,
        *raga.kin,
        raga.description,
    )
    return " " + " ".join(plain_key(word) for field in fields for word in field.split())


def _sounds(raga: Raga) -> str:
    words = [word for name in raga.names for word in (name, *name.split())]
    return " " + " ".join(map(sound_key, words))


def _content_hash(ragas: Iterable[Raga]) -> str:
    """The same for the same ragas, whatever their order: 16 hexadecimal digits."""
    documents = sorted(
        (raga.to_document() for raga in ragas), key=lambda entry: (entry["tradition"], entry["name"])
    )
    text = json.dumps(documents, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load(folder: Path | None = None) -> Catalogue:
    """The catalogue of a folder of TOML files, by default the one that comes with the bot.

    Raises `CatalogueError`, which names the file and the entry.
    """
    if folder is None:
        folder = next((path for path in _FOLDERS if path.is_dir()), _FOLDERS[-1])
    return Catalogue(read_folder(folder))
