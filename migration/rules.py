"""The rule of each role: what a row of it becomes."""

from __future__ import annotations

from collections.abc import Mapping

from migration import rows, values
from migration.mapping import LABEL_TABLES, Role
from migration.pieces import generation
from migration.ragas import raga
from migration.transform import Old, Rule, Transformer

_NAME_LETTERS = 200
_UNKNOWN_TIME_MS = 0.0


def label(transformer: Transformer, old: Old) -> str | None:
    """A row that gives an id a name. It is kept whole; the name is for those that refer to it."""
    old.rest = old.row
    transformer.note(old.plan.table.name.casefold(), old.id, values.text(old.value("label")) or "")
    return None


def file(transformer: Transformer, old: Old) -> str | None:
    """A row that points at an audio file. It is kept whole, with the file."""
    old.rest = old.row
    found = transformer.audio(old, "file")
    transformer.note("files", old.id, found or "")
    return found


def user(transformer: Transformer, old: Old) -> str | None:
    """A person."""
    email = _email(transformer, old)
    name = transformer.text(old, "name")
    created = transformer.moment(old, "createdAt")
    doc = {
        "email": email,
        "name": None if name is None else name[:_NAME_LETTERS],
        "preferences": _preferences(transformer, old),
        "createdAt": _UNKNOWN_TIME_MS if created is None else created,
    }
    if name is not None and len(name) > _NAME_LETTERS:
        old.rest[old.plan.fields["name"]] = old.raw("name")
        transformer.refuse(old, "name", f"the field holds the first {_NAME_LETTERS} letters")
    transformer.note("users", old.id)
    transformer.add(old, transformer.entry(old, "users", doc))
    return None


def _email(transformer: Transformer, old: Old) -> str | None:
    raw = old.raw("email")
    found = values.email(raw)
    if found is None:
        if raw not in (None, ""):
            transformer.refuse(old, "email", "is no e-mail address")
        return None
    database = transformer.work.database
    taken = database.execute("SELECT id FROM emails WHERE email = ?", (found,)).fetchone()
    if taken is not None:
        transformer.refuse(old, "email", f"is the address of row {taken[0]} too, which keeps it")
        return None
    database.execute("INSERT INTO emails VALUES (?, ?)", (found, old.id))
    if found == raw:
        old.exact("email")
    return found


def _preferences(transformer: Transformer, old: Old) -> dict[str, object] | None:
    raw = old.raw("preferences")
    if raw is None:
        return None
    given, readable = values.unwrapped(raw)
    if not isinstance(given, dict):
        transformer.refuse(old, "preferences", "is no object" if readable else "is broken JSON")
        return None
    fit: dict[str, object] = {}
    for name, value in given.items():
        plain = (
            name.isascii() and name.isprintable() and name != "" and name[0] not in "$_" and len(name) <= 64
        )
        found = value if isinstance(value, bool | str) else values.number(value)
        if plain and found is not None and (not isinstance(found, float) or values.same_number(value, found)):
            fit[name] = found
        else:
            transformer.refuse(old, "preferences", f"“{name[:40]}” is no plain setting")
    if len(fit) == len(given) and given is raw:
        old.exact("preferences")
    return fit or None


def hearts(transformer: Transformer, old: Old) -> None:
    """Note who keeps which piece, before the pieces are read."""
    piece, owner = old.raw("piece"), old.raw("owner")
    if piece is not None and owner is not None:
        transformer.work.database.execute(
            "INSERT OR IGNORE INTO hearts VALUES (?, ?)", (rows.text_of(piece), rows.text_of(owner))
        )


def favorite(transformer: Transformer, old: Old) -> str | None:
    """What a person keeps: a piece, or a raga of the catalogue."""
    owner, piece = old.raw("owner"), old.raw("piece")
    if owner is None or transformer.row_of("users", rows.text_of(owner)) is None:
        transformer.refuse(old, "owner", "belongs to nobody" if owner is None else "there is no such user")
        return None
    created = transformer.moment(old, "createdAt")
    doc: dict[str, object] = {"createdAt": _UNKNOWN_TIME_MS if created is None else created}
    if piece is not None:
        if transformer.row_of("generations", rows.text_of(piece)) is None:
            transformer.refuse(old, "piece", "there is no such generation")
            return None
        entry = transformer.entry(old, "favorites", {**doc, "kind": "generation"})
        entry.refs["piece"] = transformer.ref("generations", rows.text_of(piece))
        old.exact("piece")
    else:
        found, old_raga = transformer.raga(old, "ragaId", "raga")
        if found is None:
            if old_raga is not None or old.raw("ragaId") is None:
                field = "raga" if old_raga is None else "ragaId"
                transformer.refuse(old, field, "the catalogue has no such raga to keep")
            return None
        kept = {**doc, "kind": "raga", "raga": found.name, "tradition": found.tradition}
        entry = transformer.entry(old, "favorites", kept)
    old.exact("owner")
    entry.refs["owner"] = transformer.ref("users", rows.text_of(owner))
    transformer.add(old, entry)
    return None


def performance(transformer: Transformer, old: Old) -> str | None:
    """A recording."""
    found, old_raga = transformer.raga(old, "ragaId", "raga")
    names = {field: _named(transformer, old, field) for field in LABEL_TABLES}
    date = values.date(old.raw("date"))
    if date is None:
        if old.raw("date") not in (None, ""):
            transformer.refuse(old, "date", "is no date")
    elif date == old.raw("date"):
        old.exact("date")
    doc = {
        "title": transformer.text(old, "title"),
        "raga": None if found is None else {"name": found.name, "tradition": found.tradition},
        **names,
        "date": date,
        "location": transformer.text(old, "location"),
        "durationS": transformer.number(old, "durationS"),
        "rating": transformer.number(old, "rating"),
        "notes": transformer.text(old, "notes"),
    }
    entry = transformer.entry(old, "recordings", doc)
    if old_raga is not None:
        entry.refs["oldRaga"] = transformer.ref("ragas", old_raga)
        old.exact("ragaId")
    if (audio := _recorded(transformer, old)) is not None:
        entry.files["audioFileId"] = audio
    transformer.add(old, entry)
    return None


def _named(transformer: Transformer, old: Old, field: str) -> str | None:
    """The name behind an id. The id itself stays with the rest."""
    raw = old.raw(field)
    if raw is None:
        return None
    row = rows.text_of(raw)
    known = [found for table in LABEL_TABLES[field] if (found := transformer.row_of(table, row)) is not None]
    if not known:
        transformer.refuse(old, field, f"there is no such {field if field != 'kind' else 'type'}")
    return next((name for name, _ in known if name), None)


def _recorded(transformer: Transformer, old: Old) -> str | None:
    raw = old.raw("file")
    if raw is not None:
        known = transformer.row_of("files", rows.text_of(raw))
        if known is None:
            transformer.refuse(old, "file", "there is no such audio sample")
        elif known[0]:
            return known[0]
    return transformer.audio(old, "path")


RULES: Mapping[Role, Rule] = {
    "labels": label,
    "files": file,
    "ragas": raga,
    "users": user,
    "generations": generation,
    "favorites": favorite,
    "performances": performance,
}
