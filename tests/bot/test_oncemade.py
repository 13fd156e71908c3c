"""Work that several ask for: done once, for all who wait, through those who give up."""

from __future__ import annotations

import asyncio

import pytest

from bot.oncemade import OnceMade


async def test_one_making_for_all_and_a_new_one_afterwards() -> None:
    once: OnceMade[str, int] = OnceMade()
    begun: list[int] = []
    go = asyncio.Event()

    async def make() -> int:
        begun.append(len(begun))
        await go.wait()
        return begun[-1]

    waiting = [asyncio.create_task(once.get("a", make, "a")) for _ in range(3)]
    other = asyncio.create_task(once.get("b", make, "b"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert begun == [0, 1]
    waiting[0].cancel()
    go.set()
    assert await asyncio.gather(*waiting[1:]) == [1, 1]
    assert await other == 1
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    assert await once.get("a", make, "a") == 2


async def test_a_failure_reaches_all_who_wait_and_nobody_else() -> None:
    once: OnceMade[str, int] = OnceMade()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ArithmeticError

    found = await asyncio.gather(*(once.get("a", fail, "a") for _ in range(2)), return_exceptions=True)
    assert [type(error) for error in found] == [ArithmeticError, ArithmeticError]

    async def work() -> int:
        return 7

    assert await once.get("a", work, "a") == 7


async def test_stopping_ends_what_is_under_way() -> None:
    once: OnceMade[str, int] = OnceMade()
    ended = asyncio.Event()

    async def hang() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return 0

    waiting = asyncio.create_task(once.get("a", hang, "a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await once.stop()
    assert ended.is_set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
