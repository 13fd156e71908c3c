"""Bringing the entries into Convex: in batches, several under way at once, each remembered when it is done."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from migration.deployment import Deployment, RefusedError, sha256_of
from migration.errors import MigrationError
from migration.folder import State
from migration.progress import Progress
from migration.references import REF_TARGETS, as_sent
from migration.rows import checksum
from migration.work import PHASES, Stored, Work, phase_bounds

BATCH = 100
BATCH_BYTES = 1 << 20
UNDER_WAY = (4, 4, 1)
"""So many calls at once in each phase. Hearts go one by one: of two for one thing the first is the one that stays."""

UPLOADS = 4
LARGE_BYTES = 16 << 20
_MARK_EVERY_S = 15.0
_CLOCKS_APART_MS = 86_400_000.0


class Importer:
    """One import. Every call may be repeated, so what is under way when the process dies is done again."""

    def __init__(self, work: Work, state: State, deployment: Deployment, progress: Progress) -> None:
        self._work = work
        self._state = state
        self._deployment = deployment
        self._source = state.source
        self._progress = progress
        self._uploading = asyncio.Semaphore(UPLOADS)
        self._large = asyncio.Lock()
        self._turns: dict[str, asyncio.Lock] = {}
        self._run: dict[str, object] = {
            "id": state.run,
            "source": state.source,
            "total": float(work.total()),
            "startedAt": state.started_at_ms,
        }
        if state.only is not None:
            self._run["only"] = state.only
        self._marked = time.monotonic()
        self._done = 0

    async def run(self) -> None:
        """Bring everything that is not there. Raises MigrationError."""
        await self._adopt()
        total = self._work.total()
        self._done = sum(
            self._work.database.execute(
                "SELECT count(*) FROM entries WHERE n >= ? AND n <= ?",
                (phase_bounds(phase)[0], self._work.cursor(phase)),
            ).fetchone()[0]
            for phase in range(len(PHASES))
        )
        self._progress.start("import", total, self._done)
        for phase in range(len(PHASES)):
            await self._phase(phase)
        self._progress.end()
        await self._settle()
        await self._mark("imported")

    async def _phase(self, phase: int) -> None:
        _, below = phase_bounds(phase)
        above = self._work.cursor(phase)
        under_way: deque[tuple[list[Stored], asyncio.Task[list[str]]]] = deque()
        try:
            while True:
                batch = _within(self._work.entries(above, below, BATCH))
                if not batch and not under_way:
                    return
                if batch:
                    above = batch[-1].n
                    under_way.append((batch, asyncio.create_task(self._send(batch))))
                if len(under_way) >= UNDER_WAY[phase] or not batch:
                    sent, task = under_way.popleft()
                    await self._note(phase, sent, await task)
        finally:
            for _, task in under_way:
                task.cancel()
            await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)

    async def _note(self, phase: int, batch: Sequence[Stored], outcomes: Sequence[str]) -> None:
        for entry, how in zip(batch, outcomes, strict=True):
            if how == "differs":
                self._work.database.execute("INSERT OR IGNORE INTO later VALUES (?)", (entry.n,))
            elif how == "waits":
                self._work.refuse(
                    entry.table, entry.id, entry.target, "", "refers to a row that is not in Convex"
                )
        await self._name_others([one for one, how in zip(batch, outcomes, strict=True) if how == "merged"])
        names = [f"{entry.target} {how}" for entry, how in zip(batch, outcomes, strict=True)]
        self._work.advance(phase, batch[-1].n, names)
        self._done += len(batch)
        self._progress.step(len(batch), batch[-1].table)
        if time.monotonic() - self._marked > _MARK_EVERY_S:
            self._marked = time.monotonic()
            await self._mark("import")

    async def _name_others(self, merged: Sequence[Stored]) -> None:
        """What was there before stays as it is: list what the old row says otherwise."""
        if not merged:
            return
        keys = [(one.table, one.id, one.target) for one in merged]
        there = {
            (one.table, one.id, one.target): one for one in await self._deployment.found(self._source, keys)
        }
        for entry in merged:
            found = there.get((entry.table, entry.id, entry.target))
            for name, value in entry.parts()[0].items():
                if found is not None and found.doc is not None and found.doc.get(name) != value:
                    reason = "was in Convex before, and stays as it is there"
                    self._work.refuse(entry.table, entry.id, name, value, reason)

    async def _mark(self, stage: str) -> None:
        args = {"run": self._state.run, "stage": stage, "cursor": float(self._done)}
        await self._deployment.mutation("migration:mark", args)

    async def _send(self, batch: Sequence[Stored]) -> list[str]:
        """What became of each entry. Raises MigrationError."""
        await self._recall(batch)
        entries = await asyncio.gather(*map(self._given, batch))
        try:
            answers = await self._deployment.mutation(
                "migration:write", {"run": self._run, "entries": entries}
            )
        except RefusedError as error:
            if len(batch) == 1:
                one = batch[0]
                raise MigrationError(
                    f"Convex did not take row {one.id} of {one.table} ({error}). Are its functions up to date?"
                ) from None
            # One call may have been too much for a transaction.
            half = len(batch) // 2
            return [*await self._send(batch[:half]), *await self._send(batch[half:])]
        return [str(answer["how"]) for answer in answers]

    async def _given(self, entry: Stored) -> dict[str, object]:
        """An entry as ``migration:write`` takes it."""
        doc, refs, files = entry.parts()
        stored = {field: await self._stored(digest) for field, digest in files.items()}
        return {
            "table": entry.table,
            "id": entry.id,
            "target": entry.target,
            "checksum": entry.checksum,
            "doc": {**doc, **stored},
            **{name: {"table": table, "id": row} for name, (table, row) in refs.items()},
        }

    async def _recall(self, batch: Sequence[Stored]) -> None:
        """Find files that an earlier run has brought with these entries: nothing is uploaded twice."""
        unknown = [
            (entry.table, entry.id, entry.target)
            for entry in batch
            if any(self._storage_of(digest) is None for digest in entry.parts()[2].values())
        ]
        if unknown:
            for one in await self._deployment.found(self._state.source, unknown):
                for name, digest in one.files.items():
                    self._remember(digest, str((one.doc or {})[name]))

    async def _stored(self, digest: str) -> str:
        """The id of a file in Convex's storage, uploaded now if it is not there."""
        # The same file for two entries is one upload.
        async with self._turns.setdefault(digest, asyncio.Lock()), self._uploading:
            if (known := self._storage_of(digest)) is not None:
                return known
            path, kind, size = self._work.database.execute(
                "SELECT path, type, size FROM uploads WHERE sha256 = ?", (digest,)
            ).fetchone()
            # Each is in memory as a whole, so the large ones go one by one.
            async with self._large if size > LARGE_BYTES else contextlib.nullcontext():
                stored = await self._uploaded(Path(path), kind, digest)
            self._remember(digest, stored)
            return stored

    async def _uploaded(self, path: Path, kind: str, digest: str) -> str:
        async def arrived() -> str | None:
            await self._adopt()
            return self._storage_of(digest)

        content = await asyncio.to_thread(_content, path, digest)
        return await self._deployment.upload(content, kind, arrived)

    def _storage_of(self, digest: str) -> str | None:
        found = self._work.database.execute(
            "SELECT storage FROM uploads WHERE sha256 = ?", (digest,)
        ).fetchone()
        return None if found is None or found[0] is None else str(found[0])

    def _remember(self, digest: str, storage: str) -> None:
        self._work.database.execute("UPDATE uploads SET storage = ? WHERE sha256 = ?", (storage, digest))

    async def _adopt(self) -> None:
        """Take up files that were uploaded by a process that could not say so any more."""
        if (
            self._work.database.execute("SELECT 1 FROM uploads WHERE storage IS NULL LIMIT 1").fetchone()
            is None
        ):
            return
        since = self._state.started_at_ms - _CLOCKS_APART_MS
        async for page in self._deployment.pages("migration:uploads", {"since": since}):
            for file in page:
                self._work.database.execute(
                    "UPDATE uploads SET storage = ? WHERE sha256 = ? AND storage IS NULL",
                    (file["id"], sha256_of(file["sha256"])),
                )

    async def _settle(self) -> None:
        """Give what an earlier run brought its new content, where nobody has changed it in Convex since."""
        numbers = [
            int(n) for (n,) in self._work.database.execute("SELECT n FROM later ORDER BY n").fetchall()
        ]
        if not numbers:
            return
        self._progress.start("update", len(numbers))
        for n in numbers:
            entry = self._work.entry(n)
            how = "updated" if await self._replaced(entry) else "changed since"
            if how == "changed since":
                reason = "was changed in Convex after an earlier run; it stays as it is there"
                self._work.refuse(entry.table, entry.id, entry.target, "", reason)
            self._work.database.execute("BEGIN")
            self._work.count("import", f"{entry.target} {how}")
            self._work.count("import", f"{entry.target} differs", -1)
            self._work.flush()
            self._work.database.execute("DELETE FROM later WHERE n = ?", (n,))
            self._work.database.execute("COMMIT")
            self._progress.step(1)
        self._progress.end()

    async def _replaced(self, entry: Stored) -> bool:
        _, refs, _ = entry.parts()
        referred = [(table, row, REF_TARGETS[name]) for name, (table, row) in refs.items()]
        keys: list[tuple[str, str, str]] = [(entry.table, entry.id, entry.target), *referred]
        there = {
            (one.table, one.id, one.target): one
            for one in await self._deployment.found(self._state.source, keys)
        }
        known = there.get(keys[0])
        if known is None or known.doc is None:
            return False
        if known.checksum == entry.checksum:
            return True  # done before this process came
        if known.how != "merged":
            named = {name: there.get((table, row, REF_TARGETS[name])) for name, (table, row) in refs.items()}
            ids = {name: one.doc_id for name, one in named.items() if one is not None}
            if checksum(as_sent(known, refs, ids)) != known.checksum:
                return False
        args = {"run": self._run, "entry": await self._given(entry), "previous": known.doc}
        return bool(await self._deployment.mutation("migration:replace", args))


def _within(entries: list[Stored]) -> list[Stored]:
    """The first of these entries that fit into one call; one at least."""
    held = 0
    for number, entry in enumerate(entries):
        held += len(entry.body)
        if held > BATCH_BYTES and number > 0:
            return entries[:number]
    return entries


def _content(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MigrationError(f"I cannot read {path}: {error.strerror}.") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise MigrationError(
            f"{path} has changed since it was looked at. Please begin anew, without --resume."
        )
    return content
