"""Tables, columns and types of every kind that PostgreSQL has: each value arrives as it was, or is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, LiteralString

import pytest

from migration import rows
from migration.command import migrate
from migration.wishes import Wishes
from tests.migration.home import ISSUER, Home, home
from tests.migration.old_database import OldDatabase, old_database

LONG_NUMBER = "7" * 5000
DEEP = "[" * 3000 + "]" * 3000
LONG_NAME = "ल" * 21  # 63 bytes, the most that PostgreSQL takes

TYPES: LiteralString = """
CREATE TYPE point_of AS (swara TEXT, cents NUMERIC);
CREATE DOMAIN loose AS JSON;
CREATE TABLE odd (
  id BIGINT PRIMARY KEY, n NUMERIC, big NUMERIC, tiny NUMERIC, f FLOAT, f4 REAL, long BIGINT, at TIMESTAMPTZ,
  plain TIMESTAMP, day DATE, clock TIME, gap INTERVAL, list INT[], grid TEXT[][], parts point_of, several point_of[],
  mood mood_kind, span INT4RANGE, spans INT4MULTIRANGE, key_id UUID, host INET, net CIDR, bits BIT(5), price MONEY,
  words TSVECTOR, spot POINT,
  doc JSON, docs JSON[], own loose, tree JSONB, bytes BYTEA, r TEXT, row_0 TEXT, letters CHAR(5),
  made TEXT GENERATED ALWAYS AS ('made of ' || id) STORED);
