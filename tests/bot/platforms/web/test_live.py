"""The page's WebSocket: what it refuses, what it repeats, and what every tab hears."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.platforms import MessageGoneError
from bot.platforms.web import WebPlatform
from bot.platforms.web.book import Book
from bot.platforms.web.live import COMMANDS, GARBAGE, FloodGate
from bot.platforms.web.wire import FrameError, clean_line, read_frame, read_line
from handlers.model import MessageRef
from tests.bot.platforms.web.double import PIECE, SOMEBODY, WebDouble, finished_reply, progress_reply
from tests.bot.platforms.web.visit import Visit, ask_id


async def test_a_line_and_its_answer_stand_in_the_conversation(visit: Visit, double: WebDouble) -> None:
    async with visit.tab() as tab:
        welcome = await tab.hello()
        assert welcome["messages"] == []
        answered = await tab.say("  /raga Yaman\n")
        said, reply = tab.shown()
    assert answered["ok"] is True
    assert (said["by"], said["text"]) == ("person", "/raga Yaman")
    assert (reply["by"], reply["state"], reply["id"]) == ("bot", "shown", answered["message"])
    assert reply["reply"]["card"]["title"] == "Yaman"
    assert reply["kept"] is False
    assert double.requests[0].command == "raga"


async def test_a_slow_answer_has_its_message_before_it_is_given(visit: Visit, double: WebDouble) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.send(type="say", id=ask_id(), text="/held")
        pending = await tab.until_message(lambda message: message["state"] == "pending")
        await double.arrived.wait()
        answer = double.requests[-1].answer
        assert answer is not None
        assert answer.message == pending["id"]
        double.held.set()
        await tab.until(lambda frame: frame["type"] == "answered")
        assert tab.messages[pending["id"]]["reply"]["text"] == "At last."


async def test_tabs_are_in_step_and_other_accounts_hear_nothing(visit: Visit, platform: WebPlatform) -> None:
    async with Visit(platform.url) as other, visit.tab() as one, visit.tab() as two, other.tab() as foreign:
        for tab in (one, two, foreign):
            await tab.hello()
        await one.say("/help")
        await two.until_message(lambda message: message["by"] == "bot" and message["state"] == "shown")
        assert [message["id"] for message in one.shown()] == [message["id"] for message in two.shown()]
        await foreign.send(type="ping")
        assert (await foreign.next())["type"] == "pong"
        assert foreign.messages == {}


async def test_a_page_that_returns_is_told_what_changed_since(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.say("/generate Yaman")
        epoch, seq, first = tab.epoch, tab.seq, dict(tab.messages)
    answer = double.requests[-1].answer
    assert answer is not None
    await platform.deliver(answer, finished_reply(), nonce="d1", to=SOMEBODY)
    await visit.say("/help")
    async with visit.tab() as tab:
        welcome = await tab.hello(epoch=epoch, since=seq)
        assert welcome["reset"] is False
        changed = {message["id"] for message in welcome["messages"]}
        assert answer.message in changed
        assert len(changed) == 3, "the finished piece, the line and its answer"
        assert not changed >= set(first)
    async with visit.tab() as tab:
        assert len((await tab.hello())["messages"]) == 4
    for strange_epoch, strange_seq in (("another", seq), (epoch, seq + 1000)):
        async with visit.tab() as tab:
            welcome = await tab.hello(epoch=strange_epoch, since=strange_seq)
            assert welcome["reset"] is True
            assert len(welcome["messages"]) == 4


async def test_what_is_sent_again_is_not_run_again(visit: Visit, double: WebDouble) -> None:
    ident = ask_id()
    async with visit.tab() as tab:
        await tab.hello()
        await tab.send(type="say", id=ident, text="/held")
        await double.arrived.wait()
    async with visit.tab() as tab:
        await tab.hello()
        await tab.send(type="say", id=ident, text="/held")
        await tab.send(type="ping")
        await tab.until(lambda frame: frame["type"] == "pong")
        double.held.set()
        await tab.until(lambda frame: frame.get("id") == ident)
        again = await tab.say("/held", ident)
        assert again["message"] == tab.shown()[-1]["id"]
        assert len(tab.shown()) == 2
    assert double.count("held") == 1


async def test_the_name_of_an_ask_is_each_accounts_own(visit: Visit, double: WebDouble) -> None:
    ident = ask_id()
    await visit.say("/help", ident)
    async with Visit(visit.url) as other:
        await other.say("/raga Yaman", ident)
    assert [request.command for request in double.requests] == ["help", "raga"]


async def test_a_button_says_nothing_but_does(visit: Visit, double: WebDouble) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        card = await tab.say("/raga Yaman")
        await tab.press(card["message"], "/generate Yaman 30s")
        assert [message["by"] for message in tab.shown()] == ["person", "bot", "bot"]
    assert [request.command for request in double.requests] == ["raga", "generate"]


async def test_a_page_turned_takes_the_place_of_the_page_before(visit: Visit) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        first = await tab.say("/history")
        turned = await tab.press(first["message"], "/history page:2")
        assert turned["message"] == first["message"]
        assert len(tab.shown()) == 2
        assert tab.messages[first["message"]]["reply"]["text"] == "Your pieces, page 2"
    async with visit.tab() as tab:
        await tab.hello()
        assert len(tab.messages) == 2


async def test_what_would_replace_a_message_that_has_gone_is_a_message(visit: Visit) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        turned = await tab.press("0" * 16, "/history page:2")
        assert [message["id"] for message in tab.shown()] == [turned["message"]]


async def test_a_remark_needs_no_message(visit: Visit) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        card = await tab.say("/raga Yaman")
        ident = ask_id()
        answered = await tab.press(card["message"], "/favorite raga:Yaman", ident)
        assert answered["notice"] == "It is among your favorites now."
        assert answered["message"] is None
        assert len(tab.shown()) == 2
        again = await tab.press(card["message"], "/favorite raga:Yaman", ident)
        assert again == answered


async def test_every_heart_on_one_thing_is_painted_alike(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    async with visit.tab() as tab, visit.tab() as other:
        await tab.hello()
        await other.hello()
        await tab.say("/generate Yaman")
        answer = double.requests[-1].answer
        assert answer is not None
        await platform.deliver(answer, finished_reply(), nonce="d1", to=SOMEBODY)
        played = await tab.say("/play k57")
        card = await tab.say("/raga Yaman")
        await tab.press(played["message"], f"/favorite {PIECE}")
        for page in (tab, other):
            await page.until_message(
                lambda message: message["id"] == answer.message and message["kept"] is True
            )
            assert page.messages[played["message"]]["kept"] is True
            assert page.messages[card["message"]]["kept"] is False
        await platform.deliver(answer, finished_reply(on=False), nonce="d2", to=SOMEBODY)
        await tab.press(answer.message, f"/favorite {PIECE}")
        await tab.until_message(
            lambda message: message["id"] == played["message"] and message["kept"] is False
        )
    async with visit.tab() as tab:
        await tab.hello()
        assert [message["kept"] for message in tab.shown() if message["by"] == "bot"] == [False, False, False]


async def test_an_edit_is_shown_and_repeated_it_changes_nothing(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.say("/generate Yaman")
        answer = double.requests[-1].answer
        assert answer is not None
        await platform.edit(answer, progress_reply(0.5))
        shown = await tab.until_message(
            lambda message: (
                message["reply"] is not None and (message["reply"]["progress"] or {}).get("fraction") == 0.5
            )
        )
        seq = tab.seq
        await platform.edit(answer, progress_reply(0.5))
        await tab.send(type="ping")
        await tab.until(lambda frame: frame["type"] == "pong")
        assert tab.seq == seq
        assert shown["id"] == answer.message


async def test_a_piece_is_delivered_once_and_progress_never_covers_it(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.say("/generate Yaman")
        answer = double.requests[-1].answer
        assert answer is not None
        await platform.deliver(answer, finished_reply(), nonce="d1", to=SOMEBODY)
        await tab.until_message(
            lambda message: message["reply"] is not None and message["reply"]["track"] is not None
        )
        seq = tab.seq
        await platform.deliver(answer, finished_reply(title="A second time"), nonce="d1", to=SOMEBODY)
        await platform.edit(answer, progress_reply(0.9))
        await tab.send(type="ping")
        await tab.until(lambda frame: frame["type"] == "pong")
        assert tab.seq == seq
        assert len(tab.shown()) == 2
        assert tab.shown()[-1]["reply"]["track"]["title"] == "Raga Yaman"


async def test_a_piece_that_is_done_before_its_answer_stays(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.send(type="say", id=ask_id(), text="/held")
        await double.arrived.wait()
        answer = double.requests[-1].answer
        assert answer is not None
        await platform.deliver(answer, finished_reply(), nonce="d1", to=SOMEBODY)
        double.held.set()
        await tab.until(lambda frame: frame["type"] == "answered")
        assert tab.shown()[-1]["reply"]["track"]["title"] == "Raga Yaman"


async def test_a_piece_whose_message_has_gone_is_posted_anew_once(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    await visit.say("/help")
    chat = double.requests[-1].actor.account
    gone = MessageRef("web", chat, "0" * 16)
    for _ in range(2):
        await platform.deliver(gone, finished_reply(), nonce="d1", to=SOMEBODY)
    with pytest.raises(MessageGoneError):
        await platform.edit(gone, progress_reply(0.5))
    with pytest.raises(MessageGoneError):
        await platform.deliver(
            MessageRef("web", "web:nobody", "0" * 16), finished_reply(), nonce="d2", to=SOMEBODY
        )
    async with visit.tab() as tab:
        await tab.hello()
        assert [bool(message["reply"] and message["reply"]["track"]) for message in tab.shown()] == [
            False,
            False,
            True,
        ]


async def test_a_person_cannot_be_edited(visit: Visit, platform: WebPlatform, double: WebDouble) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.say("/help")
        said = tab.shown()[0]
        with pytest.raises(MessageGoneError):
            await platform.edit(
                MessageRef("web", double.requests[0].place.chat, said["id"]), progress_reply(0.1)
            )


async def test_clearing_leaves_what_is_under_way(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    async with visit.tab() as tab, visit.tab() as other:
        await tab.hello()
        await other.hello()
        await tab.say("/help")
        await tab.say("/generate Yaman")
        epoch, seq = tab.epoch, tab.seq
        running = double.requests[-1].answer
        assert running is not None
        await tab.send(type="clear")
        for page in (tab, other):
            welcome = await page.until(lambda frame: frame["type"] == "welcome")
            assert welcome["reset"] is True
            assert list(page.messages) == [running.message]
        await platform.deliver(running, finished_reply(), nonce="d1", to=SOMEBODY)
        await tab.until_message(
            lambda message: message["reply"] is not None and message["reply"]["track"] is not None
        )
    async with visit.tab() as tab:
        assert (await tab.hello(epoch=epoch, since=seq))["reset"] is True


async def test_suggestions_carry_the_number_of_the_question(visit: Visit) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.send(type="complete", request=7, line="/raga yam")
        answer = await tab.next()
    assert (answer["type"], answer["request"], answer["line"]) == ("suggestions", 7, "/raga yam")
    assert [choice["value"] for choice in answer["suggestions"]] == [
        "Yaman",
        "Yaman Kalyan",
        "Yamuna Kalyani",
    ]


FRAME_TYPES = {"hello", "say", "press", "complete", "clear", "ping"}
GARBAGE_FRAMES: list[tuple[Any, str]] = [
    ("", "not_json"),
    ("{", "not_json"),
    ("[" * 15_000, "not_json"),
    ('{"type": "say"' + ', "a": ' + '{"a":' * 3000, "not_json"),
    ("null", "invalid"),
    ("[]", "invalid"),
    ("{}", "unknown_type"),
    ('{"type": "delete"}', "unknown_type"),
    ('{"type": 7}', "unknown_type"),
    ('{"type": "say", "text": "/help"}', "invalid"),
    ('{"type": "say", "id": "not-a-uuid", "text": "/help"}', "invalid"),
    ({"type": "say", "id": ask_id(), "text": ["/help"]}, "invalid"),
    ({"type": "say", "id": ask_id(), "text": "/help", "account": "web:0"}, "invalid"),
    ({"type": "say", "id": ask_id(), "text": "x" * 2001}, "invalid"),
    ({"type": "press", "id": ask_id(), "message": "0" * 16, "line": "no slash"}, "invalid"),
    ({"type": "press", "id": ask_id(), "message": "../x", "line": "/help"}, "invalid"),
    ({"type": "hello", "epoch": "", "since": -1}, "invalid"),
    ({"type": "hello", "epoch": "", "since": "0"}, "invalid"),
    ({"type": "hello", "epoch": "", "since": True}, "invalid"),
    ({"type": "hello", "epoch": "", "since": 1e400}, "invalid"),
    ({"type": "complete", "request": 1.5, "line": "/"}, "invalid"),
    ("x" * 16_385, "too_long"),
]


@pytest.mark.parametrize(("frame", "code"), GARBAGE_FRAMES)
async def test_a_frame_that_makes_no_sense_is_answered_in_words(
    visit: Visit, double: WebDouble, frame: Any, code: str
) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
        error = await tab.next()
        assert error["type"] == "error"
        assert error["code"] == code
        assert error["message"]
        assert (await tab.say("/help"))["ok"] is True
    assert double.count("help") == 1


async def test_bytes_are_refused_and_a_flood_of_nonsense_closes(visit: Visit) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.socket.send_bytes(b"\x00\x01")
        assert (await tab.next())["code"] == "not_text"
        for _ in range(GARBAGE):
            await tab.socket.send_str("?")
        assert await tab.closed() == 1008


async def test_a_frame_beyond_all_measure_closes(visit: Visit, platform: WebPlatform) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.socket.send_str("x" * 2_000_000)
        assert await tab.closed() == 1009
    async with visit.http.get("/health") as answer:
        assert answer.status == 200


async def test_a_flood_is_answered_kindly_and_passes(visit: Visit, double: WebDouble) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        idents = [ask_id() for _ in range(COMMANDS + 5)]
        for ident in idents:
            await tab.say("/help", ident)
        refused = [frame for frame in tab.frames if frame["type"] == "error"]
        assert [frame["id"] for frame in refused] == idents[COMMANDS:]
        assert all(frame["code"] == "too_many" and 0 < frame["retry_s"] <= 10 for frame in refused)
        assert "few seconds" in refused[0]["message"]
        await tab.send(type="ping")
        await tab.until(lambda frame: frame["type"] == "pong")
    assert double.count("help") == COMMANDS


async def test_too_much_at_once_is_refused(visit: Visit, double: WebDouble) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        for _ in range(17):
            await tab.send(type="say", id=ask_id(), text="/held")
        refused = await tab.until(lambda frame: frame["type"] == "error")
        assert refused["code"] == "too_many"
        double.held.set()
        for _ in range(16):
            await tab.until(lambda frame: frame["type"] == "answered")
    assert double.count("held") == 16


async def test_an_answer_that_breaks_is_told_and_no_other_suffers(
    visit: Visit, double: WebDouble, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        monkeypatch.setattr("bot.platforms.web.conversation.read_line", lambda _line: 1 / 0)
        broken = await tab.say("/help")
        assert (broken["type"], broken["ok"]) == ("answered", False)
        assert tab.messages[broken["message"]]["reply"]["text"].endswith("Please send that again.")
        monkeypatch.undo()
        assert (await tab.say("/help"))["ok"] is True
    assert "could not be given" in caplog.text


async def test_a_stop_closes_every_page_and_says_why(platform: WebPlatform, visit: Visit) -> None:
    async with visit.tab() as one, visit.tab() as two:
        await one.hello()
        await two.hello()
        async with asyncio.timeout(2):
            await platform.stop()
        assert await one.closed() == 1001
        assert await two.closed() == 1001


async def test_an_answer_under_way_does_not_hold_the_stop_up(
    platform: WebPlatform, visit: Visit, double: WebDouble
) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await tab.send(type="say", id=ask_id(), text="/held")
        await double.arrived.wait()
        async with asyncio.timeout(2):
            await platform.stop()


def test_the_flood_gate_opens_again() -> None:
    now = [0.0]
    gate = FloodGate(3, 10.0, lambda: now[0])
    assert [gate.wait_s() for _ in range(4)] == [0.0, 0.0, 0.0, 10.0]
    now[0] = 4.0
    assert gate.wait_s() == 6.0
    now[0] = 10.0
    assert gate.wait_s() == 0.0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["type", "id", "text", "line", "since", "request"]) | st.text(), inner
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_frame_or_a_refusal(value: Any) -> None:
    with contextlib.suppress(FrameError):
        assert read_frame(json.dumps(value)).type in FRAME_TYPES


@pytest.mark.parametrize(
    ("line", "command", "text"),
    [
        ("/raga Yaman", "raga", "Yaman"),
        ("/Help", "help", ""),
        ("/raga@raga_bot  Yaman Kalyan", "raga", "Yaman Kalyan"),
        ("Yaman", "", "Yaman"),
        ("/", "", "/"),
        ("/etc/passwd", "", "/etc/passwd"),
    ],
)
def test_a_line_is_a_command_and_the_rest(line: str, command: str, text: str) -> None:
    assert read_line(line) == (command, text)


@given(st.text(max_size=50))
def test_a_clean_line_has_no_control_characters(text: str) -> None:
    try:
        line = clean_line(text)
    except FrameError:
        return
    assert line == line.strip() != ""
    assert not any(ord(character) < 32 or ord(character) == 127 for character in line)
    line.encode()


async def test_a_page_that_never_says_hello_does_not_fill_the_memory(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    async with visit.tab() as tab:
        await visit.say("/generate Yaman")
        answer = double.requests[-1].answer
        assert answer is not None
        for step in range(700):
            await platform.edit(answer, progress_reply(step / 700))
        assert await tab.closed() == 1013


async def test_a_page_that_reads_slowly_is_sent_the_newest_state_only(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await visit.say("/generate Yaman")
        answer = double.requests[-1].answer
        assert answer is not None
        async with asyncio.TaskGroup() as group:
            for step in range(1, 1001):
                group.create_task(platform.edit(answer, progress_reply(step / 1000)))
        newest = await tab.until_message(
            lambda message: message["reply"] is not None and message["reply"]["progress"]["fraction"] == 1.0
        )
        assert newest["id"] == answer.message
        assert len(tab.frames) < 500


async def test_a_log_that_cannot_be_written_is_told(
    visit: Visit, platform: WebPlatform, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with visit.tab() as tab:
        await tab.hello()
        monkeypatch.setattr(Book, "insert", full)
        refused = await tab.say("/help")
        assert (refused["type"], refused["code"]) == ("error", "failed")
        async with visit.http.post("/api/say", json={"id": ask_id(), "text": "/help"}) as answer:
            assert answer.status == 500
            assert "disk" not in (await answer.json())["error"]["message"]
        monkeypatch.undo()
        assert (await tab.say("/help"))["ok"] is True
    assert "disk is full" in caplog.text
