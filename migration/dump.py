"""An export on disk: one file of JSON lines a table, and a manifest with counts and SHA-256 sums.

Each line is one row as PostgreSQL's own ``row_to_json`` wrote it.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from migration.errors import MigrationError
from migration.inspect import Column, Table
from migration.rows import key_of

MANIFEST = "manifest.json"
FORMAT = 1
_PART_LETTERS = 200_000


@dataclass(frozen=True, slots=True)
class TableFile:
    """One table's file."""

    table: Table
    file: str
    rows: int
    bytes: int
    sha256: str
    withheld: dict[str, int] = field(default_factory=dict)
    """How many values were left out, by column and path, because they look like secrets."""


@dataclass(frozen=True, slots=True)
class Dump:
    """A whole export."""

    folder: Path
    place: str
    taken_at_ms: float
    tables: tuple[TableFile, ...]
    left: tuple[tuple[str, str], ...] = ()
    """What was there beside tables and was not taken, with the reason."""

    def of(self, label: str) -> TableFile:
        """The file of a table."""
        return next(one for one in self.tables if one.table.label == label)

    def lines(self, label: str) -> Iterator[bytes]:
        """The rows of a table as they were written, without line ends."""
        with (self.folder / self.of(label).file).open("rb", buffering=1 << 20) as file:
            for line in file:
                yield line.rstrip(b"\n")


def file_name(label: str) -> str:
    """A name that every file system takes, another one for another table."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", label)
    mark = (
        ""
        if plain == label.lower() and not label.startswith(".")
        else f"-{hashlib.sha256(label.encode()).hexdigest()[:8]}"
    )
    return f"{plain.lstrip('.')}{mark}.jsonl"


def write_manifest(dump: Dump) -> None:
    """Say that the export is whole. The file appears at once or not at all."""
    manifest = {
        "format": FORMAT,
        "from": dump.place,
        "takenAt": dump.taken_at_ms,
        "left": [list(one) for one in dump.left],
        "tables": [{"label": one.table.label, **asdict(one)} for one in dump.tables],
    }
    draft = dump.folder / f".{MANIFEST}"
    draft.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), "utf-8")
    draft.chmod(0o600)
    draft.replace(dump.folder / MANIFEST)


def read(folder: Path, *, check: bool = False) -> Dump | None:
    """The export in a folder, if there is a whole one; ``check`` holds its files against their sums.

    Raises MigrationError where a file is not as it was written.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if manifest.get("format") != FORMAT:
        return None
    tables = tuple(_table_file(cast("dict[str, Any]", one)) for one in manifest["tables"])
    left = tuple((str(name), str(why)) for name, why in manifest.get("left", []))
    dump = Dump(folder, manifest["from"], float(manifest["takenAt"]), tables, left)
    if check:
        for one in tables:
            try:
                with (folder / one.file).open("rb") as file:
                    whole = hashlib.file_digest(file, "sha256").hexdigest() == one.sha256
            except OSError:
                whole = False
            if not whole:
                raise MigrationError(
                    f"{folder / one.file} is not as it was exported. Please export anew, without --resume."
                )
    return dump


def _table_file(one: dict[str, Any]) -> TableFile:
    table = one["table"]
    columns = tuple(Column(**column) for column in table["columns"])
    return TableFile(
        Table(table["schema"], table["name"], columns, tuple(table["key"]), table["rows"], table["parted"]),
        one["file"],
        one["rows"],
        one["bytes"],
        one["sha256"],
        one.get("withheld", {}),
    )


def write_zip(dump: Dump, path: Path) -> None:
    """The export in the shape that ``npx convex import`` takes: a folder a table with ``documents.jsonl`` in it.

    The tables are called ``pg_<name>``, apart from those of the schema. A document holds the row's key and the row as
    JSON text, because columns may have names and values that Convex's fields cannot; a long row comes in parts.
    """
    draft = path.with_name(f".{path.name}")
    names = zip_names([one.table.label for one in dump.tables])
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        draft.chmod(0o600)
        for one in dump.tables:
            name = names[one.table.label]
            with archive.open(f"{name}/documents.jsonl", "w", force_zip64=True) as file:
                for line in dump.lines(one.table.label):
                    text = line.decode()
                    parts = [text[at : at + _PART_LETTERS] for at in range(0, len(text), _PART_LETTERS)] or [
                        ""
                    ]
                    key = key_of(line, one.table.key)
                    for number, part in enumerate(parts):
                        document: dict[str, object] = {"legacyId": key, "row": part}
                        if len(parts) > 1:
                            document |= {"part": number, "parts": len(parts)}
                        file.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
    draft.replace(path)


def zip_names(labels: Iterable[str]) -> dict[str, str]:
    """What tables are called in the ZIP: letters that Convex takes, at most 64, and each name once."""
    found: dict[str, str] = {}
    for label in labels:
        name = re.sub(r"[^A-Za-z0-9_]", "_", f"pg_{label}")[:64]
        if name.lower() in {taken.lower() for taken in found.values()}:
            name = f"{name[:55]}_{hashlib.sha256(label.encode()).hexdigest()[:8]}"
        found[label] = name
    return found


def private_folder(folder: Path) -> Path:
    """A folder that only its owner can read: what lies in it is about people. Raises MigrationError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        why = "it is no folder" if folder.is_file() else error.strerror
        raise MigrationError(f"I cannot write to {folder}: {why}.") from None
    return folder
