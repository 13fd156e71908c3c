"""Groups against the real deployment: settings, bans, the log, what is left, and what the operator says."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.backend.groups import CHATS_AT_ONCE, ConvexGroups, LiveAnnouncements, Operator
from bot.backend.live import Live
from handlers.community import GroupAdmin, Setting
from handlers.errors import ForbiddenError, InvalidInputError, TooManyError
from handlers.model import AccountId, Actor, MessageRef
from tests.bot.deployment import Deployment, between, deployment, state_with
from tests.bot.doubles import REQUEST

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def convex(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployment(tmp_path_factory.mktemp("convex")) as running:
        yield running


@pytest.fixture
def groups(convex: Deployment) -> ConvexGroups:
    return ConvexGroups(convex.convex, convex.signer)


@pytest.fixture
def operator(convex: Deployment) -> Operator:
    return Operator(convex.convex, convex.signer)


def somebody(name: str) -> Actor:
    return Actor(AccountId(f"discord:{secrets.randbelow(10**18)}"), name)


def a_guru(group: str | None = None) -> GroupAdmin:
    """Who looks after a new server."""
    return GroupAdmin(somebody("Guru"), "discord", group or str(secrets.randbelow(10**18)))


async def ask(
    convex: Deployment,
    who: Actor,
    group: str,
    chat: str = "c1",
    room: str | None = None,
    duration_s: float = 30,
) -> None:
    delivery = MessageRef("discord", chat, secrets.token_hex(4))
    request = replace(REQUEST, duration_s=duration_s)
    await convex.backend.start_generation(
        who, request, key=secrets.token_hex(8), delivery=delivery, group=group, room=room
    )


async def test_what_is_set_holds_and_each_refusal_is_a_sentence(
    convex: Deployment, groups: ConvexGroups
) -> None:
    admin, asha = a_guru(), somebody("Asha")
    before = await groups.show(admin)
    assert (before.allowed_chats, before.per_hour, before.longest_s, before.banned) == (None, None, None, ())
    assert before.pieces.left == before.pieces.of == 60
    changes: dict[str, Setting] = {"allowed_chats": ("c1",), "per_hour": 2, "longest_s": 60.0}
    await groups.configure(admin, changes, key="k1")
    await groups.configure(admin, {"per_hour": 9}, key="k1")  # the same event once more
    await ask(convex, asha, admin.group)
    await ask(convex, asha, admin.group, chat="thread", room="c1")
    after = await groups.show(admin)
    assert (after.allowed_chats, after.per_hour, after.longest_s) == (("c1",), 2, 60.0)
    assert (after.pieces.left, after.pieces.of) == (0, 2)
    with pytest.raises(TooManyError, match=r"2 pieces were made here within an hour\..*direct message"):
        await ask(convex, asha, admin.group)
    with pytest.raises(ForbiddenError, match="other chats of this group"):
        await ask(convex, asha, admin.group, chat="c2")
    with pytest.raises(InvalidInputError, match="60 seconds at most"):
        await ask(convex, asha, admin.group, duration_s=61)
    await groups.configure(admin, dict.fromkeys(changes), key="k2")
    raised = await groups.show(admin)
    assert (raised.allowed_chats, raised.per_hour, raised.longest_s) == (None, None, None)
    assert raised.pieces.of == 60  # and it fills evenly from what was left
    assert raised.pieces.left < 5


async def test_a_ban_is_kept_lifted_and_logged(convex: Deployment, groups: ConvexGroups) -> None:
    admin, asha, ravi = a_guru(), somebody("Asha"), somebody("")
    await groups.ban(admin, asha.account, "Asha", key="b1")
    await groups.ban(admin, ravi.account, "", key="b2")
    with pytest.raises(ForbiddenError, match="do not want you to have pieces made here"):
        await ask(convex, asha, admin.group)
    banned = (await groups.show(admin)).banned
    by_name = {one.name: one.id for one in banned}
    assert set(by_name) == {"Asha", "somebody without a name"}
    await groups.unban(admin, ban=by_name["Asha"], key="u1")
    await groups.unban(admin, account=ravi.account, key="u2")
    await ask(convex, asha, admin.group)
    first = await groups.audit(admin, None, 3)
    assert [(one.action, one.whom) for one in first.items] == [
        ("unbanned", None),
        ("unbanned", "Asha"),
        ("banned", None),
    ]
    rest = await groups.audit(admin, first.next, 3)
    assert [(one.action, one.whom) for one in rest.items] == [("banned", "Asha")]
    assert rest.next is None
    assert rest.items[0].by is not None
    assert (rest.items[0].by.platform, rest.items[0].by.name) == ("discord", "Guru")


async def test_a_token_is_for_one_group_and_platform(convex: Deployment, groups: ConvexGroups) -> None:
    admin = a_guru()
    token = convex.signer.admin(admin.actor, f"discord:{admin.group}")
    for path, group in (("groups:show", "1"), ("groups:audit", "1")):
        args = {"guild": group} | (
            {"paginationOpts": {"numItems": 5, "cursor": None}} if path == "groups:audit" else {}
        )
        with pytest.raises(ForbiddenError):
            await convex.convex.query(path, args, token)
    with pytest.raises(ForbiddenError):
        await groups.show(replace(admin, platform="telegram"))
    with pytest.raises(ForbiddenError):
        await convex.convex.query("groups:show", {"guild": admin.group}, convex.signer.user(admin.actor))


async def test_what_is_left_or_moves_is_told_however_often(
    convex: Deployment, groups: ConvexGroups, operator: Operator
) -> None:
    admin, asha = a_guru(), somebody("Asha")
    larger = a_guru()
    await groups.configure(admin, {"longest_s": 60.0}, key="k")
    await ask(convex, asha, admin.group)
    async with between(convex) as line:
        through = convex.as_bot(convex.bot, line.url)
        line.lose["groups:moved"] = line.lose["groups:left"] = 1
        await Operator(through.convex, through.signer).moved("discord", admin.group, larger.group)
        assert (await groups.show(admin)).longest_s is None
        assert (await groups.show(larger)).longest_s == 60.0
        chats = [f"c{number}" for number in range(CHATS_AT_ONCE + 1)]
        await Operator(through.convex, through.signer).left("discord", larger.group, chats)
        assert line.passed["groups:left"] == 3
    live = Live(convex.url, convex.signer.bot)
    await live.start()
    await state_with(live, lambda state: all(one.account != asha.account for one in state.deliveries))
    await live.stop()
    assert (await groups.show(larger)).longest_s is None


async def test_the_operator_announces_bans_and_reads(convex: Deployment, operator: Operator) -> None:
    live, announcements, asha = Live(convex.url, convex.signer.bot), LiveAnnouncements(), somebody("Asha")
    await live.start()
    await announcements.start(live)
    assert announcements.current() is None
    await operator.announce("Back at noon.")
    await state_with(live, lambda state: state.announcement == "Back at noon.")
    await operator.ban(asha.account)
    with pytest.raises(ForbiddenError, match="/privacy, /export and /delete still work"):
        await ask(convex, asha, "1")
    await operator.unban(asha.account)
    await ask(convex, asha, "1")
    await operator.announce(None)
    await state_with(live, lambda state: state.announcement is None)
    entries = (await operator.audit(None, 4)).items
    assert [(one.action, one.group, one.by) for one in entries] == [
        ("announced", None, None),
        ("unbanned", None, None),
        ("banned", None, None),
        ("announced", None, None),
    ]
    assert entries[3].details == {"text": "Back at noon."}
    await announcements.stop()
    await live.stop()
