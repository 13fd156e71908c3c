"""The new home: calls to Convex's ``migration:*`` functions, with patience where it is busy or away."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from bot.backend.gateway import Convex, http_client
from bot.backend.identity import IdentityError, Keys, Signer, bot_id
from bot.backend.local import LocalConvex, LocalConvexError, environment, recorded_url
from handlers.errors import NotAuthenticatedError, NotFoundError, RagaBotError, UnavailableError
from migration.errors import MigrationError

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

CALL_DEADLINE_S = 30.0
UPLOAD_DEADLINE_S = 600.0
PATIENCE_S = 600.0
"""So long without an answer, and the migration gives up; --resume goes on from there."""

GREETING_S = 15.0
"""So long, before anything is begun."""

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_PAGE = 100


class AwayError(MigrationError):
    """Convex has not answered for as long as this migration waits."""


class RefusedError(Exception):
    """Convex ran the function and it failed: perhaps there was too much in one call."""


@dataclass(frozen=True, slots=True)
class Found:
    """A document that a migration brought, as it is now. ``doc`` is None when it is gone; files by their SHA-256."""

    table: str
    id: str
    target: str
    run: str
    how: str
    doc_id: str
    checksum: str
    doc: Mapping[str, Any] | None
    files: Mapping[str, str]


class Deployment:
    """One Convex deployment, called as the bot itself."""

    def __init__(
        self,
        convex: Convex,
        signer: Signer,
        *,
        patience_s: float = PATIENCE_S,
        say: Callable[[str], None] = log.info,
    ) -> None:
        self.convex = convex
        self.url = convex.url
        self._signer = signer
        self._patience_s = patience_s
        self._say = say
        self._deadline_s = min(CALL_DEADLINE_S, patience_s)

    async def mutation(self, path: str, args: Mapping[str, object]) -> Any:
        """A mutation that may run twice. Raises MigrationError, RefusedError."""
        return await self._patiently(
            path,
            lambda: self.convex.mutation(
                path, args, self._signer.bot, repeatable=True, deadline_s=self._deadline_s
            ),
        )

    async def query(self, path: str, args: Mapping[str, object]) -> Any:
        """A query. Raises MigrationError, RefusedError."""
        return await self._patiently(
            path, lambda: self.convex.query(path, args, self._signer.bot, deadline_s=self._deadline_s)
        )

    async def upload(
        self, data: bytes, content_type: str, stored: Callable[[], Awaitable[str | None]]
    ) -> str:
        """Store a file; its id. ``stored`` finds one of which it is not sure whether it arrived.

        Raises MigrationError.
        """

        async def once() -> str:
            url = await self.mutation("migration:uploadUrl", {})
            try:
                return await self.convex.upload(url, data, content_type, deadline_s=UPLOAD_DEADLINE_S)
            except UnavailableError:
                arrived = await stored()
                if arrived is None:
                    raise
                return arrived

        return await self._patiently("the upload of a file", once)

    async def pages(self, path: str, args: Mapping[str, object]) -> AsyncIterator[list[Any]]:
        """The pages of a paginated query. Raises MigrationError, RefusedError."""
        cursor: str | None = None
        size = _PAGE
        while True:
            options = {"numItems": size, "cursor": cursor}
            try:
                answer = await self.query(path, {**args, "paginationOpts": options})
            except RefusedError:
                # So many large documents may be more than Convex reads in one call.
                if size == 1:
                    raise
                size //= 2
                continue
            yield cast("list[Any]", answer["page"])
            if answer["isDone"]:
                return
            cursor = answer["continueCursor"]

    async def found(self, source: str, keys: Sequence[tuple[str, str, str]]) -> list[Found]:
        """Some documents that migration brought. Raises MigrationError, RefusedError."""
        given = [{"table": table, "id": row, "target": target} for table, row, target in keys]
        try:
            answer = await self.query("migration:entries", {"source": source, "keys": given})
        except RefusedError:
            if len(keys) == 1:
                raise
            half = len(keys) // 2
            return [*await self.found(source, keys[:half]), *await self.found(source, keys[half:])]
        return [found_of(one) for one in answer]

    async def _patiently(self, path: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        clock = asyncio.get_running_loop().time
        end = clock() + self._patience_s
        pause_s = _FIRST_PAUSE_S
        said = False
        while True:
            try:
                return await call()
            except UnavailableError:
                if clock() + pause_s > end:
                    raise AwayError(
                        f"Convex at {self.url} does not answer. Nothing is lost: go on with --resume once it does."
                    ) from None
                if not said:
                    self._say(f"Convex at {self.url} is busy or away. I wait for it.")
                    said = True
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            except NotAuthenticatedError:
                raise MigrationError(
                    f"Convex at {self.url} does not know this bot's key: `raga-bot doctor` says what to do."
                ) from None
            except NotFoundError:
                raise MigrationError(f"Convex at {self.url} does not let this bot call {path}.") from None
            except RagaBotError as error:
                raise RefusedError(f"{path}: {error.message}") from None


def found_of(value: Mapping[str, Any]) -> Found:
    """Read what ``migration:page`` and ``migration:entries`` give."""
    sums = {file["id"]: sha256_of(file["sha256"]) for file in value["files"]}
    doc = value["doc"]
    files = {
        name: sums[doc[name]] for name in ("file", "audioFileId") if doc is not None and doc.get(name) in sums
    }
    return Found(
        value["table"],
        value["id"],
        value["target"],
        value["run"],
        value["how"],
        value["docId"],
        value["checksum"],
        doc,
        files,
    )


def sha256_of(stored: str | None) -> str:
    """A sum of Convex's storage in hexadecimal: it gives base64, some versions hexadecimal, and None for no file."""
    if stored is None:
        return ""
    if len(stored) == 64:
        return stored.lower()
    return base64.b64decode(stored).hex()


@contextlib.asynccontextmanager
async def deployment(
    state_dir: Path,
    issuer: str,
    url: str,
    *,
    patience_s: float = PATIENCE_S,
    say: Callable[[str], None] = log.info,
) -> AsyncIterator[Deployment]:
    """The deployment at an address; without one the local deployment, started here unless it runs.

    Raises MigrationError.
    """
    try:
        keys = Keys.load(state_dir)
        signer = Signer(keys, bot_id(state_dir), issuer)
    except IdentityError as error:
        raise MigrationError(str(error)) from None
    async with contextlib.AsyncExitStack() as stack:
        at = url or await _running(state_dir)
        if not at:
            local = LocalConvex(state_dir, 0, environment(issuer, keys.jwks_data_uri()))
            stack.push_async_callback(local.stop)
            try:
                at = await local.start()
            except LocalConvexError as error:
                raise MigrationError(str(error)) from None
        http = await stack.enter_async_context(http_client(at))
        yield Deployment(Convex(at, http), signer, patience_s=patience_s, say=say)


async def _running(state_dir: Path) -> str:
    """The address of the local deployment, if it runs."""
    url = recorded_url(state_dir)
    if url is None:
        return ""
    async with http_client(url) as http:
        try:
            await Convex(url, http).query("catalogue:version", {}, deadline_s=3.0)
        except RagaBotError:
            return ""
    return url
