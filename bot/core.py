"""What every way of starting the bot has in common: identity, Convex, catalogue, audio, handlers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx

import handlers
from bot.backend.audio import AudioStore
from bot.backend.backend import BotRecord, ConvexBackend
from bot.backend.corrections import Corrections
from bot.backend.gateway import Convex, http_client
from bot.backend.groups import ConvexGroups, LiveAnnouncements, Operator
from bot.backend.identity import Keys, Signer, bot_id
from bot.backend.live import Live
from bot.backend.local import LocalConvex, environment, recorded_url
from bot.backend.people import ConvexPeople
from bot.backend.playlists import ConvexPlaylists
from bot.backend.sharing import ConvexSharing
from bot.backend.snapshot import Snapshot
from bot.compact import smaller
from bot.copies import PREFIX as COPY
from bot.copies import Copies
from bot.covers import Covers
from bot.doors import OpenDoors
from bot.downloads import Downloads
from bot.pictures import Drawings
from bot.platforms import CoverSize, Services
from bot.platforms.shelf import Shelf
from bot.progress import ProgressBoard
from bot.scales import PREFIX, Scales
from bot.settings import Settings
from bot.sweeping import Sweeper
from handlers.errors import NotFoundError
from handlers.model import Actor, GenerationId, Place, StorageId
from handlers.ports import House
from music.catalogue import Catalogue, load
from music.places import City, city_named

_AUDIO, _COVERS, _DOWNLOADS = "audio", "covers", "downloads"
_OF_PIECES = (_AUDIO, _COVERS, _DOWNLOADS)
"""Folders whose files bear the id of a piece or of its audio."""

_AUDIO_CACHE_BYTES = 512 * 2**20
_REMEMBERED_GRANTS = 2048
_RUNNING_DEADLINE_S = 15.0


class LocalClock:
    """The time where this machine stands, and the city that the community has chosen."""

    def __init__(self, city: City | None) -> None:
        self.city = city

    def now(self) -> datetime:
        """The local time, aware."""
        return datetime.now().astimezone()


class Playable:
    """Who may hear what. A grant is remembered, so that seeking in a player asks Convex nothing."""

    def __init__(self, backend: ConvexBackend) -> None:
        self._backend = backend
        self._grants: OrderedDict[tuple[str, str], StorageId] = OrderedDict()

    async def __call__(self, actor: Actor, place: Place, generation: GenerationId) -> StorageId:
        """The audio of a piece that the actor may hear. Raises handlers.errors.RagaBotError."""
        if generation.startswith(PREFIX):
            return StorageId(generation)  # a raga's scale is everybody's
        asked = (actor.account, generation)
        if asked not in self._grants:
            audio = (await self._backend.generation(actor, place, generation)).audio
            if audio is None:
                raise NotFoundError
            self._grants[asked] = audio
            if len(self._grants) > _REMEMBERED_GRANTS:
                self._grants.popitem(last=False)
        self._grants.move_to_end(asked)
        return self._grants[asked]


@dataclass(frozen=True, slots=True)
class Core:
    """The parts that a composition is made of. ``shared``: others may use the same deployment at this moment."""

    settings: Settings
    bot: str
    where: str
    shared: bool
    signer: Signer
    convex: Convex
    backend: ConvexBackend
    record: BotRecord
    audio: AudioStore
    packaged: Catalogue
    snapshot: Snapshot
    live: Live
    house: House
    services: Services
    people: ConvexPeople
    sweeper: Sweeper
    announcements: LiveAnnouncements
    operator: Operator
    doors: OpenDoors
    board: ProgressBoard
    cookie_secret: bytes


async def build(
    settings: Settings, stack: AsyncExitStack, *, bot_suffix: str = "", share: bool = False
) -> Core:
    """Start what is needed in dependency order; ``stack`` stops it in reverse.

    ``share``: a local deployment that runs already is used instead of a second one. Raises LocalConvexError,
    IdentityError.
    """
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    keys = Keys.load(settings.state_dir)
    bot = bot_id(settings.state_dir) + bot_suffix
    signer = Signer(keys, bot, settings.jwt_issuer)
    url, where = settings.convex_url, f"deployment at {settings.convex_url}"
    shared = bool(url)
    if not url and share:
        url = await running(settings, signer) or ""
        where, shared = f"local deployment at {url}, already running", bool(url)
    if not url:
        local = LocalConvex(
            settings.state_dir, settings.convex_port, environment(settings.jwt_issuer, keys.jwks_data_uri())
        )
        stack.push_async_callback(local.stop)
        url = await local.start()
        where = f"local deployment at {url}, data in {settings.state_dir / 'convex'}"
    http = await stack.enter_async_context(http_client(url))
    convex = Convex(url, http)
    backend = ConvexBackend(convex, signer)
    record = BotRecord(convex, signer)
    audio = AudioStore(settings.state_dir / _AUDIO, _AUDIO_CACHE_BYTES, http, record.file_url)
    stack.push_async_callback(audio.stop)
    packaged = await asyncio.to_thread(_packaged)
    snapshot = Snapshot(convex, packaged, settings.state_dir / "catalogue.json")
    live = Live(url, signer.bot)
    scales = Scales(audio, Shelf(settings.state_dir / "scales.sqlite3"), snapshot.catalogue)
    stack.push_async_callback(scales.stop)

    async def audio_of(storage: StorageId) -> Path:
        return await (scales.path(storage) if storage.startswith(PREFIX) else audio.path(storage))

    covers = Covers(settings.state_dir / _COVERS)
    downloads = Downloads(settings.state_dir / _DOWNLOADS, audio_of, covers, snapshot.catalogue)
    stack.push_async_callback(downloads.stop)
    kept = Shelf(settings.state_dir / "people.sqlite3")
    stack.push_async_callback(kept.close)
    people, doors = ConvexPeople(convex, signer, kept), OpenDoors()
    announcements, operator = LiveAnnouncements(), Operator(convex, signer)
    copies = Copies(settings.state_dir / "copies", people, audio_of, keys.derive("copies"))

    stack.push_async_callback(copies.stop)

    async def file_named(file: str) -> Path:
        return await (copies.path(file) if file.startswith(COPY) else downloads.path(file))

    house = House(
        backend=backend,
        ragas=snapshot,
        clock=LocalClock(city_named(settings.place)),
        scales=scales,
        downloads=downloads,
        copies=copies,
        people=people,
        sharing=ConvexSharing(convex, signer),
        playlists=ConvexPlaylists(convex, signer),
        doors=doors,
        corrections=Corrections(convex, signer),
        groups=ConvexGroups(convex, signer),
        announcements=announcements,
    )

    async def cover_of(storage: StorageId, size: CoverSize) -> Path | None:
        return await covers.of(await audio_of(storage), size)

    services = Services(
        respond=partial(handlers.respond, house),
        sign_in=partial(handlers.sign_in, house),
        complete=partial(handlers.complete, house),
        choices=partial(handlers.choices, house),
        smaller=smaller,
        audio=audio_of,
        cover=cover_of,
        download=file_named,
        picture=Drawings(settings.state_dir / "pictures", snapshot.catalogue),
        playable=Playable(backend),
        left=operator.left,
        moved=operator.moved,
    )
    return Core(
        settings=settings,
        bot=bot,
        where=where,
        shared=shared,
        signer=signer,
        convex=convex,
        backend=backend,
        record=record,
        audio=audio,
        packaged=packaged,
        snapshot=snapshot,
        live=live,
        house=house,
        services=services,
        people=people,
        sweeper=Sweeper([settings.state_dir / name for name in _OF_PIECES], record.gone),
        announcements=announcements,
        operator=operator,
        doors=doors,
        board=ProgressBoard(),
        cookie_secret=keys.derive("web cookie"),
    )


def _packaged() -> Catalogue:
    catalogue = load()
    catalogue.find("Yaman")  # its index is made at the first question, which should be ours
    return catalogue


async def running(settings: Settings, signer: Signer) -> str | None:
    """The local deployment of this state folder, if it runs and knows this bot's key."""
    url = recorded_url(settings.state_dir)
    if url is None:
        return None
    try:
        # Nobody there is known at once; one who is there may be busy.
        async with httpx.AsyncClient(timeout=_RUNNING_DEADLINE_S, trust_env=False) as http:
            answer = await http.post(
                f"{url}/api/query",
                json={"path": "accounts:me", "args": {}, "format": "json"},
                headers={"Authorization": f"Bearer {signer.bot()}"},
            )
            known = answer.status_code == 200 and answer.json().get("status") in ("success", "error")
    except (httpx.HTTPError, ValueError, AttributeError):
        return None
    return url if known else None
