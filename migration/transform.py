"""Old rows into entries: each table by the rule of its role; what no field says goes to the row's ``legacy`` entry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from migration import rows, values
from migration.dump import Dump
from migration.errors import MigrationError
from migration.known import Known
from migration.mapping import Plan, Role
from migration.names import Names
from migration.progress import Progress
from migration.rows import Row, Value
from migration.work import Entry, Target, Upload, Work
from music.catalogue import Catalogue, Raga

FIELD_LETTERS = 16_000
FIELD_BYTES = 32_000
"""A longer text is cut in its field; the whole of it lies in the row's ``legacy`` entry. Sixteen such fields, as a raga
has them at most, are half of what a document may hold."""

DOCUMENT_BYTES = 64_000
"""A larger ``legacy`` entry lies in a file, so that a page of documents keeps well within Convex's limits."""

CUT_LETTERS = 2_000
_SURELY_SHORT = 2_000


@dataclass(slots=True)
class Old:
    """One old row on its way. What is read from it exactly is taken off ``rest``; the others stay there."""

    plan: Plan
    id: str
    row: Row
    rest: Row
    placed: bool = False

    def raw(self, field: str) -> Value:
        """The value of the column that a field is read from, as it stands there."""
        column = self.plan.fields.get(field)
        return None if column is None else self.row.get(column)

    def value(self, field: str) -> Value:
        """The same, JSON in a text unfolded. JSON that cannot be read is a text."""
        return values.unwrapped(self.raw(field))[0]

    def exact(self, field: str) -> None:
        """The new field says all that the column said."""
        self.rest.pop(self.plan.fields.get(field, ""), None)


