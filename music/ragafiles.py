"""The catalogue's TOML files: reading them, and saying in which file and entry something is wrong.

A file holds ``[defaults]`` for all its entries and one ``[[raga]]`` each. Scales and other lists of swaras
are lines of text. docs/musicology.md explains every key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from music.choosing import times_of
from music.melakarta import chakra_name, melakarta_scale
from music.raga import TRADITIONS, CatalogueError, Raga, Variant
from music.ragafaults import faults, faults_between
from music.scripts import CARNATIC_SCRIPTS, in_script
from music.swaras import Swara, base, parse_scale

_TEXTS = frozenset(
    [
        "name",
        "iso",
        "devanagari",
        "tradition",
        "thaat",
        "parent",
        "jati",
        "description",
        "notes",
        "arohana",
        "avarohana",
        "vadi",
        "samvadi",
        "nyasa",
        "foreign",
    ]
)
_LISTS = frozenset(["aliases", "time", "season", "rasa", "mood", "kin", "sources", "pakad"])
_KEYS = _TEXTS | _LISTS | {"melakarta", "prahar", "scripts", "variants", "reviewed"}
_VARIANT_KEYS = frozenset(["arohana", "avarohana", "note"])
_DEFAULTS = frozenset(["tradition", "thaat", "melakarta", "reviewed", "sources"])
_JATIS = {3: "Samika", 4: "Svarantara", 5: "Audava", 6: "Shadava", 7: "Sampurna"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One table of one file, with the file's defaults put in."""

    file: str
    table: Mapping[str, object]

    @property
    def is_melakarta(self) -> bool:
        """A melakarta itself leaves its scale to its number."""
        return "melakarta" in self.table and "arohana" not in self.table

    def fault(self, text: str) -> CatalogueError:
        return CatalogueError(f"{self.file}, raga {self.table.get('name')!r}: {text}.")

    def text(self, key: str) -> str | None:
        value = self.table.get(key)
        if value is not None and (not isinstance(value, str) or not value.strip() or value != value.strip()):
            raise self.fault(f"{key} is a text without blanks around it, not {value!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self.fault(f"{key} is a list of texts, not {value!r}")
        if len(set(value)) != len(value):
            raise self.fault(f"{key} says something twice")
        return tuple(value)

    def whole(self, key: str) -> int | None:
        value = self.table.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.fault(f"{key} is a whole number, not {value!r}")
        return value

    def swaras(self, key: str) -> tuple[Swara, ...]:
        text = self.text(key)
        return () if text is None else self.parsed(key, text)

    def swara(self, key: str) -> Swara | None:
        swaras = self.swaras(key)
        if len(swaras) > 1:
            raise self.fault(f"{key} is one swara, not {len(swaras)}")
        return swaras[0] if swaras else None

    def parsed(self, key: str, text: str) -> tuple[Swara, ...]:
        try:
            return parse_scale(text)
        except ValueError as error:
            raise self.fault(f"{key}: {str(error).rstrip('.')}") from error


def read_folder(folder: Path) -> tuple[Raga, ...]:
    """All ragas of a folder's TOML files, checked. Raises `CatalogueError`."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise CatalogueError(f"{folder} holds no catalogue: there is no TOML file in it.")
    entries = [entry for path in paths for entry in _entries(path)]
    parents = {
        entry.whole("melakarta"): name
        for entry in entries
        if entry.is_melakarta and (name := entry.text("name"))
    }
    ragas: list[Raga] = []
    for entry in entries:
        raga = _raga(entry, parents)
        for fault in faults(raga, entry.swaras("foreign")):
            raise entry.fault(fault)
        ragas.append(raga)
    for place, fault in faults_between(ragas):
        raise entries[place].fault(fault)
    return tuple(ragas)


def _entries(path: Path) -> list[_Entry]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name} cannot be read: {error}") from error
    defaults, tables = document.pop("defaults", {}), document.pop("raga", [])
    if document or not isinstance(defaults, dict) or not isinstance(tables, list):
        raise CatalogueError(f"{path.name} holds more than [defaults] and [[raga]] tables.")
    if odd := set(defaults) - _DEFAULTS:
        raise CatalogueError(f"{path.name}: defaults cannot hold {', '.join(sorted(odd))}.")
    entries: list[_Entry] = []
    for table in tables:
        if not isinstance(table, dict):
            raise CatalogueError(f"{path.name}: a raga is a table, not {table!r:.80}.")
        entry = _Entry(path.name, {**defaults, **table})
        if odd := set(table) - _KEYS:
            raise entry.fault(f"no such key as {', '.join(sorted(odd))}")
        entries.append(entry)
    return entries


def _raga(entry: _Entry, parents: Mapping[int | None, str]) -> Raga:
    name = entry.text("name")
    if name is None:
        raise entry.fault("it has no name")
    tradition = next((known for known in TRADITIONS if known == entry.text("tradition")), None)
    if tradition is None:
        raise entry.fault(f"tradition is one of {', '.join(TRADITIONS)}")
    melakarta = entry.whole("melakarta")
    arohana, avarohana = _lines(entry, melakarta)
    reviewed = entry.table.get("reviewed", False)
    if not isinstance(reviewed, bool):
        raise entry.fault("reviewed is true or false")
    prahar = entry.table.get("prahar", [])
    if not isinstance(prahar, list) or not all(type(watch) is int for watch in prahar):
        raise entry.fault("prahar is a list of numbers")
    foreign = entry.swaras("foreign")
    anya = f"Takes {', '.join(foreign)} from outside its melakarta." if foreign else ""
    return Raga(
        name=name,
        tradition=tradition,
        arohana=arohana,
        avarohana=avarohana,
        aliases=entry.texts("aliases"),
        scripts=_scripts(entry),
        thaat=entry.text("thaat"),
        melakarta=melakarta,
        chakra=_chakra(entry, melakarta) if entry.is_melakarta else None,
        parent=entry.text("parent") or (None if entry.is_melakarta else parents.get(melakarta)),
        jati=entry.text("jati") or _jati(arohana, avarohana),
        vadi=entry.swara("vadi"),
        samvadi=entry.swara("samvadi"),
        nyasa=entry.swaras("nyasa"),
        pakad=tuple(entry.parsed("pakad", phrase) for phrase in entry.texts("pakad")),
        prahar=tuple(prahar),
        time=entry.texts("time") or times_of(prahar),
        season=entry.texts("season"),
        rasa=entry.texts("rasa"),
        mood=entry.texts("mood"),
        description=entry.text("description") or "",
        kin=entry.texts("kin"),
        notes=" ".join(filter(None, (anya, entry.text("notes")))),
        variants=_variants(entry),
        reviewed=reviewed,
        sources=entry.texts("sources"),
    )


def _lines(entry: _Entry, melakarta: int | None) -> tuple[tuple[Swara, ...], tuple[Swara, ...]]:
    if entry.is_melakarta and melakarta is not None:
        _chakra(entry, melakarta)
        scale = melakarta_scale(melakarta)
        return scale, scale[::-1]
    return entry.swaras("arohana"), entry.swaras("avarohana")


def _variants(entry: _Entry) -> tuple[Variant, ...]:
    given = entry.table.get("variants", [])
    if not isinstance(given, list) or not all(
        isinstance(one, dict)
        and set(one) == _VARIANT_KEYS
        and all(isinstance(text, str) for text in one.values())
        for one in given
    ):
        raise entry.fault(f"variants is a list of tables with {', '.join(sorted(_VARIANT_KEYS))}")
    return tuple(
        Variant(
            entry.parsed("variants", one["arohana"]),
            entry.parsed("variants", one["avarohana"]),
            one["note"].strip(),
        )
        for one in given
    )


def _chakra(entry: _Entry, melakarta: int | None) -> str | None:
    try:
        return None if melakarta is None else chakra_name(melakarta)
    except ValueError as error:
        raise entry.fault(str(error).rstrip(".")) from error


def _jati(arohana: tuple[Swara, ...], avarohana: tuple[Swara, ...]) -> str | None:
    """Five, six or seven swaras up and down; both forms of one swara count once."""
    up, down = (_JATIS.get(len({base(swara)[0] for swara in line})) for line in (arohana, avarohana))
    if up is None or down is None:
        return None
    return up if up == down else f"{up}-{down}"


def _scripts(entry: _Entry) -> tuple[tuple[str, str], ...]:
    given = entry.table.get("scripts", {})
    if not isinstance(given, dict) or not all(isinstance(name, str) and name for name in given.values()):
        raise entry.fault("scripts is a table of names by script")
    names: dict[str, str] = {}
    iso = entry.text("iso")
    if iso is not None:
        try:
            names = {script: in_script(iso, script) for script in CARNATIC_SCRIPTS}
        except ValueError as error:
            raise entry.fault(f"iso: {error}") from error
    devanagari = entry.text("devanagari")
    if devanagari is not None:
        names["Devanagari"] = devanagari
    return tuple({**names, **given}.items())
