"""What handlers need from outside. The bot supplies it; the tests supply a double."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from handlers.community import Announcements, Groups
from handlers.model import (
    Actor,
    Ancestor,
    Correction,
    Cursor,
    Download,
    Favorite,
    FavoriteTarget,
    FileKind,
    Generation,
    GenerationId,
    GenerationRequest,
    LinkSecret,
    LinkStep,
    MessageRef,
    Opened,
    Page,
    Place,
    Playlist,
    PlaylistEntry,
    PlaylistMember,
    PlaylistRole,
    Preferences,
    Profile,
    Track,
)
from music.catalogue import Catalogue, Raga, Tradition
from music.places import City


class Backend(Protocol):
    """The record of who asked for what. Every method raises errors of handlers.errors and nothing else."""

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
        """Queue a piece. The same actor and key give the same generation, whatever else is passed.

        ``group`` and ``room``: as in Place; a group has an allowance of its own.
        """

    async def generation(self, actor: Actor, place: Place, generation: GenerationId) -> Generation:
        """One piece that the actor may see: their own, one they keep, or one posted in this place."""

    async def history(self, actor: Actor, cursor: Cursor | None, limit: int) -> Page[Generation]:
        """The actor's own pieces, newest first."""

    async def favorites(self, actor: Actor, cursor: Cursor | None, limit: int) -> Page[Favorite]:
        """What the actor keeps, newest first."""

    async def set_favorite(
        self, actor: Actor, place: Place, target: FavoriteTarget, on: bool | None, *, key: str
    ) -> bool:
        """Keep or let go (None: the other of the two); returns what it is now. A replayed key changes nothing."""

    async def cancel(self, actor: Actor, generation: GenerationId | None) -> Generation | None:
        """Stop one of the actor's own pieces (None: their newest that runs); None when there is none to stop."""

    async def remove(self, actor: Actor, generation: GenerationId) -> None:
        """Take one of the actor's own pieces out of their history, with its audio."""


class Sharing(Protocol):
    """Pieces that people let others hear. Every method raises errors of handlers.errors and nothing else."""

    async def share(self, actor: Actor, generation: GenerationId, *, key: str) -> str:
        """Let others open one of the actor's own pieces; the token by which they do, the same while it is shared."""

    async def open(self, actor: Actor, token: str) -> Opened | None:
        """A piece that somebody shares, which the actor may see from now on; None for a token that opens nothing."""

    async def revoke(self, actor: Actor, generation: GenerationId) -> None:
        """Share it no longer: who has opened it sees it no more, unless they keep it."""

    async def rename(self, actor: Actor, generation: GenerationId, title: str) -> None:
        """Give one of the actor's own pieces a name."""

    async def chain(self, actor: Actor, place: Place, generation: GenerationId) -> tuple[Ancestor, ...]:
        """The pieces after which one was made, it first, as far back as they are known."""


class Playlists(Protocol):
    """Playlists of several people. Every method raises errors of handlers.errors and nothing else."""

    async def mine(self, actor: Actor) -> tuple[Playlist, ...]:
        """Those that the actor belongs to, their own first."""

    async def create(self, actor: Actor, name: str, *, key: str) -> str:
        """A new one of the actor's own; its id."""

    async def entries(
        self, actor: Actor, playlist: str, cursor: Cursor | None, limit: int
    ) -> Page[PlaylistEntry]:
        """The pieces, in the order in which they were added."""

    async def add(self, actor: Actor, place: Place, playlist: str, generation: GenerationId) -> None:
        """Add a piece, as owner or editor; again is harmless."""

    async def drop(self, actor: Actor, playlist: str, entry: str) -> None:
        """Take an entry out."""

    async def invite(self, actor: Actor, playlist: str, role: PlaylistRole) -> str:
        """The token by which others join in a role within a week."""

    async def join(self, actor: Actor, token: str) -> Playlist | None:
        """Join by a token; None for one that leads nowhere."""

    async def members(self, actor: Actor, playlist: str) -> tuple[PlaylistMember, ...]:
        """Who belongs to it."""

    async def set_role(self, actor: Actor, playlist: str, member: str, role: PlaylistRole) -> None:
        """Give a member another role, as the owner."""

    async def expel(self, actor: Actor, playlist: str, member: str) -> None:
        """Take a member out, as the owner."""

    async def leave(self, actor: Actor, playlist: str) -> None:
        """Belong to it no more."""

    async def remove(self, actor: Actor, playlist: str) -> None:
        """Take one of the actor's own away; the pieces stay with whose they are."""