class Transformer:
    """Shared by the rules of all roles: the work file, the catalogue, the folder of audio files."""

    def __init__(
        self, work: Work, source: str, tables: Mapping[Role, str], catalogue: Catalogue, files: Path | None
    ) -> None:
        self.work = work
        self.tables = tables
        self.source = source
        self.names = Names(catalogue)
        self.known = Known(work.database)
        self.files = None if files is None else files.resolve()
        self.texts = work.folder / "files"

    def refuse(self, old: Old, field: str, reason: str) -> None:
        """List a value that found no place in its field."""
        column = old.plan.fields.get(field, field)
        self.work.refuse(old.plan.table.label, old.id, column, old.row.get(column), reason)

    def entry(self, old: Old, target: Target, doc: Mapping[str, object | None]) -> Entry:
        """An entry of this row, absent fields left out, overlong texts cut."""
        kept = {name: value for name, value in doc.items() if value is not None and value != []}
        for name, value in list(kept.items()):
            if isinstance(value, str):
                if not _too_long(value):
                    continue
                kept[name] = value[:CUT_LETTERS].rstrip() + " …"
                self.refuse(old, name, f"{len(value):,} letters: the field holds the first {CUT_LETTERS:,}")
            elif (
                isinstance(value, list | dict)
                and _letters(value) > _SURELY_SHORT
                and _too_long(rows.write(value))
            ):
                del kept[name]
                self.refuse(old, name, "is too long for a field")
            else:
                continue
            column = old.plan.fields.get(name, name)
            old.rest[column] = old.row.get(column)
        return Entry(old.plan.table.label, old.id, target, kept)

    def add(self, old: Old, entry: Entry) -> None:
        """One more document that the row becomes."""
        old.placed = True
        self.work.add(entry)

    def ref(self, role: Role, row: str) -> tuple[str, str]:
        """A row that an entry refers to."""
        return self.tables[role], row

    def text(self, old: Old, field: str, letters: int | None = None) -> str | None:
        """A text field of at most so many letters."""
        raw = old.raw(field)
        found = values.text(raw)
        if found is None:
            if raw not in (None, ""):
                self.refuse(old, field, "is no text")
        elif letters is not None and len(found) > letters:
            self.refuse(old, field, f"the field holds the first {letters} letters")
            return found[:letters].rstrip()
        elif found == raw:
            old.exact(field)
        return found

    def number(
        self, old: Old, field: str, low: float = float("-inf"), high: float = float("inf")
    ) -> float | None:
        """A number field within bounds."""
        raw = old.raw(field)
        found = values.number(raw)
        if found is None or not low <= found <= high:
            if raw not in (None, ""):
                self.refuse(old, field, "is no number" if found is None else "is out of range")
            return None
        if values.same_number(raw, found):
            old.exact(field)
        return found

    def texts_of(self, old: Old, field: str) -> list[str]:
        """A list of texts."""
        raw = old.raw(field)
        found = values.texts(raw)
        if found is None:
            readable = values.unwrapped(raw)[1]
            self.refuse(old, field, "is no list of texts" if readable else "is broken JSON")
            return []
        if (
            found and found == raw
        ):  # an empty list is not in the document, where it would say the same as NULL
            old.exact(field)
        return found

    def moment(self, old: Old, field: str) -> float | None:
        """A point in time in ms."""
        raw = old.raw(field)
        found = values.milliseconds(raw)
        if found is None:
            if raw not in (None, ""):
                self.refuse(old, field, "is no point in time")
        elif values.exact_milliseconds(raw):
            old.exact(field)
        return found

    def raga(self, old: Old, id_field: str, name_field: str) -> tuple[Raga | None, str | None]:
        """The catalogue's raga that a row speaks of, by an old raga's id or by a name; and that id if it is one."""
        raw = old.raw(id_field)
        if raw is not None:
            known = self.known.row("ragas", rows.text_of(raw))
            if known is None:
                self.refuse(old, id_field, "there is no such raga")
                return None, None
            label, tradition = known
            return self.names.match(label, values.tradition(tradition)), rows.text_of(raw)
        name = values.text(old.raw(name_field))
        return (None if name is None else self.names.match(name, None)), None

    def upload(self, upload: Upload) -> None:
        """Note a file that is to be uploaded."""
        self.work.database.execute(
            "INSERT OR IGNORE INTO uploads VALUES (?, ?, ?, ?, NULL)",
            (upload.sha256, str(upload.path), upload.type, upload.size),
        )

    def keep_rest(self, old: Old, line: bytes, audio: str | None = None) -> None:
        """The row's ``legacy`` entry, if there is need of one: the columns that no field says exactly."""
        left = {name: value for name, value in old.rest.items() if value is not None}
        if not left and audio is None and old.placed:
            return
        text = line.decode() if old.rest is old.row else rows.write(left)
        label = old.plan.table.label
        entry = Entry(label, old.id, "legacy", {"source": self.source, "table": label, "legacyId": old.id})
        if len(text) > DOCUMENT_BYTES or (not text.isascii() and len(text.encode()) > DOCUMENT_BYTES):
            entry.files["file"] = self._text_file(text.encode())
        else:
            entry.doc["json"] = text
        if audio is not None:
            entry.files["audioFileId"] = audio
        self.work.add(entry)

    def _text_file(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        path = self.texts / digest
        if not path.exists():
            self.texts.mkdir(mode=0o700, exist_ok=True)
            path.write_bytes(content)
        self.upload(Upload(digest, path, "application/json", len(content)))
        return digest


def _too_long(text: str) -> bool:
    return len(text) > FIELD_LETTERS or (4 * len(text) > FIELD_BYTES and len(text.encode()) > FIELD_BYTES)


def _letters(value: list[object] | dict[str, object]) -> int:
    """About how long a value is as JSON: quickly told, for nearly all are short."""
    if isinstance(value, dict):
        return sum(
            len(name) + len(inner if isinstance(inner, str) else repr(inner)) + 6
            for name, inner in value.items()
        )
    return sum(len(inner if isinstance(inner, str) else repr(inner)) + 3 for inner in value)


Rule = Callable[[Transformer, Old], str | None]
"""Adds a row's entries; returns the SHA-256 of an audio file that its ``legacy`` entry is to hold."""


def transform(
    work: Work,
    export: Dump,
    plans: tuple[Plan, ...],
    source: str,
    catalogue: Catalogue,
    files: Path | None,
    progress: Progress,
) -> None:
    """Fill the work file. The same rows and catalogue give the same entries. Raises MigrationError."""
    from migration.rules import RULES, hearts

    work.begin()
    tables = {plan.role: plan.table.label for plan in plans}
    transformer = Transformer(work, source, tables, catalogue, files)
    favorites = next((plan for plan in plans if plan.role == "favorites"), None)
    if favorites is not None:
        # Whether a piece is kept by its owner is said by the piece itself too.
        for old, _ in olds(export, favorites):
            hearts(transformer, old)
    progress.start("transform", sum(one.rows for one in export.tables))
    for plan in plans:
        label = plan.table.label
        count = 0
        rule = RULES.get(plan.role)
        # Rows that are equal without their secrets may stand apart.
        seen = transformer.known.again if export.of(label).withheld and not plan.key else None
        for old, line in olds(export, plan, seen):
            if rule is None:
                old.rest = old.row
            audio = None if rule is None else rule(transformer, old)
            transformer.keep_rest(old, line, audio)
            count += 1
            if count % 500 == 0:
                progress.step(500, label)
        progress.step(count % 500, label)
        work.count("rows", label, count)
    transformer.known.flush()
    work.finish()
    for name, number in work.database.execute(
        "SELECT target, count(*) FROM entries GROUP BY target"
    ).fetchall():
        work.count("entries", str(name), int(number))
    progress.end()


def olds(
    export: Dump, plan: Plan, seen: Callable[[str, str], int] | None = None
) -> Iterator[tuple[Old, bytes]]:
    """The rows of a table with their lines. Raises MigrationError.

    ``seen`` counts equal rows of a table without a key, by table and row; without it they stand together.
    """
    last, again = "", 0
    columns = plan.key
    for line in export.lines(plan.table.label):
        try:
            row = rows.read(line)
        except ValueError:
            raise MigrationError(f"The export of {plan.table.label} holds a line that is no JSON.") from None
        key = rows.key_of(line, columns, row)
        if not columns:
            again = seen(plan.table.label, key) if seen else again + 1 if key == last else 1
            last = key
            key = key if again == 1 else f"{key}#{again}"
        rest = cast("Row", dict(row))
        for column in columns:
            rest.pop(column, None)
        yield Old(plan, key, row, rest), line
