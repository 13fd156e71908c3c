"""Pieces that people let others hear, over Convex."""

from __future__ import annotations

import secrets
from functools import partial
from typing import overload

from bot.backend.documents import Document, generation_of
from bot.backend.gateway import Convex, TokenSource
from bot.backend.identity import Signer
from handlers.errors import TooManyError
from handlers.model import Actor, Ancestor, GenerationId, Opened, Person, Place

TOKEN_BYTES = 16
PAUSED = "Those were several links that lead nowhere. Please wait a few minutes, and try again."


class ConvexSharing:
    """Every method raises errors of handlers.errors and nothing else."""

    def __init__(self, convex: Convex, signer: Signer) -> None:
        self._convex = convex
        self._signer = signer

    def _token(self, actor: Actor) -> TokenSource:
        return partial(self._signer.user, actor)

    async def share(self, actor: Actor, generation: GenerationId, *, key: str) -> str:
        """Let others open one of the actor's own pieces; the token by which they do."""
        args = {
            "generationId": generation,
            "token": secrets.token_urlsafe(TOKEN_BYTES),
            "idempotencyKey": key,
        }
        return Document(await self._convex.mutation("shares:create", args, self._token(actor))).text("token")

    async def open(self, actor: Actor, token: str) -> Opened | None:
        """A piece that somebody shares; None for a token that opens nothing."""
        # Not sent again: a wrong one would count twice.
        answer = Document(await self._convex.mutation("shares:open", {"token": token}, self._token(actor)))
        match answer.text("status"):
            case "paused":
                raise TooManyError(PAUSED)
            case "unknown":
                return None
        return Opened(generation_of(answer.inner("piece")), person_of(answer.optional_inner("by")))

    async def revoke(self, actor: Actor, generation: GenerationId) -> None:
        """Share it no longer."""
        args = {"generationId": generation}
        await self._convex.mutation("shares:revoke", args, self._token(actor), repeatable=True)

    async def rename(self, actor: Actor, generation: GenerationId, title: str) -> None:
        """Give one of the actor's own pieces a name."""
        args = {"generationId": generation, "title": title}
        await self._convex.mutation("musicGeneration:rename", args, self._token(actor), repeatable=True)

    async def chain(self, actor: Actor, place: Place, generation: GenerationId) -> tuple[Ancestor, ...]:
        """The pieces after which one was made, it first."""
        args = {
            "generationId": generation,
            "place": {"platform": place.platform, "chat": place.chat},
        }
        found = Document({"all": await self._convex.query("musicGeneration:chain", args, self._token(actor))})
        return tuple(_ancestor(Document(value)) for value in found.values("all"))


@overload
def person_of(document: Document) -> Person: ...


@overload
def person_of(document: Document | None) -> Person | None: ...


def person_of(document: Document | None) -> Person | None:
    """Somebody else, as Convex names them."""
    if document is None:
        return None
    return Person(document.text("platform"), document.optional_text("name") or "somebody without a name")


def _ancestor(document: Document) -> Ancestor:
    ident = document.optional_text("generationId")
    return Ancestor(
        title=document.text("title"),
        by=person_of(document.optional_inner("by")),
        own=document.flag("own"),
        generation=None if ident is None else GenerationId(ident),
    )
