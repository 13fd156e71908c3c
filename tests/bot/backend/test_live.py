"""The subscription's parent side with scripted children, and the real child against servers that do not answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bot.backend import live as room
from bot.backend.documents import LiveState
from bot.backend.live import Live

DEADLINE_S = 60.0
CHILD = """
import json, os, sys
folder = sys.argv[1]
def say(value):
    print(json.dumps(value), flush=True)
def state(job, version="v1"):
    say({"value": {"deliveries": [], "waitingJob": job, "catalogueVersion": version}})
def note(name, text):
    with open(os.path.join(folder, name), "a") as file:
        file.write(text + "\\n")
def ask():
    line = sys.stdin.readline()
    if not line:
        note("ended", str(os.getpid()))
        sys.exit(0)
    note("orders", line.strip())
    return json.loads(line)
note("started", str(os.getpid()))
first = ask()
"""


class Tokens:
    """A token source that counts."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self, *, fresh: bool = False) -> str:
        assert fresh, "the subscription needs a token with its whole life before it"
        self.given += 1
        return f"secret-{self.given}"


def child(tmp_path: Path, script: str) -> tuple[str, ...]:
    path = tmp_path / "child.py"
    path.write_text(CHILD + textwrap.dedent(script))
    return (sys.executable, str(path), str(tmp_path))


@contextlib.asynccontextmanager
async def following(live: Live) -> AsyncIterator[AsyncIterator[LiveState]]:
    await live.start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield live.states()
    finally:
        async with asyncio.timeout(5):
            await live.stop()


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(room, "_LONGEST_PAUSE_S", 0.05)


async def test_states_arrive_changed_ones_only(tmp_path: Path) -> None:
    script = """
    state("a"); state("a"); state("b"); state(None, None)
    ask()
    """
    seen = []
    live = Live("http://x", Tokens(), command=child(tmp_path, script))
    async with following(live) as states:
        async for state in states:
            seen.append(state)
            if state.waiting_job is None:
                break
    # A reader may miss states between two looks, but never sees one twice or out of order.
    jobs = [state.waiting_job for state in seen]
    assert jobs == [job for job in ("a", "b", None) if job in jobs]
    assert seen[-1] == LiveState((), None, None)


async def test_the_token_goes_by_stdin_alone(tmp_path: Path) -> None:
    script = """
    note("seen", " ".join(sys.argv) + str(dict(os.environ)))
    state("a"); ask()
    """
    live = Live("http://x", Tokens(), path="m:q", command=child(tmp_path, script))
    async with following(live) as states:
        await anext(states)
    order = json.loads((tmp_path / "orders").read_text())
    assert order == {"url": "http://x", "path": "m:q", "token": "secret-1", "parent": os.getpid()}
    assert "secret-" not in (tmp_path / "seen").read_text()


async def test_the_platforms_secrets_stay_with_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hush")
    monkeypatch.setenv("TELEGRAM_TOKEN", "hush")
    live = Live(
        "http://x", Tokens(), command=child(tmp_path, 'note("env", str(dict(os.environ))); state("a"); ask()')
    )
    async with following(live) as states:
        await anext(states)
    assert "hush" not in (tmp_path / "env").read_text()


@pytest.mark.parametrize(
    "end",
    [
        "sys.exit(3)",
        "os.kill(os.getpid(), 9)",
        'say({"error": "ConvexError: Not authenticated"}); ask()',
        'print("garbage", flush=True); ask()',
        "say([1]); ask()",
        'say({"value": {"deliveries": 7}}); ask()',
        'say({"value": {"$what": 7}}); ask()',
    ],
)
async def test_whatever_ends_the_child_a_new_one_follows(tmp_path: Path, end: str) -> None:
    script = f"""
    count = len(open(os.path.join(folder, "started")).readlines())
    state("job" + str(count))
    if count < 3:
        {end}
    ask()
    """
    live = Live("http://x", Tokens(), command=child(tmp_path, script))
    async with following(live) as states:
        async for state in states:
            if state.waiting_job == "job3":
                break
    assert live.restarts == 2
    tokens = [json.loads(line)["token"] for line in (tmp_path / "orders").read_text().splitlines()]
    assert tokens == ["secret-1", "secret-2", "secret-3"]


