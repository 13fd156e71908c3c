"""Notices: each told once, to the platform that it is for, through whatever trouble there is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from bot import notices as room
from bot.notices import NoticeTeller
from bot.platforms import MessageGoneError
from handlers.errors import NotFoundError, UnavailableError
from handlers.model import AccountId, Notice, NoticeKind, Reply
from tests.bot.doubles import LiveStates, RecordingPlatform, Shown

DEADLINE_S = 20.0


@dataclass
class Convex:
    """Where notices are marked, and what goes wrong with that."""

    told: list[str] = field(default_factory=list)
    forgotten: list[AccountId] = field(default_factory=list)
    refuse: list[Exception] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def mark(self, notice: str) -> None:
        if self.refuse:
            raise self.refuse.pop(0)
        self.told.append(notice)
        self.changed.set()

    async def forget(self, account: AccountId) -> None:
        self.forgotten.append(account)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while len(self.told) < count:
                self.changed.clear()
                await self.changed.wait()


def notice(number: int, kind: NoticeKind = "linked", platform: str = "web") -> Notice:
    return Notice(f"n{number}", AccountId(f"{platform}:a{number}"), platform, kind, {"name": "Mira"})


def show(told: Notice) -> Reply:
    return Reply(text=f"{told.kind} {told.details['name']}")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_PAUSES_S", (0.01, 0.02))


async def test_each_notice_is_told_once_however_often_it_is_seen() -> None:
    live, convex, web = LiveStates(), Convex(), RecordingPlatform()
    teller = NoticeTeller(live, convex.mark, convex.forget, {"web": web}, show)
    await teller.start()
    elsewhere = notice(3, platform="telegram")
    await live.set(notices=(notice(1), elsewhere))
    await convex.until(1)
    await live.set(notices=(notice(1), notice(2), elsewhere))  # the first is still there, for a moment
    await convex.until(2)
    await live.set()
    await teller.stop()
    assert [(one.how, one.message, one.reply.text) for one in web.shown] == [
        ("tell", "web:a1", "linked Mira"),
        ("tell", "web:a2", "linked Mira"),
    ]
    assert convex.told == ["n1", "n2"]  # what is for a platform that does not run here stays open


async def test_trouble_on_either_side_is_waited_out_and_a_closed_chat_is_an_answer() -> None:
    live, convex, web = LiveStates(), Convex(), RecordingPlatform()
    troubles: list[Exception] = [OSError("the chat's server is away"), UnavailableError()]

    async def before(shown: Shown) -> None:
        if shown.nonce == "n2":
            raise MessageGoneError("blocked")
        if troubles:
            raise troubles.pop(0)

    web.before = before
    convex.refuse = [UnavailableError(), NotFoundError()]
    teller = NoticeTeller(live, convex.mark, convex.forget, {"web": web}, show)
    await teller.start()
    await live.set(notices=(notice(1), notice(2)))
    await convex.until(2)
    await teller.stop()
    assert sorted(convex.told) == ["n1", "n2"]
    assert [one.nonce for one in web.shown] == ["n1"]


async def test_who_has_been_deleted_is_forgotten_here_before_they_are_told() -> None:
    live, convex, web = LiveStates(), Convex(), RecordingPlatform()
    teller = NoticeTeller(live, convex.mark, convex.forget, {"web": web}, show)
    await teller.start()
    await live.set(notices=(notice(1, "deleted"),))
    await convex.until(1)
    await teller.stop()
    assert convex.forgotten == web.forgotten == ["web:a1"]
    assert [one.reply.text for one in web.shown] == ["deleted Mira"]


async def test_stopping_ends_what_is_under_way() -> None:
    live, convex, web = LiveStates(), Convex(), RecordingPlatform()
    held, arrived = asyncio.Event(), asyncio.Event()

    async def before(_: Shown) -> None:
        arrived.set()
        await held.wait()

    web.before = before
    teller = NoticeTeller(live, convex.mark, convex.forget, {"web": web}, show)
    await teller.start()
    await live.set(notices=(notice(1),))
    async with asyncio.timeout(DEADLINE_S):
        await arrived.wait()
        await teller.stop()
    assert convex.told == []