class People(Protocol):
    """Who people are, and what is theirs. Every method raises errors of handlers.errors and nothing else."""

    async def me(self, actor: Actor) -> Profile | None:
        """What is kept of the actor; None while nothing is."""

    async def preferences(self, actor: Actor) -> Preferences:
        """What the actor prefers, as far as it is known here: asks nobody."""

    async def prefer(self, actor: Actor, changes: Mapping[str, str | float | bool | None]) -> Preferences:
        """Set what the actor prefers (None: no longer anything); returns all of it."""

    async def show_secret(self, actor: Actor) -> LinkSecret:
        """A new secret by which another account can be linked."""

    async def redeem(self, actor: Actor, secret: str) -> LinkStep:
        """Name a secret that another account shows: ok, own, unknown or paused."""

    async def confirm(self, actor: Actor, link: str) -> LinkStep:
        """The actor means it: waiting, linked or ended. Again is harmless."""

    async def decline(self, actor: Actor, link: str) -> None:
        """The actor does not want it."""

    async def undo(self, actor: Actor, merge: str) -> None:
        """Take a link back, within a day."""

    async def unlink(self, actor: Actor, account: str, *, key: str) -> int:
        """Take one of the actor's accounts out; how many are left. A replayed key changes nothing."""

    async def delete(self, actor: Actor) -> bool:
        """Begin to delete everything of the actor's; False where nothing is kept."""


class Doors(Protocol):
    """Ways into a private chat with the bot."""

    def address(self, line: str) -> str | None:
        """An address that opens such a chat and says a line there; None where no platform has any."""


class Clock(Protocol):
    """The time, in the place that the community keeps."""

    @property
    def city(self) -> City | None:
        """Where the community is, if it says."""

    def now(self) -> datetime:
        """An aware datetime."""


class Ragas(Protocol):
    """The catalogue as it stands now; it is replaced as a whole when Convex has a newer one."""

    def catalogue(self) -> Catalogue:
        """The current snapshot."""


class Scales(Protocol):
    """Ragas to be heard: arohana, avarohana and a phrase over a tanpura."""

    async def track(self, raga: Raga, key: str | None) -> Track:
        """Made once for each raga and key (``None``: the instrument's usual one). Raises handlers.errors."""


class Downloads(Protocol):
    """Finished pieces in other forms."""

    async def make(self, generation: Generation, kind: FileKind) -> Download:
        """The file, made at most once; ready when this returns. Raises errors of handlers.errors."""


class Copies(Protocol):
    """All that is somebody's, to take away."""

    async def make(self, actor: Actor) -> Download | None:
        """A ZIP of what is kept of the actor; None while nothing is. Raises errors of handlers.errors."""


class Corrections(Protocol):
    """Errors in the catalogue that people report. Every method raises errors of handlers.errors and nothing else."""

    async def file(
        self, actor: Actor, raga: str, tradition: Tradition, field: str, text: str, *, key: str
    ) -> str:
        """Report an error in a raga's entry; returns the report's id. A replayed key changes nothing."""

    async def mine(self, actor: Actor, cursor: Cursor | None, limit: int) -> Page[Correction]:
        """What the actor has reported, newest first."""


@dataclass(frozen=True, slots=True)
class House:
    """All that a handler is given."""

    backend: Backend
    ragas: Ragas
    clock: Clock
    scales: Scales
    downloads: Downloads
    copies: Copies
    people: People
    sharing: Sharing
    playlists: Playlists
    doors: Doors
    corrections: Corrections
    groups: Groups
    announcements: Announcements
