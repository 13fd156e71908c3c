"""Looking after a server or group: who may, what can be set, who is blocked, and what was changed."""

from __future__ import annotations

import pytest

from handlers.model import AccountId, Reply, Subject
from tests.handlers.conftest import Say
from tests.handlers.record import Dialogue

ROOMS = {"c1": "#general", "c2": "#music"}
RAVI = Subject(AccountId("web:ravi"), "Ravi")
EVERY = ("/settings", "/settings hour:5", "/block", "/unblock", "/unblock b1", "/audit", "/audit page:2")


def lines(reply: Reply) -> list[str]:
    entries = [one.buttons for one in reply.entries]
    menus = [one.choices for one in reply.menus]
    return [one.line for row in (*menus, *entries, *reply.buttons) for one in row]


def fields(reply: Reply) -> dict[str, str]:
    assert reply.card is not None
    return {one.name: one.value for one in reply.card.fields}


def allowed(dialogue: Dialogue) -> list[str] | None:
    """The channels that are allowed; None for all of them."""
    chats = dialogue.groups.settings["allowed_chats"]
    return list(chats) if isinstance(chats, tuple) else None


@pytest.fixture
def manage(say: Say) -> Say:
    """Somebody who looks after a server of two channels says something in the first of them."""

    async def said(line: str, **how: object) -> Reply:
        there = {"private": False, "group": "g1", "room": "c1", "manages": True, "rooms": ROOMS}
        return await say(line, **(there | how))

    return said


@pytest.mark.parametrize("line", EVERY)
async def test_who_does_not_look_after_it_is_refused_kindly(say: Say, dialogue: Dialogue, line: str) -> None:
    for refused in (
        await say(line, subject=RAVI),
        await say(line, subject=RAVI, manages=True),  # there is no group that they could look after
    ):
        assert "a Discord server, or a Telegram group" in refused.text
        assert refused.private
        assert not refused.ok
    refused = await say(line, private=False, group="g1", room="c1", rooms=ROOMS, subject=RAVI)
    assert refused.text.startswith("That is for those who look after this place")
    assert refused.private
    assert not refused.ok
    assert dialogue.groups.admins == []


async def test_limits_are_set_and_taken_back(manage: Say, dialogue: Dialogue) -> None:
    shown = await manage("/settings")
    assert shown.private
    assert not shown.replaces
    assert fields(shown) == {
        "Pieces an hour": "no limit of its own",
        "Left now": "59 of 60",
        "Longest piece": "no limit of its own",
        "Blocked": "0",
        "Channels for pieces": "all",
    }
    assert {
        "/settings hour:20",
        "/settings hour:none",
        "/settings longest:2min",
        "/unblock",
        "/audit",
    } <= set(lines(shown))
    changed = await manage("/settings hour:20 longest:2min")
    assert changed.replaces
    assert fields(changed)["Pieces an hour"] == "20"
    assert fields(changed)["Longest piece"] == "2:00"
    assert dialogue.groups.settings == {"per_hour": 20, "longest_s": 120.0}
    await manage("/settings", hour="none")
    assert dialogue.groups.settings == {"per_hour": None, "longest_s": 120.0}
    await manage("/settings longest:none")
    assert dialogue.groups.settings["longest_s"] is None
    assert {(one.actor.account, one.platform, one.group) for one in dialogue.groups.admins} == {
        ("web:asha", "web", "g1")
    }


@pytest.mark.parametrize(
    "line",
    [
        "hour:0",
        "hour:-1",
        "hour:1.5",
        "hour:x",
        "hour:10001",
        "hour:९",
        "longest:1s",
        "longest:1h",
        "20",
        "allow:c9",
    ],
)
async def test_what_cannot_be_set(manage: Say, dialogue: Dialogue, line: str) -> None:
    reply = await manage(f"/settings {line}")
    assert not reply.ok
    assert reply.private
    assert dialogue.groups.settings == {}


