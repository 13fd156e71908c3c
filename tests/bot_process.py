"""The real bot as a process of its own, as a person starts it, for end-to-end tests and benchmarks."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

START_DEADLINE_S = 60.0
COMMAND_DEADLINE_S = 90.0
STOP_DEADLINE_S = 5.0
"""What a person is promised after Ctrl-C."""

ROOT = Path(__file__).resolve().parents[1]
"""Where `python -m bot` finds the bot."""

_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")


def bare_environment(state_dir: Path, **settings: str) -> dict[str, str]:
    """An environment without anything of the developer's own, and without Node.js or ffmpeg on the PATH."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    kept["PATH"] = "/usr/bin:/bin"
    return {
        **kept,
        "STATE_DIR": str(state_dir),
        "WEB_PORT": "0",
        "CONVEX_PORT": "0",
        **settings,
    }


class BotProcess:
    """`raga-bot run` with a state folder of its own and free ports."""

    def __init__(self, state_dir: Path, *arguments: str, **settings: str) -> None:
        self._arguments = arguments or ("run",)
        self._environment: Mapping[str, str] = bare_environment(state_dir, **settings)
        self._process: asyncio.subprocess.Process | None = None
        self._drains: list[asyncio.Task[None]] = []
        self.lines: list[str] = []
        self.log: list[str] = []
        self.url = ""
        self._said = asyncio.Event()

    @property
    def pid(self) -> int:
        """The process' id; it leads a process group of its own."""
        assert self._process is not None
        return self._process.pid

    async def start(self, ready: str = r"Ctrl-C stops everything") -> None:
        """Start, and wait for the line that says it is ready."""
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *self._arguments,
            env=dict(self._environment),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self._drains.append(asyncio.create_task(self._drain(process.stderr, self.log)))
        try:
            async with asyncio.timeout(START_DEADLINE_S):
                while line := (await process.stdout.readline()).decode():
                    self.lines.append(line.rstrip())
                    if opened := re.search(r"Open (http://\S+)", line):
                        self.url = opened[1]
                    if re.search(ready, line):
                        break
                else:
                    pytest.fail("the bot ended at its start:\n" + "\n".join([*self.lines, *self.log]))
        except BaseException:
            await self.kill()
            raise
        self._drains.append(asyncio.create_task(self._drain(process.stdout, self.lines)))

    async def stop(self, with_signal: signal.Signals = signal.SIGINT) -> int:
        """End it as Ctrl-C does (the whole foreground group gets the signal); returns the exit status."""
        os.killpg(self.pid, with_signal)
        return await self._wait()

    async def kill(self) -> None:
        """kill -9 of the bot's own process: what it started must notice by itself."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._wait()

    async def _wait(self) -> int:
        assert self._process is not None
        async with asyncio.timeout(STOP_DEADLINE_S):
            status = await self._process.wait()
            await asyncio.gather(*self._drains)
        self._drains.clear()
        return status

    async def until_logged(self, text: str) -> None:
        """Wait until a line of the log holds a text."""
        async with asyncio.timeout(START_DEADLINE_S):
            while not any(text in line for line in self.log):
                self._said.clear()
                await self._said.wait()

    async def _drain(self, stream: asyncio.StreamReader, into: list[str]) -> None:
        while line := (await stream.readline()).decode("utf-8", "replace"):
            into.append(line.rstrip())
            self._said.set()


async def raga_bot(state_dir: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """Run to the end; returns exit status, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        env=bare_environment(state_dir, **settings),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(COMMAND_DEADLINE_S):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def ends_by_itself(state_dir: Path, says: str, **settings: str) -> str:
    """The process ends with status 1 and one clear sentence, and leaves nothing running; all that it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        env=bare_environment(state_dir, **settings),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(START_DEADLINE_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = said.decode()
    assert process.returncode == 1, text
    assert text.count(says) == 1
    assert "Traceback" not in text
    await ended(*children_of(state_dir))
    return text


def children_of(state_dir: Path) -> list[int]:
    """Ids of the processes whose environment names this state folder: whatever a bot has left behind."""
    mark = f"STATE_DIR={state_dir}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


async def ended(*pids: int, deadline_s: float = 10.0) -> None:
    """Wait until processes that need not be our children have ended."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(deadline_s):
        for pid in pids:
            try:
                descriptor = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            gone = asyncio.Event()
            loop.add_reader(descriptor, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
