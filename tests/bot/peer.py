"""A strict peer that speaks as much of Convex's HTTP API as a test scripts, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

Act = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Call:
    """One request as it arrived."""

    kind: str
    path: str
    args: dict[str, object]
    token: str | None


@dataclass(slots=True)
class Peer:
    """Answers each request with the next act of its script; a request too many is refused with status 418."""

    url: str = ""
    script: deque[Act] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)
    uploads: list[tuple[str, bytes]] = field(default_factory=list)

    def will(self, *acts: Act) -> None:
        """Add to the script."""
        self.script.extend(acts)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Check the request's form, note it, play the next act."""
        kind = request.match_info["kind"]
        assert kind in ("query", "mutation", "action")
        assert request.content_type == "application/json"
        body = await request.json()
        assert set(body) == {"path", "args", "format"}
        assert body["format"] == "convex_encoded_json"
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        assert scheme in ("", "Bearer")
        self.calls.append(Call(kind, body["path"], body["args"], token or None))
        return await self.play(request)

    async def play(self, request: web.Request) -> web.StreamResponse:
        """The next act."""
        if not self.script:
            return web.Response(status=418)
        return await self.script.popleft()(request)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Take a file."""
        self.uploads.append((request.content_type, await request.read()))
        return await self.play(request)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Give a file."""
        return await self.play(request)


@contextlib.asynccontextmanager
async def peer() -> AsyncIterator[Peer]:
    """A peer that listens on a free port of this machine."""
    double = Peer()
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/api/{kind}", double.handle)
    app.router.add_post("/upload", double.upload)
    app.router.add_get("/file", double.file)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    double.url = f"http://{host}:{port}"
    try:
        yield double
    finally:
        await runner.cleanup()


def value(result: object) -> Act:
    """The function returns this."""
    return says(json.dumps({"status": "success", "value": result, "logLines": []}))


def error(data: object, message: str = "Uncaught ConvexError at handler (secret.ts:1)") -> Act:
    """The function throws; without data, an error that nobody meant to be read."""
    result: dict[str, object] = {"status": "error", "errorMessage": message, "logLines": []}
    if data is not None:
        result["errorData"] = data
    return says(json.dumps(result))


def says(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Act:
    """Any answer."""

    async def act(request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status, headers=headers, content_type="application/json")

    return act


def gives(data: bytes) -> Act:
    """A file's bytes."""

    async def act(request: web.Request) -> web.StreamResponse:
        return web.Response(body=data, content_type="audio/mpeg")

    return act


def hang(reached: asyncio.Event | None = None) -> Act:
    """Never answer; ``reached`` is set when the request is in."""

    async def act(request: web.Request) -> web.StreamResponse:
        if reached is not None:
            reached.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    return act


def cut() -> Act:
    """Close the connection in the middle of the answer."""

    async def act(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"status":')
        assert request.transport is not None
        request.transport.close()
        return response

    return act


def trickle() -> Act:
    """Send a byte now and then, for ever: no single read takes long."""

    async def act(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    return act


def flood(length: int) -> Act:
    """A body of so many bytes."""

    async def act(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(length // 2**20):
            await response.write(b" " * 2**20)
        return response

    return act
