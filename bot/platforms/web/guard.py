"""What every request must pass and every response carries: hosts, origins, and protecting headers."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.platforms.web.wire import dump

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Server": "raga-bot",
}

log = logging.getLogger(__name__)

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_PORT_BY_SCHEME = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def refusal(status: int, code: str, message: str) -> web.Response:
    """An error as JSON, with a sentence for the person."""
    return web.Response(
        status=status,
        text=dump({"error": {"code": code, "message": message}}),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


class HostRule:
    """Which names the page may be reached by.

    Without it a foreign page could point its own name at this machine (DNS rebinding) and would count as the
    same origin. A bare address cannot be rebound, so where the bot listens on all addresses, any will do.
    """

    def __init__(self, bound: str, further: Sequence[str] = ()) -> None:
        names = {bound, *further, *_LOOPBACK_NAMES}
        self._names = frozenset(name.strip().strip("[]").rstrip(".").casefold() for name in names)
        self._any_address = bound in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound

    def admits(self, host_header: str) -> bool:
        """Whether a Host header names this bot."""
        match = _HOST.fullmatch(host_header)
        if match is None:
            return False
        name = match["name"].strip("[]").rstrip(".").casefold()
        if name in self._names:
            return True
        return self._any_address and _is_address(name)


def same_origin(request: web.Request) -> bool:
    """Whether a request comes from this bot's own page, or from no page at all."""
    origin = request.headers.get("Origin")
    if origin is None:
        # Browsers name the origin of every WebSocket and POST; for the rest there is the fetch metadata.
        return request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
    try:
        parts = urlsplit(origin)
        port = parts.port or _PORT_BY_SCHEME[parts.scheme]
        host = _HOST.fullmatch(request.host)
        if host is None or parts.hostname is None:
            return False
        own_port = int(host["port"]) if host["port"] else _PORT_BY_SCHEME[parts.scheme]
    except (ValueError, KeyError):
        return False
    return (parts.hostname.casefold(), port) == (host["name"].strip("[]").casefold(), own_port)


def own_page(request: web.Request, address: str) -> bool:
    """Whether a request comes from the page at this address of ours, or by it where no page is named."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin.casefold() == address.casefold()
    return request.host.casefold() == urlsplit(address).netloc.casefold()


def checked_by(rule: HostRule) -> Middleware:
    """The middleware that turns away foreign hosts and origins, and words what is wrong with a request."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not rule.admits(request.headers.get("Host", "")):
            return refusal(
                421,
                "wrong_host",
                "I am not reached by that name. To allow it, add it to WEB_ALLOWED_HOSTS and start me again.",
            )
        upgrade = request.headers.get("Upgrade", "").casefold() == "websocket"
        if (upgrade or request.method not in ("GET", "HEAD")) and not same_origin(request):
            return refusal(403, "wrong_origin", "That came from another page, and I answer only my own.")
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return refusal(404, "not_found", "There is nothing here.")
        except web.HTTPMethodNotAllowed as error:
            answer = refusal(405, "wrong_method", "That cannot be done here.")
            answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
            return answer
        except web.HTTPRequestEntityTooLarge:
            return refusal(413, "too_long", "That is too long for one message.")
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:
            log.exception("A request of the page could not be answered.")
            return refusal(500, "failed", "Something went wrong here. Please try again in a moment.")

    return check


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on a response that is about to be sent."""
    del request  # every response gets the same
    for name, value in HEADERS.items():
        response.headers[name] = value


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
