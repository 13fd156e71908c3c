"""What single rows become: matched, never guessed; listed, never lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from migration.command import migrate
from migration.wishes import Wishes
from migration.work import Work
from tests.migration.home import ISSUER
from tests.migration.old_database import OldDatabase

Key = tuple[str, str, str]


class Became:
    """The entries and refusals of a dry run."""

    def __init__(self, old: OldDatabase, folder: Path) -> None:
        assert migrate(Wishes(old.uri, folder, ISSUER, source="old", dry_run=True, files=old.audio)) == 0
        work = Work(folder / "migration" / "old")
        self.entries: dict[Key, dict[str, Any]] = {
            (one.table, one.id, one.target): json.loads(one.body) for one in work.entries(limit=10_000)
        }
        self.refusals = {(one.table, one.id, one.field): one.reason for one in work.refusals()}
        work.close()
        self.report = json.loads((folder / "migration" / "old" / "report.json").read_text("utf-8"))
        self.page = (folder / "migration" / "old" / "report.html").read_text("utf-8")

    def doc(self, table: str, row: object, target: str) -> dict[str, Any]:
        """One document to be."""
        return dict(self.entries[table, str(row), target]["doc"])

    def rest(self, table: str, row: object) -> dict[str, Any]:
        """What a row's ``legacy`` entry keeps as it was."""
        return dict(json.loads(self.doc(table, row, "legacy")["json"]))


def test_a_raga_is_matched_by_name_and_never_guessed(old: OldDatabase, tmp_path: Path) -> None:
    names = ("Yaman", "YAMAN", "Rāga Yamān", "Yamen", "Nobody's own", None, "Yaaman")
    for number, name in enumerate(names, 1):
        old.execute("INSERT INTO ragas (id, name, tradition) VALUES (%s, %s, 'hindustani')", number, name)
    became = Became(old, tmp_path)
    yaman = {"name": "Yaman", "tradition": "Hindustani"}
    assert all(became.doc("ragas", number, "oldRagas")["raga"] == yaman for number in (1, 2, 3, 7))
    assert all("raga" not in became.doc("ragas", number, "oldRagas") for number in (4, 5))
    assert became.doc("ragas", 3, "oldRagas")["name"] == "Rāga Yamān"
    assert "like" in became.refusals["ragas", "4", "name"]
    assert "Yaman" in became.refusals["ragas", "4", "name"]
    assert ("ragas", "5", "name") in became.refusals
    # A row without a name is no raga, but it is not lost.
    assert ("ragas", "6", "oldRagas") not in became.entries
    assert became.rest("ragas", 6) == {"tradition": "hindustani"}
    assert [[row for row, _ in group] for group in became.report["sameNames"]] == [["1", "2", "3"]]
    assert ["1", "2", "3", "7"] in [[row for row, _ in group] for group in became.report["nearNames"]]


def test_a_name_of_both_traditions_needs_its_tradition(old: OldDatabase, tmp_path: Path) -> None:
    from music.catalogue import load

    catalogue = load()
    both = next(
        raga.name
        for raga in catalogue.ragas
        if catalogue.get(raga.name, "Hindustani") and catalogue.get(raga.name, "Carnatic")
    )
    for number, tradition in enumerate((None, "Carnatic", "Hindustani"), 1):
        old.execute("INSERT INTO ragas (id, name, tradition) VALUES (%s, %s, %s)", number, both, tradition)
    became = Became(old, tmp_path)
    matched = [
        became.doc("ragas", number, "oldRagas").get("raga", {}).get("tradition") for number in (1, 2, 3)
    ]
    assert matched == [None, "Carnatic", "Hindustani"]
    assert "both traditions" in became.refusals["ragas", "1", "name"]


