"""The rule of each role: what a row of it becomes."""

from __future__ import annotations

from collections.abc import Mapping

from migration import rows, values
from migration.audio import audio
from migration.mapping import FILE_TABLES, LABEL_TABLES, Role
from migration.pieces import generation
from migration.ragas import raga
from migration.transform import Old, Rule, Transformer

_NAME_LETTERS = 200
_SETTINGS = 1_000  # an object of Convex has at most 1,024 fields
_UNKNOWN_TIME_MS = 0.0


def label(transformer: Transformer, old: Old) -> str | None:
    """A row that gives an id a name. It is kept whole; the name is for those that refer to it."""
    old.rest = old.row
    transformer.known.note(old.plan.table.name.casefold(), old.id, values.text(old.value("label")) or "")
    return None


def file(transformer: Transformer, old: Old) -> str | None:
    """A row that points at an audio file. It is kept whole, with the file."""
    old.rest = old.row
    found = audio(transformer, old, "file")
    transformer.known.note(old.plan.table.name.casefold(), old.id, found or "")
    return found


def user(transformer: Transformer, old: Old) -> str | None:
    """A person."""
    email = _email(transformer, old)
    name = transformer.text(old, "name", _NAME_LETTERS)
    created = transformer.moment(old, "createdAt")
    doc = {
        "email": email,
        "name": name,
        "preferences": _preferences(transformer, old),
        "createdAt": _UNKNOWN_TIME_MS if created is None else created,
    }
    transformer.known.note("users", old.id)
    transformer.add(old, transformer.entry(old, "users", doc))
    return None


def _email(transformer: Transformer, old: Old) -> str | None:
    raw = old.raw("email")
    found = values.email(raw)
    if found is None:
        if raw not in (None, ""):
            transformer.refuse(old, "email", "is no e-mail address")
        return None
    owner = transformer.known.owner_of_address(found, old.id)
    if owner != old.id:
        transformer.refuse(old, "email", f"is the address of row {owner} too, which keeps it")
        return None
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
        ) and len(fit) < _SETTINGS
        found = value if isinstance(value, bool | str) else values.number(value)
        if plain and found is not None and (not isinstance(found, float) or values.same_number(value, found)):
            fit[name] = found
        else:
            transformer.refuse(old, "preferences", f"“{name[:40]}” is no plain setting")
    if fit and len(fit) == len(given) and given is raw:
        old.exact("preferences")
    return fit or None


def hearts(transformer: Transformer, old: Old) -> None:
    """Note who keeps which piece, before the pieces are read."""
    piece, owner = old.raw("piece"), old.raw("owner")
    if piece is not None and owner is not None:
        created = values.milliseconds(old.raw("createdAt"))
        transformer.known.heart(rows.text_of(piece), rows.text_of(owner), created)


def favorite(transformer: Transformer, old: Old) -> str | None:
    """What a person keeps: a piece, or a raga of the catalogue."""
    owner, piece = old.raw("owner"), old.raw("piece")
    if owner is None or transformer.known.row("users", rows.text_of(owner)) is None:
        transformer.refuse(old, "owner", "belongs to nobody" if owner is None else "there is no such user")
        return None
    created = transformer.moment(old, "createdAt")
    doc: dict[str, object] = {"createdAt": _UNKNOWN_TIME_MS if created is None else created}
    if piece is not None:
        if transformer.known.row("generations", rows.text_of(piece)) is None:
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
    if (digest := _recorded(transformer, old)) is not None:
        entry.files["audioFileId"] = digest
    transformer.add(old, entry)
    return None


def _named(transformer: Transformer, old: Old, field: str) -> str | None:
    """The name behind an id. The id itself stays with the rest."""
    raw = old.raw(field)
    if raw is None:
        return None
    row = rows.text_of(raw)
    known = [
        found for table in LABEL_TABLES[field] if (found := transformer.known.row(table, row)) is not None
    ]
    if not known:
        transformer.refuse(old, field, f"there is no such {field if field != 'kind' else 'type'}")
    return next((name for name, _ in known if name), None)


def _recorded(transformer: Transformer, old: Old) -> str | None:
    raw = old.raw("file")
    if raw is not None:
        row = rows.text_of(raw)
        known = [found for table in FILE_TABLES if (found := transformer.known.row(table, row)) is not None]
        if not known:
            transformer.refuse(old, "file", "there is no such audio sample")
        elif (named := next((digest for digest, _ in known if digest), None)) is not None:
            return named
    return audio(transformer, old, "path")


RULES: Mapping[Role, Rule] = {
    "labels": label,
    "files": file,
    "ragas": raga,
    "users": user,
    "generations": generation,
    "favorites": favorite,
    "performances": performance,
}
