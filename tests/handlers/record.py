"""A house for tests: a backend in memory that keeps its port's promises, the real catalogue, a set clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

from handlers.errors import NotFoundError, TooManyError
from handlers.model import (
    AccountId,
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
    GenerationMetadata,
    GenerationRequest,
    LinkSecret,
    LinkStep,
    MessageRef,
    Opened,
    Page,
    Person,
    Place,
    Playlist,
    PlaylistEntry,
    PlaylistMember,
    PlaylistRole,
    Preferences,
    Profile,
    Request,
    StorageId,
    Subject,
    Track,
)
from handlers.ports import House
from music.catalogue import Catalogue, Raga, Tradition, load
from music.places import City
from tests.handlers.community import MemoryAnnouncements, MemoryGroups

NOW = datetime(2026, 3, 4, 19, 30, tzinfo=UTC)
CATALOGUE = load()
UNFINISHED_MAX = 5


@dataclass
class MemoryBackend:
    """Handlers' port without Convex. What it was asked to write stands in ``calls``."""

    pieces: dict[GenerationId, tuple[AccountId, Generation, MessageRef | None]] = field(default_factory=dict)
    hearts: dict[tuple[AccountId, FavoriteTarget], float] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)
    rooms: list[str | None] = field(default_factory=list)
    broken: Exception | None = None
    held: asyncio.Event | None = None
    _replays: dict[tuple[AccountId, str], GenerationId | bool] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.broken is not None:
            raise self.broken

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
        self._called("start")
        self.groups.append(group)
        self.rooms.append(room)
        known = self._replays.get((actor.account, key))
        if isinstance(known, str):
            return self.pieces[GenerationId(known)][1]
        running = [
            piece
            for owner, piece, _ in self.pieces.values()
            if (owner, piece.status) == (actor.account, "processing")
        ]
        if len(running) >= UNFINISHED_MAX:
            raise TooManyError
        number = next(self._numbers)
        piece = Generation(
            id=GenerationId(f"k{number:031d}"),
            status="processing",
            request=request,
            created_at_ms=NOW.timestamp() * 1000 - 60_000 * (1000 - number),
            position=len(running),
        )
        self.pieces[piece.id] = (actor.account, piece, delivery)
        self._replays[actor.account, key] = piece.id
        return piece

    def finish(self, ident: GenerationId) -> Generation:
        """The worker's part."""
        owner, piece, delivery = self.pieces[ident]
        metadata = GenerationMetadata(
            "Yaman · Teental", "Sitar", piece.request.duration_s, 138.6, 96.0, "Teental", 9, "5c0e"
        )
        done = replace(
            piece, status="completed", audio=StorageId("s1"), metadata=metadata, position=None, progress=None
        )
        self.pieces[ident] = (owner, done, delivery)
        return done

    async def generation(self, actor: Actor, place: Place, generation: GenerationId) -> Generation:
        self._called("get")
        if generation not in self.pieces:
            raise NotFoundError
        owner, piece, delivery = self.pieces[generation]
        kept = (actor.account, FavoriteTarget(generation=generation)) in self.hearts
        here = delivery is not None and (delivery.platform, delivery.chat) == (place.platform, place.chat)
        if owner != actor.account and not kept and not here:
            raise NotFoundError
        return replace(piece, favorite=kept, own=owner == actor.account)

    async def history(self, actor: Actor, cursor: Cursor | None, limit: int) -> Page[Generation]:
        self._called("history")
        if self.held is not None:
            await self.held.wait()
        own = [piece for owner, piece, _ in reversed(self.pieces.values()) if owner == actor.account]
        start = int(cursor or 0)
        items = tuple(own[start : start + limit])
        return Page(items, Cursor(str(start + limit)) if start + limit < len(own) else None)

    async def favorites(self, actor: Actor, cursor: Cursor | None, limit: int) -> Page[Favorite]:
        self._called("favorites")
        kept = [
            Favorite(target, at, self.pieces[target.generation][1] if target.generation else None)
            for (account, target), at in reversed(self.hearts.items())
            if account == actor.account
        ]
        start = int(cursor or 0)
        return Page(
            tuple(kept[start : start + limit]),
            Cursor(str(start + limit)) if start + limit < len(kept) else None,
        )

    async def set_favorite(
        self, actor: Actor, place: Place, target: FavoriteTarget, on: bool | None, *, key: str
    ) -> bool:
        self._called("favorite")
        known = self._replays.get((actor.account, key))
        if isinstance(known, bool):
            return known
        if target.generation is not None:
            await self.generation(actor, place, target.generation)
        now_on = (actor.account, target) not in self.hearts if on is None else on
        if now_on:
            self.hearts.setdefault((actor.account, target), NOW.timestamp() * 1000)
        else:
            self.hearts.pop((actor.account, target), None)
        self._replays[actor.account, key] = now_on
        return now_on

    async def cancel(self, actor: Actor, generation: GenerationId | None) -> Generation | None:
        self._called("cancel")
        for ident, (owner, piece, delivery) in reversed(self.pieces.items()):
            if generation in (None, ident) and owner == actor.account and piece.status == "processing":
                stopped = replace(piece, status="failed", error_code="cancelled", position=None)
                self.pieces[ident] = (owner, stopped, delivery)
                return stopped
        if generation is not None and self.pieces.get(generation, ("",))[0] != actor.account:
            raise NotFoundError
        return None

    async def remove(self, actor: Actor, generation: GenerationId) -> None:
        self._called("remove")
        if generation not in self.pieces or self.pieces[generation][0] != actor.account:
            raise NotFoundError
        del self.pieces[generation]