def test_every_value_is_in_a_field_or_kept_as_it_was(old: OldDatabase, tmp_path: Path) -> None:
    old.execute(
        "INSERT INTO ragas (id, name, tradition, arohana, avarohana, vadi, samvadi, time, mood, pakad, "
        "melakarta_number, popularity, cover, tags, span, seen_at, songs, tonic_frequency) VALUES "
        """(1, 'Yaman', 'Hindustani', '["S", "R", "G"]', '["S", "H"]', 'Ga', 'xyz', '["Evening"]', '"Calm, sad"', """
        """'{broken', 99, 1.10, '\\x00ff', '{a,NULL}', '[1,5)', '2024-01-01T00:00:00+05:30', '{"a":1,"a":2}', 'NaN')"""
    )
    became = Became(old, tmp_path)
    raga = became.doc("ragas", 1, "oldRagas")
    assert raga["arohana"] == ["S", "R2", "G3"]
    assert "avarohana" not in raga
    assert (raga["vadi"], raga["time"], raga["mood"]) == ("G3", ["evening"], ["peaceful", "melancholic"])
    assert "melakarta" not in raga
    rest = became.rest("ragas", 1)
    assert rest == {
        "arohana": ["S", "R", "G"],
        "avarohana": ["S", "H"],
        "vadi": "Ga",
        "samvadi": "xyz",
        "time": ["Evening"],
        "mood": "Calm, sad",
        "pakad": "{broken",
        "melakarta_number": 99,
        "popularity": 1.1,
        "cover": "\\x00ff",
        "tags": ["a", None],
        "span": "[1,5)",
        "seen_at": "2023-12-31T18:30:00+00:00",
        "songs": '{"a":1,"a":2}',
        "tonic_frequency": "NaN",
    }
    assert '"popularity":1.100000000000' in became.doc("ragas", 1, "legacy")["json"]
    refused = {field for table, _, field in became.refusals if table == "ragas"}
    assert refused == {"avarohana", "samvadi", "pakad", "melakarta_number"}


def test_people_keep_their_address_in_small_letters_and_share_none(old: OldDatabase, tmp_path: Path) -> None:
    for number, email in enumerate(("Asha@Example.org", "asha@example.ORG", "no address", None), 1):
        old.execute(
            "INSERT INTO users (id, email, name, password_hash, created_at, preferences) "
            "VALUES (%s, %s, 'Asha', 'x', '2024-01-02T03:04:05.678Z', %s)",
            number,
            email,
            '{"tonic": "D", "deep": {"a": 1}, "$no": 1}',
        )
    became = Became(old, tmp_path)
    assert [became.doc("users", number, "users").get("email") for number in (1, 2, 3, 4)] == [
        "asha@example.org",
        None,
        None,
        None,
    ]
    assert became.refusals["users", "2", "email"] == "is the address of row 1 too, which keeps it"
    assert [became.rest("users", number)["email"] for number in (1, 2, 3)] == [
        "Asha@Example.org",
        "asha@example.ORG",
        "no address",
    ]
    assert became.doc("users", 1, "users")["createdAt"] == 1704164645678
    assert became.doc("users", 1, "users")["preferences"] == {"tonic": "D"}
    assert json.loads(became.rest("users", 1)["preferences"])["deep"] == {"a": 1}


def piece(old: OldDatabase, number: int, **columns: object) -> str:
    """A generation; gives its id."""
    row = f"00000000-0000-4000-8000-{number:012d}"
    given = {"user_id": 1, "status": "completed", "mood": "calm", **columns}
    old.execute(
        "INSERT INTO generations SELECT * FROM jsonb_populate_record(NULL::generations, %s::jsonb)",
        json.dumps({"id": row, **given}),
    )
    return row


