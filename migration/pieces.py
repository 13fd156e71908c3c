"""An old generation: a piece in its owner's history."""

from __future__ import annotations

import re
from typing import Literal

from migration import rows, values
from migration.audio import audio
from migration.rows import Value
from migration.transform import Old, Transformer
from migration.work import Entry

_NO_LENGTH_S = 60.0
_WORD_LETTERS = 60
_INSTRUMENTS = 32
_UNKNOWN_TIME_MS = 0.0

Status = Literal["completed", "failed"]

_DONE = frozenset(("completed", "complete", "done", "success", "succeeded", "finished", "ready", "ok"))
_FAILED = frozenset(("failed", "failure", "error", "errored", "cancelled", "canceled"))


class _Asked:
    """What was asked for: in columns of its own, or in a column of JSON as the API had it."""

    def __init__(self, transformer: Transformer, old: Old) -> None:
        self._transformer = transformer
        self._old = old
        given = old.value("request")
        self._request: dict[str, Value] = given if isinstance(given, dict) else {}
        if old.raw("request") is not None and not isinstance(given, dict):
            transformer.refuse(old, "request", "is no object")

    def value(self, field: str) -> Value:
        if self._old.raw(field) is not None:
            return self._old.value(field)
        snake = re.sub("([A-Z])", lambda letter: f"_{letter[0].lower()}", field)
        return next(
            (self._request[name] for name in (field, snake) if self._request.get(name) is not None), None
        )

    def word(self, field: str) -> str | None:
        """A short text; a longer one is cut and kept with the rest."""
        found = values.text(self.value(field))
        if self._old.raw(field) is not None:
            return self._transformer.text(self._old, field, _WORD_LETTERS)
        if found is None or len(found) <= _WORD_LETTERS:
            return found
        self._transformer.refuse(self._old, field, f"the field holds the first {_WORD_LETTERS} letters")
        return found[:_WORD_LETTERS].rstrip()

    def number(self, field: str, low: float, high: float) -> float | None:
        if self._old.raw(field) is not None:
            return self._transformer.number(self._old, field, low, high)
        found = values.number(self.value(field))
        return found if found is not None and low <= found <= high else None

    def instruments(self) -> list[str]:
        """Their names; more or longer ones than anybody plays are kept with the rest."""
        raw = self._old.raw("instruments")
        if raw is not None:
            found = self._transformer.texts_of(self._old, "instruments")
        else:
            found = values.texts(self.value("instruments")) or []
        if len(found) <= _INSTRUMENTS and all(len(name) <= _WORD_LETTERS for name in found):
            return found
        if raw is not None:
            self._old.rest[self._old.plan.fields["instruments"]] = raw
        reason = f"the field holds at most {_INSTRUMENTS} names of {_WORD_LETTERS} letters"
        self._transformer.refuse(self._old, "instruments", reason)
        return [name for name in found if len(name) <= _WORD_LETTERS][:_INSTRUMENTS]


def generation(transformer: Transformer, old: Old) -> str | None:
    """What a row of ``generations`` becomes."""
    owner = old.raw("owner")
    if owner is None or transformer.known.row("users", rows.text_of(owner)) is None:
        transformer.refuse(old, "owner", "belongs to nobody" if owner is None else "there is no such user")
        return audio(transformer, old, "file")
    owner_id = rows.text_of(owner)
    old.exact("owner")
    digest = audio(transformer, old, "file")
    created = transformer.moment(old, "createdAt")
    kept = _kept(transformer, old, owner_id)
    doc = {
        "request": _request(transformer, old),
        "metadata": _metadata(transformer, old),
        "isFavorite": kept,
        "createdAt": _UNKNOWN_TIME_MS if created is None else created,
        "completedAt": transformer.moment(old, "completedAt"),
        **_ending(transformer, old, digest),
    }
    entry = transformer.entry(old, "musicGenerations", doc)
    entry.refs["owner"] = transformer.ref("users", owner_id)
    if digest is not None:
        entry.files["audioFileId"] = digest
    transformer.add(old, entry)
    transformer.known.note("generations", old.id)
    if kept:
        said = transformer.known.kept_since(old.id, owner_id)
        since = doc["createdAt"] if said is None or said[0] is None else said[0]
        heart = Entry(old.plan.table.label, old.id, "favorites", {"kind": "generation", "createdAt": since})
        heart.refs = {"owner": entry.refs["owner"], "piece": transformer.ref("generations", old.id)}
        transformer.add(old, heart)
    return None


