"""How far it is, on a terminal and elsewhere; and the command line."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest

from migration.progress import Progress
from migration.wishes import Wishes, add_arguments, wishes_of


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Time as the test wants it."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_terminal_gets_a_bar_with_rate_and_time_left() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, clock)
    progress.start("import", 1000)
    clock.now_s += 10
    progress.step(250, "ragas")
    assert (
        stream.getvalue()
        == "\r\x1b[K[######..................] import    250 of 1,000, 25 a second, 30 s left, ragas"
    )
    clock.now_s += 0.05
    progress.step(1)
    assert stream.getvalue().count("\r") == 1  # not more often than anybody can read
    clock.now_s += 90
    progress.step(749)
    progress.end()
    assert stream.getvalue().endswith(
        "[########################] import    1,000 of 1,000, 10 a second, 1 min 40 s\n"
    )


def test_elsewhere_there_are_plain_lines_now_and_then() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, clock)
    progress.start("export", 7200 * 3, done=7200)
    for _ in range(3):
        clock.now_s += 6
        progress.step(6)
    progress.say("A sentence.")
    assert stream.getvalue().splitlines() == [
        "export    7,212 of 21,600, 1 a second, 3 h 59 min left",
        "A sentence.",
    ]
    assert "\r" not in stream.getvalue()


def wishes(*arguments: str) -> Wishes:
    """What a command line asks for."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return wishes_of(parser.parse_args(arguments), Path(".state"), "https://issuer", "https://from.settings")


def test_the_command_line_says_what_is_wished() -> None:
    asked = wishes("--from", "postgresql://a/b", "--dry-run", "--only", "ragas", "--report", "r.html")
    assert (asked.url, asked.dry_run, asked.only, asked.report) == (
        "postgresql://a/b",
        True,
        "ragas",
        Path("r.html"),
    )
    assert asked.to == "https://from.settings"
    assert wishes("--from", "postgresql://a/b", "--to", "https://to").to == "https://to"


@pytest.mark.parametrize(
    "arguments", [(), ("--from", "x", "--resume", "--rollback"), ("--from", "x", "--only", "talas")]
)
def test_what_cannot_be_wished_is_refused(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        wishes(*arguments)
    assert "usage" in capsys.readouterr().err
