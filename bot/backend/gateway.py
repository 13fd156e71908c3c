"""Convex's functions over its HTTP API: every call has a deadline, and only what is safe is sent again."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, Protocol, cast
from urllib.parse import urlsplit

import httpx
from convex import convex_to_json, json_to_convex

from bot.backend.documents import Document
from bot.backoff import Backoff
from handlers.errors import (
    DeletingError,
    ForbiddenError,
    InvalidInputError,
    NotAuthenticatedError,
    NotFoundError,
    RagaBotError,
    TooManyError,
    UnavailableError,
)
from handlers.model import StorageId

log = logging.getLogger(__name__)

DEADLINE_S = 10.0
MAX_ANSWER_BYTES = 32 * 2**20
"""Convex gives at most 16 MiB; JSON may need more letters for it."""

_MAX_MESSAGE_LETTERS = 300
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 3.0
_ANSWERED = (200, 560)  # 560: some deployments' status for a function that threw
_NOT_RUN = (429, 503)  # refused before, or rolled back: nothing was written
_UNSURE = (408, 500, 502, 504)

Kind = Literal["query", "mutation", "action"]


class TokenSource(Protocol):
    """Gives the caller's token; ``fresh`` asks for one that was not given before."""

    def __call__(self, *, fresh: bool = False) -> str:
        """A JWT."""


Token = TokenSource | str | None


class _NotNowError(Exception):
    """An attempt failed in a way that may pass. ``ran`` says whether the function may have been executed."""

    def __init__(self, why: str, *, ran: bool, after_s: float = 0.0) -> None:
        super().__init__(why)
        self.ran = ran
        self.after_s = after_s


class _RefusedTokenError(Exception):
    pass


