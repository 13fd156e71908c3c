"""A Bot API server of our own, strict rather than lenient, for the unmodified library over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.peers.telegram.login import Login
from tests.peers.telegram.media import Upload
from tests.peers.telegram.methods import Methods
from tests.peers.telegram.people import People, Person
from tests.peers.telegram.updates import Updates
from tests.peers.telegram.world import TOKEN, Chat, Clock, Flood, Json, Limits, Message, Refusal, StoredFile

DEADLINE_S = 60.0
_LOOK_S = 0.05


@dataclass
class Fault:
    """What goes wrong with the next calls of a method. ``lost``: it works, and nobody answers."""

    method: str
    kind: str
    times: int = 1
    chat: int | None = None
    retry_after: int = 1
    released: asyncio.Event = field(default_factory=asyncio.Event)
    seen: int = 0


@dataclass(frozen=True)
class Call:
    """A call as it arrived."""

    method: str
    params: dict[str, Any]
    at_s: float

    @property
    def chat(self) -> int | None:
        """Where it was to go."""
        value = self.params.get("chat_id")
        return None if value is None else int(value)


class TelegramPeer:
    """The server, its people and its chats.

    ``problems``: what a bot without mistakes never causes. ``done``: so many calls have been dealt with.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.clock = Clock()
        self.limits = limits or Limits()
        self.flood = Flood(self.clock, self.limits)
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, StoredFile] = {}
        self.uploads = 0
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self.people = People(self)
        self.updates = Updates()
        self.login = Login(self)
        self.admin_rule = True
        self.private_reactions = False
        self.calls: list[Call] = []
        self.done = 0
        self.problems: list[str] = []
        self.url = ""
        self._faults: list[Fault] = []
        self._methods = Methods(self)
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of the loopback."""
        app = web.Application(client_max_size=2**27)
        self.login.add_to(app.router)
        app.router.add_route("*", "/{path:.*}", self._called)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Listen no more."""
        await self.updates.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def person(self, name: str, language: str = "en") -> Person:
        """Somebody new."""
        return Person(self, 1000 + len(self.chats), name, language)

    def group(
        self, title: str, *, admin: bool = False, topics: Sequence[int] = (), kind: str = "supergroup"
    ) -> Chat:
        """A group with the bot in it; a small one is of another kind."""
        chat = Chat(-100_000 - len(self.chats), kind, title, bot_is_admin=admin, topics=set(topics))
        self.chats[chat.ident] = chat
        return chat

    def fault(self, method: str, kind: str, **more: Any) -> Fault:
        """Let the next calls of a method go wrong: 429, 500, 502, 503, slow, lost, cut."""
        fault = Fault(method.casefold(), kind, **more)
        self._faults.append(fault)
        return fault

    def count(self, method: str, chat: int | None = None) -> int:
        """How often a method was called."""
        return sum(
            one.method == method.casefold() and (chat is None or one.chat == chat) for one in self.calls
        )

    async def until(self, holds: Callable[[], object], what: str = "what was expected") -> None:
        """Wait until something holds; it is looked at after each call, and now and then for what no call tells."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not holds():
                    self._changed.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._changed.wait(), _LOOK_S)
        except TimeoutError:
            last = "\n".join(f"{one.method} {one.params}"[:300] for one in self.calls[-12:])
            raise AssertionError(f"waited in vain for {what}; the last calls:\n{last}") from None

    async def until_called(self, method: str, times: int) -> None:
        """Wait until a method was called so often."""
        await self.until(lambda: self.count(method) >= times, f"{method}, {times} times")

    async def message(self, chat: Chat, fits: Callable[[Message], bool], what: str = "a message") -> Message:
        """The newest message of the bot in a chat that fits, as soon as there is one."""
        await self.until(lambda: chat.find(fits), what)
        found = chat.find(fits)
        assert found is not None
        return found

    async def _called(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        if len(parts) != 2 or not parts[0].startswith("bot"):
            self.problems.append(f"unknown address {request.method} {request.path}")
            return _answer(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        if parts[0] != f"bot{TOKEN}":
            return _answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        name = parts[1].casefold()
        params = await _params(request)
        fault = self._fault_of(name, params)
        if name != "getupdates":
            self.calls.append(Call(name, params, self.clock.now()))
        try:
            early = await self._before(request, fault)
            if early is not None:
                return early
            answer = _answer(200, {"ok": True, "result": await self._run(name, params)})
        except Refusal as refusal:
            answer = self._refused(name, refusal)
        finally:
            if name != "getupdates":
                self.done += 1
            self._changed.set()
        if fault is not None and fault.kind == "lost":
            _cut(request)
        return answer

    async def _run(self, name: str, params: dict[str, Any]) -> Any:
        known = self._methods.known.get(name)
        if known is None:
            self.problems.append(f"unknown method {name}")
            raise Refusal(404, "Not Found")
        method, takes = known
        for param in params:
            if param not in takes and not isinstance(params[param], Upload):
                self.problems.append(f"{name} knows no {param}")
        return await method(params)

    def _refused(self, name: str, refusal: Refusal) -> web.Response:
        said = str(refusal)
        if refusal.status == 400 and any(words in said for words in _MISTAKES):
            self.problems.append(f"{name}: {said}")
        body: Json = {"ok": False, "error_code": refusal.status, "description": said}
        if refusal.parameters:
            body["parameters"] = refusal.parameters
        return _answer(refusal.status, body)

    def _fault_of(self, name: str, params: dict[str, Any]) -> Fault | None:
        for fault in self._faults:
            chat = params.get("chat_id")
            if fault.method == name and fault.seen < fault.times and fault.chat in (None, chat and int(chat)):
                fault.seen += 1
                return fault
        return None

    async def _before(self, request: web.Request, fault: Fault | None) -> web.Response | None:
        match fault.kind if fault is not None else "":
            case "429":
                assert fault is not None
                raise Refusal(
                    429, f"Too Many Requests: retry after {fault.retry_after}", retry_after=fault.retry_after
                )
            case "500" | "502" | "503" as status:
                return web.Response(status=int(status), text="<html>trouble</html>")
            case "slow":
                assert fault is not None
                self._changed.set()
                await fault.released.wait()
            case "cut":
                _cut(request)
                return web.Response()
        return None


_MISTAKES = (
    "can't parse",
    "too long",
    "is empty",
    "INVALID",
    "TOO_MUCH",
    "unallowed",
    "TOO_LONG",
    "wrong thumbnail",
    "no MP3",
    "can't use file",
    "unsupported",
    "is no number",
)


def _answer(status: int, body: Json) -> web.Response:
    return web.json_response(body, status=status)


def _cut(request: web.Request) -> None:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()


async def _params(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        return dict(await request.json())
    params: dict[str, Any] = dict(request.query)
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            params[name] = Upload(value.filename, value.file.read())
        else:
            params[name] = value
    return params
