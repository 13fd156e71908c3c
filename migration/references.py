"""How an entry refers to others, and how its document does."""

from __future__ import annotations

from typing import Any

from migration.deployment import Found
from migration.rows import canonical

REF_FIELDS = {"owner": "userId", "piece": "generationId", "oldRaga": "oldRagaId"}
"""The field of a document in which a reference of its entry stands."""

REF_TARGETS = {"owner": "users", "piece": "musicGenerations", "oldRaga": "oldRagas"}
"""The table that it leads to."""


def as_sent(found: Found, refs: dict[str, list[str]], ids: dict[str, str]) -> str:
    """A document in the form in which its entry was sent, if it still refers to the same rows.

    ``ids`` are those of the documents that ``refs`` stands for.
    """
    doc: dict[str, Any] = {
        name: value for name, value in (found.doc or {}).items() if name not in found.files
    }
    body: dict[str, object] = {}
    kept: dict[str, object] = {}
    for name, row in refs.items():
        if name in ids and doc.get(REF_FIELDS[name]) == ids[name]:
            del doc[REF_FIELDS[name]]
            kept[name] = row
    if kept:
        body["refs"] = kept
    if found.files:
        body["files"] = dict(found.files)
    return canonical({"doc": doc, **body})
