"""Telegram's login as the widget's script opens it: asks the person, and signs the answer with the bot's token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from tests.peers.telegram.world import BOT, TOKEN, Json

if TYPE_CHECKING:
    from tests.peers.telegram.peer import TelegramPeer
    from tests.peers.telegram.people import Person


def sign(fields: Json, token: str = TOKEN) -> Json:
    """The fields with their hash, as Telegram documents it."""
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    secret = hashlib.sha256(token.encode()).digest()
    return fields | {"hash": hmac.new(secret, lines.encode(), hashlib.sha256).hexdigest()}


def coded(value: object) -> str:
    """As the answer stands in the fragment."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class Login:
    """``domain``: what BotFather was told. ``person``: who the browser is signed in as on Telegram."""

    def __init__(self, peer: TelegramPeer) -> None:
        self._peer = peer
        self.domain = ""
        self.person: Person | None = None
        self.ahead_s = 0

    def add_to(self, router: web.UrlDispatcher) -> None:
        """At an address of its own, below ``/login``."""
        router.add_get("/login/auth", self._shown)
        router.add_post("/login/auth", self._decided)

    def fields(self, person: Person) -> Json:
        """What is told of somebody."""
        return {
            "id": person.ident,
            "first_name": person.json["first_name"],
            "photo_url": f"https://t.me/i/userpic/320/{person.ident}.jpg",
            "auth_date": int(time.time()) + self.ahead_s,
        }

    async def _shown(self, request: web.Request) -> web.Response:
        if why := self._wrong(request):
            self._peer.problems.append(f"login: {why}")
            return web.Response(text=why)
        assert self.person is not None
        return web.Response(
            content_type="text/html",
            text='<!doctype html><link rel="icon" href="data:,">'
            f"<title>Telegram</title><h1>{html.escape(self.person.json['first_name'])}</h1>"
            '<form method="post"><button name="said" value="yes">Accept</button>'
            '<button name="said" value="no">Decline</button></form>',
        )

    def _wrong(self, request: web.Request) -> str:
        query = request.query
        if set(query) != {"bot_id", "origin", "return_to", "request_access"}:
            return f"asked with {sorted(query)}"
        if query["bot_id"] != str(BOT["id"]):
            return "Bot id invalid"
        origin = urlsplit(query["origin"])
        if origin.hostname != self.domain or origin.path:
            return "Bot domain invalid"
        if not query["return_to"].startswith(f"{query['origin']}/"):
            return "return_to invalid"
        return ""

    async def _decided(self, request: web.Request) -> web.Response:
        assert not self._wrong(request)
        assert self.person is not None
        said = (await request.post())["said"]
        result = sign(self.fields(self.person)) if said == "yes" else False
        raise web.HTTPFound(f"{request.query['return_to']}#tgAuthResult={coded(result)}")
