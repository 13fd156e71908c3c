"""The message log: kept over restarts, bounded, in order, and no reason not to start."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.platforms.web import WebPlatform
from bot.platforms.web.book import KEPT_MESSAGES, Change
from bot.platforms.web.ledger import Entry, Ledger, LedgerError
from bot.platforms.web.message_log import IDLE_S, MessageLog
from handlers.model import AccountId, Reply
from tests.bot.platforms.web.double import (
    SECRET,
    SOMEBODY,
    WebDouble,
    finished_reply,
    progress_reply,
    yaman_card,
)
from tests.bot.platforms.web.visit import Visit, ask_id

ANNA = AccountId("web:" + "a" * 32)
BEN = AccountId("web:" + "b" * 32)


def unheard(changes: list[Change]) -> None:
    """Nobody listens."""


class Clock:
    """A clock that the test sets."""

    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def published() -> list[Change]:
    return []


@pytest.fixture
async def message_log(tmp_path: Path, clock: Clock, published: list[Change]) -> AsyncIterator[MessageLog]:
    opened = MessageLog(tmp_path / "web.sqlite", published.extend, clock)
    await opened.open()
    yield opened
    await opened.close()


async def conversation(message_log: MessageLog, account: AccountId = ANNA) -> list[dict[str, Any]]:
    """The messages of an account, oldest first."""
    return [json.loads(message) for message in (await message_log.snapshot(account)).messages]


async def say(message_log: MessageLog, line: str, reply: Reply, account: AccountId = ANNA) -> str:
    """Ask and settle; returns the answer's id."""
    ask, new = await message_log.ask(account, ask_id(), line, "en", said=True)
    assert new
    await message_log.settle(ask, reply)
    return ask.answer


async def test_a_restart_keeps_the_conversation_and_goes_on_counting(
    tmp_path: Path, double: WebDouble
) -> None:
    first = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET)
    await first.start()
    async with Visit(first.url) as visit:
        await visit.say("/raga Yaman")
        await visit.say("/generate Yaman")
        async with visit.tab() as tab:
            await tab.hello()
            before, epoch, seq = tab.shown(), tab.epoch, tab.seq
        await first.stop()
        second = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET)
        await second.start()
        try:
            answer = double.requests[-1].answer
            assert answer is not None
            await second.deliver(answer, finished_reply(), nonce="d1", to=SOMEBODY)
            async with visit.return_to(second.url) as later, later.tab() as tab:
                welcome = await tab.hello(epoch=epoch, since=seq)
                assert welcome["reset"] is False
                assert [message["id"] for message in welcome["messages"]] == [answer.message]
            async with visit.return_to(second.url) as later, later.tab() as tab:
                await tab.hello()
                assert tab.shown()[:3] == before[:3]
                assert tab.shown()[3]["reply"]["track"]["title"] == "Raga Yaman"
        finally:
            await second.stop()


async def test_what_was_cut_short_is_answered_after_the_restart(tmp_path: Path, double: WebDouble) -> None:
    first = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET)
    await first.start()
    ident = ask_id()
    async with Visit(first.url) as visit, visit.tab() as tab:
        await visit.arrive()
        await tab.hello()
        await tab.send(type="say", id=ident, text="/held")
        await double.arrived.wait()
        await first.stop()
        double.held.set()
        second = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET)
        await second.start()
        try:
            async with visit.return_to(second.url) as later, later.tab() as again:
                await again.hello()
                answered = await again.say("/held", ident)
                assert answered["ok"] is True
                assert [message["state"] for message in again.shown()] == ["shown", "shown"]
        finally:
            await second.stop()
    one, two = double.requests
    assert (one.event, one.answer) == (two.event, two.answer), "the same event, so that nothing is done twice"
    assert one.actor == two.actor


async def test_what_is_cut_short_again_and_again_is_put_aside(
    tmp_path: Path, message_log: MessageLog, double: WebDouble
) -> None:
    ask, _ = await message_log.ask(ANNA, ask_id(), "/held", "en", said=True)
    assert [again.id for again in await message_log.unanswered()] == [ask.id]
    assert await message_log.unanswered() == []
    await message_log.close()
    served = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET)
    await served.start()
    await served.stop()
    assert double.requests == []
    await message_log.open()
    assert "send it again" in (await conversation(message_log))[-1]["reply"]["text"]