"""

VALUES: dict[str, tuple[str, object]] = {
    # A column: what is written into it, and what its legacy entry says.
    "n": ("NaN", "NaN"),
    "big": (LONG_NUMBER, rows.Digits(LONG_NUMBER)),
    "tiny": ("0.0000000000010", rows.Digits("0.0000000000010")),
    "f": ("-Infinity", "-Infinity"),
    "f4": ("0.1", 0.1),
    "long": ("9007199254740993", 9007199254740993),
    "at": ("1900-01-01T00:00:00.000001+05:30", "1899-12-31T18:30:00.000001+00:00"),
    "plain": ("-infinity", "-infinity"),
    "day": ("0044-03-15 BC", "0044-03-15 BC"),
    "clock": ("24:00:00", "24:00:00"),
    "gap": ("1 year 2 mons -3 days 04:05:06.7", "P1Y2M-3DT4H5M6.7S"),
    "list": ("{1,NULL,3}", [1, None, 3]),
    "grid": ('{{a,NULL},{"b,c",""}}', [["a", None], ["b,c", ""]]),
    "parts": ("(Ga,386.3137138648)", {"swara": "Ga", "cents": 386.3137138648}),
    "several": ('{"(Sa,)",NULL}', [{"swara": "Sa", "cents": None}, None]),
    "mood": ("calm", "calm"),
    "span": ("[1,5)", "[1,5)"),
    "spans": ("{[1,3),[5,7)}", "{[1,3),[5,7)}"),
    "key_id": ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "host": ("192.168.1.5/24", "192.168.1.5/24"),
    "net": ("10.0.0.0/8", "10.0.0.0/8"),
    "bits": ("10101", "10101"),
    "words": ("'raga':1 'yaman':2", "'raga':1 'yaman':2"),
    "spot": ("(1.5,2)", "(1.5,2)"),
    "doc": (r'{"a": "\u0000", "a": "\ud800", "$b": 1E400}', r'{"a": "\u0000", "a": "\ud800", "$b": 1E400}'),
    "docs": (r'{"{\"a\": \"\\ud83c\"}"}', r'{"{\"a\": \"\\ud83c\"}"}'),
    "own": (r'{"x": 1, "x": "\udfff"}', r'{"x": 1, "x": "\udfff"}'),
    "tree": (DEEP, DEEP),
    "bytes": (r"\x00ff10", r"\x00ff10"),
    "r": ("a column called like a swara", "a column called like a swara"),
    "row_0": ("🎶" * 500, "🎶" * 500),
    "letters": ("Sa", "Sa   "),
}

TABLES: LiteralString = """
CREATE TABLE "Ragas" (id INT PRIMARY KEY, name TEXT);
CREATE TABLE "stats.daily" (id INT PRIMARY KEY, other TEXT);
CREATE TABLE "%s {} ключ" ("_id" INT PRIMARY KEY, "$a" TEXT, "with ""quote" TEXT, "ключ" TEXT, "a.b" TEXT);
CREATE TABLE keyless (a INT, b JSONB);
CREATE TABLE paired (day DATE, place TEXT, note TEXT, PRIMARY KEY (day, place));
CREATE TABLE texted (id TEXT PRIMARY KEY, note TEXT);
CREATE TABLE unique_one (code TEXT NOT NULL, note TEXT);
CREATE UNIQUE INDEX ON unique_one (code) INCLUDE (note);
CREATE TABLE parted (id INT, at DATE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE SCHEMA archive;
CREATE TABLE archive.artists (id INT PRIMARY KEY, name TEXT);
CREATE VIEW seen AS SELECT id FROM ragas;
CREATE MATERIALIZED VIEW held AS SELECT id FROM ragas;
INSERT INTO "Ragas" VALUES (1, 'Kept apart');
INSERT INTO "stats.daily" VALUES (1, 'not stats.daily');
INSERT INTO stats.daily VALUES ('2024-01-01', 'Goa', 1);
INSERT INTO "%s {} ключ" VALUES (1, 'a', 'b', 'c', 'd');
INSERT INTO keyless VALUES (1, '{"": 1, "$x": {"_y": [null]}}'), (1, '{"": 1, "$x": {"_y": [null]}}'), (NULL, NULL);
INSERT INTO paired VALUES ('2024-01-01', '', 'x'), ('infinity', 'दिल्ली', NULL);
INSERT INTO texted VALUES ('', 'empty'), ('a "b"', 'quoted'), ('🎵', 'sign'), (E'line\\nbreak', 'line');
INSERT INTO unique_one VALUES ('one', 'n');
INSERT INTO parted VALUES (1, '2024-05-05');
INSERT INTO artists (id, name) VALUES (1, 'Kishori');
INSERT INTO archive.artists VALUES (1, 'Somebody else');
INSERT INTO performances (id, title, artist_id) VALUES (1, 'Pune', 1);
INSERT INTO ragas (id) VALUES (1);
INSERT INTO users (id, password_hash) VALUES (1, 'x');
SELECT lo_create(4711);
"""


class Arrived:
    """What a deployment holds of one migration that found no difference."""

    def __init__(self, old: OldDatabase, home: Home) -> None:
        wishes = Wishes(old.uri, home.state_dir, ISSUER, home.url, source="old", files=old.audio)
        assert migrate(wishes) == 0
        folder = home.state_dir / "migration" / "old"
        self.report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
        self.documents = home.documents()
        sums = {file["_id"]: file["sha256"] for file in self.documents.get("_storage", [])}
        self.rest: dict[tuple[str, str], rows.Row] = {}
        for one in self.documents["legacy"]:
            text = one.get("json") or (folder / "files" / sums[one["file"]]).read_text("utf-8")
            self.rest[one["table"], one["legacyId"]] = rows.read(text)


@pytest.fixture(scope="module")
def arrived(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arrived]:
    """All of it, moved once."""
    folder = tmp_path_factory.mktemp("odd")
    with old_database(postgres, folder) as old, home(folder / "state") as new:
        old.execute(TYPES)
        old.execute(TABLES)
        wide = ", ".join(f"c{n} INT DEFAULT {n}" for n in range(1500))
        old.execute(_own(f'CREATE TABLE wide (id INT PRIMARY KEY, "{LONG_NAME}" INT, {wide})'))
        old.execute("INSERT INTO wide VALUES (1, 2)")
        names = ", ".join(VALUES)
        marks = ", ".join(f"%s::text::{_type(old, name)}" for name in VALUES)
        query = f"INSERT INTO odd (id, {names}) VALUES (1, {marks})"  # noqa: S608 - our own names
        old.execute(_own(query), *(written for written, _ in VALUES.values()))
        old.execute("INSERT INTO odd (id) VALUES (-9007199254740993)")
        yield Arrived(old, new)


def _own(query: str) -> LiteralString:
    # Put together of our own names.
    return query


def _type(old: OldDatabase, column: str) -> str:
    query: LiteralString = (
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = 'odd'::regclass AND attname = %s"
    )
    return str(old.execute(query, column)[0][0])


@pytest.mark.parametrize("column", VALUES)
def test_a_value_of_any_type_arrives_as_it_was(arrived: Arrived, column: str) -> None:
    assert arrived.rest["odd", "1"][column] == VALUES[column][1]


def test_a_row_of_nothing_arrives_as_its_key(arrived: Arrived) -> None:
    assert arrived.rest["odd", "-9007199254740993"] == {
        "id": -9007199254740993,
        "made": "made of -9007199254740993",
        **dict.fromkeys(("price", *VALUES)),
    }


@pytest.mark.parametrize(
    ("table", "row", "kept"),
    [
        ("Ragas", "1", {"id": 1, "name": "Kept apart"}),
        ('"stats.daily"', "1", {"id": 1, "other": "not stats.daily"}),
        ("stats.daily", '["2024-01-01","Goa"]', {"day": "2024-01-01", "region": "Goa", "hits": 1}),
        ("%s {} ключ", "1", {"_id": 1, "$a": "a", 'with "quote': "b", "ключ": "c", "a.b": "d"}),
        ("paired", '["2024-01-01",""]', {"day": "2024-01-01", "place": "", "note": "x"}),
        ("paired", '["infinity","दिल्ली"]', {"day": "infinity", "place": "दिल्ली", "note": None}),
        ("texted", "", {"id": "", "note": "empty"}),
        ("texted", 'a "b"', {"id": 'a "b"', "note": "quoted"}),
        ("texted", "🎵", {"id": "🎵", "note": "sign"}),
        ("texted", "line\nbreak", {"id": "line\nbreak", "note": "line"}),
        ("unique_one", "one", {"code": "one", "note": "n"}),
        ("parted", '[1,"2024-05-05"]', {"id": 1, "at": "2024-05-05"}),
        ("archive.artists", "1", {"id": 1, "name": "Somebody else"}),
    ],
)
def test_a_table_of_any_name_and_key_arrives(
    arrived: Arrived, table: str, row: str, kept: dict[str, object]
) -> None:
    assert arrived.rest[table, row] == kept


def test_more_columns_than_a_document_has_fields_arrive(arrived: Arrived) -> None:
    row = arrived.rest["wide", "1"]
    assert len(row) == 1502
    assert (row[LONG_NAME], row["c1499"]) == (2, 1499)


def test_rows_without_a_key_arrive_each(arrived: Arrived) -> None:
    kept = [row for (table, _), row in arrived.rest.items() if table == "keyless"]
    twice = {"a": 1, "b": {"": 1, "$x": {"_y": [None]}}}
    assert sorted(kept, key=str) == sorted([twice, twice, {"a": None, "b": None}], key=str)


def test_what_has_no_rows_of_its_own_is_named(arrived: Arrived) -> None:
    named = {one["name"]: one["why"] for one in arrived.report["notTaken"]}
    assert set(named) == {"seen", "held", "1 large objects"}
    tables = {one["table"]: one.get("why", "") for one in arrived.report["tables"]}
    assert "parted_1" not in tables
    assert tables["Ragas"] == "another table holds the ragas already"
    assert tables["archive.artists"] == "another table holds the artists already"


def test_an_id_leads_to_the_table_of_the_application(arrived: Arrived) -> None:
    assert [one["artist"] for one in arrived.documents["recordings"]] == ["Kishori"]