def test_pieces_come_to_an_end_and_keep_their_hearts(old: OldDatabase, tmp_path: Path) -> None:
    old.execute("INSERT INTO users (id, password_hash) VALUES (1, 'x'), (2, 'x')")
    old.execute("INSERT INTO ragas (id, name, tradition) VALUES (5, 'Yaman', 'Hindustani')")
    (old.audio / "a.mp3").write_bytes(b"audio")
    done = piece(old, 1, file_path="a.mp3", raga_id=5, is_favorite=True, music_type="Vocals")
    lost = piece(old, 2, file_path="gone.mp3")
    pending = piece(old, 3, status="pending")
    failed = piece(old, 4, status="failed", error_message="out of memory")
    orphan = piece(old, 5, user_id=77, file_path="a.mp3")
    kept = piece(old, 6)
    outside = piece(old, 7, file_path="../../../../etc/passwd")
    old.execute(
        "INSERT INTO favorites (user_id, generation_id) VALUES (1, %s), (2, %s), (9, %s)", kept, done, done
    )
    old.execute("INSERT INTO favorites (user_id, raga_id) VALUES (2, 5), (2, 99)")
    became = Became(old, tmp_path)

    def ending(row: str) -> tuple[object, object]:
        found = became.doc("generations", row, "musicGenerations")
        return found["status"], found.get("errorCode")

    assert ending(done) == ("completed", None)
    assert ending(lost) == ending(kept) == ending(outside) == ("failed", "audio_missing")
    assert ending(pending) == ("failed", "unfinished")
    assert ending(failed) == ("failed", "failed")
    assert became.doc("generations", failed, "musicGenerations")["error"] == "out of memory"
    request = became.doc("generations", done, "musicGenerations")["request"]
    assert (request["raga"], request["tradition"], request["musicType"]) == ("Yaman", "Hindustani", "vocal")
    assert became.refusals["generations", outside, "file_path"] == "is not in the folder of --files"
    # Nobody's piece is kept whole, with its audio.
    assert ("generations", orphan, "musicGenerations") not in became.entries
    assert became.entries["generations", orphan, "legacy"]["files"]["audioFileId"]
    assert became.rest("generations", orphan)["user_id"] == 77
    # A heart of its owner, wherever it stood; hearts of others; hearts for what is not there.
    hearts = {row for table, row, target in became.entries if (table, target) == ("generations", "favorites")}
    assert hearts == {done, kept}
    assert became.doc("generations", kept, "musicGenerations")["isFavorite"] is True
    rows = [
        one
        for (table, _, target), one in became.entries.items()
        if (table, target) == ("favorites", "favorites")
    ]
    assert sorted(one["doc"]["kind"] for one in rows) == ["generation", "generation", "raga"]
    lines = [
        one
        for (table, _, target), one in became.entries.items()
        if (table, target) == ("favorites", "legacy")
    ]
    assert sum("99" in one["doc"]["json"] or '"user_id":9' in one["doc"]["json"] for one in lines) == 2


def test_a_performance_names_who_played_what(old: OldDatabase, tmp_path: Path) -> None:
    old.execute("INSERT INTO artists (id, name) VALUES (1, 'Kishori')")
    old.execute("INSERT INTO ragas (id, name, tradition) VALUES (5, 'Yaman', 'Hindustani')")
    (old.audio / "a.mp3").write_bytes(b"audio")
    old.execute("INSERT INTO audio_samples (id, file_path) VALUES (3, 'a.mp3')")
    old.execute(
        "INSERT INTO performances (id, title, date, artist_id, raga_id, audio_sample_id, tala_id) "
        "VALUES (1, 'Pune', '1975-03-08', 1, 5, 3, 44)"
    )
    became = Became(old, tmp_path)
    recording = became.entries["performances", "1", "recordings"]
    assert recording["doc"] == {
        "title": "Pune",
        "date": "1975-03-08",
        "artist": "Kishori",
        "raga": {"name": "Yaman", "tradition": "Hindustani"},
    }
    assert recording["refs"] == {"oldRaga": ["ragas", "5"]}
    assert recording["files"] == became.entries["audio_samples", "3", "legacy"]["files"]
    assert became.refusals["performances", "1", "tala_id"] == "there is no such tala"
    assert became.rest("performances", 1) == {"artist_id": 1, "audio_sample_id": 3, "tala_id": 44}


def test_equal_rows_without_a_key_stay_two(old: OldDatabase, tmp_path: Path) -> None:
    old.execute("INSERT INTO plays VALUES ('Yaman', NULL), ('Yaman', NULL), ('Todi', NULL)")
    became = Became(old, tmp_path)
    rows = sorted(row for table, row, _ in became.entries if table == "plays")
    assert len(rows) == 3
    assert sum(row.endswith("#2") for row in rows) == 1


def test_the_page_shows_old_words_and_runs_none_of_them(old: OldDatabase, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    old.execute("INSERT INTO ragas (id, name, tradition) VALUES (1, %s, %s)", evil, "Persian <b>")
    old.execute('CREATE TABLE "<i>odd" ("<u>col" INT)')
    became = Became(old, tmp_path)
    assert "<script" not in became.page
    assert "<img" not in became.page
    assert "<i>" not in became.page
    assert "<u>" not in became.page
    assert "&lt;script&gt;alert(1)" in became.page
    assert "http://" not in became.page
    assert "https://" not in became.page
    assert "never leaves PostgreSQL" in became.page
    assert became.report["refusals"][0]["reason"]
    assert became.report["refusalCount"] == len(became.report["refusals"])
    assert became.report["safeToSwitch"] is False


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden"])
def test_a_source_has_a_plain_name(
    old: OldDatabase, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if name:
        assert migrate(Wishes(old.uri, tmp_path, ISSUER, source=name, dry_run=True)) == 1
        assert "name the old database with --source" in capsys.readouterr().err
    assert not (tmp_path / "migration").exists()
