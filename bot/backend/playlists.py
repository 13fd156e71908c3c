"""Playlists of several people, over Convex."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial

from bot.backend.documents import Document, generation_of, page_of
from bot.backend.gateway import Convex, TokenSource
from bot.backend.identity import Signer
from bot.backend.sharing import PAUSED, TOKEN_BYTES, person_of
from handlers.errors import TooManyError
from handlers.model import (
    Actor,
    Cursor,
    GenerationId,
    Page,
    Place,
    Playlist,
    PlaylistEntry,
    PlaylistMember,
    PlaylistRole,
)

_ROLES: tuple[PlaylistRole, ...] = ("owner", "editor", "listener")


class ConvexPlaylists:
    """Every method raises errors of handlers.errors and nothing else."""

    def __init__(self, convex: Convex, signer: Signer) -> None:
        self._convex = convex
        self._signer = signer

    def _token(self, actor: Actor) -> TokenSource:
        return partial(self._signer.user, actor)

    async def mine(self, actor: Actor) -> tuple[Playlist, ...]:
        """Those that the actor belongs to, their own first."""
        found = Document({"all": await self._convex.query("playlists:mine", {}, self._token(actor))})
        return tuple(_playlist(Document(value)) for value in found.values("all"))

    async def create(self, actor: Actor, name: str, *, key: str) -> str:
        """A new one of the actor's own; its id."""
        args = {"name": name, "idempotencyKey": key}
        made = await self._convex.mutation("playlists:create", args, self._token(actor))
        return Document(made).text("playlistId")

    async def entries(
        self, actor: Actor, playlist: str, cursor: Cursor | None, limit: int
    ) -> Page[PlaylistEntry]:
        """The pieces, in the order in which they were added."""
        args = {"playlistId": playlist, "paginationOpts": {"numItems": limit, "cursor": cursor}}
        shown = Document(await self._convex.query("playlists:show", args, self._token(actor)))
        return page_of(shown.inner("entries"), _entry)

    async def add(self, actor: Actor, place: Place, playlist: str, generation: GenerationId) -> None:
        """Add a piece."""
        args = {
            "playlistId": playlist,
            "generationId": generation,
            "place": {"platform": place.platform, "chat": place.chat},
        }
        await self._change("playlists:add", args, actor)

    async def drop(self, actor: Actor, playlist: str, entry: str) -> None:
        """Take an entry out."""
        await self._change("playlists:drop", {"playlistId": playlist, "entryId": entry}, actor)

    async def invite(self, actor: Actor, playlist: str, role: PlaylistRole) -> str:
        """The token by which others join in a role within a week."""
        args = {"playlistId": playlist, "role": role, "token": secrets.token_urlsafe(TOKEN_BYTES)}
        made = await self._convex.mutation("playlists:invite", args, self._token(actor), repeatable=True)
        return Document(made).text("token")

    async def join(self, actor: Actor, token: str) -> Playlist | None:
        """Join by a token."""
        # Not sent again: a wrong one would count twice.
        answer = Document(await self._convex.mutation("playlists:join", {"token": token}, self._token(actor)))
        match answer.text("status"):
            case "paused":
                raise TooManyError(PAUSED)
            case "unknown":
                return None
        return _playlist(answer)

    async def members(self, actor: Actor, playlist: str) -> tuple[PlaylistMember, ...]:
        """Who belongs to it."""
        args = {"playlistId": playlist}
        found = Document({"all": await self._convex.query("playlists:members", args, self._token(actor))})
        return tuple(_member(Document(value)) for value in found.values("all"))

    async def set_role(self, actor: Actor, playlist: str, member: str, role: PlaylistRole) -> None:
        """Give a member another role."""
        args = {"playlistId": playlist, "memberId": member, "role": role}
        await self._change("playlists:setRole", args, actor)

    async def expel(self, actor: Actor, playlist: str, member: str) -> None:
        """Take a member out."""
        await self._change("playlists:expel", {"playlistId": playlist, "memberId": member}, actor)

    async def leave(self, actor: Actor, playlist: str) -> None:
        """Belong to it no more."""
        await self._change("playlists:leave", {"playlistId": playlist}, actor)

    async def remove(self, actor: Actor, playlist: str) -> None:
        """Take one of the actor's own away."""
        await self._change("playlists:remove", {"playlistId": playlist}, actor)

    async def _change(self, path: str, args: Mapping[str, object], actor: Actor) -> None:
        await self._convex.mutation(path, args, self._token(actor), repeatable=True)


def _playlist(document: Document) -> Playlist:
    return Playlist(
        id=document.text("playlistId"),
        name=document.text("name"),
        role=document.choice("role", _ROLES),
        owner=person_of(document.optional_inner("owner")),
    )


def _entry(document: Document) -> PlaylistEntry:
    return PlaylistEntry(
        id=document.text("entryId"),
        generation=generation_of(document.inner("piece")),
        added_by=person_of(document.optional_inner("addedBy")),
        removable=document.flag("removable"),
    )


def _member(document: Document) -> PlaylistMember:
    person = person_of(document.inner("person"))
    return PlaylistMember(
        id=document.text("memberId"),
        person=person,
        role=document.choice("role", _ROLES),
        own=document.flag("own"),
    )
