"""The handlers' side of the page as a test scripts it: real replies, no Convex, small real files."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile

from bot.platforms import CoverSize, Drawn, Services, Theme
from handlers.errors import NotFoundError
from handlers.model import (
    AccountId,
    Actor,
    Button,
    Card,
    Download,
    Entry,
    FavoriteState,
    FavoriteTarget,
    Field,
    GenerationId,
    Picture,
    Place,
    Progress,
    Reply,
    Request,
    StorageId,
    Suggestion,
    Track,
)

AUDIO_S = 3.0
COVER_PNG = b"\x89PNG\r\n\x1a\n of the piece"
PIECE = GenerationId("k570000000000000000000000000yaman")
SCALE = GenerationId("scale-0123456789abcdef0123456789abcdef")
SECRET = b"a secret of the tests, of 32 bytes"
SOMEBODY = AccountId("web:somebody")

COMMANDS = (
    Suggestion("/raga", "/raga", "A raga's card: scale, hour, mood"),
    Suggestion("/search", "/search", "Find ragas by name, tradition, hour or mood"),
    Suggestion("/generate", "/generate", "Have a piece made"),
    Suggestion("/hear", "/hear", "Hear a raga's scale"),
    Suggestion("/favorites", "/favorites", "What you keep"),
    Suggestion("/history", "/history", "What was made for you"),
    Suggestion("/cancel", "/cancel", "Stop the piece that is being made"),
    Suggestion("/help", "/help", "What I can do"),
)
RAGAS = ("Yaman", "Yaman Kalyan", "Yamuna Kalyani")


PICTURE_PX = (200, 190)
PAPER: dict[Theme, tuple[int, int, int]] = {"light": (255, 253, 250), "dark": (32, 25, 21)}
ALT = "Raga Yaman, drawn on a wheel of twelve steps. Arohana: lower Ni, Re, Ga, tivra Ma, Dha, Ni, upper Sa."


def write_audio(path: Path) -> Path:
    """Three seconds of a soft Sa as MP3."""
    rate_hz = 44_100
    time_s = np.arange(int(AUDIO_S * rate_hz)) / rate_hz
    tone = 0.2 * np.sin(2 * np.pi * 261.63 * time_s) * np.exp(-time_s)
    soundfile.write(path, tone, rate_hz, format="MP3")
    return path


def write_picture(path: Path, color: tuple[int, int, int]) -> Path:
    """A PNG of one color."""
    width, height = PICTURE_PX

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes(color) * width) * height
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def yaman_card(on: bool) -> Reply:
    """What /raga Yaman answers."""
    return Reply(
        card=Card(
            title="Yaman",
            subtitle="Hindustani · Kalyan thaat · sampurna",
            fields=(
                Field("Arohana", "Ṇ R G M♯ D N Ṡ"),
                Field("Avarohana", "Ṡ N D P M♯ G R S"),
                Field("Vadi", "G"),
                Field("Samvadi", "N"),
                Field("Time", "First prahar of the night"),
                Field("Rasa", "Shringara, bhakti"),
                Field("Also written", "Iman, Kalyan, Eman"),
            ),
            description=(
                "The evening raga with which many begin to learn. Its tivra Ma and the long Ni that leans on "
                "the upper Sa give it a wide, clear calm."
            ),
            footer="Kin: Yaman Kalyan, Shuddh Kalyan, Bhupali",
            picture=Picture("Yaman", "Hindustani"),
        ),
        buttons=(
            (Button("Hear it", "/hear Yaman"), Button("Generate in it", "/generate Yaman")),
            (Button("♥ Favorite", "/favorite raga:Yaman"),),
        ),
        favorite=FavoriteState(FavoriteTarget(raga="Yaman", tradition="Hindustani"), on),
    )


def progress_reply(fraction: float, stage: str = "melody", seconds_left: float | None = 20.0) -> Reply:
    """A piece under way."""
    return Reply(
        text="Yaman · sitar · 30 s",
        progress=Progress(stage, fraction, seconds_left),
        buttons=((Button("Cancel", f"/cancel {PIECE}"),),),
        generation=PIECE,
    )


def finished_reply(on: bool = False, title: str = "Raga Yaman") -> Reply:
    """A piece that is done."""
    return Reply(
        text="Sitar · 30 s · C♯ · 96 bpm · teental · seed 7",
        track=Track(
            PIECE,
            StorageId("kg2secretstorage"),
            title,
            "Raga Bot, sitar",
            AUDIO_S,
            "Raga Yaman – 7.mp3",
            "Yaman as a line of pitch.",
        ),
        buttons=(
            (
                Button("♥ Favorite", f"/favorite {PIECE}"),
                Button("Another take", f"/again {PIECE}"),
                Button("Vary", f"/vary {PIECE}"),
                Button("Longer", f"/longer {PIECE}"),
            ),
        ),
        favorite=FavoriteState(FavoriteTarget(generation=PIECE), on),
        generation=PIECE,
    )


MIDI_FILE = Download(
    PIECE, "midi", "yaman.mid", "Raga Yaman", "Raga Bot, sitar", AUDIO_S, "Raga Yaman – 7.mid", 4
)


def heard_reply(on: bool = False) -> Reply:
    """What /hear Yaman answers."""
    return Reply(
        text="Yaman: Ṇ R G M♯ D N Ṡ | Ṡ N D P M♯ G R S",
        track=Track(
            SCALE,
            StorageId(SCALE),
            "Raga Yaman",
            "Raga Bot, sitar",
            AUDIO_S,
            "Yaman - arohana and avarohana.mp3",
        ),
        buttons=(
            (Button("Generate in it", "/generate Yaman"), Button("Its card", "/raga Yaman")),
            (Button("♥ Favorite", "/favorite raga:Yaman"),),
        ),
        favorite=FavoriteState(FavoriteTarget(raga="Yaman", tradition="Hindustani"), on),
    )


def history_page(page: int) -> Reply:
    """Three entries of a list, with a way to the other page."""
    return Reply(
        text=f"Your pieces, page {page}",
        entries=tuple(
            Entry(
                f"Raga {name}",
                f"sitar · {30 * number} s · {number} days ago",
                (
                    Button("Play", f"/play {PIECE}"),
                    Button("Again", f"/again {PIECE}"),
                    Button("Remove", f"/remove {PIECE}"),
                ),
            )
            for number, name in enumerate(("Yaman", "Bhairavi", "Darbari Kanada"), start=3 * page - 2)
        ),
        buttons=((Button("Older" if page == 1 else "Newer", f"/history page:{3 - page}"),),),
        private=True,
    )


@dataclass
class WebDouble:
    """Answers like the handlers do, and remembers what it was asked."""

    audio_file: Path
    requests: list[Request] = field(default_factory=list)
    signed_in: list[tuple[Actor, Actor]] = field(default_factory=list)
    welcome: Reply | None = None
    """What is said to who signs in; None: their name."""
    kept: set[tuple[AccountId, str]] = field(default_factory=set)
    owners: dict[GenerationId, AccountId] = field(default_factory=dict)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    edition: int = 1
    """Counted up, the pictures are drawn otherwise."""
    undrawable: Exception | None = None
    covered: bool = True
    """Whether the audio holds a picture."""

    def services(self) -> Services:
        """What a platform is given."""
        return Services(
            respond=self.respond,
            sign_in=self.sign_in,
            complete=self.complete,
            choices=lambda *_: [],
            audio=self.audio,
            picture=self.picture,
            smaller=self.smaller,
            cover=self.cover,
            download=self.download,
            playable=self.playable,
            left=self._leaves,
            moved=self._leaves,
        )

    async def sign_in(self, visitor: Actor, proven: Actor) -> Reply:
        """Who was it, and who has proven to be?"""
        self.signed_in.append((visitor, proven))
        return self.welcome or Reply(text=f"Welcome, {proven.name}.")

    async def _leaves(self, *_: object) -> None:
        raise AssertionError("nobody is taken out of a page")

    def count(self, command: str) -> int:
        """How often a command was run."""
        return sum(request.command == command for request in self.requests)

    async def respond(self, request: Request) -> Reply:
        """A reply by command; /held waits until the test lets it go."""
        self.requests.append(request)
        account = request.actor.account
        match request.command:
            case "raga":
                return yaman_card((account, "raga") in self.kept)
            case "hear":
                return heard_reply((account, "raga") in self.kept)
            case "generate" | "again" | "vary" | "longer":
                self.owners[PIECE] = account
                return progress_reply(0.0, "waiting", None)
            case "favorite":
                return self._favorite(account, request.text)
            case "history":
                return replace(
                    history_page(2 if "page:2" in request.text else 1), replaces="page:" in request.text
                )
            case "cancel":
                return Reply(text="Stopped.", replaces=True, generation=PIECE)
            case "play":
                return finished_reply((account, "generation") in self.kept)
            case "download":
                ident, kind = request.text.split(maxsplit=1)
                if self.owners.get(GenerationId(ident)) != account or kind != "midi":
                    return Reply(text="That is not there, or it is not yours.", ok=False)
                return Reply(text="MIDI", download=MIDI_FILE, private=True)
            case "held":
                self.arrived.set()
                await self.held.wait()
                return Reply(text="At last.")
            case "help":
                return Reply(text="\n".join(f"{command.label}: {command.detail}" for command in COMMANDS))
            case "markup":
                return Reply(
                    text="<img src=x onerror=alert(1)> & <b>bold</b>",
                    card=Card(title="<script>alert(2)</script>"),
                )
        return Reply(text="I know no such command. /help shows what I can do.", ok=False)

    def _favorite(self, account: AccountId, text: str) -> Reply:
        kind = "raga" if text.startswith("raga:") else "generation"
        target = (
            FavoriteTarget(raga="Yaman", tradition="Hindustani")
            if kind == "raga"
            else FavoriteTarget(generation=PIECE)
        )
        on = (account, kind) not in self.kept
        (self.kept.add if on else self.kept.discard)((account, kind))
        return Reply(
            notice="It is among your favorites now." if on else "It is no longer a favorite.",
            favorite=FavoriteState(target, on),
        )

    def complete(self, line: str) -> Sequence[Suggestion]:
        """Commands, then ragas after /raga and /generate."""
        command, blank, text = line.partition(" ")
        if not blank:
            return [choice for choice in COMMANDS if choice.value.startswith(line.casefold())]
        if command in ("/raga", "/generate"):
            return [
                Suggestion(name, name, "Hindustani" if name != "Yamuna Kalyani" else "Carnatic")
                for name in RAGAS
                if text.casefold() in name.casefold()
            ]
        return []

    async def audio(self, storage: StorageId) -> Path:
        """The file."""
        assert storage in ("kg2secretstorage", SCALE)
        return self.audio_file

    async def picture(self, picture: Picture, theme: Theme) -> Drawn:
        """A sheet of paper, of the one raga that has a picture."""
        if self.undrawable is not None:
            raise self.undrawable
        if picture != Picture("Yaman", "Hindustani"):
            raise NotFoundError
        path = self.audio_file.with_name(f"yaman-{theme}-{self.edition}.png")
        color = PAPER[theme]
        return Drawn(write_picture(path, (color[0], color[1], color[2] - self.edition)), ALT)

    async def smaller(self, path: Path, duration_s: float, most_bytes: int) -> Path | None:
        """The page has no limit, and never asks."""
        raise AssertionError(f"{path} of {duration_s} s for {most_bytes} bytes")

    async def cover(self, storage: StorageId, size: CoverSize) -> Path | None:
        """The picture in the audio."""
        assert (storage, size) == ("kg2secretstorage", "whole")
        path = self.audio_file.with_name("cover.png")
        path.write_bytes(COVER_PNG)
        return path if self.covered else None

    async def download(self, file: str) -> Path:
        """A file that was made."""
        path = self.audio_file.with_name(file)
        path.write_bytes(b"MThd")
        return path

    async def playable(self, actor: Actor, place: Place, generation: GenerationId) -> StorageId:
        """Only for who asked for it; a scale is everybody's."""
        assert place.chat == actor.account
        if generation == SCALE:
            return StorageId(SCALE)
        if self.owners.get(generation) != actor.account:
            raise NotFoundError
        return StorageId("kg2secretstorage")
