"""Signing in with Discord: OAuth2's authorization code grant, for nothing but who somebody is.

The endpoints and what they support are published as Discord's authorization server metadata (RFC 8414) at
https://discord.com/.well-known/oauth-authorization-server; the calls are those of its documentation, topic OAuth2.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from bot.platforms.discord.spot import NAME, account
from bot.platforms.proof import ANSWER_DEADLINE_S, Begun, DeniedError, OutOfReachError, ProofError, shown_name
from handlers.model import Actor

log = logging.getLogger(__name__)

_ROOT = "https://discord.com/api"
_VERSION = "v10"
_SCOPE = "identify"
_CODE = re.compile(r"[A-Za-z0-9_.~-]{1,512}")
_ID = re.compile(r"[0-9]{1,20}")
_ANSWER_BYTES = 64 * 1024
_REVOKE_DEADLINE_S = 5.0
_HEADERS = {"Accept": "application/json", "User-Agent": "DiscordBot (raga-bot, 1)"}
_OUT_OF_REACH = "I cannot reach Discord right now, so nothing has changed. Please try again in a minute."
_NOT_VALID = "Discord does not know that sign-in any more, so nothing has changed. Please sign in again."


class DiscordLogin:
    """``application``: the application's id, as soon as it is known from Discord. ``secret``: its client secret.

    ``api_url``: another server than Discord's own, as in the settings.
    """

    name = NAME

    def __init__(self, application: Callable[[], int | None], secret: str, *, api_url: str = "") -> None:
        self._application = application
        self._secret = secret
        self._root = _root(api_url)
        parts = urlsplit(self._root)
        self._issuer = f"{parts.scheme}://{parts.netloc}"

    def address(self, begun: Begun) -> str:
        """Where the visitor says yes. Raises OutOfReachError before Discord has been reached once."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).decode()
        query = {
            "response_type": "code",
            "client_id": self._client(),
            "scope": _SCOPE,
            "state": begun.state,
            "redirect_uri": begun.return_to,
            "code_challenge": challenge.rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self._root}/oauth2/authorize?{urlencode(query)}"

    async def prove(self, begun: Begun, answer: Mapping[str, str]) -> Actor:
        """Exchange the code, ask who it is, and give the token back. Raises ProofError."""
        if answer.get("error") == "access_denied":
            raise DeniedError("You did not allow it on Discord, so nothing has changed.")
        code = answer.get("code", "")
        # RFC 9207: an answer that another authorization server gave is none of ours.
        foreign = answer.get("iss", self._issuer) != self._issuer
        if "error" in answer or foreign or not _CODE.fullmatch(code):
            raise ProofError(_NOT_VALID)
        try:
            async with (
                asyncio.timeout(ANSWER_DEADLINE_S),
                aiohttp.ClientSession(headers=_HEADERS, cookie_jar=aiohttp.DummyCookieJar()) as http,
            ):
                return await self._exchanged(http, begun, code)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, RecursionError) as error:
            log.warning("A sign-in with Discord could not be finished: %s", type(error).__name__)
            raise OutOfReachError(_OUT_OF_REACH) from None

    async def _exchanged(self, http: aiohttp.ClientSession, begun: Begun, code: str) -> Actor:
        granted = await self._ask(
            http.post(
                f"{self._root}/oauth2/token",
                headers=self._client_auth(),
                data={
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": begun.return_to,
                    "code_verifier": begun.verifier,
                },
                allow_redirects=False,
            )
        )
        token = granted.get("access_token")
        if not isinstance(token, str) or not token or str(granted.get("token_type")).casefold() != "bearer":
            raise ProofError(_NOT_VALID)
        try:
            if _SCOPE not in str(granted.get("scope")).split():
                raise ProofError(_NOT_VALID)
            return _person(
                await self._ask(
                    http.get(
                        f"{self._root}/{_VERSION}/users/@me",
                        headers={"Authorization": f"Bearer {token}"},
                        allow_redirects=False,
                    )
                )
            )
        finally:
            await self._revoke(http, token)

    async def _revoke(self, http: aiohttp.ClientSession, token: str) -> None:
        """Give the token back; where that fails, it is forgotten here and ends by itself within a week."""
        try:
            async with (
                asyncio.timeout(_REVOKE_DEADLINE_S),
                http.post(
                    f"{self._root}/oauth2/token/revoke",
                    headers=self._client_auth(),
                    data={"token": token, "token_type_hint": "access_token"},
                    allow_redirects=False,
                ) as response,
            ):
                if response.status != 200:
                    log.warning("Discord has not taken a token back: status %d", response.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("A token could not be given back to Discord: %s", type(error).__name__)

    async def _ask(self, call: Any) -> Mapping[str, Any]:
        """The JSON object of an answer. Raises ProofError, and what aiohttp and json raise."""
        async with call as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > _ANSWER_BYTES:
                    raise ValueError("an answer without an end")
            if response.status == 429 or response.status >= 500:
                raise OutOfReachError(_OUT_OF_REACH)
            if response.status != 200:
                # Discord's own word for it is one of RFC 6749's, and holds nothing of the person's.
                log.warning("Discord refused a sign-in: status %d, %s", response.status, _reason(body))
                raise ProofError(_NOT_VALID)
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise ProofError(_NOT_VALID)
        return answer

    def _client_auth(self) -> dict[str, str]:
        """The client by its secret, as client_secret_basic (RFC 6749, section 2.3.1)."""
        told = base64.b64encode(f"{self._client()}:{self._secret}".encode()).decode()
        return {"Authorization": f"Basic {told}"}

    def _client(self) -> str:
        application = self._application()
        if application is None:
            raise OutOfReachError(_OUT_OF_REACH)
        return str(application)


_REASONS = frozenset(
    ("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope")
)


def _reason(body: bytes | bytearray) -> str:
    try:
        reason = json.loads(body)["error"]
    except (ValueError, TypeError, LookupError):
        return "no reason"
    if reason == "invalid_client":
        return "invalid_client: DISCORD_CLIENT_SECRET is not this application's"
    return str(reason) if reason in _REASONS else "no reason"


def _person(user: Mapping[str, Any]) -> Actor:
    ident = user.get("id")
    if not isinstance(ident, str) or not _ID.fullmatch(ident):
        raise ProofError(_NOT_VALID)
    return Actor(account(int(ident)), shown_name(user.get("global_name"), user.get("username")))


def _root(api_url: str) -> str:
    """The address of the unversioned API, under which the endpoints of OAuth2 are published."""
    if not api_url:
        return _ROOT
    before, found, _ = f"{api_url}/".partition("/api/")
    return f"{before if found else api_url}/api"
