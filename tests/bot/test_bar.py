"""The bar on a terminal, and the lines where nobody watches."""

from __future__ import annotations

import io

from bot.bar import Bar


class Screen(io.StringIO):
    """A stream that somebody watches."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_on_a_terminal_one_line_is_drawn_again_and_taken_away() -> None:
    screen = Screen()
    bar = Bar(screen, gap_s=0.0)
    bar.show(0.25, "compose")
    bar.show(0.5, "melody")
    written = screen.getvalue()
    assert "\n" not in written
    first, second = written.split("\r")[1:]
    assert first.startswith("[######..................]  25% compose")
    assert second.startswith("[############............]  50% melody")
    # The later covers all of the one before.
    assert len(first) == len(second)
    bar.clear()
    assert screen.getvalue().removeprefix(written) == f"\r{' ' * len(second)}\r"
    bar.clear()
    assert screen.getvalue().count("\r") == 4


def test_elsewhere_each_is_a_line_and_clearing_does_nothing() -> None:
    stream = io.StringIO()
    bar = Bar(stream, gap_s=0.0)
    bar.show(0.0, "0 of 2")
    bar.show(1.0, "2 of 2")
    bar.show(1.0, "2 of 2")
    bar.clear()
    assert stream.getvalue().splitlines() == [
        "[........................]   0% 0 of 2",
        "[########################] 100% 2 of 2",
    ]


def test_what_comes_too_soon_is_passed_over_but_never_the_end() -> None:
    stream = io.StringIO()
    bar = Bar(stream, gap_s=3600.0)
    for done in range(101):
        bar.show(done / 100.0, f"{done} of 100")
    assert [line.split("% ")[1] for line in stream.getvalue().splitlines()] == ["0 of 100", "100 of 100"]
