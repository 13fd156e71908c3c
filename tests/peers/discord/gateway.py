"""The peer's gateway: sessions that can be resumed, events by intent and shard, and what goes wrong on command."""

from __future__ import annotations

import asyncio
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from tests.peers.discord.world import BOT, TOKEN, Json

if TYPE_CHECKING:
    from tests.peers.discord.peer import DiscordPeer

GUILDS, GUILD_REACTIONS, DIRECT_REACTIONS = 1 << 0, 1 << 10, 1 << 13
PRIVILEGED = (1 << 1) | (1 << 8) | (1 << 15)
HEARTBEAT_MS = 41_250


@dataclass(eq=False)
class Session:
    """What a client has identified as. ``events`` are kept so that a resumed one gets what it missed."""

    ident: str
    shard: int
    intents: int
    events: list[Json] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None
    packer: Any = None
    transport: asyncio.Transport | None = None


class Gateway:
    """Speaks v10, JSON, packed as zlib-stream where that is asked for."""

    def __init__(self, peer: DiscordPeer) -> None:
        self._peer = peer
        self.shards = 1
        self.identified = 0
        self.resumed = 0
        self.sessions: dict[str, Session] = {}
        self.refuse_with: int | None = None

    @property
    def connected(self) -> bool:
        """Whether all shards are there."""
        live = {one.shard for one in self.sessions.values() if one.socket is not None}
        return len(live) == self.shards

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        packer = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        if (request.query.get("v"), request.query.get("encoding")) != ("10", "json"):
            self._peer.problems.append(f"gateway version {request.query_string}")
        await _send(socket, packer, {"op": 10, "d": {"heartbeat_interval": HEARTBEAT_MS}})
        session: Session | None = None
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    break
                said = json.loads(frame.data)
                match said["op"]:
                    case 1:
                        await _send(socket, packer, {"op": 11, "d": None})
                    case 2:
                        session = await self._identify(socket, packer, said["d"])
                    case 6:
                        session = await self._resume(socket, packer, said["d"])
                    case 3:
                        pass
                    case other:
                        self._peer.problems.append(f"gateway operation {other}")
                self._peer.changed()
                if session is not None and session.socket is socket:
                    session.transport = request.transport
        finally:
            if session is not None and session.socket is socket:
                session.socket = None
            self._peer.changed()
        return socket

    async def _identify(self, socket: web.WebSocketResponse, packer: Any, said: Json) -> Session | None:
        self.identified += 1
        if said["token"] != TOKEN:
            await socket.close(code=4004)
            return None
        if self.refuse_with is not None:
            await socket.close(code=self.refuse_with)
            return None
        if said["intents"] & PRIVILEGED:
            self._peer.problems.append("privileged intents")
            await socket.close(code=4014)
            return None
        shard, count = said.get("shard", (0, 1))
        if count != self.shards:
            await socket.close(code=4010)
            return None
        session = Session(f"session{len(self.sessions) + 1}", shard, said["intents"], [], socket, packer)
        self.sessions[session.ident] = session
        guilds = [
            one for one in self._peer.guilds.values() if one.installed and self._shard(one.ident) == shard
        ]
        await self._event(
            session,
            "READY",
            {
                "v": 10,
                "user": BOT,
                "guilds": [{"id": str(one.ident), "unavailable": True} for one in guilds],
                "session_id": session.ident,
                "resume_gateway_url": self._peer.gateway_url,
                "shard": [shard, count],
                "application": {"id": BOT["id"], "flags": 0},
            },
        )
        for guild in guilds:
            await self._event(session, "GUILD_CREATE", guild.json())
        return session

    async def _resume(self, socket: web.WebSocketResponse, packer: Any, said: Json) -> Session | None:
        session = self.sessions.get(said["session_id"])
        if session is None or said["token"] != TOKEN:
            await _send(socket, packer, {"op": 9, "d": False})
            return None
        self.resumed += 1
        session.socket, session.packer = socket, packer
        for event in [one for one in session.events if one["s"] > said["seq"]]:
            await _send(socket, packer, event)
        await self._event(session, "RESUMED", {})
        return session

    async def emit(self, kind: str, data: Any, guild: int | None = None, *, intent: int = 0) -> None:
        """An event for whom it concerns; one whose connection is lost gets it when it resumes."""
        for session in self.sessions.values():
            if session.shard == self._shard(guild or 0) and (not intent or session.intents & intent):
                await self._event(session, kind, data)

    async def say(self, raw: str) -> None:
        """Anything at all, as it is, to all connections."""
        for session in self.sessions.values():
            if session.socket is not None:
                await _pack(session.socket, session.packer, raw)

    async def _event(self, session: Session, kind: str, data: Any) -> None:
        event = {"op": 0, "t": kind, "s": len(session.events) + 1, "d": data}
        session.events.append(event)
        if session.socket is not None:
            await _send(session.socket, session.packer, event)

    async def drop(self, *, forget: bool = False) -> None:
        """Cut all connections without a word. ``forget``: the sessions cannot be resumed."""
        cut = [session for session in self.sessions.values() if session.socket is not None]
        for session in cut:
            session.socket = None
            if session.transport is not None:
                session.transport.abort()
        if forget:
            self.sessions.clear()

    async def invalidate(self) -> None:
        """Tell all that their sessions are invalid, and not to be resumed."""
        live = [session for session in self.sessions.values() if session.socket is not None]
        self.sessions.clear()
        for session in live:
            if session.socket is not None:
                await _send(session.socket, session.packer, {"op": 9, "d": False})

    async def stop(self) -> None:
        """Close all connections."""
        for session in self.sessions.values():
            if session.socket is not None:
                await session.socket.close()

    def _shard(self, guild: int) -> int:
        return (guild >> 22) % self.shards


async def _send(socket: web.WebSocketResponse, packer: Any, said: Json) -> None:
    await _pack(socket, packer, json.dumps(said))


async def _pack(socket: web.WebSocketResponse, packer: Any, raw: str) -> None:
    try:
        if packer is None:
            await socket.send_str(raw)
        else:
            await socket.send_bytes(packer.compress(raw.encode()) + packer.flush(zlib.Z_SYNC_FLUSH))
    except ConnectionError:
        pass  # lost meanwhile; the session keeps the event
