"""The gateway against a peer that behaves in every way that a server may."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from bot.backend import gateway
from bot.backend.gateway import Convex, http_client, is_loopback
from handlers.errors import (
    ForbiddenError,
    InvalidInputError,
    NotAuthenticatedError,
    NotFoundError,
    RagaBotError,
    TooManyError,
    UnavailableError,
)
from tests.bot.peer import Act, Peer, cut, error, flood, hang, peer, says, trickle, value

SECRET = "ey-secret-token"


@pytest.fixture
async def server() -> AsyncIterator[Peer]:
    async with peer() as double:
        yield double


@pytest.fixture
async def convex(server: Peer) -> AsyncIterator[Convex]:
    async with http_client(server.url) as http:
        yield Convex(server.url, http)


async def test_values_keep_their_kind_on_both_ways(server: Peer, convex: Convex) -> None:
    server.will(
        value({"n": 3, "special": {"$float": "AAAAAAAA8H8="}, "bytes": {"$bytes": "AQI="}, "none": None})
    )
    result = await convex.query("m:q", {"seed": 7, "data": b"\x01\x02", "x": math.inf}, SECRET)
    assert result == {"n": 3.0, "special": math.inf, "bytes": b"\x01\x02", "none": None}
    assert isinstance(result["n"], float)
    [call] = server.calls
    assert (call.kind, call.path, call.token) == ("query", "m:q", SECRET)
    assert call.args == {"seed": 7.0, "data": {"$bytes": "AQI="}, "x": {"$float": "AAAAAAAA8H8="}}


async def test_an_anonymous_call_carries_no_token(server: Peer, convex: Convex) -> None:
    server.will(value(None))
    assert await convex.action("m:a", {}) is None
    assert server.calls[0].kind == "action"
    assert server.calls[0].token is None


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ("not_authenticated", NotAuthenticatedError, NotAuthenticatedError().message),
        ("not_found", NotFoundError, NotFoundError().message),
        ("forbidden", ForbiddenError, "Please choose 5 to 600 seconds."),
        ("invalid", InvalidInputError, "Please choose 5 to 600 seconds."),
        ("too_many", TooManyError, "Please choose 5 to 600 seconds."),
        ("conflict", RagaBotError, "Please choose 5 to 600 seconds."),
        ("of_tomorrow", RagaBotError, RagaBotError().message),
    ],
)
async def test_errors_become_the_handlers_errors(
    server: Peer, convex: Convex, code: str, kind: type[RagaBotError], text: str
) -> None:
    server.will(error({"code": code, "message": "Please choose 5 to 600 seconds."}))
    with pytest.raises(RagaBotError) as caught:
        await convex.mutation("m:f", {}, SECRET)
    assert type(caught.value) is kind
    assert caught.value.message == text
    assert len(server.calls) == 1


@pytest.mark.parametrize("data", [None, "text", 3, {"code": 7}, {"code": "invalid", "message": "x" * 5000}])
async def test_no_server_text_reaches_people(server: Peer, convex: Convex, data: object) -> None:
    server.will(error(data, "Server Error: secret.ts:1 token " + SECRET))
    with pytest.raises(RagaBotError) as caught:
        await convex.query("m:f", {}, SECRET)
    assert caught.value.message in {RagaBotError().message, InvalidInputError().message}


@pytest.mark.parametrize(
    "bad",
    [
        says("", 503),
        says("", 429, {"Retry-After": "0.01"}),
        says("", 502),
        says("<html>not json", 200),
        says("[]"),
        cut(),
    ],
    ids=["503", "429", "502", "garbage", "shape", "cut"],
)
async def test_a_query_is_asked_again(server: Peer, convex: Convex, bad: Act) -> None:
    server.will(bad, value("there"))
    assert await convex.query("m:q", {}, SECRET) == "there"
    assert convex.calls == {"m:q": 2}


@pytest.mark.parametrize("bad", [says("", 502), says("{", 200), cut()], ids=["502", "garbage", "cut"])
async def test_a_mutation_that_may_have_run_is_not_sent_again(server: Peer, convex: Convex, bad: Act) -> None:
    server.will(bad, value("twice"))
    with pytest.raises(UnavailableError):
        await convex.mutation("m:m", {}, SECRET)
    assert len(server.calls) == 1


@pytest.mark.parametrize("bad", [says("", 502), says("{", 200), cut()], ids=["502", "garbage", "cut"])
async def test_a_mutation_with_a_key_is_sent_again(server: Peer, convex: Convex, bad: Act) -> None:
    server.will(bad, value("once"))
    assert await convex.mutation("m:m", {"idempotencyKey": "k"}, SECRET) == "once"
    server.will(bad, value("once"))
    assert await convex.mutation("m:m", {}, SECRET, repeatable=True) == "once"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_mutation_that_was_not_run_is_sent_again(server: Peer, convex: Convex, status: int) -> None:
    server.will(says("", status), says("", status), value("done"))
    assert await convex.mutation("m:m", {}, SECRET) == "done"


async def test_a_pause_that_outlasts_the_deadline_is_not_begun(server: Peer, convex: Convex) -> None:
    server.will(says("", 429, {"Retry-After": "3600"}))
    async with asyncio.timeout(30):
        with pytest.raises(UnavailableError):
            await convex.query("m:q", {}, SECRET)
    assert len(server.calls) == 1


@pytest.mark.parametrize("slow", [hang, trickle])
async def test_silence_ends_at_the_deadline(server: Peer, convex: Convex, slow: Callable[[], Act]) -> None:
    for _ in range(8):
        server.will(slow())
    async with asyncio.timeout(30):
        with pytest.raises(UnavailableError):
            await convex.query("m:q", {}, SECRET, deadline_s=0.3)
        with pytest.raises(UnavailableError):
            await convex.mutation("m:m", {}, SECRET, deadline_s=0.3)
    assert [call.path for call in server.calls].count("m:m") == 1


async def test_a_lost_answer_leaves_time_for_a_second_try(server: Peer, convex: Convex) -> None:
    server.will(hang(), value("second"))
    assert await convex.query("m:q", {}, SECRET, deadline_s=2.0) == "second"


async def test_a_huge_answer_is_given_up(
    server: Peer, convex: Convex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MAX_ANSWER_BYTES", 2**21)
    server.will(flood(2**24))
    with pytest.raises(UnavailableError):
        await convex.query("m:q", {}, SECRET)


async def test_a_refused_token_is_renewed_once(server: Peer, convex: Convex) -> None:
    asked: list[bool] = []

    def source(*, fresh: bool = False) -> str:
        asked.append(fresh)
        return "new" if fresh else "old"

    server.will(says('{"code":"x"}', 401), value("in"))
    assert await convex.mutation("m:m", {}, source) == "in"
    assert [call.token for call in server.calls] == ["old", "new"]
    assert asked == [False, True]
    server.will(says("{}", 401), says("{}", 401), value("never"))
    with pytest.raises(NotAuthenticatedError):
        await convex.mutation("m:m", {}, source)
    assert len(server.script) == 1


async def test_a_plain_token_that_is_refused_stays_refused(server: Peer, convex: Convex) -> None:
    server.will(says("{}", 401))
    with pytest.raises(NotAuthenticatedError) as caught:
        await convex.query("m:q", {}, SECRET)
    assert SECRET not in caught.value.message


async def test_a_refused_call_is_an_error_of_ours(server: Peer, convex: Convex) -> None:
    server.will(says("no such function: secret", 404))
    with pytest.raises(RagaBotError) as caught:
        await convex.query("m:q", {}, SECRET)
    assert "secret" not in caught.value.message
    assert len(server.calls) == 1


async def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with http_client(url) as http, asyncio.timeout(30):
            convex = Convex(url, http)
            with pytest.raises(UnavailableError):
                await convex.mutation("m:m", {}, SECRET, deadline_s=0.5)
            assert not convex.calls


async def test_a_mutation_waits_for_a_server_that_is_starting() -> None:
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        async with http_client(url) as http:
            calling = asyncio.create_task(Convex(url, http).mutation("m:m", {}, SECRET))
            refused = asyncio.get_running_loop().create_future()
            answer = b'HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n{"status":"success","value":"up"}'

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                writer.close()
                if not refused.done():
                    refused.set_result(None)

            await asyncio.sleep(0)  # the first attempt is on its way before anybody listens
            reserved.listen()
            server = await asyncio.start_server(serve, sock=reserved.dup())
            async with asyncio.timeout(30):
                assert await calling == "up"
                await refused
            server.close()
            await server.wait_closed()


async def test_cancelling_closes_the_connection(server: Peer, convex: Convex) -> None:
    reached = asyncio.Event()
    server.will(hang(reached), value("next"))
    call = asyncio.create_task(convex.query("m:q", {}, SECRET))
    async with asyncio.timeout(30):
        await reached.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await convex.query("m:q", {}, SECRET) == "next"


async def test_an_upload(server: Peer, convex: Convex) -> None:
    server.will(says('{"storageId":"kg1"}'))
    assert await convex.upload(f"{server.url}/upload", b"music", "audio/mpeg") == "kg1"
    assert server.uploads == [("audio/mpeg", b"music")]


@pytest.mark.parametrize("bad", [says("", 500), says("{}"), says("nothing"), cut()])
async def test_an_upload_that_failed(server: Peer, convex: Convex, bad: Act) -> None:
    server.will(bad)
    with pytest.raises(UnavailableError):
        await convex.upload(f"{server.url}/upload", b"music", "audio/mpeg")


async def test_calls_do_not_wait_for_each_other(server: Peer, convex: Convex) -> None:
    reached = asyncio.Event()
    server.will(hang(reached), *(value(number) for number in range(20)))
    stuck = asyncio.create_task(convex.query("m:stuck", {}, SECRET, deadline_s=60))
    async with asyncio.timeout(30):
        await reached.wait()
        ask = partial(convex.query, "m:q", {}, SECRET)
        assert sorted(await asyncio.gather(*(ask() for _ in range(20)))) == [float(n) for n in range(20)]
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stuck


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:3210", True),
        ("http://[::1]:3210", True),
        ("http://localhost", True),
        ("https://happy-otter-123.convex.cloud", False),
        ("http://10.0.0.1", False),
    ],
)
def test_a_proxy_is_not_for_this_machine(url: str, here: bool) -> None:
    assert is_loopback(url) is here
