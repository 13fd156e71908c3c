"""People against the real deployment: linking by a code, what they prefer, deletion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.backend.live import Live
from bot.backend.people import ConvexPeople
from bot.platforms.shelf import Shelf
from handlers.errors import InvalidInputError, NotFoundError
from handlers.model import Actor
from tests.bot.deployment import Deployment, actor, deployment, state_with

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def convex(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployment(tmp_path_factory.mktemp("convex")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def people(convex: Deployment, tmp_path: Path) -> AsyncIterator[ConvexPeople]:
    shelf = Shelf(tmp_path / "people.sqlite3")
    yield ConvexPeople(convex.convex, convex.signer, shelf)
    await shelf.close()


async def linked(people: ConvexPeople, first: Actor, second: Actor, spoken: str = "{}") -> str:
    """The merge's id."""
    secret = await people.show_secret(first)
    named = await people.redeem(second, spoken.format(secret.code))
    assert named.status == "ok"
    assert (await people.confirm(second, named.id)).status == "waiting"
    done = await people.confirm(first, named.id)
    assert done.status == "linked"
    assert done.other is not None
    assert done.other.name == second.name
    return done.id


async def test_a_code_links_however_it_is_typed(people: ConvexPeople) -> None:
    secret = await people.show_secret(actor("asha"))
    assert len(secret.code.replace("-", "")) == 10
    assert len(secret.token) == 22
    typed = secret.code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert (await people.redeem(actor("ravi"), typed)).status == "ok"
    secret = await people.show_secret(actor("asha"))
    assert (await people.redeem(actor("ravi"), secret.token)).status == "ok"
    assert (await people.redeem(actor("ravi"), secret.token.swapcase())).status == "unknown"


async def test_two_become_one_and_two_again(people: ConvexPeople) -> None:
    asha, ravi = actor("asha"), actor("ravi")
    assert await people.me(asha) is None
    await people.prefer(asha, {"tonic": "D", "duration": 90.0})
    await people.prefer(ravi, {"tradition": "Carnatic"})
    merge = await linked(people, asha, ravi)
    profile = await people.me(ravi)
    assert profile is not None
    assert {one.account for one in profile.accounts} == {asha.account, ravi.account}
    assert profile.preferences == {"tonic": "D", "duration": 90.0, "tradition": "Carnatic"}
    assert profile.undo is not None
    assert profile.undo[0] == merge
    assert profile.pieces.left == profile.pieces.of
    # What they prefer is known here for both, without asking.
    assert await people.preferences(asha) == profile.preferences == await people.preferences(ravi)
    await people.undo(ravi, merge)
    assert await people.preferences(ravi) == {"tradition": "Carnatic"}
    again = await people.me(asha)
    assert again is not None
    assert again.preferences == {"tonic": "D", "duration": 90.0}


async def test_unlinking(people: ConvexPeople) -> None:
    asha, ravi = actor("asha"), actor("ravi")
    await linked(people, asha, ravi)
    profile = await people.me(asha)
    assert profile is not None
    other = next(one for one in profile.accounts if not one.current)
    assert await people.unlink(asha, other.id, key="k1") == 1
    assert await people.unlink(asha, other.id, key="k1") == 1
    own = (await people.me(asha)).accounts[0]  # type: ignore[union-attr] # it is there
    with pytest.raises(InvalidInputError, match="only account"):
        await people.unlink(asha, own.id, key="k2")
    mallory = actor("mallory")
    await people.prefer(mallory, {"tonic": "C"})
    with pytest.raises(NotFoundError):
        await people.unlink(mallory, own.id, key="k3")


async def test_wrong_codes_come_to_a_pause(people: ConvexPeople) -> None:
    mallory = actor("mallory")
    for number in range(5):
        assert (await people.redeem(mallory, f"WRONG-0000{number}")).status == "unknown"
    paused = await people.redeem(mallory, "WRONG-00009")
    assert paused.status == "paused"
    assert paused.until_ms > 0


async def test_deleting_takes_everything_and_says_so(people: ConvexPeople, convex: Deployment) -> None:
    asha = actor("asha")
    assert not await people.delete(asha)
    await convex.ask(asha)
    await people.prefer(asha, {"tonic": "D"})
    live = Live(convex.url, convex.signer.bot)
    await live.start()
    try:
        assert await people.delete(asha)
        assert await people.preferences(asha) == {}
        async with asyncio.timeout(30):
            state = await state_with(
                live, lambda state: any(one.account == asha.account for one in state.notices)
            )
        (notice,) = [one for one in state.notices if one.account == asha.account]
        assert notice.kind == "deleted"
        await convex.record.told(notice.id)
        await convex.record.told(notice.id)
        async with asyncio.timeout(30):
            await state_with(live, lambda state: all(one.account != asha.account for one in state.notices))
    finally:
        await live.stop()
    assert await people.me(asha) is None
