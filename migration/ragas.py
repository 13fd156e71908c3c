"""An old raga, beside the catalogue's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from migration import values
from migration.names import keys
from migration.sargam import SargamError, scale, swara
from migration.transform import Old, Transformer
from music.melakarta import MELAKARTAS
from music.swaras import Tradition

Read = TypeVar("Read")

_NAME_LETTERS = 200


def raga(transformer: Transformer, old: Old) -> str | None:
    """What a row of ``ragas`` becomes. Its name is matched, never guessed; what cannot be read is listed and kept."""
    name = transformer.text(old, "name", _NAME_LETTERS)
    if name is None:
        transformer.refuse(old, "name", "a raga without a name")
        return None
    tradition = _tradition(transformer, old)
    found = transformer.names.match(name, tradition)
    if found is None:
        transformer.refuse(old, "name", transformer.names.hint(name, tradition))
    plain, sound = keys(name)
    transformer.known.name(plain, sound, old.id, name)
    transformer.known.note("ragas", old.id, name, tradition or "")
    time, prahar = _times(transformer, old)
    doc = {
        "name": name,
        "folded": plain,
        "tradition": tradition,
        "raga": None if found is None else {"name": found.name, "tradition": found.tradition},
        "aliases": _aliases(transformer, old),
        "arohana": _scale(transformer, old, "arohana", tradition),
        "avarohana": _scale(transformer, old, "avarohana", tradition),
        "vadi": _swara(transformer, old, "vadi", tradition),
        "samvadi": _swara(transformer, old, "samvadi", tradition),
        "varjya": _scale(transformer, old, "varjya", tradition),
        "pakad": _phrases(transformer, old, tradition),
        "jati": transformer.text(old, "jati"),
        "thaat": transformer.text(old, "thaat"),
        "melakarta": _melakarta(transformer, old),
        "parent": transformer.text(old, "parent"),
        "prahar": prahar,
        "time": time,
        "season": _words(transformer, old, "season"),
        "rasa": _words(transformer, old, "rasa"),
        "mood": _words(transformer, old, "mood"),
        "description": transformer.text(old, "description"),
        "history": transformer.text(old, "history"),
    }
    transformer.add(old, transformer.entry(old, "oldRagas", doc))
    return None


def _tradition(transformer: Transformer, old: Old) -> Tradition | None:
    raw = old.raw("tradition")
    found = values.tradition(old.value("tradition"))
    if found is None:
        if raw not in (None, ""):
            transformer.refuse(old, "tradition", "is neither Hindustani nor Carnatic")
    elif found == raw:
        old.exact("tradition")
    return found


def _aliases(transformer: Transformer, old: Old) -> list[str]:
    names = values.distinct(transformer.texts_of(old, "aliases"))
    if names != old.raw("aliases") and old.raw("aliases") is not None:
        old.rest[old.plan.fields["aliases"]] = old.raw("aliases")
    english = transformer.text(old, "english")
    return names if english is None or english in names else [*names, english]


def _melakarta(transformer: Transformer, old: Old) -> float | None:
    number = transformer.number(old, "melakarta", 1, MELAKARTAS)
    if number is not None and not number.is_integer():
        old.rest[old.plan.fields["melakarta"]] = old.raw("melakarta")
        transformer.refuse(old, "melakarta", "is no whole number")
        return None
    return number


def _read(transformer: Transformer, old: Old, field: str, read: Callable[[], Read]) -> Read | None:
    try:
        return read()
    except SargamError as error:
        transformer.refuse(old, field, str(error))
        return None


def _scale(transformer: Transformer, old: Old, field: str, tradition: Tradition | None) -> list[str]:
    given = _written(transformer, old, field)
    tokens = None if given is None else _read(transformer, old, field, lambda: list(scale(given, tradition)))
    if tokens and tokens == old.raw(field):
        old.exact(field)
    return tokens or []


def _written(transformer: Transformer, old: Old, field: str) -> str | list[str] | None:
    """A line of swaras: one text, or a list of texts."""
    value, readable = values.unwrapped(old.raw(field))
    if isinstance(value, str) and readable:
        return value
    found = values.texts(value)
    if found is None:
        transformer.refuse(old, field, "is no list of swaras" if readable else "is broken JSON")
    return found


def _swara(transformer: Transformer, old: Old, field: str, tradition: Tradition | None) -> str | None:
    value = old.value(field)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    given = values.text(value)
    if given is None:
        if value not in (None, "", []):
            transformer.refuse(old, field, "is no swara")
        return None
    found = _read(transformer, old, field, lambda: swara(given, tradition))
    if found == old.raw(field):
        old.exact(field)
    return found


def _phrases(transformer: Transformer, old: Old, tradition: Tradition | None) -> list[list[str]]:
    value, readable = values.unwrapped(old.raw("pakad"))
    if value in (None, "", []):
        return []
    lines = value if isinstance(value, list) else [value]
    if isinstance(value, str) and readable:
        lines = [
            line for part in value.replace("|", ";").replace("\n", ";").split(";") if (line := part.strip())
        ]
    if not readable or not all(isinstance(line, str) for line in lines):
        transformer.refuse(old, "pakad", "is no list of phrases" if readable else "is broken JSON")
        return []
    read = _read(transformer, old, "pakad", lambda: [list(scale(line, tradition)) for line in lines])
    return [phrase for phrase in read or [] if phrase]


def _times(transformer: Transformer, old: Old) -> tuple[list[str], list[float]]:
    times: list[str] = []
    watches: list[int] = []
    for field in ("time", "period"):
        for word in transformer.texts_of(old, field):
            known = values.time_named(word)
            times.append(word.casefold() if known is None else known[0])
            if known is not None and known[1] is not None:
                watches.append(known[1])
    given = old.raw("time")
    if given is not None and times != given:
        old.rest[old.plan.fields["time"]] = given
    if old.raw("period") is not None:
        old.rest[old.plan.fields["period"]] = old.raw("period")
    return values.distinct(times), [float(watch) for watch in sorted(set(watches))]


def _words(transformer: Transformer, old: Old, field: Literal["season", "rasa", "mood"]) -> list[str]:
    given = transformer.texts_of(old, field)
    found = values.distinct([values.named(field, word) for word in given])
    if old.raw(field) is not None and found != old.raw(field):
        old.rest[old.plan.fields[field]] = old.raw(field)
    return found
