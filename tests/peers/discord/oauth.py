"""Discord's authorization server, strict: what a browser sees of it, and what a client may ask."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from tests.peers.discord.world import BOT_ID, Json

if TYPE_CHECKING:
    from tests.peers.discord.peer import DiscordPeer
    from tests.peers.discord.people import Person

CLIENT_SECRET = "the-client-secret-of-the-tests-4bT"
CODE_S = 60.0
_ASKED = {
    "response_type", "client_id", "scope", "state", "redirect_uri", "code_challenge", "code_challenge_method",
}  # fmt: skip
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_STATE = re.compile(r"[A-Za-z0-9_-]{22,}")


@dataclass
class Grant:
    """What somebody allowed: as a code, and then as a token."""

    person: Person
    redirect_uri: str
    challenge: str
    at_s: float
    used: bool = False
    revoked: bool = False


class OAuth:
    """``redirects``: what stands in the developer portal. ``person``: who the browser is signed in as on Discord."""

    def __init__(self, peer: DiscordPeer) -> None:
        self._peer = peer
        self.redirects: set[str] = set()
        self.person: Person | None = None
        self.codes: dict[str, Grant] = {}
        self.tokens: dict[str, Grant] = {}
        self.refusals: list[str] = []
        self.scope = "identify"
        self.trouble = 0
        """A status with which the token's endpoint answers instead."""
        self.held: asyncio.Event | None = None
        """The token's endpoint answers only once it is set."""

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Where Discord has it."""
        router.add_get("/api/oauth2/authorize", self._shown)
        router.add_post("/api/oauth2/authorize", self._decided)
        router.add_post("/api/oauth2/token", self._exchanged)
        router.add_post("/api/oauth2/token/revoke", self._revoked)

    async def _shown(self, request: web.Request) -> web.Response:
        """The page that asks the person."""
        query = request.query
        why = self._wrong(dict(query))
        if why:
            self._peer.problems.append(f"authorize: {why}")
            return web.Response(status=400, text=why)
        assert self.person is not None
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in query.items()
        )
        return web.Response(
            content_type="text/html",
            text='<!doctype html><link rel="icon" href="data:,">'
            f"<title>Discord</title><h1>{html.escape(self.person.json['global_name'])}</h1>"
            f'<form method="post">{hidden}<button name="said" value="yes">Authorize</button>'
            '<button name="said" value="no">Cancel</button></form>',
        )

    def _wrong(self, query: Json) -> str:
        if set(query) != _ASKED:
            return f"asked with {sorted(query)}"
        checks = {
            "response_type": query["response_type"] == "code",
            "client_id": query["client_id"] == str(BOT_ID),
            "scope": query["scope"] == "identify",
            "state": _STATE.fullmatch(query["state"]),
            "redirect_uri": query["redirect_uri"] in self.redirects,
            "code_challenge": _CHALLENGE.fullmatch(query["code_challenge"]),
            "code_challenge_method": query["code_challenge_method"] == "S256",
        }
        return next((f"Invalid {name}" for name, fits in checks.items() if not fits), "")

    async def _decided(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        said = form.pop("said")
        assert not self._wrong(form)
        answer = {"state": form["state"], "iss": self._peer.url}
        if said == "yes":
            answer["code"] = self.grant(form["redirect_uri"], form["code_challenge"])
        else:
            answer |= {"error": "access_denied", "error_description": "The user has denied your application"}
        raise web.HTTPFound(f"{form['redirect_uri']}?{urlencode(answer)}")

    def grant(self, redirect_uri: str, challenge: str) -> str:
        """The code of somebody who has said yes."""
        assert self.person is not None
        code = secrets.token_urlsafe(22)
        self.codes[code] = Grant(self.person, redirect_uri, challenge, self._peer.clock.now())
        return code

    async def _exchanged(self, request: web.Request) -> web.Response:
        if self.held is not None:
            await self.held.wait()
        if self.trouble:
            return web.Response(status=self.trouble, text="<html>trouble</html>")
        refused = self._client(request)
        if refused is not None:
            return refused
        form = await request.post()
        code = str(form.get("code", ""))
        grant = self.codes.get(code)
        if set(form) != {"grant_type", "code", "redirect_uri", "code_verifier"}:
            return self._refuse("invalid_request", f"asked with {sorted(form)}")
        if form["grant_type"] != "authorization_code":
            return self._refuse("unsupported_grant_type", str(form["grant_type"]))
        if grant is None or grant.used or self._peer.clock.now() - grant.at_s > CODE_S:
            return self._refuse("invalid_grant", 'Invalid "code" in request.')
        grant.used = True
        if form["redirect_uri"] != grant.redirect_uri:
            return self._refuse("invalid_grant", 'Invalid "redirect_uri" in request.')
        verifier = str(form["code_verifier"])
        digest = hashlib.sha256(verifier.encode()).digest()
        if (
            not _VERIFIER.fullmatch(verifier)
            or base64.urlsafe_b64encode(digest).decode().rstrip("=") != grant.challenge
        ):
            return self._refuse("invalid_grant", 'Invalid "code_verifier" in request.')
        token = secrets.token_urlsafe(22)
        self.tokens[token] = grant
        return web.json_response(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": 604800,
                "refresh_token": secrets.token_urlsafe(22),
                "scope": self.scope,
            }
        )

    async def _revoked(self, request: web.Request) -> web.Response:
        refused = self._client(request)
        if refused is not None:
            return refused
        form = await request.post()
        grant = self.tokens.get(str(form.get("token")))
        if grant is not None:
            grant.revoked = True
        return web.json_response({})

    def me(self, request: web.Request) -> web.Response:
        """The person of a token."""
        grant = self.tokens.get(request.headers["Authorization"].removeprefix("Bearer "))
        if grant is None or grant.revoked:
            return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)
        return web.json_response(grant.person.json)

    def _client(self, request: web.Request) -> web.Response | None:
        if request.content_type != "application/x-www-form-urlencoded":
            return self._refuse("invalid_request", "no form")
        told = base64.b64encode(f"{BOT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {told}":
            return self._refuse("invalid_client", "not this client", 401)
        return None

    def _refuse(self, error: str, why: str, status: int = 400) -> web.Response:
        self.refusals.append(f"{error}: {why}")
        return web.json_response({"error": error, "error_description": why}, status=status)