def http_client(url: str) -> httpx.AsyncClient:
    """The client for a deployment's function calls and files; close it when the bot stops."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(30.0, connect=5.0),
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
        # A proxy of the environment cannot reach a deployment on this machine.
        trust_env=not is_loopback(url),
    )


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Convex:
    """One deployment. ``calls`` counts the attempts that were sent, by function path."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url.rstrip("/")
        self.http = http
        self.calls: Counter[str] = Counter()

    async def query(
        self, path: str, args: Mapping[str, object], token: Token = None, *, deadline_s: float = DEADLINE_S
    ) -> Any:
        """Run a query. Raises errors of handlers.errors and nothing else."""
        return await self._call("query", path, args, token, deadline_s, repeatable=True)

    async def mutation(
        self,
        path: str,
        args: Mapping[str, object],
        token: Token = None,
        *,
        repeatable: bool = False,
        deadline_s: float = DEADLINE_S,
    ) -> Any:
        """Run a mutation. ``repeatable``: running it twice is as good as once, so it may be sent again when its
        answer was lost; one with an ``idempotencyKey`` always is. Raises errors of handlers.errors and nothing else.
        """
        safe = repeatable or args.get("idempotencyKey") is not None
        return await self._call("mutation", path, args, token, deadline_s, repeatable=safe)

    async def action(
        self, path: str, args: Mapping[str, object], token: Token = None, *, deadline_s: float = DEADLINE_S
    ) -> Any:
        """Run an action, once at most. Raises errors of handlers.errors and nothing else."""
        return await self._call("action", path, args, token, deadline_s, repeatable=False)

    async def upload(
        self, url: str, data: bytes, content_type: str, *, deadline_s: float = 60.0
    ) -> StorageId:
        """Send a file to an upload address, once: a second attempt takes a fresh address. Raises UnavailableError."""
        try:
            async with asyncio.timeout(deadline_s):
                status, _, body = await self._post(url, data, {"Content-Type": content_type})
            stored = Document(_json(body) if status == 200 else {"status": status})
            return StorageId(stored.text("storageId"))
        except (TimeoutError, _NotNowError, RagaBotError) as error:
            log.info("An upload did not work: %s", _reason(error))
            raise UnavailableError from None

    async def _call(
        self,
        kind: Kind,
        path: str,
        args: Mapping[str, object],
        token: Token,
        deadline_s: float,
        *,
        repeatable: bool,
    ) -> Any:
        encoded = convex_to_json(cast("Any", args))
        request = {"path": path, "args": encoded, "format": "convex_encoded_json"}
        body = json.dumps(request, separators=(",", ":"), allow_nan=False).encode()
        clock = asyncio.get_running_loop().time
        end = clock() + deadline_s
        backoff = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        fresh = False
        while True:
            left_s = end - clock()
            try:
                # A lost answer to something that can be repeated should leave time for the repeat.
                async with asyncio.timeout(max(0.0, left_s / 2 if repeatable else left_s)):
                    return await self._attempt(kind, path, body, _bearer(token, fresh=fresh))
            except _RefusedTokenError:
                if fresh or token is None or isinstance(token, str):
                    raise NotAuthenticatedError from None
                fresh = True
                continue
            except (TimeoutError, _NotNowError) as error:
                ran = error.ran if isinstance(error, _NotNowError) else True
                after_s = error.after_s if isinstance(error, _NotNowError) else 0.0
                wait_s = max(after_s, backoff.pause_s())
                if (ran and not repeatable) or clock() + wait_s >= end - _FIRST_PAUSE_S:
                    log.info("Convex did not answer %s: %s", path, _reason(error))
                    raise UnavailableError from None
            await asyncio.sleep(wait_s)

    async def _attempt(self, kind: Kind, path: str, body: bytes, headers: dict[str, str]) -> Any:
        status, after_s, answer = await self._post(f"{self.url}/api/{kind}", body, headers, path)
        if status == 401:
            raise _RefusedTokenError
        if status in _NOT_RUN:
            raise _NotNowError(f"status {status}", ran=False, after_s=after_s)
        if status in _UNSURE:
            raise _NotNowError(f"status {status}", ran=True, after_s=after_s)
        if status not in _ANSWERED:
            log.error("Convex refused a call of %s with status %d.", path, status)
            raise RagaBotError
        result = _json(answer)
        match result:
            case {"status": "success", "value": value}:
                return json_to_convex(cast("Any", value))
            case {"status": "error"}:
                raise _error(path, cast("dict[str, object]", result))
            case _:
                raise _NotNowError("an answer of another shape", ran=True)

    async def _post(
        self, url: str, body: bytes, headers: dict[str, str], path: str = "upload"
    ) -> tuple[int, float, bytes]:
        headers = {"Content-Type": "application/json", **headers}
        try:
            async with self.http.stream("POST", url, content=body, headers=headers) as response:
                self.calls[path] += 1
                answer = bytearray()
                async for chunk in response.aiter_bytes():
                    answer += chunk
                    if len(answer) > MAX_ANSWER_BYTES:
                        log.error("Convex's answer to %s is too large.", path)
                        raise UnavailableError
                return response.status_code, _retry_after_s(response), bytes(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _NotNowError(type(error).__name__, ran=False) from None
        except httpx.HTTPError as error:
            raise _NotNowError(type(error).__name__, ran=True) from None


def _bearer(token: Token, *, fresh: bool) -> dict[str, str]:
    if token is None:
        return {}
    return {"Authorization": f"Bearer {token if isinstance(token, str) else token(fresh=fresh)}"}


def _json(body: bytes) -> object:
    try:
        # Whole numbers too: a Convex number is a float, and the codec takes nothing else.
        return cast("object", json.loads(body, parse_int=float))
    except ValueError:
        raise _NotNowError("an answer that is no JSON", ran=True) from None


def _retry_after_s(response: httpx.Response) -> float:
    try:
        return max(0.0, float(response.headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _error(path: str, result: dict[str, object]) -> RagaBotError:
    data = result.get("errorData")
    code = data.get("code") if isinstance(data, dict) else None
    text = data.get("message") if isinstance(data, dict) else None
    # Our functions write these sentences for people; anything longer was not meant for them.
    message = text if isinstance(text, str) and 0 < len(text) <= _MAX_MESSAGE_LETTERS else None
    match code:
        case "not_authenticated":
            return NotAuthenticatedError()
        case "not_found":
            return NotFoundError()
        case "forbidden":
            return ForbiddenError(message)
        case "invalid" | "last_account":
            return InvalidInputError(message)
        case "deleting":
            return DeletingError(message)
        case "too_many":
            return TooManyError(message)
        case "conflict":
            return RagaBotError(message)
        case _:
            # Whatever the server says of an unexpected error is for the log.
            log.error("Convex's function %s failed: %.500s", path, result.get("errorMessage"))
            return RagaBotError()