async def test_only_the_newest_messages_are_kept(message_log: MessageLog) -> None:
    for number in range(KEPT_MESSAGES // 2 + 10):
        await say(message_log, f"/raga {number}", Reply(text=str(number)))
    kept = await conversation(message_log)
    assert len(kept) == KEPT_MESSAGES
    assert kept[-1]["reply"]["text"] == str(KEPT_MESSAGES // 2 + 9)
    assert kept[0]["text"] == "/raga 10"


async def test_idle_conversations_are_forgotten(message_log: MessageLog, clock: Clock) -> None:
    await say(message_log, "/help", Reply(text="help"), ANNA)
    clock.now_s += IDLE_S / 2
    await say(message_log, "/help", Reply(text="help"), BEN)
    clock.now_s += IDLE_S / 2 + 1
    assert await message_log.purge() == 1
    assert await conversation(message_log, ANNA) == []
    assert len(await conversation(message_log, BEN)) == 2
    clock.now_s += IDLE_S - 1
    assert await message_log.purge() == 0, "a look at the conversation counts"


async def test_changes_are_published_in_order_and_once_for_each_message(
    message_log: MessageLog, published: list[Change]
) -> None:
    ask, _ = await message_log.ask(ANNA, ask_id(), "/generate", "en", said=True)
    async with asyncio.TaskGroup() as group:
        for step in range(50):
            group.create_task(message_log.edit(ANNA, ask.answer, progress_reply(step / 50)))
    assert [change.seq for change in published] == sorted({change.seq for change in published})
    fractions = [
        json.loads(change.message)["reply"]["progress"]["fraction"]
        for change in published
        if json.loads(change.message)["reply"]
    ]
    assert fractions == [step / 50 for step in range(50)]


async def test_a_reply_that_knows_an_older_heart_does_not_turn_it_back(message_log: MessageLog) -> None:
    answer = await say(message_log, "/play", finished_reply(on=True))
    await message_log.edit(ANNA, answer, finished_reply(on=False, title="Newer"))
    newest = (await conversation(message_log))[-1]
    assert newest["reply"]["track"]["title"] == "Newer"
    assert newest["kept"] is True
    await say(message_log, "/play", finished_reply(on=False))
    assert [message["kept"] for message in await conversation(message_log) if message["by"] == "bot"] == [
        False,
        False,
    ]


async def test_a_message_that_shows_another_thing_has_another_heart(message_log: MessageLog) -> None:
    answer = await say(message_log, "/raga Yaman", yaman_card(on=True))
    await message_log.edit(ANNA, answer, finished_reply(on=False))
    assert (await conversation(message_log))[-1]["kept"] is False
    await message_log.edit(ANNA, answer, Reply(text="Gone."))
    assert (await conversation(message_log))[-1]["kept"] is None


async def test_a_damaged_log_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "web.sqlite"
    path.write_bytes(b"this is no database, and it is longer than a header" * 100)
    opened = MessageLog(path, unheard)
    await opened.open()
    await say(opened, "/help", Reply(text="help"))
    await opened.close()
    assert path.with_name("web.sqlite.damaged").read_bytes().startswith(b"this is no database")
    assert "cannot be read" in caplog.text


async def test_a_log_of_a_newer_bot_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "web.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    opened = MessageLog(path, unheard)
    with pytest.raises(LedgerError, match="newer Raga Bot"):
        await opened.open()
    assert path.read_bytes() == before


async def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    opened = MessageLog(tmp_path / "nowhere" / "web.sqlite", unheard)
    with pytest.raises(LedgerError, match="cannot use the message log"):
        await opened.open()


async def test_an_operation_that_fails_takes_nothing_else_with_it(tmp_path: Path) -> None:
    heard: list[str] = []
    ledger: Ledger[str] = Ledger(tmp_path / "a.sqlite", "CREATE TABLE t (x INTEGER);", 1, heard.extend)
    await ledger.open()

    def write(number: int) -> Any:
        def operation(entry: Entry[str]) -> int:
            entry.db.execute("INSERT INTO t VALUES (?)", (number,))
            entry.changes.append(str(number))
            if number == 3:
                raise ValueError("three")
            return number

        return operation

    results = await asyncio.gather(
        *(ledger.run(write(number)) for number in range(6)), return_exceptions=True
    )
    assert [result for result in results if isinstance(result, int)] == [0, 1, 2, 4, 5]
    assert isinstance(results[3], ValueError)
    assert heard == ["0", "1", "2", "4", "5"]
    rows = await ledger.run(lambda entry: entry.db.execute("SELECT x FROM t ORDER BY x").fetchall())
    assert rows == [(0,), (1,), (2,), (4,), (5,)]
    await ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        await ledger.run(write(7))


async def test_what_was_asked_for_before_the_close_is_written(tmp_path: Path) -> None:
    path = tmp_path / "web.sqlite"
    opened = MessageLog(path, unheard)
    await opened.open()
    answer = await say(opened, "/generate", progress_reply(0.1))
    late = asyncio.create_task(opened.edit(ANNA, answer, progress_reply(0.7)))
    await asyncio.sleep(0)
    await opened.close()
    assert await late is True
    await opened.open()
    assert (await conversation(opened))[-1]["reply"]["progress"]["fraction"] == 0.7
    await opened.close()
