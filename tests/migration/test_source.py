"""Looking at a real PostgreSQL: what is there, what may leave it, and errors in words."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from migration.command import migrate
from migration.dump import zip_names
from migration.errors import MigrationError
from migration.export import BATCH_BYTES, export, plans_of, rows_of
from migration.mapping import Plan, plans
from migration.progress import Progress
from migration.source import place_of, snapshot
from migration.wishes import Wishes
from tests.migration.home import ISSUER
from tests.migration.odd_rows import fill
from tests.migration.old_database import SECRET, OldDatabase

PASSWORD = "hunter2 %40?/#"


def plan_of(found: tuple[Plan, ...], label: str) -> Plan:
    """The plan of a table."""
    return next(plan for plan in found if plan.table.label == label)


def test_the_real_schema_is_found_with_its_keys(old: OldDatabase) -> None:
    found = plans_of(place_of(old.uri), None)
    roles = {plan.table.label: plan.role for plan in found}
    assert roles["ragas"] == "ragas"
    assert roles["stats.daily"] == roles["alembic_version"] == roles["plays"] == roles["sessions"] == "rest"
    assert plan_of(found, "stats.daily").key == ("day", "region")
    assert plan_of(found, "plays").key == plan_of(found, "favorites").key == ()
    types = {column.name: column.type for column in plan_of(found, "ragas").table.columns}
    assert (types["grid"], types["time"], types["songs"], types["kind"]) == (
        "integer[]",
        "jsonb",
        "json",
        "mood_kind",
    )
    assert len(types) == 48


def test_every_column_is_shown_with_where_it_goes(old: OldDatabase) -> None:
    for plan in plans_of(place_of(old.uri), None):
        lines = plan.lines()
        assert [line.split(" ")[0].rsplit(".", 1)[1] for line, _ in lines] == [
            one.name for one in plan.table.columns
        ]
        assert all(place for _, place in lines)
    users = dict(plan_of(plans_of(place_of(old.uri), None), "users").lines())
    assert (
        users["users.password_hash (text)"] == users["users.reset_token (text)"] == "never leaves PostgreSQL"
    )
    assert users["users.balance (numeric)"] == "legacy"


def test_an_older_schema_with_other_names_is_understood(old: OldDatabase) -> None:
    old.execute("DROP TABLE ragas, users, generations, favorites, performances")
    old.execute("CREATE TABLE raga (id INT PRIMARY KEY, raga_name TEXT, aroha TEXT, style TEXT)")
    old.execute('CREATE TABLE app_users ("Id" INT PRIMARY KEY, "Email_Address" TEXT, hashed_password TEXT)')
    old.execute("CREATE TABLE music_generations (id INT PRIMARY KEY, owner_id INT, request JSONB)")
    old.execute("CREATE TABLE favourites (owner_id INT, music_generation_id INT)")
    found = plans_of(place_of(old.uri), None)
    assert plan_of(found, "raga").fields == {"name": "raga_name", "arohana": "aroha", "tradition": "style"}
    assert plan_of(found, "app_users").fields == {"email": "Email_Address"}
    assert plan_of(found, "app_users").secrets == ("hashed_password",)
    assert plan_of(found, "music_generations").fields == {"owner": "owner_id", "request": "request"}
    assert plan_of(found, "favourites").role == "favorites"


def test_a_table_that_is_not_what_its_name_says_goes_whole_to_legacy_and_says_why(old: OldDatabase) -> None:
    old.execute("DROP TABLE ragas, generations")
    old.execute("CREATE TABLE ragas (id INT PRIMARY KEY, audio BYTEA)")
    old.execute("CREATE TABLE generations (user_id INT, mood TEXT)")
    old.execute("CREATE SCHEMA archive")
    old.execute("CREATE TABLE archive.users (id INT PRIMARY KEY, name TEXT)")
    found = plans_of(place_of(old.uri), None)
    assert [plan_of(found, label).role for label in ("ragas", "generations", "archive.users")] == ["rest"] * 3
    assert all(plan_of(found, label).why for label in ("ragas", "generations", "archive.users"))


def test_parts_and_heirs_of_a_table_are_each_read_once(old: OldDatabase, tmp_path: Path) -> None:
    old.execute("CREATE TABLE log (id INT, at DATE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)")
    old.execute("CREATE TABLE log_2024 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")
    old.execute("CREATE TABLE parent (id INT PRIMARY KEY)")
    old.execute("CREATE TABLE child (extra INT) INHERITS (parent)")
    old.execute("CREATE TABLE nothing ()")
    old.execute("INSERT INTO log VALUES (1, '2024-05-05')")
    old.execute("INSERT INTO parent VALUES (1)")
    old.execute("INSERT INTO child VALUES (2, 3)")
    old.execute("INSERT INTO nothing DEFAULT VALUES")
    taken, _ = export(place_of(old.uri), tmp_path / "export", None, Progress())
    rows = {one.table.label: one.rows for one in taken.tables}
    assert (rows["log"], rows["parent"], rows["child"], rows["nothing"]) == (1, 1, 1, 1)
    assert "log_2024" not in rows
    assert all(one.rows == one.table.rows for one in taken.tables)


def test_nothing_secret_is_exported(old: OldDatabase, tmp_path: Path) -> None:
    fill(old, 30, megabytes=0)
    old.execute("ALTER TABLE users ADD profile JSONB")
    old.execute("UPDATE users SET profile = jsonb_build_object('api_key', %s::text, 'city', 'Pune')", SECRET)
    export(place_of(old.uri), tmp_path / "export", None, Progress())
    for path in (tmp_path / "export").iterdir():
        assert SECRET.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "export" / "users.jsonl").read_text("utf-8").count('{"city":"Pune"}') == 10


def test_the_snapshot_sees_one_moment(old: OldDatabase, tmp_path: Path) -> None:
    fill(old, 30, megabytes=0)
    progress = Progress()
    seen: list[str] = []

    class Meddling(Progress):
        def step(self, count: int, what: str = "") -> None:
            if not seen:
                old.execute("DELETE FROM ragas")
                old.execute("UPDATE talas SET name = 'changed'")
            seen.append(what)
            progress.step(count, what)

    taken, _ = export(place_of(old.uri), tmp_path / "export", None, Meddling())
    assert taken.of("ragas").rows == 10
    assert all(b"changed" not in line for line in taken.lines("talas"))


@pytest.fixture
def locked(old: OldDatabase) -> Iterator[OldDatabase]:
    """A database that asks this one user for a password."""
    name = f"locked_{old.name}"
    data = Path(str(old.execute("SHOW data_directory")[0][0]))
    access = data / "pg_hba.conf"
    before = access.read_text("utf-8")
    with psycopg.connect(old.uri, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'right'")
        access.write_text(f"local all {name} scram-sha-256\n{before}", "utf-8")
        connection.execute("SELECT pg_reload_conf()")
        old.user = name
        yield old
        access.write_text(before, "utf-8")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


def said_by(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says of a database that it cannot use."""
    assert migrate(Wishes(url, tmp_path / "state", ISSUER, source="old", dry_run=True)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err.strip()


def test_a_wrong_password_is_said_kindly_and_never_shown(
    locked: OldDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    parts = conninfo_to_dict(locked.uri)
    password, host = quote(PASSWORD, safe=""), quote(str(parts["host"]), safe="")
    url = f"postgresql://{locked.user}:{password}@/{locked.name}?host={host}"
    said = said_by(url, tmp_path, capsys)
    assert said.endswith("does not accept this user and password.")
    assert "\n" not in said
    for text in (said, caplog.text):
        assert PASSWORD not in text
        assert password not in text


def test_a_user_who_may_not_read_everything_is_told(
    locked: OldDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(locked, 9, megabytes=0)
    host = conninfo_to_dict(locked.uri)["host"]
    said = said_by(f"user={locked.user} password=right dbname={locked.name} host={host}", tmp_path, capsys)
    assert "may not read everything" in said
    assert "Use the owner of the tables" in said


def test_what_else_can_go_wrong_is_one_sentence(
    old: OldDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = conninfo_to_dict(old.uri)["host"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        cases = {
            f"user=postgres dbname=not_there host={host}": "There is no such database",
            f"user=nobody_here dbname={old.name} host={host}": "has no such user",
            f"postgresql://me:{PASSWORD[:7]}@127.0.0.1:{port}/db": "Nothing answers at",
            f"postgresql+asyncpg://me:{PASSWORD[:7]}@no-such-host.invalid/db": "cannot find the host",
            "postgresql://me:p%zzss@localhost/db": "I cannot read this address",
            "mysql://me:hunter2@localhost/db": "I cannot read this address",
        }
        for url, sentence in cases.items():
            said = said_by(url, tmp_path, capsys)
            assert sentence in said
            assert "\n" not in said
            assert "hunter2" not in said
            assert "p%zzss" not in said


def test_text_that_is_no_utf8_is_said_to_be_so(
    postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE bytes_only TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        uri = make_conninfo(postgres, dbname="bytes_only")
        with psycopg.connect(uri, autocommit=True) as there:
            there.execute(
                r"CREATE TABLE words AS SELECT convert_from('\x52e167'::bytea, 'SQL_ASCII') AS word"
            )
        try:
            assert migrate(Wishes(uri, tmp_path, ISSUER, source="old", dry_run=True)) == 1
        finally:
            connection.execute("DROP DATABASE bytes_only WITH (FORCE)")
    assert "holds text that is no UTF-8" in capsys.readouterr().err


def test_large_rows_come_a_few_at_a_time(old: OldDatabase) -> None:
    old.execute("INSERT INTO composers (name) SELECT repeat('x', 1000000) FROM generate_series(1, 12)")
    old.execute("INSERT INTO talas (name) SELECT 'tala ' || n FROM generate_series(1, 2500) n")
    place = place_of(old.uri)
    found = plans_of(place, None)
    with snapshot(place) as connection:
        large = list(rows_of(connection, plan_of(found, "composers")))
        small = [len(batch) for batch in rows_of(connection, plan_of(found, "talas"))]
    assert sum(map(len, large)) == 12
    assert max(sum(map(len, batch)) for batch in large) < BATCH_BYTES + 1_100_000
    assert small == [1000, 1000, 500]


def test_tables_in_the_zip_have_names_of_their_own() -> None:
    labels = ["a.b", "a_b", "A_B", "ragas", "रागा", "тала", "x" * 100, "x" * 99]
    names = zip_names(labels)
    assert len({name.lower() for name in names.values()}) == len(labels)
    assert all(re.fullmatch(r"pg_\w{1,61}", name, re.ASCII) for name in names.values())
    assert names["ragas"] == "pg_ragas"


def test_an_empty_database_is_said_to_be_empty(old: OldDatabase, tmp_path: Path) -> None:
    old.execute("DROP SCHEMA public, stats CASCADE")
    with pytest.raises(MigrationError, match="no table at all"):
        plans_of(place_of(old.uri), None)
    assert plans([]) == ()
