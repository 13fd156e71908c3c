"""Reading the old database: one repeatable-read snapshot, a server-side cursor a table, in the order of its key."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from psycopg import sql

from migration import dump
from migration.dump import Dump, TableFile
from migration.errors import MigrationError
from migration.inspect import Column, Connection, left_of, tables_of
from migration.mapping import Plan, plans
from migration.progress import Progress
from migration.source import Place, snapshot, words_for
from migration.wishes import Only
from migration.withheld import Withheld

BATCH = 1000
"""So many rows are asked for at once."""

BATCH_BYTES = 4 << 20
"""So much of them is handed on at once. Rows may be large: what is in memory is one batch of text, and one chunk."""

CHUNK = 20
"""So many rows come over the line at once, however many were asked for."""

_CURSOR = sql.Identifier("raga_bot_export")


def plans_of(place: Place, only: Only | None) -> tuple[Plan, ...]:
    """Look at the database, and say what would become of it. Raises MigrationError."""
    with words_for(place), snapshot(place) as connection:
        return _plans(connection, place, only)


def left_at(place: Place) -> tuple[tuple[str, str], ...]:
    """What is there beside tables and is not taken, with the reason. Raises MigrationError."""
    with words_for(place), snapshot(place) as connection:
        return left_of(connection)


def _plans(connection: Connection, place: Place, only: Only | None) -> tuple[Plan, ...]:
    found = plans(tables_of(connection), only)
    if not found:
        wanted = "no table at all" if only is None else f"no table that belongs to {only}"
        raise MigrationError(f"There is {wanted} at {place}.")
    return found


def export(
    place: Place, folder: Path, only: Only | None, progress: Progress
) -> tuple[Dump, tuple[Plan, ...]]:
    """Write every row that may leave PostgreSQL into a folder. Raises MigrationError."""
    dump.private_folder(folder)
    (folder / dump.MANIFEST).unlink(missing_ok=True)
    with words_for(place), snapshot(place) as connection:
        found = _plans(connection, place, only)
        taken_at_ms = float(round(time.time() * 1000))
        left = left_of(connection)
        progress.start("export", sum(plan.table.rows for plan in found))
        try:
            files = [_export_table(connection, plan, folder, progress) for plan in found]
        except OSError as error:
            raise MigrationError(f"I cannot write the export to {folder}: {error.strerror}.") from None
        progress.end()
    whole = Dump(folder, str(place), taken_at_ms, tuple(files), left)
    dump.write_manifest(whole)
    return whole, found


def _export_table(connection: Connection, plan: Plan, folder: Path, progress: Progress) -> TableFile:
    name = dump.file_name(plan.table.label)
    digest = hashlib.sha256()
    rows = size = 0
    with (folder / name).open("wb", buffering=1 << 20) as file:
        keep_private(folder / name)
        withheld = withheld_of(plan)
        for batch in rows_of(connection, plan, withheld):
            block = b"\n".join(batch) + b"\n"
            file.write(block)
            digest.update(block)
            rows += len(batch)
            size += len(block)
            progress.step(len(batch), plan.table.label)
    return TableFile(plan.table, name, rows, size, digest.hexdigest(), dict(withheld.found))


def keep_private(path: Path) -> None:
    """Only the owner reads what is about people."""
    with contextlib.suppress(OSError):
        path.chmod(0o600)


def rows_of(connection: Connection, plan: Plan, withheld: Withheld | None = None) -> Iterator[list[bytes]]:
    """The rows of a table as JSON, in batches, without what looks like a secret."""
    withheld = withheld or withheld_of(plan)
    row = _row(plan)
    if plan.key:
        order = sql.SQL(", ").join(sql.Identifier("t", name) for name in plan.key)
    else:
        # Equal rows stand together, and the order is the same at the next look.
        order = sql.SQL('({})::text COLLATE "C"').format(row)
    query = sql.SQL("SELECT ({})::text FROM {} t ORDER BY {}").format(row, plan.table.quoted, order)
    if not plan.columns:
        query = sql.SQL("SELECT '{{}}' FROM {} t").format(plan.table.quoted)
    connection.execute(sql.SQL("DECLARE {} NO SCROLL CURSOR FOR {}").format(_CURSOR, query))
    fetch = sql.SQL("FETCH {} FROM {}").format(sql.Literal(BATCH), _CURSOR)
    with connection.cursor() as cursor:
        fetched = BATCH
        while fetched == BATCH:
            fetched = held = 0
            batch: list[bytes] = []
            # Streamed: a thousand rows of a megabyte are never in memory together.
            for (text,) in cursor.stream(fetch, size=CHUNK):
                line = withheld.clean(str(text).encode())
                batch.append(line)
                fetched, held = fetched + 1, held + len(line)
                if held > BATCH_BYTES:
                    yield batch
                    batch, held = [], 0
            if batch:
                yield batch
    connection.execute(sql.SQL("CLOSE {}").format(_CURSOR))


def withheld_of(plan: Plan) -> Withheld:
    """What takes the secrets out of the rows of a table."""
    return Withheld(plan.key, [column.name for column in plan.columns])


def _row(plan: Plan) -> sql.Composable:
    """The row as JSON."""
    columns = sql.SQL(", ").join(map(_column, plan.columns))
    # A column of the same name would be taken for the row.
    taken = {column.name for column in plan.columns}
    name = next(name for number in range(len(taken) + 1) if (name := f"row_{number}") not in taken)
    return sql.SQL("SELECT row_to_json({0}) FROM (SELECT {1}) {0}").format(sql.Identifier(name), columns)


def _column(column: Column) -> sql.Composed:
    name = sql.Identifier("t", column.name)
    value = sql.SQL("{}::text" if column.verbatim else "{}").format(name)
    return sql.SQL("{} AS {}").format(value, sql.Identifier(column.name))
