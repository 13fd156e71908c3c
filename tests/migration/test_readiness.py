"""What is told before anything is begun, in one sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from migration.command import migrate
from migration.readiness import report_paths
from migration.wishes import Wishes
from tests.migration.home import ISSUER

NOWHERE = "postgresql://me:hunter2@127.0.0.1:1/old"


def said(wishes: Wishes, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says of wishes that cannot come true."""
    assert migrate(wishes) == 1
    out, err = capsys.readouterr()
    assert (out, "hunter2" in err, "Traceback" in err) == ("", False, False)
    assert not err.strip().count("\n")
    return err.strip()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"withdraw": True, "dry_run": True}, "--withdraw takes rows out of Convex"),
        ({"withdraw": True, "verify": True}, "--withdraw takes rows out of Convex"),
        ({"withdraw": True, "rollback": True}, "--withdraw takes rows out of Convex"),
        ({"dry_run": True, "rollback": True}, "--dry-run only looks"),
        ({"run": "1234"}, "it goes with --rollback"),
        ({"to": "convex.example"}, "I cannot read the address after --to"),
        ({"to": "https://"}, "I cannot read the address after --to"),
        ({"to": "http://127.0.0.1:port"}, "I cannot read the address after --to"),
        ({"to": "http://127.0.0.1:1"}, "Nothing answers at http://127.0.0.1:1."),
    ],
)
def test_wishes_that_cannot_come_true(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, Any],
    sentence: str,
) -> None:
    monkeypatch.setattr("migration.readiness.GREETING_S", 0.1)
    assert sentence in said(Wishes(NOWHERE, tmp_path, ISSUER, **more), capsys)


def test_folders_and_files_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    cases = {
        "names the one with the old audio files": Wishes(NOWHERE, tmp_path, ISSUER, files=tmp_path / "none"),
        "--report names a file in it": Wishes(NOWHERE, tmp_path, ISSUER, report=tmp_path),
        "I cannot write the report to": Wishes(NOWHERE, tmp_path, ISSUER, report=file / "report.html"),
        "it is no folder": Wishes(NOWHERE, tmp_path, ISSUER, dump=file),
        "I cannot write to": Wishes(NOWHERE, file, ISSUER),
    }
    for sentence, wishes in cases.items():
        assert sentence in said(wishes, capsys)


def test_the_report_may_be_named_by_either_of_its_files() -> None:
    both = (Path("a/r.html"), Path("a/r.json"))
    assert report_paths(Path("a/r.html")) == report_paths(Path("a/r.json")) == both
    assert report_paths(Path("r")) == (Path("r"), Path("r.json"))


def test_an_address_at_which_something_else_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def ask() -> str:
        app = web.Application()
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            wishes = Wishes(NOWHERE, tmp_path, ISSUER, f"http://{host}:{port}")
            return await asyncio.to_thread(said, wishes, capsys)
        finally:
            await runner.cleanup()

    assert "but not as a Convex deployment with this bot's functions does" in asyncio.run(ask())