async def test_a_program_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program"
    live = Live("http://x", Tokens(), command=(str(program),))
    async with following(live) as states:
        await live.restarted(2)
        command = child(tmp_path, 'state("a"); ask()')
        draft = tmp_path / "draft"
        draft.write_text(f"#!/bin/sh\nexec {' '.join(command)}\n")
        draft.chmod(0o755)
        draft.rename(program)
        assert (await anext(states)).waiting_job == "a"


async def test_a_child_that_never_answers_is_replaced(tmp_path: Path) -> None:
    script = """
    if len(open(os.path.join(folder, "started")).readlines()) == 1:
        ask()
    state("a"); ask()
    """
    live = Live("http://x", Tokens(), command=child(tmp_path, script), answer_deadline_s=0.3)
    async with following(live) as states:
        assert (await anext(states)).waiting_job == "a"
    assert live.restarts >= 1


async def test_the_token_is_renewed_and_an_answer_is_due_then(tmp_path: Path) -> None:
    script = """
    state("first")
    ask(); state("second")
    ask(); state("third")
    ask(); ask()
    """
    live = Live("http://x", Tokens(), command=child(tmp_path, script), renewal_s=0.05, answer_deadline_s=5.0)
    async with following(live) as states:
        async for state in states:
            if state.waiting_job == "third":
                break
    tokens = [json.loads(line)["token"] for line in (tmp_path / "orders").read_text().splitlines()]
    assert tokens[:3] == ["secret-1", "secret-2", "secret-3"]
    silent = Live(
        "http://x", Tokens(), command=child(tmp_path, script), renewal_s=0.05, answer_deadline_s=0.2
    )
    async with following(silent):
        await silent.restarted(1)  # the fourth token stays without an answer


async def test_every_reader_gets_the_newest(tmp_path: Path) -> None:
    live = Live("http://x", Tokens(), command=child(tmp_path, 'state("a"); ask()'))
    async with following(live) as states:
        assert (await anext(states)).waiting_job == "a"
        assert (await anext(live.states())).waiting_job == "a"


async def test_stop_leaves_no_process_behind(tmp_path: Path) -> None:
    script = """
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    state("a")
    while True:
        signal.pause()
    """
    live = Live("http://x", Tokens(), command=child(tmp_path, script))
    async with following(live) as states:
        await anext(states)
    pid = int((tmp_path / "started").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """A server that takes connections (the kernel does) and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    ("place", "restarts"),
    [(black_hole, 2), (nobody, 6)],  # where nobody is, a child is done in no time
    ids=["black_hole", "nobody"],
)
async def test_the_parents_loop_goes_on_while_the_real_child_hangs(
    place: Callable[[], AbstractContextManager[str]], restarts: int
) -> None:
    with place() as url:
        live = Live(url, Tokens(), answer_deadline_s=2.0)
        async with following(live):
            gaps = []
            while live.restarts < restarts:
                began = time.perf_counter()
                await asyncio.sleep(0.005)
                gaps.append(time.perf_counter() - began)
    # Held by the client, the loop would have turned a handful of times in these seconds.
    assert len(gaps) > 100


PARENT = """
import asyncio, sys
from bot.backend.live import Live
async def main():
    live = Live(sys.argv[1], lambda fresh: "token")
    await live.start()
    while True:
        await asyncio.sleep(0.05)
        with open("/proc/thread-self/children") as file:
            if children := file.read():
                print(children, flush=True)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_real_child_ends_when_its_parent_is_killed() -> None:
    """In the middle of the client's wait for a server that never answers."""
    with black_hole() as url:
        parent = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PARENT,
            url,
            stdout=asyncio.subprocess.PIPE,
            env=room._environment(os.environ),
        )
        async with asyncio.timeout(DEADLINE_S):
            assert parent.stdout is not None
            watched = os.pidfd_open(int((await parent.stdout.readline()).split()[0]))
            try:
                parent.kill()
                await parent.wait()
                gone = asyncio.Event()
                asyncio.get_running_loop().add_reader(watched, gone.set)
                await gone.wait()
            finally:
                asyncio.get_running_loop().remove_reader(watched)
                os.close(watched)


async def test_the_real_child_ends_with_its_stdin() -> None:
    with nobody() as url:
        process = await asyncio.create_subprocess_exec(
            *room.OUR_COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=room._environment(os.environ),
        )
        async with asyncio.timeout(DEADLINE_S):
            assert process.stdin is not None
            order = {"url": url, "path": "m:q", "token": "t", "parent": os.getpid()}
            process.stdin.write(json.dumps(order).encode() + b"\n")
            await process.stdin.drain()
            process.stdin.close()
            await process.wait()
