"""What is really in the old database: its tables, their columns and keys, and how many rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import cast

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[object, ...]]

_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, NULL), c.relkind::text,
  coalesce(format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL) IN ('json', 'json[]'), false)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname, a.attnum
"""

# The primary key, else the first unique index over columns that are never NULL.
_KEYS = """
SELECT DISTINCT ON (n.nspname, c.relname) n.nspname, c.relname,
  (SELECT array_agg(a.attname ORDER BY k.place)
   FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
   WHERE k.place <= i.indnkeyatts)  -- what an index only includes tells no rows apart
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND NOT EXISTS (
    SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
    WHERE NOT a.attnotnull AND k.place <= i.indnkeyatts)
ORDER BY n.nspname, c.relname, i.indisprimary DESC, i.indexrelid
"""

_LEFT = """
SELECT n.nspname, c.relname, c.relkind::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname
"""
_LARGE = "SELECT count(*) FROM pg_largeobject_metadata"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``type`` is PostgreSQL's name of it, without lengths, such as ``jsonb`` or ``text[]``.

    ``verbatim``: it holds json (not jsonb), of which only the text says all: a name in it may stand twice.
    """

    name: str
    type: str
    verbatim: bool = False


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
        return _label(self.schema, self.name)

    @property
    def quoted(self) -> sql.Composed:
        """Its own rows, for a query."""
        return sql.SQL("" if self.parted else "ONLY ") + sql.Identifier(self.schema, self.name)

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)


@lru_cache(maxsize=1024)
def _label(schema: str, name: str) -> str:
    # A dot in a name must not look like the one between schema and name.
    parts = [f'"{part}"' if "." in part else part for part in (schema, name)]
    return parts[1] if schema == "public" else ".".join(parts)


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
        named = tuple(
            Column(str(column), str(kind), bool(verbatim))
            for _, _, column, kind, _, verbatim in every
            if column is not None
        )
        yield Table(schema, name, named, parted=every[0][4] == "p")


def left_of(connection: Connection) -> tuple[tuple[str, str], ...]:
    """What is there beside tables and is not taken: what it is called, and why not."""
    views = connection.execute(_LEFT).fetchall()
    found = [
        (
            Table(str(schema), str(name), ()).label,
            "a view: it has no rows of its own"
            if kind == "v"
            else "a materialized view: it is made from tables",
        )
        for schema, name, kind in views
    ]
    number = connection.execute(_LARGE).fetchone()
    if number is not None and number[0]:
        found.append(
            (f"{number[0]:,} large objects", "they belong to no table; please export them with lo_export")
        )
    return tuple(found)


def _count(connection: Connection, table: Table) -> int:
    found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table.quoted)).fetchone()
    return int(cast("int", found[0])) if found else 0
