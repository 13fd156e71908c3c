"""One raga as the catalogue knows it, and its forms as a Convex document and as an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from music.swaras import Swara, SwaraError, Tradition, parse_scale

TRADITIONS: tuple[Tradition, ...] = ("Hindustani", "Carnatic")


class CatalogueError(ValueError):
    """A catalogue that cannot be used. The text names the file or document, the entry, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Another form of a raga, of another school; ``note`` says whose."""

    arohana: tuple[Swara, ...]
    avarohana: tuple[Swara, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Raga:
    """A raga. What the tradition does not say is ``None`` or an empty tuple.

    ``arohana`` and ``avarohana`` are as sung, crooked (vakra) turns kept, and may begin below Sa:
    ``("N3,", "R2", "G3", …)``. ``scripts`` pairs a script with the name written in it. ``prahar`` counts the
    eight watches of the day from sunrise, 1 to 8. ``kin`` names ragas of the other tradition, or neighbors,
    that share the scale or the manner. ``variants`` are forms of other schools, which differ in their swaras.
    ``reviewed`` says that the entry was held against the ``sources``.
    """

    name: str
    tradition: Tradition
    arohana: tuple[Swara, ...]
    avarohana: tuple[Swara, ...]
    aliases: tuple[str, ...] = ()
    scripts: tuple[tuple[str, str], ...] = ()
    thaat: str | None = None
    melakarta: int | None = None
    chakra: str | None = None
    parent: str | None = None
    jati: str | None = None
    vadi: Swara | None = None
    samvadi: Swara | None = None
    nyasa: tuple[Swara, ...] = ()
    pakad: tuple[tuple[Swara, ...], ...] = ()
    prahar: tuple[int, ...] = ()
    time: tuple[str, ...] = ()
    season: tuple[str, ...] = ()
    rasa: tuple[str, ...] = ()
    mood: tuple[str, ...] = ()
    description: str = ""
    kin: tuple[str, ...] = ()
    notes: str = ""
    variants: tuple[Variant, ...] = ()
    reviewed: bool = False
    sources: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every spelling: the name, then aliases, then other scripts."""
        return (self.name, *self.aliases, *(name for _, name in self.scripts))

    def to_document(self) -> dict[str, Any]:
        """The raga as a Convex document: lists for tuples, absent fields left out."""
        document: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "scripts":
                value = [{"script": script, "name": name} for script, name in value]
            elif field.name == "pakad":
                value = [list(phrase) for phrase in value]
            elif field.name == "variants":
                value = [
                    {"arohana": list(one.arohana), "avarohana": list(one.avarohana), "note": one.note}
                    for one in value
                ]
            elif isinstance(value, tuple):
                value = list(value)
            if field.name == "reviewed" or value not in (None, "", []):
                document[field.name] = value
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Raga:
        """The raga of a Convex document; other fields are passed over. Raises `CatalogueError`."""
        read = _Reader(document)
        tradition = next((name for name in TRADITIONS if name == read.text("tradition")), None)
        if tradition is None:
            raise read.wrong("tradition")
        return cls(
            name=read.text("name"),
            tradition=tradition,
            arohana=read.swaras("arohana"),
            avarohana=read.swaras("avarohana"),
            aliases=read.texts("aliases"),
            scripts=tuple((item.text("script"), item.text("name")) for item in read.inner("scripts")),
            thaat=read.optional_text("thaat"),
            melakarta=read.optional_whole("melakarta"),
            chakra=read.optional_text("chakra"),
            parent=read.optional_text("parent"),
            jati=read.optional_text("jati"),
            vadi=read.optional_swara("vadi"),
            samvadi=read.optional_swara("samvadi"),
            nyasa=read.swaras("nyasa"),
            pakad=tuple(read.parsed("pakad", phrase) for phrase in read.listed("pakad")),
            prahar=tuple(read.whole("prahar", value) for value in read.listed("prahar")),
            time=read.texts("time"),
            season=read.texts("season"),
            rasa=read.texts("rasa"),
            mood=read.texts("mood"),
            description=read.optional_text("description") or "",
            kin=read.texts("kin"),
            notes=read.optional_text("notes") or "",
            variants=tuple(
                Variant(one.swaras("arohana"), one.swaras("avarohana"), one.text("note"))
                for one in read.inner("variants")
            ),
            reviewed=read.flag("reviewed"),
            sources=read.texts("sources"),
        )

    def to_export(self) -> dict[str, Any]:
        """The raga as `raga-bot catalogue export` prints it: every field, absent ones as null or empty."""
        empty: dict[str, Any] = {
            field.name: None if field.default is None else "" if field.default == "" else []
            for field in fields(self)
        }
        return {**empty, **self.to_document()}


class _Reader:
    """The fields of an untyped document by type."""

    def __init__(self, document: object) -> None:
        if not isinstance(document, Mapping):
            raise CatalogueError(f"A raga's document is no object: {document!r:.80}")
        self._document = cast("Mapping[str, object]", document)

    def wrong(self, field: str) -> CatalogueError:
        """What to raise when a field is not as it should be."""
        return CatalogueError(
            f"The document of {self._document.get('name')!r:.80}: {field} is "
            f"{self._document.get(field)!r:.80}, which cannot be read."
        )

    def text(self, field: str) -> str:
        value = self._document.get(field)
        if not isinstance(value, str) or not value:
            raise self.wrong(field)
        return value

    def optional_text(self, field: str) -> str | None:
        return None if self._document.get(field) in (None, "") else self.text(field)

    def flag(self, field: str) -> bool:
        value = self._document.get(field, False)
        if not isinstance(value, bool):
            raise self.wrong(field)
        return value

    def listed(self, field: str) -> list[object]:
        value = self._document.get(field)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise self.wrong(field)
        return list(value)

    def texts(self, field: str) -> tuple[str, ...]:
        values = self.listed(field)
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(field)
        return cast("tuple[str, ...]", tuple(values))

    def inner(self, field: str) -> list[_Reader]:
        return [_Reader(value) for value in self.listed(field)]

    def parsed(self, field: str, values: object) -> tuple[Swara, ...]:
        if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
            raise self.wrong(field)
        try:
            return parse_scale(" ".join(values))
        except SwaraError as error:
            raise self.wrong(field) from error

    def swaras(self, field: str) -> tuple[Swara, ...]:
        return self.parsed(field, self.listed(field))

    def optional_swara(self, field: str) -> Swara | None:
        value = self.optional_text(field)
        return None if value is None else self.parsed(field, [value])[0]

    def whole(self, field: str, value: object) -> int:
        # Convex has no other numbers than floats.
        if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
            raise self.wrong(field)
        return int(value)

    def optional_whole(self, field: str) -> int | None:
        value = self._document.get(field)
        return None if value is None else self.whole(field, value)