def _kept(transformer: Transformer, old: Old, owner: str) -> bool:
    raw = old.raw("favorite")
    said = values.flag(raw)
    if said is None and raw not in (None, ""):
        transformer.refuse(old, "favorite", "is neither yes nor no")
    elif said is raw and said is not None:
        old.exact("favorite")
    heart = transformer.known.kept_since(old.id, owner) is not None
    if heart and said is False:
        # The field says yes now, so what the column said is kept.
        old.rest[old.plan.fields["favorite"]] = raw
    return bool(said) or heart


def _request(transformer: Transformer, old: Old) -> dict[str, object]:
    asked = _Asked(transformer, old)
    found, old_raga = transformer.raga(old, "ragaId", "raga")
    if found is None and old.raw("ragaId") is None and old.raw("raga") is None:
        name = values.text(asked.value("raga"))
        found = None if name is None else transformer.names.match(name, None)
    elif found is None and (old_raga is not None or old.raw("ragaId") is None):
        field = "raga" if old_raga is None else "ragaId"
        transformer.refuse(old, field, "the catalogue has no such raga")
    kind = (values.text(asked.value("musicType")) or "").casefold()
    voice = asked.word("voice")
    vocal = "vocal" in kind or "voice" in kind or (kind == "" and voice is not None)
    if kind in ("vocal", "instrumental") and kind == old.raw("musicType"):
        old.exact("musicType")
    elif kind and not vocal and "instrument" not in kind:
        transformer.refuse(old, "musicType", "is neither vocal nor instrumental: it counts as instrumental")
    duration = asked.number("duration", 0.001, 86_400)
    request: dict[str, object | None] = {
        "musicType": "vocal" if vocal else "instrumental",
        "instruments": asked.instruments() or None,
        "voice": voice,
        "mood": asked.word("mood") or "",
        "theme": asked.word("theme") or "",
        "duration": _NO_LENGTH_S if duration is None else duration,
        "tempo": asked.number("tempo", 1, 1000),
        "key": asked.word("key"),
        "tala": asked.word("tala"),
        "seed": _seed(asked),
        "raga": None if found is None else found.name,
        "tradition": None if found is None else found.tradition,
    }
    return {name: value for name, value in request.items() if value is not None}


def _seed(asked: _Asked) -> float | None:
    seed = asked.number("seed", 0, 2**31 - 1)
    return seed if seed is not None and seed.is_integer() else None


def _metadata(transformer: Transformer, old: Old) -> dict[str, object] | None:
    title = transformer.text(old, "title", 500)
    return None if title is None else {"title": title}


def _ending(transformer: Transformer, old: Old, digest: str | None) -> dict[str, object]:
    """How it ended. Nobody goes on with a piece that was under way, and a finished one without its audio is none."""
    raw = old.raw("status")
    word = (values.text(raw) or "").casefold()
    if digest is not None and (word in _DONE or word == ""):
        if raw == "completed":
            old.exact("status")
        return {"status": "completed"}
    error = transformer.text(old, "error")
    if word in _FAILED:
        if raw == "failed":
            old.exact("status")
        return {"status": "failed", "errorCode": "failed", "error": error or "It did not work."}
    if word in _DONE or word == "":
        return {
            "status": "failed",
            "errorCode": "audio_missing",
            "error": "Its audio was not found when it moved here.",
        }
    return {"status": "failed", "errorCode": "unfinished", "error": "It was not finished when it moved here."}
