"""Sign-ins that are under way: whose they are, how often they end, and how many there can be."""

from __future__ import annotations

import pytest

from bot.platforms.web.errands import MOST, MOST_OF_ONE, OPEN_S, Errands, TooManyBegunError
from handlers.model import AccountId

ASHA, RAVI = AccountId("web:asha"), AccountId("web:ravi")
BACK = "https://raga.example/signin/discord"


class Clock:
    """Stands still until it is moved."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def errands(clock: Clock) -> Errands:
    return Errands(clock)


def test_each_has_secrets_of_its_own(errands: Errands) -> None:
    begun = [errands.begin(ASHA, "discord", BACK) for _ in range(3)]
    assert len({one.state for one in begun} | {one.verifier for one in begun}) == 6
    assert all(len(one.state) >= 22 and 43 <= len(one.verifier) <= 128 for one in begun)


def test_it_ends_once(errands: Errands) -> None:
    begun = errands.begin(ASHA, "discord", BACK)
    assert errands.end(ASHA, "discord", begun.state) == begun
    assert errands.end(ASHA, "discord", begun.state) is None


@pytest.mark.parametrize(("visitor", "provider"), [(RAVI, "discord"), (ASHA, "telegram"), (RAVI, "telegram")])
def test_what_somebody_else_shows_ends_for_its_owner_too(
    errands: Errands, visitor: AccountId, provider: str
) -> None:
    begun = errands.begin(ASHA, "discord", BACK)
    assert errands.end(visitor, provider, begun.state) is None
    assert errands.end(ASHA, "discord", begun.state) is None


@pytest.mark.parametrize("state", ["", "x", "é\ud800", "s" * 10_000])
def test_an_unknown_state_is_none(errands: Errands, state: str) -> None:
    errands.begin(ASHA, "discord", BACK)
    assert errands.end(ASHA, "discord", state) is None


def test_it_holds_for_ten_minutes(errands: Errands, clock: Clock) -> None:
    first, second = errands.begin(ASHA, "discord", BACK), errands.begin(ASHA, "discord", BACK)
    clock.now_s += OPEN_S - 0.1
    assert errands.end(ASHA, "discord", first.state) == first
    clock.now_s += 0.1
    assert errands.end(ASHA, "discord", second.state) is None


def test_a_visitor_can_begin_only_so_many_used_or_not(errands: Errands, clock: Clock) -> None:
    for _ in range(MOST_OF_ONE):
        begun = errands.begin(ASHA, "discord", BACK)
        assert errands.end(ASHA, "discord", begun.state)
    with pytest.raises(TooManyBegunError):
        errands.begin(ASHA, "telegram", BACK)
    assert errands.begin(RAVI, "discord", BACK)
    clock.now_s += OPEN_S
    assert errands.begin(ASHA, "discord", BACK)


def test_all_together_can_begin_only_so_many(errands: Errands, clock: Clock) -> None:
    first = errands.begin(AccountId("web:0"), "discord", BACK)
    for number in range(1, MOST):
        errands.begin(AccountId(f"web:{number}"), "discord", BACK)
    with pytest.raises(TooManyBegunError):
        errands.begin(ASHA, "discord", BACK)
    # Nobody loses theirs by it.
    assert errands.end(AccountId("web:0"), "discord", first.state) == first
    clock.now_s += OPEN_S
    assert errands.begin(ASHA, "discord", BACK)
