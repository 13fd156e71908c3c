"""Odd values in the tables that have a place of their own: each arrives, or is named and kept as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migration import rows
from migration.command import migrate
from migration.wishes import Wishes
from tests.migration.home import ISSUER, Home, home
from tests.migration.old_database import OldDatabase, old_database

DOCUMENT_BYTES = 2**20
MEGABYTE_TEXT = "x" * 1_200_000
EMOJI = "🎶" * 15_999
MANY = {f"s{number}": number for number in range(1500)}
ODD_SETTINGS = (
    '{"": 1, "$x": 2, "_y": 3, "ключ": 4, "big": 9007199254740993, "deep": {}, "none": null, "fine": 1.5}'
)
AUDIO = {
    # A path, and what is said of it; nothing is said of what is taken.
    "song.mp3": None,
    "sub/../song.mp3": None,
    "/song.mp3": None,
    "missing.mp3": "there is no such file",
    "": None,
    ".": "there is no such file",
    "sub": "there is no such file",
    "../outside.mp3": "is not in the folder of --files",
    "sub/../../outside.mp3": "is not in the folder of --files",
    "link.mp3": "is not in the folder of --files",
    "circle.mp3": "the file cannot be read",
    "/etc/passwd": "is not in the folder of --files",
    "file:///etc/passwd": "is not in the folder of --files",
    "file://%2e%2e/%2e%2e/etc/passwd": "is not in the folder of --files",
    "http://old.example/song.mp3": "lies on the web: it is not fetched",
    "http://[broken": "the file cannot be read",
    "C:\\music\\song.mp3": "there is no such file",
    "n" * 5000: "the file cannot be read",
}


class Arrived:
    """One migration of all of it, which found no difference."""

    def __init__(self, old: OldDatabase, new: Home) -> None:
        wishes = Wishes(old.uri, new.state_dir, ISSUER, new.url, source="old", files=old.audio)
        assert migrate(wishes) == 0
        self.folder = new.state_dir / "migration" / "old"
        report = json.loads((self.folder / "report.json").read_text("utf-8"))
        self.named = {(one["table"], one["id"], one["field"]): one["reason"] for one in report["refusals"]}
        self.documents = new.documents()
        self._sums = {file["_id"]: file["sha256"] for file in self.documents["_storage"]}

    def doc(self, table: str, row: object, target: str) -> dict[str, Any]:
        """The document of a row."""
        key = (table, str(row), target)
        known = next(
            one for one in self.documents["migrated"] if (one["table"], one["legacyId"], one["target"]) == key
        )
        return next(one for one in self.documents[target] if one["_id"] == known["docId"])

    def rest(self, table: str, row: object) -> rows.Row:
        """What is kept of a row as it was."""
        kept = self.doc(table, row, "legacy")
        text = kept.get("json")
        return rows.read(text or (self.folder / "files" / self._sums[kept["file"]]).read_text("utf-8"))


@pytest.fixture(scope="module")
def arrived(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arrived]:
    """Moved once."""
    folder = tmp_path_factory.mktemp("values")
    with old_database(postgres, folder) as old, home(folder / "state") as new:
        old.execute("ALTER TABLE ragas ALTER name TYPE TEXT, ALTER mood TYPE TEXT")
        _people(old)
        _ragas(old)
        _pieces(old)
        _audio(old, folder)
        yield Arrived(old, new)


def _people(old: OldDatabase) -> None:
    for number, (email, settings, created) in enumerate(
        (
            ("Asha@Example.org", ODD_SETTINGS, "1900-01-01T00:00:00.0005Z"),
            ("ASHA@example.org", json.dumps(MANY), "infinity"),
            (None, r'{"half": "\ud800", "tonic": "D"}', "1969-12-31T23:59:59.999Z"),
            ("", "{}", None),
            ("łukasz+🎻@example.org", None, "0044-03-15 BC"),
        ),
        1,
    ):
        old.execute(
            "INSERT INTO users (id, email, preferences, created_at, password_hash) VALUES (%s, %s, %s, %s, 'x')",
            *(number, email, settings, created),
        )


def _ragas(old: OldDatabase) -> None:
    nested = [["S", "R"], ["G"]]
    ragas: tuple[tuple[str, dict[str, object]], ...] = (
        ("Yaman", {"description": EMOJI, "history": MEGABYTE_TEXT}),
        ("YAMAN", {"mood": '{"broken', "arohana": nested}),
        ("Yamān", {"mood": "[1, null]", "melakarta_number": -5, "alternate_names": []}),
        ("n" * 300, {"alternate_names": ["x" * 40_000], "time": [1, None, "evening"]}),
        ("🎶", {"pakad": "S R?x", "tonic_frequency": "NaN"}),
        ("  ", {"arohana": "not a scale"}),
    )
    for number, (name, more) in enumerate(ragas, 1):
        old.execute(
            "INSERT INTO ragas SELECT * FROM jsonb_populate_record(NULL::ragas, %s::jsonb)",
            json.dumps({"id": number, "name": name, "tradition": "Hindustani", **more}),
        )


def _pieces(old: OldDatabase) -> None:
    old.execute(
        "INSERT INTO generations (id, user_id, music_type, instruments, tempo, status, duration, created_at) VALUES "
        "('00000000-0000-4000-8000-000000000001', 1, 'jazz', %s, 90, 'completed', 'NaN', '1965-05-05')",
        json.dumps(["sitar", *("long " * 20 + str(number) for number in range(100))]),
    )
    piece = "00000000-0000-4000-8000-000000000001"
    old.execute(
        "INSERT INTO favorites (user_id, generation_id, raga_id) VALUES "
        "(1, %s, NULL), (2, %s, 1), (NULL, %s, NULL), (77, %s, NULL), "
        "(1, '00000000-0000-4000-8000-00000000dead', NULL), "
        "(1, NULL, 1), (1, NULL, 5), (1, NULL, 99), (1, NULL, NULL)",
        *[piece] * 4,
    )


def _audio(old: OldDatabase, folder: Path) -> None:
    (old.audio / "song.mp3").write_bytes(b"ID3 a song")
    (folder / "outside.mp3").write_bytes(b"ID3 outside")
    (old.audio / "sub").mkdir()
    (old.audio / "link.mp3").symlink_to(folder / "outside.mp3")
    (old.audio / "circle.mp3").symlink_to(old.audio / "circle.mp3")
    for path in (*AUDIO, str(old.audio / "song.mp3")):
        old.execute("INSERT INTO audio_samples (file_path) VALUES (%s)", path)
    old.execute("INSERT INTO audio_samples (file_path) VALUES (NULL)")


def test_every_document_keeps_well_within_the_limit(arrived: Arrived) -> None:
    for table, documents in arrived.documents.items():
        for document in documents:
            assert len(json.dumps(document, ensure_ascii=False).encode()) < DOCUMENT_BYTES / 4, table


def test_people_with_odd_settings_times_and_addresses(arrived: Arrived) -> None:
    first, second, third, fourth, fifth = (arrived.doc("users", number, "users") for number in range(1, 6))
    assert [one.get("email") for one in (first, second, third, fourth, fifth)] == [
        "asha@example.org",
        None,
        None,
        None,
        "łukasz+🎻@example.org",
    ]
    assert first["preferences"] == {"fine": 1.5}
    assert len(second["preferences"]) == 1000
    assert "preferences" not in third
    assert (first["createdAt"], second["createdAt"], third["createdAt"]) == (-2208988800000.0, 0.0, -1.0)
    assert arrived.rest("users", 1) == {
        "email": "Asha@Example.org",
        "preferences": ODD_SETTINGS,
        "created_at": "1900-01-01T00:00:00.0005+00:00",
    }
    assert json.loads(arrived.rest("users", 2)["preferences"]) == MANY
    assert arrived.rest("users", 3) == {"preferences": r'{"half": "\ud800", "tonic": "D"}'}
    assert arrived.rest("users", 4) == {"email": "", "preferences": "{}"}
    assert arrived.rest("users", 5)["created_at"] == "0044-03-15T00:00:00+00:00 BC"
    reasons = {(row, field) for table, row, field in arrived.named if table == "users"}
    assert reasons == {
        ("1", "preferences"),
        ("2", "email"),
        ("2", "preferences"),
        ("2", "created_at"),
        ("3", "preferences"),
        ("5", "created_at"),
    }


def test_ragas_with_long_and_broken_values(arrived: Arrived) -> None:
    first = arrived.doc("ragas", 1, "oldRagas")
    assert first["description"] == "🎶" * 2000 + " …"
    kept = arrived.rest("ragas", 1)
    assert (kept["description"], kept["history"]) == (EMOJI, MEGABYTE_TEXT)
    assert all(arrived.doc("ragas", number, "oldRagas")["folded"] == "yaman" for number in (1, 2, 3))
    assert arrived.rest("ragas", 2) == {"mood": '{"broken', "arohana": [["S", "R"], ["G"]]}
    assert arrived.rest("ragas", 3) == {"mood": "[1, null]", "melakarta_number": -5, "alternate_names": []}
    fourth = arrived.doc("ragas", 4, "oldRagas")
    assert (fourth["name"], fourth["time"]) == ("n" * 200, ["1", "evening"])
    kept = arrived.rest("ragas", 4)
    assert (kept["name"], kept["alternate_names"], kept["time"]) == (
        "n" * 300,
        ["x" * 40_000],
        [1, None, "evening"],
    )
    assert arrived.rest("ragas", 6) == {"name": "  ", "tradition": "Hindustani", "arohana": "not a scale"}
    named = {(row, field) for table, row, field in arrived.named if table == "ragas"}
    assert named >= {
        *(("1", "description"), ("1", "history"), ("2", "mood"), ("2", "arohana"), ("3", "melakarta_number")),
        *(("4", "name"), ("4", "alternate_names"), ("5", "pakad"), ("6", "name")),
    }


def test_a_piece_with_odd_wishes_and_hearts_for_what_is_not_there(arrived: Arrived) -> None:
    row = "00000000-0000-4000-8000-000000000001"
    piece = arrived.doc("generations", row, "musicGenerations")
    assert piece["request"]["instruments"] == ["sitar"]
    assert (piece["status"], piece["errorCode"], piece["isFavorite"]) == ("failed", "audio_missing", True)
    assert piece["createdAt"] < 0
    kept = arrived.rest("generations", row)
    assert (kept["music_type"], kept["duration"], len(kept["instruments"])) == ("jazz", "NaN", 101)
    assert {field for table, _, field in arrived.named if table == "generations"} == {
        "music_type",
        "duration",
        "instruments",
    }
    lost = [
        one for one in arrived.documents["legacy"] if one["table"] == "favorites" and "user_id" in one["json"]
    ]
    lost += [
        one
        for one in arrived.documents["legacy"]
        if one["table"] == "favorites" and "user_id" not in one["json"]
    ]
    reasons = sorted(reason for (table, _, _), reason in arrived.named.items() if table == "favorites")
    assert reasons == sorted(
        [
            *(
                "belongs to nobody",
                "there is no such user",
                "there is no such generation",
                "there is no such raga",
            ),
            *("the catalogue has no such raga to keep", "the catalogue has no such raga to keep"),
        ]
    )
    brought = {one["legacyId"] for one in arrived.documents["migrated"] if one["table"] == "favorites"}
    assert len(brought) == 9
    assert len(lost) >= len(reasons)


@pytest.mark.parametrize("number", range(1, len(AUDIO) + 3))
def test_audio_is_taken_from_its_folder_alone(arrived: Arrived, number: int) -> None:
    given = arrived.rest("audio_samples", number)["file_path"]
    expected = AUDIO.get(given) if given is not None else None
    assert arrived.named.get(("audio_samples", str(number), "file_path")) == expected
    taken = "audioFileId" in arrived.doc("audio_samples", number, "legacy")
    assert taken is bool(given and expected is None)


def test_only_the_song_was_uploaded(arrived: Arrived) -> None:
    assert sum(file["type"] == "audio/mpeg" for file in arrived.documents["_storage"]) == 1
