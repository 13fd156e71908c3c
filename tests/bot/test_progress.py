"""The board between the workers and those who show progress."""

from __future__ import annotations

from bot.progress import ProgressBoard, newer
from handlers.model import GenerationId, Progress

PIECE = GenerationId("g1")


def test_progress_never_goes_back_within_an_attempt() -> None:
    half, third = Progress("drone", 0.5), Progress("melody", 0.3)
    again = Progress("compose", 0.0, attempt=2)
    assert newer(None, half) == half == newer(half, None)
    assert newer(half, third) == half
    assert newer(half, again) == again
    assert newer(again, half) == again
    assert newer(None, None) is None


def test_watchers_hear_of_what_counts() -> None:
    board = ProgressBoard()
    heard: list[GenerationId] = []
    with board.watched(heard.append):
        board.report(PIECE, Progress("compose", 0.1))
        board.report(PIECE, Progress("compose", 0.05))
        board.report(PIECE, Progress("drone", 0.1))
    board.report(PIECE, Progress("mix", 0.9))
    assert heard == [PIECE, PIECE]
    assert board.newest(PIECE) == Progress("mix", 0.9)
    board.forget(PIECE)
    assert board.newest(PIECE) is None


def test_the_board_does_not_grow_for_ever() -> None:
    board = ProgressBoard()
    for number in range(2000):
        board.report(GenerationId(f"g{number}"), Progress("compose", 0.1))
    assert board.newest(GenerationId("g0")) is None
    assert board.newest(GenerationId("g1999")) is not None


def test_only_what_is_made_here_can_be_stopped() -> None:
    board = ProgressBoard()
    stopped: list[str] = []
    assert not board.cancel(PIECE)
    with board.stoppable(PIECE, lambda: stopped.append("first")):
        assert board.cancel(PIECE)
    assert not board.cancel(PIECE)
    assert stopped == ["first"]


def test_a_later_attempt_keeps_its_own_bell() -> None:
    board = ProgressBoard()
    stopped: list[str] = []
    with (
        board.stoppable(PIECE, lambda: stopped.append("old")),
        board.stoppable(PIECE, lambda: stopped.append("new")),
    ):
        assert board.cancel(PIECE)
    assert stopped == ["new"]


def test_the_end_of_an_earlier_attempt_leaves_the_later_ones_bell() -> None:
    board = ProgressBoard()
    stopped: list[str] = []
    old = board.stoppable(PIECE, lambda: stopped.append("old"))
    new = board.stoppable(PIECE, lambda: stopped.append("new"))
    old.__enter__()
    new.__enter__()
    old.__exit__(None, None, None)
    assert board.cancel(PIECE)
    new.__exit__(None, None, None)
    assert stopped == ["new"]
