"""What is really in the old database: its tables, their columns and keys, and how many rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import cast

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[object, ...]]

_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, NULL), c.relkind::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname, a.attnum
"""

# The primary key, else the first unique index over columns that are never NULL.
_KEYS = """
SELECT DISTINCT ON (n.nspname, c.relname) n.nspname, c.relname,
  (SELECT array_agg(a.attname ORDER BY k.place)
   FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND NOT EXISTS (
    SELECT FROM unnest(i.indkey::int2[]) AS k(attnum)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE NOT a.attnotnull)
ORDER BY n.nspname, c.relname, i.indisprimary DESC, i.indexrelid
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``type`` is PostgreSQL's name of it, without lengths, such as ``jsonb`` or ``text[]``."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table. ``key`` names the columns that tell its rows apart; empty where nothing does.

    ``parted``: its rows lie in parts, which are no tables of their own. Tables that inherit from another one are.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    rows: int = 0
    parted: bool = False

    @property
    def label(self) -> str:
        """The name under which its rows are kept: that of the table, with its schema unless that is public."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> sql.Composed:
        """Its own rows, for a query."""
        return sql.SQL("" if self.parted else "ONLY ") + sql.Identifier(self.schema, self.name)

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)


def tables_of(connection: Connection) -> tuple[Table, ...]:
    """Every table that the database's owner made, with exact counts."""
    keys = {
        (schema, table): tuple(cast("list[str]", columns))
        for schema, table, columns in connection.execute(_KEYS)
    }
    return tuple(
        replace(table, rows=_count(connection, table), key=keys.get((table.schema, table.name), ()))
        for table in _tables(connection)
    )


def _tables(connection: Connection) -> Iterator[Table]:
    rows = connection.execute(_COLUMNS).fetchall()
    for (schema, name), columns in groupby(rows, key=lambda row: (str(row[0]), str(row[1]))):
        every = list(columns)
        named = tuple(Column(str(column), str(kind)) for _, _, column, kind, _ in every if column is not None)
        yield Table(schema, name, named, parted=every[0][4] == "p")


def _count(connection: Connection, table: Table) -> int:
    found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table.quoted)).fetchone()
    return int(cast("int", found[0])) if found else 0
