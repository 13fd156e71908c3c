"""The local deployment as a child process: it starts, comes back, and never outlives the bot."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import multiprocessing
import os
import signal
import socket
from collections.abc import AsyncIterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from bot.backend import local as room
from bot.backend.gateway import Convex, http_client
from bot.backend.identity import Keys, Signer
from bot.backend.local import (
    FUNCTIONS,
    LocalConvex,
    LocalConvexError,
    environment,
    recorded_url,
    state_folder,
)
from bot.backend.snapshot import seed
from handlers.errors import UnavailableError
from music.catalogue import Catalogue, load
from tests.bot_process import ended

DEADLINE_S = 60.0
ISSUER = "https://raga-bot.localhost"


def made(state_dir: Path, port: int = 0, functions: Path = FUNCTIONS) -> LocalConvex:
    return LocalConvex(state_dir, port, environment(ISSUER, Keys.load(state_dir).jwks_data_uri()), functions)


@contextlib.asynccontextmanager
async def started(local: LocalConvex) -> AsyncIterator[str]:
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield await local.start()
    finally:
        async with asyncio.timeout(10):
            await local.stop()


def pid_of(local: LocalConvex) -> int:
    assert local._process is not None
    return local._process.pid


async def answers(url: str, deadline_s: float = 10.0) -> bool:
    async with http_client(url) as http:
        try:
            return await Convex(url, http).query("catalogue:version", {}, deadline_s=deadline_s) is None
        except UnavailableError:
            return False


async def test_it_listens_on_this_machine_and_ends_when_asked(tmp_path: Path) -> None:
    local = made(tmp_path)
    async with started(local) as url:
        pid = pid_of(local)
        assert url.startswith("http://127.0.0.1:")
        assert await answers(url)
        assert recorded_url(tmp_path) == url
        # Ctrl-C in the terminal reaches the bot's process group alone.
        assert os.getpgid(pid) != os.getpgid(0)
    await ended(pid)
    assert recorded_url(tmp_path) is None
    assert not await answers(url, 0.3)


async def test_it_comes_back_at_the_same_address_with_its_data_when_it_was_killed(tmp_path: Path) -> None:
    local = made(tmp_path)
    catalogue = Catalogue(load().ragas[:1])
    async with started(local) as url, http_client(url) as http:
        convex = Convex(url, http)
        await seed(convex, Signer(Keys.load(tmp_path), "b1", ISSUER).bot, catalogue)
        for _ in range(2):
            pid = pid_of(local)
            os.kill(pid, signal.SIGKILL)
            await ended(pid)
            # The gateway goes on asking until it answers again.
            known = await convex.query("catalogue:version", {}, deadline_s=DEADLINE_S)
            assert known["version"] == catalogue.version
            assert pid_of(local) != pid
            assert local.url == url


class Ear(logging.Handler):
    """Hears when the log says something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.heard = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self._text in record.getMessage():
            self.heard.set()


async def test_it_goes_on_trying_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local, ear = made(tmp_path), Ear("part of the source checkout")
    room.log.addHandler(ear)
    try:
        async with started(local) as url:
            with monkeypatch.context() as while_it_is_away:
                while_it_is_away.setattr(room, "_PROGRAM", tmp_path / "not there")
                os.kill(pid_of(local), signal.SIGKILL)
                await ear.heard.wait()
            assert await answers(url, DEADLINE_S)
            assert local.url == url
    finally:
        room.log.removeHandler(ear)