class SetClock:
    """The time of the tests."""

    city: City | None = None

    def now(self) -> datetime:
        return NOW


class MemoryScales:
    """Scales that are there already."""

    async def track(self, raga: Raga, key: str | None) -> Track:
        ident = f"scale-{raga.name}-{key}"
        return Track(GenerationId(ident), StorageId(ident), f"Raga {raga.name}", "Sitar", 12.5, "scale.mp3")


class MemoryDownloads:
    """Files that are there already."""

    async def make(self, generation: Generation, kind: FileKind) -> Download:
        assert generation.audio is not None
        return Download(generation.id, kind, f"{generation.id}.{kind}", "T", "P", 60.0, f"Yaman.{kind}", 1000)


@dataclass
class MemoryCorrections:
    """Reports in memory, by whom."""

    filed: dict[str, tuple[AccountId, Correction]] = field(default_factory=dict)

    async def file(
        self, actor: Actor, raga: str, tradition: Tradition, field: str, text: str, *, key: str
    ) -> str:
        report = Correction(
            f"r{len(self.filed)}", raga, tradition, field, text, "open", NOW.timestamp() * 1e3
        )
        return self.filed.setdefault(key, (actor.account, report))[1].id

    async def mine(self, actor: Actor, cursor: Cursor | None, limit: int) -> Page[Correction]:
        assert cursor is None
        own = [report for account, report in self.filed.values() if account == actor.account]
        return Page(tuple(reversed(own))[:limit], None)


@dataclass
class MemorySharing:
    """Shares in memory: who shares what."""

    shared: dict[str, tuple[Actor, Generation]] = field(default_factory=dict)
    pieces: dict[GenerationId, tuple[Actor, Generation]] = field(default_factory=dict)
    ancestors: tuple[Ancestor, ...] = ()
    titles: dict[GenerationId, str] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def _own(self, actor: Actor, generation: GenerationId) -> Generation:
        owner, piece = self.pieces.get(generation, (None, None))
        if owner is None or piece is None or owner.account != actor.account:
            raise NotFoundError
        return piece

    async def share(self, actor: Actor, generation: GenerationId, *, key: str) -> str:
        self.keys.append(key)
        token = f"token-of-{generation[-4:]}-xxxxxxxx"
        self.shared[token] = (actor, self._own(actor, generation))
        return token

    async def open(self, actor: Actor, token: str) -> Opened | None:
        if token not in self.shared:
            return None
        owner, piece = self.shared[token]
        own = owner.account == actor.account
        return Opened(replace(piece, own=own), Person("discord", owner.name))

    async def revoke(self, actor: Actor, generation: GenerationId) -> None:
        self._own(actor, generation)
        self.shared = {token: one for token, one in self.shared.items() if one[1].id != generation}

    async def rename(self, actor: Actor, generation: GenerationId, title: str) -> None:
        self._own(actor, generation)
        self.titles[generation] = title

    async def chain(self, actor: Actor, place: Place, generation: GenerationId) -> tuple[Ancestor, ...]:
        assert place.platform == actor.account.partition(":")[0]
        assert generation
        return self.ancestors


