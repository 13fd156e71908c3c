"""The page's addresses: the page itself, its conversation, the audio, and the pictures of cards."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from urllib.parse import quote

from aiohttp import web

from bot.platforms import Services
from bot.platforms.web.conversation import Conversations
from bot.platforms.web.guard import refusal
from bot.platforms.web.live import HEARTBEAT_S, LivePage
from bot.platforms.web.message_log import MessageLog
from bot.platforms.web.pictures import ADDRESS, CardPictures
from bot.platforms.web.signin import SignIn
from bot.platforms.web.visitors import Visitor, Visitors
from bot.platforms.web.wire import FRAME_BYTES, FrameError, dump, read_said
from handlers.errors import NotAuthenticatedError, NotFoundError, RagaBotError, UnavailableError
from handlers.model import GenerationId, Request

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_FILE_TYPES = {
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mid": "audio/midi",
    ".zip": "application/zip",
    ".png": "image/png",
}
_GENERATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STATUS = {NotFoundError: 404, NotAuthenticatedError: 404, UnavailableError: 503}
_SAFE_NAME = re.compile(r"[^A-Za-z0-9 ._()-]+")


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    content_type: str
    etag: str


def _assets() -> dict[str, _Asset]:
    """The files beside this module, read once."""
    found = {}
    for file in resources.files("bot.platforms.web").joinpath("static").iterdir():
        ending = file.name[file.name.rfind(".") :]
        if ending in _TYPES:
            found[file.name] = _asset(file.read_bytes(), _TYPES[ending])
    return found


def _asset(body: bytes, content_type: str) -> _Asset:
    return _Asset(body, content_type, hashlib.sha256(body).hexdigest()[:32])


def _offering(page: _Asset, providers: Sequence[str]) -> _Asset:
    """The page with the names of those by whom one can sign in, so that it shows no others and asks for none."""
    blank = b'data-sign-in=""'
    return _asset(
        page.body.replace(blank, f'data-sign-in="{" ".join(providers)}"'.encode()), page.content_type
    )


class Routes:
    """Answers HTTP requests."""

    def __init__(
        self,
        services: Services,
        conversations: Conversations,
        message_log: MessageLog,
        pictures: CardPictures,
        visitors: Visitors,
        signin: SignIn,
    ) -> None:
        self._services = services
        self._conversations = conversations
        self._log = message_log
        self._pictures = pictures
        self._visitors = visitors
        self._signin = signin
        self._assets = _assets()
        self._assets["index.html"] = _offering(self._assets["index.html"], signin.offered)
        self._pages: set[LivePage] = set()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register every address."""
        router.add_get("/", self._index)
        router.add_get("/favicon.ico", self._favicon)
        router.add_get("/static/{name}", self._static)
        router.add_get("/health", self._health)
        router.add_post("/api/session", self._session)
        router.add_post("/api/say", self._say)
        router.add_get("/live", self._live, allow_head=False)
        router.add_get("/audio/{generation}", self._audio)
        router.add_get("/cover/{generation}.png", self._cover)
        router.add_get("/download/{generation}/{kind}", self._download, allow_head=False)
        router.add_get("/export", self._export, allow_head=False)
        router.add_get(ADDRESS, self._pictures.serve)
        self._signin.add_to(router, self._returned)

    async def close_pages(self) -> None:
        """Tell every open page that the bot stops."""
        await asyncio.gather(*(page.close() for page in self._pages))

    async def _index(self, request: web.Request) -> web.Response:
        # No cookie here: who follows a link from elsewhere comes without theirs (SameSite), and must keep it.
        return self._asset(request, "index.html")

    async def _returned(self, request: web.Request) -> web.Response:
        """The page for who comes back from a provider: it takes the answer out of its own address."""
        response = self._asset(request, "index.html")
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _favicon(self, request: web.Request) -> web.Response:
        return self._asset(request, "mark.svg")

    async def _static(self, request: web.Request) -> web.Response:
        return self._asset(request, request.match_info["name"])

    def _asset(self, request: web.Request, name: str) -> web.Response:
        asset = self._assets.get(name)
        if asset is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "no-cache", "ETag": f'"{asset.etag}"'}
        if any(tag.value in (asset.etag, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        response = web.Response(
            body=asset.body, content_type=asset.content_type, charset="utf-8", headers=headers
        )
        response.enable_compression()
        return response

    async def _health(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})

    async def _session(self, request: web.Request) -> web.Response:
        visitor, _ = self._visitors.recognize(request)
        response = web.Response(status=204, headers={"Cache-Control": "no-store"})
        self._visitors.remember(request, response, visitor)
        return response

    async def _say(self, request: web.Request) -> web.Response:
        visitor, new = self._visitors.recognize(request)
        response = await self._said(request, visitor)
        if new:
            self._visitors.remember(request, response, visitor)
        return response

    async def _said(self, request: web.Request, visitor: Visitor) -> web.Response:
        if request.content_type != "application/json":
            return refusal(415, "not_json", "Send JSON, with Content-Type application/json.")
        try:
            said = read_said(await request.read())
            answer = await self._conversations.ask(visitor, said.id, said.text)
        except FrameError as error:
            return refusal({"too_many": 429, "too_long": 413}.get(error.code, 400), error.code, error.message)
        body = dump({"id": answer.ask, "message": answer.message, "reply": answer.reply})
        return web.Response(text=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def _live(self, request: web.Request) -> web.StreamResponse:
        visitor, new = self._visitors.recognize(request)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=4 * FRAME_BYTES, timeout=1.0)
        if not socket.can_prepare(request):
            return refusal(426, "upgrade_required", "This address speaks WebSocket only.")
        if new:
            self._visitors.remember(request, socket, visitor)
        await socket.prepare(request)
        page = LivePage(socket, visitor, self._services, self._conversations, self._log)
        self._pages.add(page)
        try:
            await page.serve()
        finally:
            self._pages.discard(page)
        return socket

    def _asked(self, request: web.Request) -> tuple[Visitor, GenerationId]:
        """Who asks for which piece. Raises NotFoundError for whom nobody can have shown one."""
        if not _GENERATION.fullmatch(request.match_info["generation"]):
            raise web.HTTPNotFound
        visitor, new = self._visitors.recognize(request)
        if new:
            raise NotFoundError
        return visitor, GenerationId(request.match_info["generation"])

    async def _cover(self, request: web.Request) -> web.StreamResponse:
        try:
            visitor, generation = self._asked(request)
            storage = await self._services.playable(visitor.actor, visitor.place, generation)
            path = await self._services.cover(storage, "whole")
            if path is None:
                raise NotFoundError
        except RagaBotError as error:
            return _refused(error)
        headers = {"Cache-Control": "private, max-age=3600", "Content-Type": "image/png", "Vary": "Cookie"}
        return web.FileResponse(path, headers=headers)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """A piece as another file: asked for as by the command, so that one that has gone is made again."""
        try:
            visitor, generation = self._asked(request)
        except RagaBotError as error:
            return _refused(error)
        return await self._file(visitor, "download", f"{generation} {request.match_info['kind'][:20]}")

    async def _export(self, request: web.Request) -> web.StreamResponse:
        """A copy of all that is the visitor's."""
        visitor, new = self._visitors.recognize(request)
        return _refused(NotFoundError()) if new else await self._file(visitor, "export", "")

    async def _file(self, visitor: Visitor, command: str, text: str) -> web.StreamResponse:
        try:
            reply = await self._services.respond(
                Request(
                    actor=visitor.actor,
                    place=visitor.place,
                    command=command,
                    event=secrets.token_hex(16),
                    text=text,
                )
            )
            if reply.download is None:
                return refusal(404, NotFoundError.code, reply.text or str(NotFoundError()))
            path = await self._services.download(reply.download.file)
        except RagaBotError as error:
            return _refused(error)
        headers = {
            "Cache-Control": "private, max-age=3600",
            "Content-Type": _FILE_TYPES.get(path.suffix, "application/octet-stream"),
            "Content-Disposition": _attachment(reply.download.filename),
            "Vary": "Cookie",
        }
        return web.FileResponse(path, headers=headers)

    async def _audio(self, request: web.Request) -> web.StreamResponse:
        try:
            visitor, generation = self._asked(request)
            storage = await self._services.playable(visitor.actor, visitor.place, generation)
            path = await self._services.audio(storage)
        except RagaBotError as error:
            return _refused(error)
        headers = {"Cache-Control": "private, max-age=3600", "Content-Type": "audio/mpeg", "Vary": "Cookie"}
        if request.query.get("download") == "1":
            name = await self._log.filename(visitor.account, generation) or f"raga-bot-{generation[:12]}.mp3"
            headers["Content-Disposition"] = _attachment(name)
        return web.FileResponse(path, headers=headers)


def _refused(error: RagaBotError) -> web.Response:
    return refusal(_STATUS.get(type(error), 400), error.code, error.message)


def _attachment(name: str) -> str:
    """A Content-Disposition by which every browser saves a file under its name (RFC 6266)."""
    plain = _SAFE_NAME.sub("_", name).strip() or "raga.mp3"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