async def test_a_port_in_use_is_no_obstacle(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        async with started(made(tmp_path, port)) as url:
            assert not url.endswith(f":{port}")
            assert await answers(url)


async def test_a_preferred_port_is_taken_where_it_is_free(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with started(made(tmp_path, port)) as url:
        assert url == f"http://127.0.0.1:{port}"


async def test_one_state_folder_is_never_served_twice(tmp_path: Path) -> None:
    async with started(made(tmp_path)) as url:
        second = made(tmp_path)
        with pytest.raises(LocalConvexError, match="did not start"):
            await second.start()
        await second.stop()
        assert recorded_url(tmp_path) == url
        assert await answers(url)


def _parent(state_dir: Path, said: Connection) -> None:
    async def run() -> None:
        local = made(state_dir)
        said.send((await local.start(), pid_of(local)))
        await asyncio.Event().wait()

    asyncio.run(run())


async def test_it_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    parent = context.Process(target=_parent, args=(tmp_path, theirs))
    await asyncio.to_thread(parent.start)
    theirs.close()  # so that its early end would be heard
    try:
        url, pid = await asyncio.to_thread(ours.recv)
        assert await answers(url)
        parent.kill()
        await ended(pid)
        assert not await answers(url, 0.3)
    finally:
        parent.kill()
        await asyncio.to_thread(parent.join)
        parent.close()
        ours.close()
    # What it left behind names an address where nobody answers, and hinders no new start.
    assert recorded_url(tmp_path) == url
    async with started(made(tmp_path)) as again:
        assert await answers(again)


async def test_functions_that_cannot_be_read_are_told_in_words(tmp_path: Path) -> None:
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "broken.ts").write_text("export const = 1;\n")
    local = made(tmp_path, functions=functions)
    with pytest.raises(LocalConvexError, match=r"broken\.ts"):
        await local.start()
    await local.stop()
    assert recorded_url(tmp_path) is None


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "deployment.mjs"
    path.write_text(text)
    return path


async def test_whatever_it_prints_it_is_never_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Empty lines, a line beyond any buffer, and more than a pipe holds: all of it has to be read.
    said = script(
        tmp_path,
        """
        import { createServer } from "node:http";
        process.stdin.resume().on("end", () => process.exit(0));
        process.stderr.write("\\n\\nfirst words\\n" + "x".repeat(300_000) + "\\n\\n");
        process.stdout.write("\\nhello\\n");
        const server = createServer((_, answer) => {
          let left = 200;
          const more = () => {
            if (left-- > 0) process.stderr.write("\\n" + "y".repeat(2000) + "\\n", more);
            else answer.end("done");
          };
          more();
        });
        server.listen(0, "127.0.0.1", () =>
          process.stdout.write(`Convex is listening at http://127.0.0.1:${server.address().port}\\n`));
        """,
    )
    monkeypatch.setattr(room, "_PROGRAM", said)
    caplog.set_level(logging.INFO, room.__name__)
    async with started(made(tmp_path)) as url, http_client(url) as http:
        assert (await http.get(url)).text == "done"
    assert "first words" in caplog.text
    assert max(len(record.getMessage()) for record in caplog.records) < 600


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("process.stderr.write('no disk\\n\\nreally\\n'); process.exit(3);", "no disk\nreally"),
        ("process.exit(0);", "it ended without a word"),
        ("process.stdin.resume();", "did not answer within 1 s"),
    ],
)
async def test_a_start_that_fails_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setattr(room, "_PROGRAM", script(tmp_path, text))
    monkeypatch.setattr(room, "_START_DEADLINE_S", 1.0 if "resume" in text else 30.0)
    local = made(tmp_path)
    with pytest.raises(LocalConvexError) as caught:
        await local.start()
    assert words in str(caught.value)
    await local.stop()
    assert recorded_url(tmp_path) is None


async def test_one_that_does_not_want_to_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
    process.on("SIGTERM", () => undefined);
    setInterval(() => undefined, 1000);
    process.stdout.write("Convex is listening at http://127.0.0.1:9\\n");
    """
    monkeypatch.setattr(room, "_PROGRAM", script(tmp_path, text))
    monkeypatch.setattr(room, "_STOP_DEADLINE_S", 0.2)
    local = made(tmp_path)
    async with started(local):
        pid = pid_of(local)
    await ended(pid)


def test_functions_see_no_secret_of_the_chat_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hush")
    monkeypatch.setenv("TELEGRAM_TOKEN", "hush")
    monkeypatch.setenv("OIDC_ISSUER", "https://login.example")
    seen = environment(ISSUER, "data:,{}")
    assert "hush" not in seen.values()
    assert seen["OIDC_ISSUER"] == "https://login.example"
    assert (seen["RAGA_JWT_ISSUER"], seen["RAGA_JWT_JWKS"]) == (ISSUER, "data:,{}")


def test_each_functions_folder_has_its_own_state(tmp_path: Path) -> None:
    ours = state_folder(tmp_path, FUNCTIONS)
    theirs = {state_folder(tmp_path, tmp_path / name) for name in ("a", "b")}
    assert ours == tmp_path / "convex"
    assert len({ours, *theirs}) == 3


@pytest.mark.parametrize("record", [None, "", "{", "[]", "{}", json.dumps({"url": 7})])
def test_a_record_that_says_nothing_is_none(tmp_path: Path, record: str | None) -> None:
    if record is not None:
        (tmp_path / "convex.json").write_text(record)
    assert recorded_url(tmp_path) is None
