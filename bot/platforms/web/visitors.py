"""Who a browser is: an account of its own, named by a cookie that only this bot can sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from aiohttp import web

from handlers.model import AccountId, Actor, Place

PLATFORM = "web"

COOKIE_AGE_S = 400 * 24 * 3600
"""The longest that browsers keep a cookie; each visit renews it."""

_TOKEN = re.compile(r"([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)")


@dataclass(frozen=True, slots=True)
class Visitor:
    """An account and the language of the browser that it is used in."""

    account: AccountId
    locale: str = "en"

    @property
    def actor(self) -> Actor:
        """The visitor as handlers know people."""
        return Actor(account=self.account, name="Guest", locale=self.locale)

    @property
    def place(self) -> Place:
        """The conversation: each account has one, and nobody else reads there."""
        return Place(platform=PLATFORM, chat=self.account, private=True)


class Visitors:
    """Reads and signs the cookie.

    The cookie's name depends on the key: two bots on one machine share the browser's cookies (ports do not
    count), and neither must overwrite the other's.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"raga-bot web visitor\0" + secret).digest()
        self.cookie = "raga_bot_" + hashlib.sha256(b"name\0" + self._key).hexdigest()[:8]

    def recognize(self, request: web.Request) -> tuple[Visitor, bool]:
        """The visitor, and whether they are new here. A forged or foreign cookie makes a new one."""
        locale = _locale(request.headers.get("Accept-Language", ""))
        match = _TOKEN.fullmatch(request.cookies.get(self.cookie, ""))
        if match and hmac.compare_digest(self._signature(match[1]), match[2]):
            return Visitor(_account(match[1]), locale), False
        return Visitor(_account(secrets.token_hex(16)), locale), True

    def remember(self, request: web.Request, response: web.StreamResponse, visitor: Visitor) -> None:
        """Put the visitor's cookie on a response that has not been sent yet."""
        name = visitor.account.removeprefix(f"{PLATFORM}:")
        response.set_cookie(
            self.cookie,
            f"{name}.{self._signature(name)}",
            max_age=COOKIE_AGE_S,
            path="/",
            httponly=True,
            samesite="Strict",
            # Behind a proxy that ends TLS, only the browser knows that the page came encrypted.
            secure=request.secure or request.headers.get("Origin", "").startswith("https:"),
        )

    def _signature(self, name: str) -> str:
        digest = hmac.new(self._key, name.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _account(name: str) -> AccountId:
    return AccountId(f"{PLATFORM}:{name}")


def _locale(accept_language: str) -> str:
    match = _LANGUAGE.match(accept_language[:100])
    return match[1] if match else "en"
