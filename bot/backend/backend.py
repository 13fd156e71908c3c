"""The handlers' Backend over Convex: every call carries the token of the account that asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from bot.backend.documents import Document, favorite_of, generation_of, page_of, request_document
from bot.backend.gateway import Convex, TokenSource
from bot.backend.identity import Signer
from handlers.model import (
    Actor,
    Cursor,
    Favorite,
    FavoriteTarget,
    Generation,
    GenerationId,
    GenerationRequest,
    MessageRef,
    Page,
    Place,
    StorageId,
)

_IDS_AT_ONCE = 500


class ConvexBackend:
    """What people asked for and keep. Every method raises errors of handlers.errors and nothing else."""

    def __init__(self, convex: Convex, signer: Signer, now: Callable[[], float] = time.time) -> None:
        self._convex = convex
        self._signer = signer
        self._now = now

    def _token(self, actor: Actor) -> TokenSource:
        return partial(self._signer.user, actor)

    async def start_generation(
        self,
        actor: Actor,
        request: GenerationRequest,
        *,
        key: str,
        delivery: MessageRef | None,
        group: str | None = None,
        room: str | None = None,
    ) -> Generation:
        """Queue a piece: one call. What is returned is the asked-for request; a replayed key gives the same id."""
        args: dict[str, object] = {"request": request_document(request), "idempotencyKey": key}
        if delivery is not None:
            args["delivery"] = {
                "platform": delivery.platform,
                "chat": delivery.chat,
                "message": delivery.message,
                **({} if group is None else {"group": group}),
                **({} if room is None else {"room": room}),
            }
        started = await self._convex.mutation("musicGeneration:startGeneration", args, self._token(actor))
        return Generation(
            id=GenerationId(Document({"id": started}).text("id")),
            status="processing",
            request=request,
            created_at_ms=self._now() * 1000.0,
        )

    async def generation(self, actor: Actor, place: Place, generation: GenerationId) -> Generation:
        """One piece that the actor may see."""
        args = {"generationId": generation, "place": _place(place)}
        return generation_of(
            Document(await self._convex.query("musicGeneration:get", args, self._token(actor)))
        )

    async def history(self, actor: Actor, cursor: Cursor | None, limit: int) -> Page[Generation]:
        """The actor's own pieces, newest first."""
        page = await self._convex.query("musicGeneration:history", _page(cursor, limit), self._token(actor))
        return page_of(Document(page), generation_of)

    async def favorites(self, actor: Actor, cursor: Cursor | None, limit: int) -> Page[Favorite]:
        """What the actor keeps, newest first."""
        page = await self._convex.query("favorites:list", _page(cursor, limit), self._token(actor))
        return page_of(Document(page), favorite_of)

    async def set_favorite(
        self, actor: Actor, place: Place, target: FavoriteTarget, on: bool | None, *, key: str
    ) -> bool:
        """Keep or let go; returns what it is now."""
        named = {"generationId": target.generation, "raga": target.raga, "tradition": target.tradition}
        args: dict[str, object] = {name: value for name, value in named.items() if value is not None}
        args |= {"on": on, "idempotencyKey": key, "place": _place(place)}
        now_on = await self._convex.mutation("favorites:set", args, self._token(actor))
        return Document({"on": now_on}).flag("on")

    async def cancel(self, actor: Actor, generation: GenerationId | None) -> Generation | None:
        """Stop one of the actor's own pieces (None: their newest that runs)."""
        args = {} if generation is None else {"generationId": generation}
        # Without an id a repeat could stop a second piece.
        view = await self._convex.mutation(
            "musicGeneration:cancel", args, self._token(actor), repeatable=generation is not None
        )
        return None if view is None else generation_of(Document(view))

    async def remove(self, actor: Actor, generation: GenerationId) -> None:
        """Take one of the actor's own pieces out of their history, with its audio."""
        await self._convex.mutation(
            "musicGeneration:remove", {"generationId": generation}, self._token(actor)
        )


class BotRecord:
    """What the bot does in its own name: marks deliveries done, finds stored files."""

    def __init__(self, convex: Convex, signer: Signer) -> None:
        self._convex = convex
        self._signer = signer

    async def delivered(self, delivery: str) -> None:
        """Mark a delivery done; again is harmless. Raises errors of handlers.errors."""
        await self._convex.mutation(
            "deliveries:done", {"deliveryId": delivery}, self._signer.bot, repeatable=True
        )

    async def told(self, notice: str) -> None:
        """Mark a notice told; again is harmless. Raises errors of handlers.errors."""
        await self._convex.mutation("notices:done", {"noticeId": notice}, self._signer.bot, repeatable=True)

    async def file_url(self, storage_id: StorageId) -> str | None:
        """Where a stored file can be fetched, None where there is none. Raises errors of handlers.errors."""
        url = await self._convex.query("files:getFileUrl", {"storageId": storage_id}, self._signer.bot)
        return url if isinstance(url, str) else None

    async def gone(self, ids: Sequence[str]) -> frozenset[str]:
        """Which ids of stored files and pieces stand for nothing any more. Raises errors of handlers.errors."""
        found: set[str] = set()
        for start in range(0, len(ids), _IDS_AT_ONCE):
            batch = list(ids[start : start + _IDS_AT_ONCE])
            answer = await self._convex.query("files:gone", {"ids": batch}, self._signer.bot)
            found.update(one for one in answer if isinstance(one, str))
        return frozenset(found)


def _place(place: Place) -> dict[str, object]:
    return {"platform": place.platform, "chat": place.chat}


def _page(cursor: Cursor | None, limit: int) -> dict[str, object]:
    return {"paginationOpts": {"numItems": limit, "cursor": cursor}}
