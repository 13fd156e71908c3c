"""Rows that PostgreSQL has no more: named, and taken out of Convex where that is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from migration.command import migrate
from migration.wishes import Wishes
from tests.migration.home import ISSUER, Home, nameless
from tests.migration.odd_rows import fill
from tests.migration.old_database import OldDatabase


def wishes(old: OldDatabase, home: Home) -> Wishes:
    """A migration from this old database to this home."""
    return Wishes(old.uri, home.state_dir, ISSUER, home.url, source="old", files=old.audio)


def report(home: Home) -> dict[str, Any]:
    """What the last run said of itself."""
    path = home.state_dir / "migration" / "old" / "report.json"
    return dict(json.loads(path.read_text("utf-8")))


def brought(home: Home) -> set[tuple[str, str, str]]:
    """The rows that migration has brought, with where."""
    return {(row["table"], row["legacyId"], row["target"]) for row in home.documents()["migrated"]}


def lose(old: OldDatabase) -> None:
    """What an application forgets in a day: a person with all that is theirs, a song, a whole table."""
    old.execute("DELETE FROM favorites WHERE user_id = 2")
    old.execute("DELETE FROM generations WHERE user_id = 2")
    old.execute("DELETE FROM users WHERE id = 2")
    old.execute("DELETE FROM songs WHERE id = 5")
    old.execute("DROP TABLE plays")


def test_deleted_rows_are_named_and_stay_until_they_are_to_be_withdrawn(
    old: OldDatabase, convex: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(old, 60, megabytes=1, files=3)
    old.execute(
        "UPDATE generations SET user_id = 2, is_favorite = true WHERE id IN (SELECT id FROM generations LIMIT 3)"
    )
    assert migrate(wishes(old, convex)) == 0
    lose(old)

    assert migrate(wishes(old, convex)) == 1
    assert "PostgreSQL has it no more (--withdraw takes it out)" in capsys.readouterr().out
    named = {(one["table"], one["id"], one["where"]) for one in report(convex)["verification"]["findings"]}
    assert {("users", "2", "users"), ("songs", "5", "legacy")} < named
    assert {table for table, *_ in named} >= {"users", "songs", "plays", "generations"}
    assert named <= brought(convex)

    assert migrate(replace(wishes(old, convex), withdraw=True)) == 0
    left = convex.documents()
    assert not brought(convex) & named
    outcomes = report(convex)["outcomes"]
    assert sum(number for name, number in outcomes.items() if name.endswith("withdrawn")) == len(named)

    # The same as if they had never been there.
    for _ in range(3):
        assert migrate(replace(wishes(old, convex), rollback=True)) == 0
    assert set(convex.documents()) <= {"catalogueState"}
    assert migrate(wishes(old, convex)) == 0
    anew = convex.documents()
    assert len(anew.pop("migrations")) == len(left.pop("migrations")) - 1
    assert nameless(anew) == nameless(left)


def test_what_was_changed_in_convex_since_is_not_withdrawn(old: OldDatabase, convex: Home) -> None:
    fill(old, 30, megabytes=0, files=1)
    assert migrate(wishes(old, convex)) == 0
    rows = {
        row["docId"]: row["legacyId"] for row in convex.documents()["migrated"] if row["target"] == "users"
    }
    changed = rows[convex.spoil("users", "name", "Changed here")["_id"]]
    old.execute("DELETE FROM generations")
    old.execute("DELETE FROM favorites")
    old.execute("DELETE FROM users")

    assert migrate(replace(wishes(old, convex), withdraw=True)) == 1

    assert [user["name"] for user in convex.documents()["users"]] == ["Changed here"]
    found = report(convex)
    assert [(one["table"], one["id"]) for one in found["verification"]["findings"]] == [("users", changed)]
    assert [
        (one["table"], one["id"]) for one in found["refusals"] if "was changed in Convex" in one["reason"]
    ] == [("users", changed)]


def test_who_was_there_before_stays_and_what_their_old_row_says_otherwise_is_named(
    old: OldDatabase, convex: Home
) -> None:
    old.execute(
        "INSERT INTO users (id, email, name, password_hash) VALUES (1, 'asha@example.org', 'Asha', 'x')"
    )
    assert migrate(replace(wishes(old, convex), source="another", only="users")) == 0
    there = convex.documents()["users"]
    old.execute("UPDATE users SET name = 'Asha B.', created_at = '2024-01-01'")
    assert migrate(replace(wishes(old, convex), only="users")) == 0
    named = {one["field"]: one["value"] for one in report(convex)["refusals"]}
    assert named == {"name": "Asha B.", "createdAt": "1704067200000.0"}
    old.execute("DELETE FROM users")
    assert migrate(replace(wishes(old, convex), only="users", withdraw=True)) == 0
    assert convex.documents()["users"] == there
