"""Updates that Telegram brings by itself, to an address of ours behind a proxy that speaks HTTPS."""

from __future__ import annotations

import hmac
import json
import logging

from aiohttp import web

from bot.platforms.telegram.intake import Intake

log = logging.getLogger(__name__)

PATH = "/telegram"
"""Where the proxy brings them, and what the public address ends in if it names no path of its own."""

_BODY_BYTES = 2**20
_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Webhook:
    """A small web server on the loopback; only who knows the secret is heard."""

    def __init__(self, intake: Intake, secret: str, host: str = "127.0.0.1") -> None:
        self._intake = intake
        self._secret = secret.encode()
        self._host = host
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> int:
        """Listen; returns the port. Raises OSError."""
        app = web.Application(client_max_size=_BODY_BYTES)
        app.router.add_post("/{path:.*}", self._arrived)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _arrived(self, request: web.Request) -> web.Response:
        given = request.headers.get(_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            return web.Response(status=403)
        try:
            raw = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400)
        await self._intake.room()
        self._intake.take(raw)
        await self._intake.remember()
        return web.Response()
