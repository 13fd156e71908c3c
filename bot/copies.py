"""A copy of all that is somebody's: what Convex keeps of them as JSON, and their pieces as audio, in one ZIP."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
import zipfile
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.backend.people import ConvexPeople
from bot.compact import smaller
from bot.keptfiles import KeptFiles
from handlers.errors import NotFoundError, RagaBotError, UnavailableError
from handlers.model import Actor, Download, GenerationId, Profile, StorageId

log = logging.getLogger(__name__)

PREFIX = "copy-"
"""By which the name of a copy is told from that of a piece's file."""

KEPT_S = 600.0
"""So long a copy is there to be fetched."""

_KEPT_BYTES = 512 * 2**20
_REMEMBERED = 32
_SMALL_BYTES = 100_000
_SMALL_BYTES_A_SECOND = 6_000
_SECTIONS = ("pieces", "favorites", "corrections", "shares", "opened", "playlists", "entries")
_AT_ONCE = 4
_SMALLER = (
    "Its music is coded smaller, since this chat takes no file as large as the whole; the chat page does."
)
_NO_MUSIC = "Without its music, since this chat takes no file that is large enough; the chat page does."
_READ_ME = """What Raga Bot keeps of you, as of {now}.

you.json          your accounts and preferences
pieces.json       what was made for you, and the request that makes it again
favorites.json    what you keep
corrections.json  errors in the catalogue that you reported
shares.json       what you let others hear by a link, and opened.json what others let you hear
playlists.json    the playlists that you belong to, and entries.json what you added to them
audio/            your pieces, by the ids in pieces.json
"""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What goes into a copy. ``audio``: files and their lengths in seconds by the piece's id."""

    profile: Profile
    documents: Mapping[str, list[dict[str, Any]]]
    audio: Mapping[str, tuple[Path, float]]


