"""Old rows into entries: each table by the rule of its role; what no field says goes to the row's ``legacy`` entry."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

from migration import rows, values
from migration.dump import Dump
from migration.errors import MigrationError
from migration.mapping import Plan, Role
from migration.names import Names
from migration.progress import Progress
from migration.rows import Row, Value
from migration.work import Entry, Target, Upload, Work
from music.catalogue import Catalogue, Raga

FIELD_LETTERS = 16_000
"""A longer text is cut in its field; the whole of it lies in the row's ``legacy`` entry."""

DOCUMENT_BYTES = 64_000
"""A larger ``legacy`` entry lies in a file, so that a page of documents keeps well within Convex's limits."""

CUT_LETTERS = 2_000
FILE_BYTES = 200 * 2**20


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
        self.files = files
        self.texts = work.folder / "files"

    def refuse(self, old: Old, field: str, reason: str) -> None:
        """List a value that found no place in its field."""
        column = old.plan.fields.get(field, field)
        self.work.refuse(old.plan.table.label, old.id, column, old.row.get(column), reason)

    def entry(self, old: Old, target: Target, doc: Mapping[str, object | None]) -> Entry:
        """An entry of this row, absent fields left out, overlong texts cut."""
        kept = {name: value for name, value in doc.items() if value is not None and value != []}
        for name, value in list(kept.items()):
            if isinstance(value, str) and len(value) > FIELD_LETTERS:
                kept[name] = value[:CUT_LETTERS].rstrip() + " …"
                self.refuse(old, name, f"{len(value):,} letters: the field holds the first {CUT_LETTERS:,}")
            elif isinstance(value, list | dict) and len(rows.write(value)) > FIELD_LETTERS:
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

    def text(self, old: Old, field: str) -> str | None:
        """A text field."""
        raw = old.raw(field)
        found = values.text(raw)
        if found is None:
            if raw not in (None, ""):
                self.refuse(old, field, "is no text")
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
        if found == raw:
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
            known = self.row_of("ragas", rows.text_of(raw))
            if known is None:
                self.refuse(old, id_field, "there is no such raga")
                return None, None
            label, tradition = known
            return self.names.match(label, values.tradition(tradition)), rows.text_of(raw)
        name = values.text(old.raw(name_field))
        return (None if name is None else self.names.match(name, None)), None

    def row_of(self, role_or_table: str, row: str) -> tuple[str, str] | None:
        """The label and the extra word that were noted of a row."""
        found = self.work.database.execute(
            "SELECT label, extra FROM rows WHERE tbl = ? AND id = ?", (role_or_table, row)
        ).fetchone()
        return None if found is None else (str(found[0] or ""), str(found[1] or ""))

    def note(self, role_or_table: str, row: str, label: str = "", extra: str = "") -> None:
        """Note a row that others refer to."""
        self.work.database.execute(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", (role_or_table, row, label, extra)
        )

    def audio(self, old: Old, field: str) -> str | None:
        """The SHA-256 of the file that a column points at, which is then to be uploaded."""
        given = values.text(old.raw(field))
        return None if given is None else self.audio_at(old, field, given)

    def audio_at(self, old: Old, field: str, given: str) -> str | None:
        """The same for a path that was read elsewhere."""
        parts = urlsplit(given)
        if parts.scheme in ("http", "https"):
            self.refuse(old, field, "lies on the web: it is not fetched")
            return None
        if self.files is None:
            self.refuse(old, field, "is a file: name its folder with --files")
            return None
        relative = unquote(parts.path) if parts.scheme == "file" else given
        root = self.files.resolve()
        try:
            path = (root / relative.lstrip("/")).resolve()
            if not path.is_relative_to(root) or not path.is_file():
                # An absolute path may lie in the folder as a whole.
                path = Path(relative).resolve()
            if not path.is_relative_to(root):
                self.refuse(old, field, "is not in the folder of --files")
                return None
            if not path.is_file():
                self.refuse(old, field, "there is no such file")
                return None
            size = path.stat().st_size
            if size > FILE_BYTES:
                self.refuse(old, field, f"the file is larger than {FILE_BYTES >> 20} MiB")
                return None
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError):
            self.refuse(old, field, "the file cannot be read")
            return None
        self.upload(
            Upload(digest, path, mimetypes.guess_type(path.name)[0] or "application/octet-stream", size)
        )
        return digest

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
        for path, number in sorted(export.of(label).withheld.items()):
            work.refuse(
                label, "", path, None, f"looks like a secret in {number:,} rows: it is left out everywhere"
            )
        count = 0
        rule = RULES.get(plan.role)
        for old, line in olds(export, plan):
            if rule is None:
                old.rest = old.row
            audio = None if rule is None else rule(transformer, old)
            transformer.keep_rest(old, line, audio)
            count += 1
            if count % 500 == 0:
                progress.step(500, label)
        progress.step(count % 500, label)
        work.count("rows", label, count)
    work.finish()
    for name, number in work.database.execute(
        "SELECT target, count(*) FROM entries GROUP BY target"
    ).fetchall():
        work.count("entries", str(name), int(number))
    progress.end()


def olds(export: Dump, plan: Plan) -> Iterator[tuple[Old, bytes]]:
    """The rows of a table with their lines. Raises MigrationError."""
    last, again = "", 0
    columns = plan.key
    for line in export.lines(plan.table.label):
        try:
            row = rows.read(line)
        except ValueError:
            raise MigrationError(f"The export of {plan.table.label} holds a line that is no JSON.") from None
        key = rows.key_of(line, columns, row)
        if not columns:
            # Equal rows of a table without a key stand together, and are counted.
            again = again + 1 if key == last else 1
            last = key
            key = key if again == 1 else f"{key}#{again}"
        rest = cast("Row", dict(row))
        for column in columns:
            rest.pop(column, None)
        yield Old(plan, key, row, rest), line
