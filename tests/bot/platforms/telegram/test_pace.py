"""The limits of Telegram, kept for each chat alone."""

from __future__ import annotations

import itertools

from bot.platforms.telegram.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def send(pace: Pace, clock: Clock, chat: int, *, progress: bool = False) -> float:
    """As soon as it may go; when that is."""
    while (wait_s := pace.progress_wait_s(chat) if progress else pace.wait_s(chat)) > 0:
        clock.now_s += wait_s
    pace.take(chat, progress=progress)
    return clock.now_s


def test_one_a_second_in_a_private_chat() -> None:
    clock = Clock()
    pace = Pace(clock)
    times = [send(pace, clock, 5) for _ in range(4)]
    assert all(1.0 <= later - earlier <= 1.2 for earlier, later in itertools.pairwise(times))
    assert pace.wait_s(6) == 0


def test_never_more_than_twenty_a_minute_in_a_group() -> None:
    clock = Clock()
    pace = Pace(clock)
    times = [send(pace, clock, -5) for _ in range(60)]
    assert all(sum(at <= one < at + 60 for one in times) <= 20 for at in times)


def test_progress_in_a_group_leaves_room_for_results() -> None:
    clock = Clock()
    pace = Pace(clock)
    times = [send(pace, clock, -5, progress=True) for _ in range(30)]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 3.0
    for _ in range(8):
        assert pace.wait_s(-5) <= 1.1
        send(pace, clock, -5)


def test_never_more_than_thirty_a_second_in_all() -> None:
    clock = Clock()
    pace = Pace(clock)
    times = [send(pace, clock, chat) for chat in range(1, 200)]
    assert all(sum(at <= one < at + 1.0 for one in times) <= 30 for at in times)


def test_a_pause_holds_one_chat_only() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.hold(5, 60.0)
    assert pace.wait_s(5) == 60.0
    assert pace.wait_s(6) == 0.0
