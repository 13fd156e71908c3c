"""Signing in to the page with another platform: where it begins, and where the provider's answer ends.

The provider sends the browser back to a page of ours. The visitor's cookie does not come along on that way (it is
SameSite=Strict), nor should it: the page reads the answer from its own address, clears the address, and posts the
answer here as a request of its own, which does carry the cookie. So nothing happens by the visit itself.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.platforms import Services
from bot.platforms.proof import DeniedError, Login, OutOfReachError, ProofError
from bot.platforms.web.errands import Errands, TooManyBegunError
from bot.platforms.web.guard import own_page, refusal
from bot.platforms.web.message_log import MessageLog
from bot.platforms.web.visitors import Visitor, Visitors
from bot.platforms.web.wire import dump

log = logging.getLogger(__name__)

_FIELDS = 16
_NO_COOKIE = (
    "This browser has not shown its cookie, so I cannot tell whom to sign in. "
    "Please allow cookies for this page, reload it, and sign in again."
)
_OVER = (
    "This sign-in is over: it takes ten minutes at most, and goes on in the browser in which it was begun. "
    "Please sign in again here."
)
_MANY = "Many sign-ins have been begun just now. Please wait ten minutes, and try again."
_STATUS: Mapping[type[ProofError], int] = {OutOfReachError: 503, DeniedError: 403}


class SignIn:
    """``public_url`` gives the address by which people reach the page; providers send them back there."""

    def __init__(
        self,
        services: Services,
        message_log: MessageLog,
        visitors: Visitors,
        logins: Sequence[Login],
        public_url: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._log = message_log
        self._visitors = visitors
        self._logins = {login.name: login for login in logins}
        self._public_url = public_url
        self._errands = Errands(clock)

    @property
    def offered(self) -> tuple[str, ...]:
        """The names of the providers."""
        return tuple(self._logins)

    def add_to(self, router: web.UrlDispatcher, page: Handler) -> None:
        """Register the addresses of what is offered. ``page``: the chat page, which reads its own address."""
        for name, login in self._logins.items():
            router.add_get(f"/signin/{name}", page)
            router.add_post(f"/api/signin/{name}", partial(self._begin, login))
            router.add_post(f"/api/signin/{name}/finish", partial(self._finish, login))

    def _visitor(self, request: web.Request) -> Visitor | None:
        visitor, new = self._visitors.recognize(request)
        return None if new else visitor

    async def _begin(self, login: Login, request: web.Request) -> web.Response:
        """The address of the provider to which this visitor goes."""
        visitor = self._visitor(request)
        if visitor is None:
            return refusal(403, "no_cookie", _NO_COOKIE)
        public = self._public_url()
        if not own_page(request, public):
            # The cookie of one name of this bot is not sent to another.
            return refusal(
                409, "other_address", f"Signing in works at {public} only. Please open that address."
            )
        try:
            begun = self._errands.begin(visitor.account, login.name, f"{public}/signin/{login.name}")
            address = login.address(begun)
        except TooManyBegunError:
            return refusal(429, "too_many", _MANY)
        except ProofError as error:
            return _refused(error)
        return _answer({"address": address})

    async def _finish(self, login: Login, request: web.Request) -> web.Response:
        """What came back: whose account it is, and the question whether it is to be the visitor's too."""
        visitor = self._visitor(request)
        if request.content_type != "application/json":
            return refusal(415, "not_json", "Send JSON, with Content-Type application/json.")
        answer = _read(await request.read())
        if answer is None:
            return refusal(400, "invalid", "I could not read that answer. Please sign in again.")
        if visitor is None:
            return refusal(403, "no_cookie", _NO_COOKIE)
        begun = self._errands.end(visitor.account, login.name, answer.pop("state", ""))
        if begun is None:
            return refusal(403, "over", _OVER)
        try:
            proven = await login.prove(begun, answer)
        except ProofError as error:
            log.info("A sign-in by %s has not succeeded: %s", login.name, error.code)
            return _refused(error)
        # The question is a message, which a conversation that nobody has begun yet would not take.
        await self._log.begin(visitor.account)
        reply = await self._services.sign_in(visitor.actor, proven)
        return _answer({"ok": reply.ok, "text": reply.text})


def _read(body: bytes) -> dict[str, str] | None:
    """The fields of an answer; the server's own limit is the bound of its size."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or len(value) > _FIELDS:
        return None
    return value if all(isinstance(one, str) for one in value.values()) else None


def _answer(body: Mapping[str, str | bool]) -> web.Response:
    return web.Response(
        text=dump(body), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _refused(error: ProofError) -> web.Response:
    return refusal(_STATUS.get(type(error), 400), error.code, str(error))