class Copies:
    """Makes copies. Each has a name that only its own person is told, and is there for ten minutes."""

    def __init__(
        self,
        folder: Path,
        people: ConvexPeople,
        audio: Callable[[StorageId], Awaitable[Path]],
        secret: bytes,
    ) -> None:
        self._files = KeptFiles(folder, _KEPT_BYTES, (".zip",))
        self._people = people
        self._audio = audio
        self._secret = secret
        self._newest: OrderedDict[str, _Kept] = OrderedDict()
        self._ends: set[asyncio.TimerHandle] = set()

    async def stop(self) -> None:
        """Let go of every copy."""
        for end in self._ends:
            end.cancel()
        await asyncio.to_thread(self._forget_older, 0.0)

    async def make(self, actor: Actor) -> Download | None:
        """A ZIP of what is kept of the actor; None while nothing is. Raises UnavailableError."""
        profile = await self._people.me(actor)
        if profile is None:
            return None
        documents = {one: [row async for row in self._people.kept(actor, one)] for one in _SECTIONS}
        name = self._name(actor)
        kept = _Kept(profile, documents, await self._audio_of(documents["pieces"]))
        try:
            await asyncio.to_thread(self._files.drop, f"{name}-small.zip")
            whole = await self._written(f"{name}.zip", kept)
            bare = await self._written(f"{name}-bare.zip", _Kept(profile, documents, {}))
        except OSError as error:
            log.warning("A copy could not be written: %s", error.strerror)
            raise UnavailableError from None
        self._newest[name] = kept
        self._newest.move_to_end(name)
        if len(self._newest) > _REMEMBERED:
            self._newest.popitem(last=False)
        self._end_later(name)
        last = _described(f"{name}-bare.zip", bare.stat().st_size, because=_NO_MUSIC)
        small = _described(f"{name}-small.zip", 0, instead=last, because=_SMALLER)
        return _described(f"{name}.zip", whole.stat().st_size, instead=small)

    async def path(self, file: str) -> Path:
        """A copy that was made a moment ago, by its name. Raises NotFoundError, UnavailableError."""
        path = await asyncio.to_thread(self._files.find, file) if "/" not in file else None
        if path is not None:
            return path
        kept = self._newest.get(file.removesuffix("-small.zip")) if file.endswith("-small.zip") else None
        if kept is None:
            raise NotFoundError
        try:
            # Only where a chat takes no larger file: it takes its time.
            return await self._written(file, await _coded_smaller(kept))
        except OSError as error:
            log.warning("A copy could not be written: %s", error.strerror)
            raise UnavailableError from None

    def _name(self, actor: Actor) -> str:
        # An older copy of the same person gives way to the new one.
        digest = hashlib.blake2b(actor.account.encode(), key=self._secret[:64], digest_size=16)
        return PREFIX + digest.hexdigest()

    def _end_later(self, name: str) -> None:
        def forget() -> None:
            self._ends.discard(end)
            self._newest.pop(name, None)
            for ending in ("", "-small", "-bare"):
                self._files.drop(f"{name}{ending}.zip")

        end = asyncio.get_running_loop().call_later(KEPT_S, forget)
        self._ends.add(end)

    async def _audio_of(self, pieces: list[dict[str, Any]]) -> dict[str, tuple[Path, float]]:
        """The audio files that can be had."""
        turns = asyncio.Semaphore(_AT_ONCE)
        found: dict[str, tuple[Path, float]] = {}

        async def fetch(piece: dict[str, Any]) -> None:
            async with turns:
                try:
                    path = await self._audio(StorageId(str(piece["audioFileId"])))
                except RagaBotError as error:
                    log.info("The audio of a piece is missing in a copy: %s", error.code)
                else:
                    length_s = piece.get("metadata", {}).get("durationS") or piece["request"]["duration"]
                    found[str(piece["id"])] = (path, float(length_s))

        await asyncio.gather(*(fetch(piece) for piece in pieces if piece.get("audioFileId")))
        return found

    async def _written(self, file: str, kept: _Kept) -> Path:
        def write() -> Path:
            self._forget_older(KEPT_S)
            draft = self._files.draft(file)
            try:
                draft.touch(mode=0o600)
                with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
                    _fill(archive, kept)
                return self._files.adopt(file, draft)
            finally:
                draft.unlink(missing_ok=True)

        return await asyncio.to_thread(write)

    def _forget_older(self, than_s: float) -> None:
        folder = self._files.folder
        for path in folder.iterdir() if folder.exists() else ():
            if path.suffix == ".zip" and time.time() - path.stat().st_mtime >= than_s:
                path.unlink(missing_ok=True)


def _fill(archive: zipfile.ZipFile, kept: _Kept) -> None:
    archive.writestr("README.txt", _READ_ME.format(now=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))
    archive.writestr("you.json", _json(_you(kept.profile)))
    for section, rows in kept.documents.items():
        archive.writestr(f"{section}.json", _json(rows))
    for ident, (path, _) in sorted(kept.audio.items()):
        archive.write(path, f"audio/{ident}.mp3", zipfile.ZIP_STORED)


async def _coded_smaller(kept: _Kept) -> _Kept:
    """The same with audio of few bits a second."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(ident: str, path: Path, length_s: float) -> tuple[str, tuple[Path, float]]:
        async with turns:
            most = round(max(_SMALL_BYTES, length_s * _SMALL_BYTES_A_SECOND))
            return ident, (await smaller(path, length_s, most) or path, length_s)

    coded = await asyncio.gather(*(one(ident, *audio) for ident, audio in kept.audio.items()))
    return _Kept(kept.profile, kept.documents, dict(coded))


def _you(profile: Profile) -> dict[str, object]:
    return {
        "accounts": [{"account": one.account, "name": one.name} for one in profile.accounts],
        "email": profile.email,
        "preferences": dict(profile.preferences),
        "since": datetime.fromtimestamp(profile.created_at_ms / 1000.0, UTC).isoformat(),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _described(file: str, size: int, *, instead: Download | None = None, because: str = "") -> Download:
    return Download(
        generation=GenerationId(""),
        kind="copy",
        file=file,
        title="What Raga Bot keeps of you",
        performer="Raga Bot",
        duration_s=0.0,
        filename="raga-bot.zip",
        size_bytes=size,
        instead=instead,
        because=because,
    )
