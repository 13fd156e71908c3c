"""The limits of Discord that the library does not keep."""

from __future__ import annotations

from bot.platforms.discord import pace
from bot.platforms.discord.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def test_never_more_than_discord_takes_in_a_second() -> None:
    clock = Clock()
    kept = Pace(clock)
    for _ in range(pace.ALL_A_SECOND):
        await kept.turn(urgent=True)
    assert clock.now_s == 1000.0
    assert not kept.progress_may_show(5)
    clock.now_s += 1.0
    assert kept.progress_may_show(5)


def test_progress_leaves_a_channel_room_for_its_result() -> None:
    clock = Clock()
    kept = Pace(clock)
    shown = []
    while clock.now_s < 1060.0:
        if kept.progress_may_show(5):
            shown.append(clock.now_s)
        clock.now_s += 0.1
    assert max(sum(at <= one < at + 5.0 for one in shown) for at in shown) <= 3
    assert len(shown) >= 30
    assert kept.progress_may_show(6)


def test_a_rest_holds_one_kind_of_call_in_one_chat_only() -> None:
    clock = Clock()
    kept = Pace(clock)
    kept.rest(5, "posting", 60.0)
    assert kept.rests_s(5, "posting") == 60.0
    assert kept.rests_s(5, "editing") == kept.rests_s(6, "posting") == 0.0
    clock.now_s += 61.0
    assert kept.rests_s(5, "posting") == 0.0
