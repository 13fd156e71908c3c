"""The real local deployment with our functions, and a go-between that loses what a test wants lost."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from aiohttp import web

from bot.backend.backend import BotRecord, ConvexBackend
from bot.backend.documents import LiveState
from bot.backend.gateway import Convex, http_client
from bot.backend.identity import Keys, Signer
from bot.backend.jobs import Jobs
from bot.backend.live import States
from bot.backend.local import LocalConvex, environment
from handlers.model import AccountId, Actor, Generation, MessageRef, Place
from tests.bot.doubles import REQUEST

ISSUER = "https://raga-bot.localhost"
START_DEADLINE_S = 60.0


def actor(name: str = "mira") -> Actor:
    """A person whom nobody has met before."""
    return Actor(AccountId(f"web:{name}-{secrets.token_hex(6)}"), name)


def place(of: Actor) -> Place:
    """Where that person speaks alone."""
    return Place("web", of.account, private=True)


@dataclass(slots=True, eq=False)
class Deployment:
    """A deployment, and the parts of a bot that talk to it."""

    url: str
    state_dir: Path
    http: httpx.AsyncClient
    bot: str
    keys: Keys = field(init=False)
    signer: Signer = field(init=False)
    convex: Convex = field(init=False)
    backend: ConvexBackend = field(init=False)
    record: BotRecord = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Keys.load(self.state_dir)
        self.signer = Signer(self.keys, self.bot, ISSUER)
        self.convex = Convex(self.url, self.http)
        self.backend = ConvexBackend(self.convex, self.signer)
        self.record = BotRecord(self.convex, self.signer)

    def as_bot(self, bot: str, url: str = "") -> Deployment:
        """The same deployment as another bot sees it, or through another address."""
        return Deployment(url or self.url, self.state_dir, self.http, bot)

    def jobs(self, name: str = "") -> Jobs:
        """The queue as a worker sees it."""
        return Jobs(self.convex, self.signer, f"worker:{self.bot}-{name or secrets.token_hex(4)}")

    async def ask(
        self, who: Actor, *, theme: str = "evening devotion", duration_s: float = 5.0
    ) -> Generation:
        """Have this person ask for a piece, to be shown in a message of theirs."""
        message = MessageRef("web", who.account, secrets.token_hex(4))
        request = replace(REQUEST, theme=theme, duration_s=duration_s)
        return await self.backend.start_generation(who, request, key=secrets.token_hex(8), delivery=message)


@contextlib.asynccontextmanager
async def deployment(state_dir: Path) -> AsyncIterator[Deployment]:
    """A deployment of its own, with a state of its own."""
    keys = Keys.load(state_dir)
    local = LocalConvex(state_dir, 0, environment(ISSUER, keys.jwks_data_uri()))
    try:
        async with asyncio.timeout(START_DEADLINE_S):
            url = await local.start()
        async with http_client(url) as http:
            yield Deployment(url, state_dir, http, secrets.token_hex(8))
    finally:
        await local.stop()


async def state_with(states: States, true: Callable[[LiveState], bool]) -> LiveState:
    """Wait for a live state that fulfils a condition."""
    async for state in states.states():
        if true(state):
            return state
    raise AssertionError("the live states ended")


@dataclass(slots=True)
class Between:
    """Hands on what is asked of a deployment. ``refuse`` cuts a call off before, ``lose`` after it was carried out,
    ``spoil`` answers it with a status that nobody knows.

    All count by function path; the posting of a file is ``upload``.
    """

    target: str
    http: httpx.AsyncClient
    url: str = ""
    refuse: Counter[str] = field(default_factory=Counter)
    lose: Counter[str] = field(default_factory=Counter)
    spoil: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        body = await request.read()
        path = (await request.json())["path"] if request.path.startswith("/api/mutation") else "upload"
        if request.path.startswith("/api/query"):
            path = (await request.json())["path"]
        if self._take(self.refuse, path):
            return self._cut(request)
        if self._take(self.spoil, path):
            return web.Response(status=418)
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in ("Authorization", "Content-Type")
        }
        answer = await self.http.request(
            request.method, f"{self.target}{request.path_qs}", content=body, headers=headers
        )
        self.passed[path] += 1
        if self._take(self.lose, path):
            return self._cut(request)
        # Addresses of files lead through here too.
        said = answer.content.replace(self.target.encode(), self.url.encode())
        return web.Response(body=said, status=answer.status_code, content_type="application/json")

    @staticmethod
    def _take(counts: Counter[str], path: str) -> bool:
        if counts[path] <= 0:
            return False
        counts[path] -= 1
        return True

    @staticmethod
    def _cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


@contextlib.asynccontextmanager
async def between(target: Deployment) -> AsyncIterator[Between]:
    """A go-between on a free port of this machine."""
    double = Between(target.url, target.http)
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{rest:.*}", double.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    double.url = f"http://{host}:{port}"
    try:
        yield double
    finally:
        await runner.cleanup()
