"""The whole way on a real PostgreSQL and the real local deployment: there, again, verified, and back."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from bot.backend.gateway import Convex, http_client
from bot.backend.identity import Keys, Signer
from migration.command import migrate
from migration.wishes import Wishes
from tests.bot.deployment import actor
from tests.migration.home import ISSUER, Home
from tests.migration.odd_rows import MEGABYTE, fill
from tests.migration.old_database import SECRET, OldDatabase

ROWS = int(os.environ.get("MIGRATION_ROWS", "450"))
"""How many rows the whole way is gone with: 100000 is what it was built for."""


def wishes(old: OldDatabase, home: Home) -> Wishes:
    """A migration from this old database to this home."""
    return Wishes(
        url=old.uri,
        state_dir=home.state_dir,
        issuer=ISSUER,
        to=home.url,
        source="old",
        files=old.audio,
        report=home.state_dir / "report.html",
    )


def findings(home: Home) -> list[tuple[str, str, str, str]]:
    """What the report says is not as it should be: table, row, where, field."""
    report = json.loads((home.state_dir / "report.json").read_text("utf-8"))
    return [
        (one["table"], one["id"], one["where"], one["field"]) for one in report["verification"]["findings"]
    ]


def befriend(home: Home) -> None:
    """Somebody uses the bot before anything is moved there."""

    async def use() -> None:
        signer = Signer(Keys.load(home.state_dir), "b1", ISSUER)
        async with http_client(home.url) as http:
            convex = Convex(home.url, http)
            request = {"musicType": "instrumental", "mood": "calm", "theme": "evening", "duration": 30.0}
            token = signer.user(actor())
            args = {"request": request, "idempotencyKey": "first"}
            piece = await convex.mutation("musicGeneration:startGeneration", args, token)
            heart = {"generationId": piece, "on": True, "idempotencyKey": "heart"}
            await convex.mutation("favorites:set", heart, token)

    asyncio.run(use())


@pytest.mark.timeout(3600 if ROWS > 10_000 else 300)
def test_the_whole_way_there_and_back(
    old: OldDatabase, convex: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    befriend(convex)
    # Somebody is here already, under an address that this old application knows too.
    old.execute(
        "INSERT INTO users (email, name, password_hash) VALUES ('listener1@example.org', 'Mira', 'x')"
    )
    assert migrate(replace(wishes(old, convex), source="another", only="users")) == 0
    old.execute("DELETE FROM users")
    rows = fill(old, ROWS)
    before = convex.documents()

    assert migrate(replace(wishes(old, convex), dry_run=True)) == 0
    assert convex.documents() == before
    assert "Nothing was written to Convex." in capsys.readouterr().out

    assert migrate(wishes(old, convex)) == 0
    said = capsys.readouterr().out
    assert "It is safe to switch." in said
    assert f"{rows:,} rows of 16 tables" in said
    after = convex.documents()
    moved = {(row["table"], row["legacyId"]) for row in after["migrated"] if row["source"] == "old"}
    assert len(moved) == rows
    assert SECRET not in json.dumps(after)
    assert (
        len(after["users"])
        == len(before["users"]) + int(str(old.execute("SELECT count(*) FROM users")[0][0])) - 1
    )
    assert all(user in after["users"] for user in before["users"])

    assert migrate(wishes(old, convex)) == 0
    assert convex.documents() == after

    assert migrate(replace(wishes(old, convex), rollback=True)) == 0
    assert convex.documents() == before
    assert {path.name for path in (convex.state_dir / "migration" / "old").iterdir()} == {".lock"}


def test_whatever_is_corrupted_after_the_import_is_named(old: OldDatabase, convex: Home) -> None:
    fill(old, 60, megabytes=1, files=2)
    assert migrate(wishes(old, convex)) == 0
    described = convex.spoil("oldRagas", "description", "Something else.", where='"folded"')
    named = convex.spoil("users", "name", "Somebody else")
    noted = convex.spoil("legacy", "json", "{}", where='"table":"generations"')
    gone = convex.drop("recordings")
    old.execute("UPDATE talas SET beats = 17 WHERE id = 3")
    old.execute("DELETE FROM songs WHERE id = 5")
    old.execute("INSERT INTO composers (name) VALUES ('New')")
    rows = {row["docId"]: row["legacyId"] for row in convex.documents()["migrated"]}

    assert migrate(replace(wishes(old, convex), verify=True)) == 1

    assert sorted(findings(convex)) == sorted(
        [
            ("ragas", rows[described["_id"]], "oldRagas", "description"),
            ("users", rows[named["_id"]], "users", "name"),
            ("generations", rows[noted["_id"]], "legacy", "json"),
            ("performances", rows[gone["_id"]], "recordings", ""),
            ("talas", "3", "PostgreSQL", ""),
            ("songs", "5", "PostgreSQL", ""),
            ("composers", "6", "PostgreSQL", ""),
        ]
    )


def test_a_later_run_brings_what_changed_and_can_be_taken_back_alone(old: OldDatabase, convex: Home) -> None:
    fill(old, 60, megabytes=0, files=2)
    assert migrate(wishes(old, convex)) == 0
    first = convex.documents()
    old.execute("UPDATE users SET name = 'Another name' WHERE id = 2")
    old.execute("UPDATE generations SET title = 'Another title' WHERE user_id IS NOT NULL AND title IS NULL")
    old.execute("INSERT INTO users (email, name, password_hash) VALUES ('late@example.org', 'Late', 'x')")

    assert migrate(wishes(old, convex)) == 0
    second = convex.documents()
    assert [user["name"] for user in second["users"] if user.get("email") == "late@example.org"] == ["Late"]
    assert sum(user.get("name") == "Another name" for user in second["users"]) == 1
    assert len(second["migrations"]) == 2

    assert migrate(replace(wishes(old, convex), rollback=True)) == 0
    assert convex.documents() == first
    assert migrate(replace(wishes(old, convex), rollback=True)) == 0
    assert set(convex.documents()) <= {"catalogueState"}


def test_what_was_changed_in_convex_since_is_left_alone_and_named(old: OldDatabase, convex: Home) -> None:
    fill(old, 30, megabytes=0, files=1)
    assert migrate(wishes(old, convex)) == 0
    rows = {
        row["docId"]: row["legacyId"] for row in convex.documents()["migrated"] if row["target"] == "users"
    }
    changed = convex.spoil("users", "name", "Changed here")
    old.execute("UPDATE users SET name = 'Changed there'")

    assert migrate(wishes(old, convex)) == 1

    assert findings(convex) == [("users", rows[changed["_id"]], "users", "name")]
    names = [user.get("name") for user in convex.documents()["users"]]
    assert names.count("Changed here") == 1
    assert names.count("Changed there") == len(names) - 1


def test_long_texts_lie_in_files_and_are_whole(old: OldDatabase, convex: Home) -> None:
    fill(old, 9, megabytes=1, files=0)
    assert migrate(wishes(old, convex)) == 0
    documents = convex.documents()
    text = str(old.execute("SELECT description FROM ragas WHERE id = 1")[0][0])
    assert len(text.encode()) > MEGABYTE
    kept = next(row for row in documents["legacy"] if row["table"] == "ragas" and row["legacyId"] == "1")
    assert "json" not in kept
    stored = next(file for file in documents["_storage"] if file["_id"] == kept["file"])
    content = next(
        path.read_bytes()
        for path in (convex.state_dir / "migration" / "old" / "files").iterdir()
        if path.name == stored["sha256"]
    )
    assert json.loads(content)["description"] == text
    raga = next(row for row in documents["oldRagas"] if row.get("description", "").endswith(" …"))
    assert text.startswith(raga["description"].removesuffix(" …"))


def test_only_a_part_takes_along_what_it_needs(old: OldDatabase, convex: Home) -> None:
    fill(old, 30, megabytes=0, files=1)
    assert migrate(replace(wishes(old, convex), only="users")) == 0
    assert {row["table"] for row in convex.documents()["migrated"]} == {"users"}
    assert migrate(replace(wishes(old, convex), only="generations")) == 0
    tables = {row["table"] for row in convex.documents()["migrated"]}
    assert tables == {"users", "ragas", "generations", "favorites"}
    assert migrate(wishes(old, convex)) == 0
    assert len({row["table"] for row in convex.documents()["migrated"]}) == 16


def test_the_export_can_be_taken_elsewhere(old: OldDatabase, convex: Home, tmp_path: Path) -> None:
    fill(old, 30, megabytes=1, files=1)
    taken = tmp_path / "taken"
    assert migrate(replace(wishes(old, convex), dry_run=True, dump=taken)) == 0
    manifest = json.loads((taken / "manifest.json").read_text("utf-8"))
    for table in manifest["tables"]:
        content = (taken / table["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == table["sha256"]
        assert content.count(b"\n") == table["rows"]
    assert all(SECRET.encode() not in path.read_bytes() for path in taken.iterdir())
    with zipfile.ZipFile(taken / "convex.zip") as archive:
        assert "pg_stats_daily/documents.jsonl" in archive.namelist()
        lines = [json.loads(line) for line in archive.read("pg_ragas/documents.jsonl").splitlines()]
    rows: dict[str, str] = {}
    for line in lines:
        rows[line["legacyId"]] = rows.get(line["legacyId"], "") + line["row"]
        assert len(json.dumps(line)) < 2**20 * 2
    assert {key: json.loads(text)["id"] for key, text in rows.items()} == {str(n): n for n in range(1, 11)}
    assert len(json.loads(rows["1"])["description"].encode()) > MEGABYTE
