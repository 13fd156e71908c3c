"""A Discord of our own, REST and gateway, strict rather than lenient, for the unmodified library over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.peers.discord.buckets import Buckets, too_many
from tests.peers.discord.gateway import Gateway
from tests.peers.discord.interactions import Interactions
from tests.peers.discord.oauth import OAuth
from tests.peers.discord.people import Person
from tests.peers.discord.rest import Rest
from tests.peers.discord.world import (
    EPOCH_S,
    GROUP,
    LOADING,
    TEXT,
    THREAD,
    TOKEN,
    Channel,
    Clock,
    Guild,
    Json,
    Limits,
    Message,
    Refusal,
    is_picture,
)

DEADLINE_S = 30.0
_LOOK_S = 0.05
_MISTAKES = (50035, 50006)
_MENTION = re.compile(r"<@(\d+)>")

ROUTES = (
    ("me", "GET", "users/@me"),
    ("application", "GET", "oauth2/applications/@me"),
    ("gateway", "GET", "gateway/bot"),
    ("publish", "PUT", r"applications/(\d+)/commands"),
    ("direct", "POST", "users/@me/channels"),
    ("post", "POST", r"channels/(\d+)/messages"),
    ("read", "GET", r"channels/(\d+)/messages"),
    ("edit", "PATCH", r"channels/(\d+)/messages/(\d+)"),
    ("acknowledge", "POST", r"interactions/(\d+)/([^/]+)/callback"),
    ("follow", "POST", r"webhooks/(\d+)/([^/]+)"),
    ("answer", "PATCH", r"webhooks/(\d+)/([^/]+)/messages/(@original|\d+)"),
    ("get answer", "GET", r"webhooks/(\d+)/([^/]+)/messages/(@original|\d+)"),
    ("delete answer", "DELETE", r"webhooks/(\d+)/([^/]+)/messages/(@original|\d+)"),
)
BY_TOKEN = ("acknowledge", "follow", "answer", "get answer", "delete answer")


@dataclass
class Fault:
    """What goes wrong with the next calls of a route. ``lost``: it works, and nobody answers."""

    route: str
    kind: str
    times: int = 1
    channel: int | None = None
    retry_after: float = 0.2
    released: asyncio.Event = field(default_factory=asyncio.Event)
    seen: int = 0


@dataclass(frozen=True)
class Call:
    """A call as it arrived."""

    route: str
    channel: int | None
    body: Any
    at_s: float


class DiscordPeer:
    """The server, its people and its channels. ``problems``: what a bot without mistakes never causes."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.clock = Clock()
        self.limits = limits or Limits()
        self.buckets = Buckets(self.clock, self.limits)
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.commands: dict[str, Json] = {}
        self.interactions = Interactions(self)
        self.gateway = Gateway(self)
        self.oauth = OAuth(self)
        self.calls: list[Call] = []
        self.problems: list[str] = []
        self.uploads = 0
        self.url = self.gateway_url = ""
        self._rest = Rest(self)
        self._faults: list[Fault] = []
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of the loopback."""
        app = web.Application(client_max_size=2**27)
        app.router.add_get("/gateway/", self.gateway.serve)
        self.oauth.add_to(app.router)
        app.router.add_route("*", "/{path:.*}", self._called)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        address = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self.url, self.gateway_url = f"http://{address}", f"ws://{address}/gateway/"

    async def stop(self) -> None:
        """Listen no more."""
        for fault in self._faults:
            fault.released.set()
        await self.gateway.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def person(self, name: str, locale: str = "en-US") -> Person:
        """Somebody new."""
        return Person(self, name, locale)

    def guild(self, name: str = "Sangam", *, installed: bool = True) -> Channel:
        """The channel of a new server. Not ``installed``: the bot is there only by those who installed it."""
        guild = Guild(self.clock.snowflake(), name, installed)
        self.guilds[guild.ident] = guild
        return self._channel(Channel(self.clock.snowflake(), TEXT, guild))

    def channel(self, guild: Guild, name: str) -> Channel:
        """One more channel of a server, before the bot connects."""
        return self._channel(Channel(self.clock.snowflake(), TEXT, guild, name=name))

    def thread(self, channel: Channel, name: str = "a thread") -> Channel:
        """A thread, of which the bot has not been told."""
        thread = Channel(self.clock.snowflake(), THREAD, channel.guild, parent=channel.ident, name=name)
        self.channels[thread.ident] = thread
        return thread

    async def remove_bot(self, guild: Guild) -> None:
        """Somebody takes the bot out of a server."""
        guild.installed = False
        await self.gateway.emit("GUILD_DELETE", {"id": str(guild.ident)}, guild.ident)

    async def outage(self, guild: Guild) -> None:
        """A server is out of order for a while."""
        await self.gateway.emit("GUILD_DELETE", {"id": str(guild.ident), "unavailable": True}, guild.ident)

    async def delete(self, channel: Channel) -> None:
        """Somebody deletes a channel, of whose threads nothing is said, or a thread."""
        assert channel.guild is not None
        del self.channels[channel.ident]
        kind = "THREAD_DELETE" if channel.kind == THREAD else "CHANNEL_DELETE"
        await self.gateway.emit(kind, channel.json(), channel.guild.ident)

    def group(self) -> Channel:
        """A private group, where a bot never is itself."""
        return self._channel(Channel(self.clock.snowflake(), GROUP))

    def _channel(self, channel: Channel) -> Channel:
        self.channels[channel.ident] = channel
        if channel.guild is not None:
            channel.guild.channels.append(channel)
        return channel

    def command(self, name: str) -> Json:
        """A slash command as the bot has told of it."""
        assert name in self.commands, f"/{name} is not among {sorted(self.commands)}"
        return self.commands[name]

    def snowflake_at(self, at_s: float) -> int:
        """The least id of a moment."""
        return int((at_s - EPOCH_S) * 1000) << 22

    def fault(self, route: str, kind: str, **more: Any) -> Fault:
        """Let the next calls of a route go wrong: 429, 500, 503, slow, lost, cut, dead (the token)."""
        assert route in [name for name, _, _ in ROUTES], route
        fault = Fault(route, kind, **more)
        self._faults.append(fault)
        return fault

    def count(self, route: str, channel: Channel | None = None) -> int:
        """How often a route was called."""
        return len(self.calls_of(route, channel))

    def calls_of(self, route: str, channel: Channel | None = None) -> list[Call]:
        """The calls of a route, perhaps of one channel only."""
        assert route in [name for name, _, _ in ROUTES], route
        return [
            one
            for one in self.calls
            if one.route == route and (channel is None or one.channel == channel.ident)
        ]

    def changed(self) -> None:
        """Something happened."""
        self._changed.set()

    async def ready(self) -> None:
        """Wait until all shards are connected and the commands are told."""
        await self.until(lambda: self.gateway.connected and self.commands, "the bot")

    async def until(self, holds: Callable[[], object], what: str = "what was expected") -> None:
        """Wait until something holds; it is looked at after each call, and now and then for what no call tells."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not holds():
                    self._changed.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._changed.wait(), _LOOK_S)
        except TimeoutError:
            last = "\n".join(f"{one.route} {one.channel} {one.body}"[:300] for one in self.calls[-12:])
            raise AssertionError(f"waited in vain for {what}; the last calls:\n{last}") from None

    async def message(
        self, channel: Channel, fits: Callable[[Message], bool], what: str = "a message"
    ) -> Message:
        """The newest message of the bot in a channel that fits, as soon as there is one."""
        await self.until(lambda: channel.find(fits), what)
        found = channel.find(fits)
        assert found is not None
        return found

    def change(self, message: Message, body: Json, files: list[Json]) -> None:
        """Write what was sent into a message."""
        message.flags &= ~LOADING
        if "content" in body:
            message.content = body["content"] or ""
        message.embeds = body.get("embeds", message.embeds)
        message.components = body.get("components", message.components)
        if files or "attachments" in body:
            described = {one.get("filename"): one.get("description") for one in body.get("attachments") or ()}
            message.attachments = [
                {
                    "id": str(self.clock.snowflake()),
                    "filename": one["filename"],
                    "size": one["size"],
                    "description": described.get(one["filename"]),
                    "url": f"{self.url}/cdn/{one['filename']}",
                    "proxy_url": f"{self.url}/cdn/{one['filename']}",
                }
                for one in files
            ]
        allowed = {int(one) for one in (body.get("allowed_mentions") or {}).get("users", ())}
        message.notified |= {int(one) for one in _MENTION.findall(message.content)} & allowed
        message.history.append(message.text)

    async def _called(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v10/")
        if path == "users/@me" and request.headers.get("Authorization", "").startswith("Bearer "):
            return self.oauth.me(request)
        for name, method, pattern in ROUTES:
            match = re.fullmatch(pattern, path)
            if method == request.method and match is not None:
                return await self._answer(request, name, match.groups())
        self.problems.append(f"unknown address {request.method} {request.path}")
        return _response(404, {"code": 0, "message": "404: Not Found"})

    async def _answer(self, request: web.Request, name: str, parts: tuple[str, ...]) -> web.StreamResponse:
        body, files = await _read(request)
        channel = self._channel_of(name, parts)
        self.calls.append(Call(name, channel, body, self.clock.now()))
        headers: dict[str, str] = {}
        fault = self._fault_of(name, channel)
        try:
            self._admit(name, request)
            await self._before(fault)
            self._fit(files)
            answer = self._run(name, parts, body, files, request)
            if isinstance(answer, tuple):
                answer, headers = answer
            self.uploads += sum(not is_picture(one) for one in files)
            response = _response(204 if answer is None else 200, answer, headers)
        except Refusal as refusal:
            if refusal.body["code"] in _MISTAKES:
                self.problems.append(f"{name}: {refusal}")
            response = _response(refusal.status, refusal.body, {"Via": "1.1 peer"})
        finally:
            self._changed.set()
        if fault is not None and fault.kind in ("lost", "cut") and request.transport is not None:
            request.transport.abort()
        return response

    def _admit(self, name: str, request: web.Request) -> None:
        if name in BY_TOKEN:
            return
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            raise Refusal(401, 0, "401: Unauthorized")
        self.buckets.over_all()

    def _fit(self, files: list[Json]) -> None:
        if any(one["size"] > self.limits.file_bytes for one in files):
            raise Refusal(413, 40005, "Request entity too large")

    def _run(
        self, name: str, parts: tuple[str, ...], body: Any, files: list[Json], request: web.Request
    ) -> Any:
        rest, asked = self._rest, self.interactions
        match name:
            case "me":
                return rest.me()
            case "application":
                return rest.application()
            case "gateway":
                return rest.gateway()
            case "publish":
                return rest.publish(int(parts[0]), body)
            case "direct":
                return rest.open_direct(body)
            case "post":
                return rest.post(int(parts[0]), body, files)
            case "read":
                return rest.read(int(parts[0]), request.query)
            case "edit":
                return rest.edit(int(parts[0]), int(parts[1]), body, files)
            case "acknowledge":
                told = asked.acknowledge(int(parts[0]), parts[1], body)
                return told if request.query.get("with_response") in ("1", "true", "True") else None
            case "follow":
                return asked.follow(int(parts[0]), parts[1], body, files)
            case "answer":
                return asked.edit(int(parts[0]), parts[1], parts[2], body, files)
            case "get answer":
                return asked.get(int(parts[0]), parts[1], parts[2])
        return asked.delete(int(parts[0]), parts[1], parts[2])

    def _channel_of(self, name: str, parts: tuple[str, ...]) -> int | None:
        if name in BY_TOKEN:
            asked = self.interactions.known(parts[1])
            return asked.channel.ident if asked is not None else None
        return int(parts[0]) if name in ("post", "read", "edit") else None

    def _fault_of(self, name: str, channel: int | None) -> Fault | None:
        for fault in self._faults:
            if fault.route == name and fault.seen < fault.times and fault.channel in (None, channel):
                fault.seen += 1
                return fault
        return None

    async def _before(self, fault: Fault | None) -> None:
        match fault.kind if fault is not None else "":
            case "429":
                assert fault is not None
                raise too_many(fault.retry_after)
            case "500" | "503" as status:
                raise Refusal(int(status), 0, "trouble")
            case "dead":
                raise Refusal(401, 50027, "Invalid Webhook Token")
            case "slow":
                assert fault is not None
                self._changed.set()
                await fault.released.wait()
            case "cut":
                raise Refusal(500, 0, "never read")


def _response(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    """The library wants the content type exactly so."""
    if status == 204:
        return web.Response(status=204, headers=headers)
    told = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(status=status, body=json.dumps(body).encode(), headers=told)


async def _read(request: web.Request) -> tuple[Any, list[Json]]:
    """The body, and the files that came with it."""
    if request.content_type == "application/json":
        return await request.json(), []
    if not request.content_type.startswith("multipart/"):
        return {}, []
    body: Any = {}
    files: list[Json] = []
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        if part.name == "payload_json":
            body = json.loads(await part.text())
        else:
            files.append({"filename": part.filename, "size": len(await part.read())})
    return body, files
