"""A visit to the page from a test: HTTP and WebSocket over real sockets, with a browser's cookies."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import aiohttp
from yarl import URL

DEADLINE_S = 10.0

Frame = dict[str, Any]


def ask_id() -> str:
    """A new name for something asked."""
    return str(uuid.uuid4())


class Tab:
    """An open WebSocket and the frames that came."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.epoch = ""
        self.seq = 0
        self.messages: dict[str, Frame] = {}
        self.frames: list[Frame] = []

    async def send(self, **frame: Any) -> None:
        """Send a frame."""
        await self.socket.send_str(json.dumps(frame))

    async def hello(self, *, epoch: str = "", since: int = 0) -> Frame:
        """Say which changes are known; returns the welcome."""
        await self.send(type="hello", epoch=epoch, since=since)
        return await self.until(lambda frame: frame["type"] == "welcome")

    async def say(self, text: str, ident: str | None = None) -> Frame:
        """Say a line; returns the answered frame."""
        ident = ident or ask_id()
        await self.send(type="say", id=ident, text=text)
        return await self.until(lambda frame: frame.get("id") == ident)

    async def press(self, message: str, line: str, ident: str | None = None) -> Frame:
        """Press a button; returns the answered frame."""
        ident = ident or ask_id()
        await self.send(type="press", id=ident, message=message, line=line)
        return await self.until(lambda frame: frame.get("id") == ident)

    async def next(self, deadline_s: float = DEADLINE_S) -> Frame:
        """The next frame; the conversation is kept up to date by it as the page does."""
        async with asyncio.timeout(deadline_s):
            message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, f"the socket gave {message.type} {message.data!r}"
        frame: Frame = json.loads(message.data)
        self.frames.append(frame)
        if frame["type"] in ("welcome", "messages"):
            if frame.get("reset"):
                self.messages.clear()
            assert frame["seq"] >= self.seq or frame.get("reset")
            self.epoch, self.seq = frame["epoch"], frame["seq"]
            for shown in frame["messages"]:
                known = self.messages.get(shown["id"])
                if known is None or known["seq"] < shown["seq"]:
                    self.messages[shown["id"]] = shown
        return frame

    async def until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The first frame from now on that is wanted."""
        while True:
            frame = await self.next()
            if wanted(frame):
                return frame

    async def until_message(self, wanted: Callable[[Frame], bool]) -> Frame:
        """Wait until the conversation holds a message that is wanted."""
        while True:
            for message in self.messages.values():
                if wanted(message):
                    return message
            await self.next()

    def shown(self) -> list[Frame]:
        """The messages, oldest first."""
        visible = [message for message in self.messages.values() if message["state"] != "void"]
        return sorted(visible, key=lambda message: message["place"])

    async def closed(self) -> int:
        """Wait until the other side closes; returns the code."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = await self.socket.receive()
                if message.type is aiohttp.WSMsgType.CLOSE:
                    return int(message.data)
                assert message.type is aiohttp.WSMsgType.TEXT, message.type


class Visit:
    """One browser."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.http = aiohttp.ClientSession(
            url,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=DEADLINE_S),
        )

    async def __aenter__(self) -> Visit:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    async def arrive(self) -> None:
        """Get a cookie, as the page does."""
        async with self.http.post("/api/session") as answer:
            assert answer.status == 204

    async def say(self, text: str, ident: str | None = None) -> Frame:
        """POST /api/say."""
        async with self.http.post("/api/say", json={"id": ident or ask_id(), "text": text}) as answer:
            assert answer.status == 200, await answer.text()
            body: Frame = await answer.json()
            return body

    @asynccontextmanager
    async def tab(self, **headers: str) -> AsyncIterator[Tab]:
        """An open page, before its hello."""
        async with self.http.ws_connect("/live", headers=headers) as socket:
            yield Tab(socket)

    def cookie(self) -> tuple[str, str]:
        """Name and value of the only cookie."""
        ((name, morsel),) = ((morsel.key, morsel) for morsel in self.http.cookie_jar)
        return name, morsel.value

    def return_to(self, url: str) -> Visit:
        """The same browser, after the bot has moved."""
        name, value = self.cookie()
        later = Visit(url)
        later.http.cookie_jar.update_cookies({name: value}, URL(url))
        return later