async def test_channels_are_allowed_and_closed(manage: Say, dialogue: Dialogue) -> None:
    assert "/settings allow:c1" in lines(await manage("/settings"))
    assert not (await manage("/settings remove:c1")).ok
    one = await manage("/settings allow:c1")
    assert fields(one)["Channels for pieces"] == "#general"
    assert {"/settings remove:c1", "/settings allow:all"} <= set(lines(one))
    assert "/settings allow:c1" not in lines(one)
    two = await manage("/settings", allow="c2")
    assert allowed(dialogue) == ["c1", "c2"]
    assert fields(two)["Channels for pieces"] == "#general, #music"
    await manage("/settings allow:c2")
    assert allowed(dialogue) == ["c1", "c2"]
    gone = await manage("/settings", rooms={"c2": "#music"}, room="c2")
    assert fields(gone)["Channels for pieces"] == "one that is gone, #music"
    await manage("/settings remove:c1", rooms={"c2": "#music"}, room="c2")
    assert allowed(dialogue) == ["c2"]
    # Without any channel left there would be nowhere to make a piece.
    await manage("/settings remove:c2")
    assert allowed(dialogue) is None
    await manage("/settings allow:c1")
    await manage("/settings allow:all")
    assert allowed(dialogue) is None


async def test_a_group_that_is_one_chat_has_no_channels(manage: Say) -> None:
    shown = await manage("/settings", room=None, rooms={})
    assert "Channels for pieces" not in fields(shown)
    assert not any("allow:" in line for line in lines(shown))
    assert "one chat" in (await manage("/settings allow:c1", room=None, rooms={})).text


async def test_somebody_is_blocked_and_unblocked(manage: Say, dialogue: Dialogue) -> None:
    assert (await manage("/unblock")).text == "Nobody is blocked here."
    blocked = await manage("/block", subject=RAVI)
    assert blocked.text.startswith("Ravi can have no more pieces made here")
    assert lines(blocked) == ["/unblock"]
    assert list(dialogue.groups.banned) == [RAVI.account]
    listed = await manage("/unblock")
    assert listed.entries[0].title == "Ravi"
    assert listed.entries[0].detail == "since 4 March 2026"
    lifted = await manage(listed.entries[0].buttons[0].line)
    assert lifted.text == "Nobody is blocked here."
    assert lifted.replaces
    await manage("/block", subject=RAVI)
    assert (await manage("/unblock", subject=RAVI)).text == "Ravi can have pieces made here again."
    assert dialogue.groups.banned == {}
    assert not any(RAVI.account in line for line in lines(listed))


@pytest.mark.parametrize(
    "subject",
    [None, Subject(AccountId("web:asha"), "Asha"), Subject(AccountId("web:b"), "Rose", bot=True)],
)
async def test_who_cannot_be_blocked(manage: Say, dialogue: Dialogue, subject: Subject | None) -> None:
    reply = await manage("/block @ravi", subject=subject)
    assert not reply.ok
    assert dialogue.groups.banned == {}
    assert not (await manage("/unblock ../x")).ok


async def test_many_blocked_are_paged(manage: Say) -> None:
    for number in range(7):
        await manage("/block", subject=Subject(AccountId(f"web:{number}"), f"Person {number}"))
    first = await manage("/unblock")
    assert len(first.entries) == 5
    second = await manage("/unblock page:2")
    assert [one.title for one in second.entries] == ["Person 5", "Person 6"]
    assert "/unblock page:1" in lines(second)
    assert (await manage("/unblock page:3")).text == "There is nobody on that page."


async def test_the_log_says_who_changed_what(manage: Say) -> None:
    assert (await manage("/audit")).text == "Nothing has been changed here yet."
    await manage("/settings hour:20 longest:none allow:c2")
    await manage("/settings hour:none allow:all longest:90s")
    await manage("/block", subject=RAVI)
    await manage("/unblock", subject=RAVI)
    shown = await manage("/audit")
    assert [one.title for one in shown.entries] == [
        "Asha on the chat page unblocked Ravi",
        "Asha on the chat page blocked Ravi",
        "Asha on the chat page set pieces an hour: no limit; longest piece: 90 s; channels: all",
        "Asha on the chat page set pieces an hour: 20; longest piece: no limit; channels: #music",
    ]
    assert shown.entries[0].detail == "4 March 2026, 12:00 UTC"
    for number in range(3):
        await manage(f"/settings hour:{number + 1}")
    assert "/audit page:2" in lines(await manage("/audit"))
    assert len((await manage("/audit page:2")).entries) == 2


async def test_a_repeated_event_changes_nothing_twice(manage: Say, dialogue: Dialogue) -> None:
    for _ in range(2):
        await manage("/settings hour:20", event="e")
        await manage("/block", subject=RAVI, event="e")
    assert len(dialogue.groups.log) == 2


async def test_a_piece_counts_for_its_group_and_channel(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Yaman 30s", private=False, chat="thread", group="g1", room="c1")
    await say("/generate Yaman 30s", group="g1")
    assert dialogue.backend.groups == ["g1", None]
    assert dialogue.backend.rooms == ["c1", None]
