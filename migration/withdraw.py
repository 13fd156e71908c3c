"""Taking out of Convex what an earlier run brought and PostgreSQL has no more.

Only where it is asked for, and only what is still as that run left it: what somebody has changed in Convex since stays,
and is named. A user who has signed in since, or has something that no migration brought, stays too, and is no longer
counted as one of the migration's. A withdrawal is no part of a run, so that a rollback does not undo it.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from migration.deployment import Deployment, Found, RefusedError
from migration.errors import MigrationError
from migration.folder import State
from migration.progress import Progress
from migration.references import REF_FIELDS, as_sent
from migration.rows import checksum
from migration.verify import extra, read_back
from migration.work import Work

_BATCH = 50

_REFS = {"musicGenerations": ("owner",), "favorites": ("owner", "piece"), "recordings": ("oldRaga",)}
_STAYS = {
    "changed": "PostgreSQL has the row no more, but the document was changed in Convex since; it stays",
    "kept": "PostgreSQL has the row no more, but somebody uses this account; it stays",
}


async def withdraw(work: Work, state: State, deployment: Deployment, progress: Progress) -> None:
    """Take out what is too much, what refers to others first. May be killed and begun again. Raises MigrationError."""
    try:
        await read_back(work, state, deployment, progress)
        work.database.execute("CREATE INDEX IF NOT EXISTS found_by_doc ON found (doc)")
        gone = list(extra(work, state))
        progress.start("withdraw", len(gone))
        left = iter(gone)
        while batch := list(islice(left, _BATCH)):
            await _withdraw(work, state, deployment, batch)
            progress.step(len(batch), batch[-1][0])
        progress.end()
    except RefusedError as error:
        raise MigrationError(f"Convex at {deployment.url} could not withdraw rows ({error}).") from None


async def _withdraw(
    work: Work, state: State, deployment: Deployment, keys: list[tuple[str, str, str]]
) -> None:
    found = await deployment.found(state.source, keys)
    untouched = [one for one in found if one.how == "merged" or one.doc is None or _as_brought(work, one)]
    given = [
        {"table": one.table, "id": one.id, "target": one.target, "previous": one.doc} for one in untouched
    ]
    answers = await deployment.mutation("migration:withdraw", {"source": state.source, "rows": given})
    outcomes = {
        (one.table, one.id, one.target): str(how) for one, how in zip(untouched, answers, strict=True)
    }
    work.database.execute("BEGIN")
    for one in found:
        how = outcomes.get((one.table, one.id, one.target), "changed")
        work.count("import", f"{one.target} {'withdrawn' if how not in _STAYS else f'not withdrawn ({how})'}")
        if how in _STAYS:
            work.refuse(one.table, one.id, one.target, "", _STAYS[how])
    work.flush()
    work.database.execute("COMMIT")


def _as_brought(work: Work, found: Found) -> bool:
    """Whether a document is still what its entry said, which is known by its check sum alone."""
    doc: dict[str, Any] = dict(found.doc or {})
    ids = {
        name: str(doc[REF_FIELDS[name]]) for name in _REFS.get(found.target, ()) if REF_FIELDS[name] in doc
    }
    refs = {}
    for name, doc_id in ids.items():
        row = work.database.execute("SELECT tbl, id FROM found WHERE doc = ?", (doc_id,)).fetchone()
        if row is not None:
            refs[name] = [str(row[0]), str(row[1])]
    return checksum(as_sent(found, refs, ids)) == found.checksum