@dataclass
class MemoryPlaylists:
    """Playlists in memory, each one's role by their account."""

    names: dict[str, str] = field(default_factory=dict)
    roles: dict[tuple[str, AccountId], PlaylistRole] = field(default_factory=dict)
    people: dict[AccountId, str] = field(default_factory=dict)
    contents: dict[str, list[PlaylistEntry]] = field(default_factory=dict)
    pieces: dict[GenerationId, Generation] = field(default_factory=dict)
    tokens: dict[str, tuple[str, PlaylistRole]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def _role(self, actor: Actor, playlist: str) -> PlaylistRole:
        role = self.roles.get((playlist, actor.account))
        if role is None:
            raise NotFoundError
        return role

    def _one(self, actor: Actor, playlist: str) -> Playlist:
        owner = next(
            account for (one, account), role in self.roles.items() if (one, role) == (playlist, "owner")
        )
        return Playlist(
            playlist, self.names[playlist], self._role(actor, playlist), Person("web", self.people[owner])
        )

    async def mine(self, actor: Actor) -> tuple[Playlist, ...]:
        return tuple(self._one(actor, one) for one, account in self.roles if account == actor.account)

    async def create(self, actor: Actor, name: str, *, key: str) -> str:
        ident = self.keys.setdefault(key, f"p{len(self.keys):031d}")
        self.names[ident], self.people[actor.account] = name, actor.name
        self.roles[ident, actor.account] = "owner"
        self.contents.setdefault(ident, [])
        return ident

    async def entries(
        self, actor: Actor, playlist: str, cursor: Cursor | None, limit: int
    ) -> Page[PlaylistEntry]:
        self._role(actor, playlist)
        start = int(cursor or 0)
        found = self.contents[playlist]
        more = Cursor(str(start + limit)) if start + limit < len(found) else None
        return Page(tuple(found[start : start + limit]), more)

    async def add(self, actor: Actor, place: Place, playlist: str, generation: GenerationId) -> None:
        assert place.platform
        if self._role(actor, playlist) == "listener":
            raise NotFoundError
        number = len(self.contents[playlist])
        entry = PlaylistEntry(f"e{number:031d}", self.pieces[generation], Person("web", actor.name), True)
        self.contents[playlist].append(entry)

    async def drop(self, actor: Actor, playlist: str, entry: str) -> None:
        self._role(actor, playlist)
        self.contents[playlist] = [one for one in self.contents[playlist] if one.id != entry]

    async def invite(self, actor: Actor, playlist: str, role: PlaylistRole) -> str:
        if self._role(actor, playlist) != "owner":
            raise NotFoundError
        token = f"{role[:8]:x<22}"
        self.tokens[token] = (playlist, role)
        return token

    async def join(self, actor: Actor, token: str) -> Playlist | None:
        if token not in self.tokens:
            return None
        playlist, role = self.tokens[token]
        self.people[actor.account] = actor.name
        self.roles[playlist, actor.account] = role
        return self._one(actor, playlist)

    async def members(self, actor: Actor, playlist: str) -> tuple[PlaylistMember, ...]:
        self._role(actor, playlist)
        return tuple(
            PlaylistMember(
                f"m{account.partition(':')[2]}",
                Person("web", self.people[account]),
                role,
                account == actor.account,
            )
            for (one, account), role in self.roles.items()
            if one == playlist
        )

    async def set_role(self, actor: Actor, playlist: str, member: str, role: PlaylistRole) -> None:
        if self._role(actor, playlist) != "owner":
            raise NotFoundError
        self.roles[playlist, AccountId(f"web:{member[1:]}")] = role

    async def expel(self, actor: Actor, playlist: str, member: str) -> None:
        if self._role(actor, playlist) != "owner":
            raise NotFoundError
        del self.roles[playlist, AccountId(f"web:{member[1:]}")]

    async def leave(self, actor: Actor, playlist: str) -> None:
        del self.roles[playlist, actor.account]

    async def remove(self, actor: Actor, playlist: str) -> None:
        if self._role(actor, playlist) != "owner":
            raise NotFoundError
        self.roles = {key: role for key, role in self.roles.items() if key[0] != playlist}


class OneCopy:
    """Copies of those who speak as Asha."""

    async def make(self, actor: Actor) -> Download | None:
        if "asha" not in actor.account:
            return None
        return Download(GenerationId(""), "copy", "copy-1.zip", "You", "Raga Bot", 0.0, "raga-bot.zip", 99)


class OneDoor:
    """A platform with addresses."""

    def address(self, line: str) -> str | None:
        return f"https://t.me/ragas?start={line.removeprefix('/').replace(' ', '_')}"


@dataclass
class MemoryPeople:
    """People in memory; links go as the test says."""

    profile: Profile | None = None
    likes: dict[str, str | float | bool] = field(default_factory=dict)
    steps: dict[str, LinkStep] = field(default_factory=dict)
    """What comes of naming a code, and of a link's id."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    who: list[AccountId] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def me(self, actor: Actor) -> Profile | None:
        self.who.append(actor.account)
        return None if self.profile is None else replace(self.profile, preferences=dict(self.likes))

    async def preferences(self, actor: Actor) -> Preferences:
        self.who.append(actor.account)
        return self.likes

    async def prefer(self, actor: Actor, changes: Mapping[str, str | float | bool | None]) -> Preferences:
        self.who.append(actor.account)
        for name, value in changes.items():
            self.calls.append(("prefer", f"{name}={value}"))
            if value is None:
                self.likes.pop(name, None)
            else:
                self.likes[name] = value
        return self.likes

    async def show_secret(self, actor: Actor) -> LinkSecret:
        self.who.append(actor.account)
        return LinkSecret("7K3QD-M9X2B", "tokentokentokentoken22")

    async def redeem(self, actor: Actor, secret: str) -> LinkStep:
        self.who.append(actor.account)
        self.calls.append(("redeem", secret))
        return self.steps.get(secret, LinkStep("unknown"))

    async def confirm(self, actor: Actor, link: str) -> LinkStep:
        self.who.append(actor.account)
        self.calls.append(("confirm", link))
        return self.steps.get(link, LinkStep("ended"))

    async def decline(self, actor: Actor, link: str) -> None:
        self.who.append(actor.account)
        self.calls.append(("decline", link))

    async def undo(self, actor: Actor, merge: str) -> None:
        self.who.append(actor.account)
        self.calls.append(("undo", merge))

    async def unlink(self, actor: Actor, account: str, *, key: str) -> int:
        self.who.append(actor.account)
        self.calls.append(("unlink", account))
        self.keys.append(key)
        return 1

    async def delete(self, actor: Actor) -> bool:
        self.who.append(actor.account)
        self.calls.append(("delete", actor.account))
        return self.profile is not None


class Packaged:
    """The catalogue that comes with the bot."""

    def catalogue(self) -> Catalogue:
        return CATALOGUE


@dataclass
class Dialogue:
    """A house, and how a person speaks in it. Each line is an event of its own unless ``event`` names one."""

    backend: MemoryBackend = field(default_factory=MemoryBackend)
    corrections: MemoryCorrections = field(default_factory=MemoryCorrections)
    people: MemoryPeople = field(default_factory=lambda: MemoryPeople())
    sharing: MemorySharing = field(default_factory=lambda: MemorySharing())
    playlists: MemoryPlaylists = field(default_factory=lambda: MemoryPlaylists())
    groups: MemoryGroups = field(default_factory=MemoryGroups)
    announcements: MemoryAnnouncements = field(default_factory=MemoryAnnouncements)
    _events: count[int] = field(default_factory=lambda: count(1))

    @property
    def house(self) -> House:
        """What handlers are given."""
        return House(
            backend=self.backend,
            ragas=Packaged(),
            clock=SetClock(),
            scales=MemoryScales(),
            downloads=MemoryDownloads(),
            copies=OneCopy(),
            people=self.people,
            sharing=self.sharing,
            playlists=self.playlists,
            doors=OneDoor(),
            corrections=self.corrections,
            groups=self.groups,
            announcements=self.announcements,
        )

    def request(
        self,
        line: str,
        *,
        event: str | None = None,
        who: str = "web:asha",
        chat: str = "c1",
        private: bool = True,
        group: str | None = None,
        room: str | None = None,
        manages: bool = False,
        subject: Subject | None = None,
        rooms: Mapping[str, str] | None = None,
        **options: str | float | bool,
    ) -> Request:
        """The request that a platform makes of a line."""
        name, _, text = line.removeprefix("/").partition(" ")
        command, text = (name, text) if line.startswith("/") else ("", line)
        event = event or f"e{next(self._events)}"
        return Request(
            actor=Actor(AccountId(who), "Asha"),
            place=Place("web", chat, private, group, room),
            command=command,
            event=event,
            options=options,
            text=text,
            answer=MessageRef("web", chat, f"m-{event}"),
            subject=subject,
            manages=manages,
            rooms=rooms or {},
        )
