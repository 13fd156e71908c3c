"""The handlers' side as a test scripts it: real replies, no Convex, a small real audio file."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from bot.compact import smaller
from bot.platforms import CoverSize, Drawn, Services, Theme
from handlers.errors import UnavailableError
from handlers.model import (
    Actor,
    Button,
    Card,
    Download,
    Entry,
    FavoriteState,
    FavoriteTarget,
    Field,
    FileKind,
    GenerationId,
    Menu,
    MessageRef,
    Picture,
    Place,
    Progress,
    Reply,
    Request,
    StorageId,
    Suggestion,
    Track,
)

PIECE = GenerationId("k570000000000000000000000000yaman")
AUDIO = StorageId("kg2secretstorage")
AUDIO_S = 8.0
COVER = "Yaman as a line of pitch."
THUMBNAIL = b"\xff\xd8 a small picture"
RAGAS = ("Yaman", "Yaman Kalyan", "Bhairavi")


def write_audio(path: Path) -> Path:
    """Eight seconds of rain as MP3, which packs badly."""
    rate_hz = 44_100
    rain = np.random.default_rng(7).normal(0.0, 0.2, (int(AUDIO_S * rate_hz), 2))
    soundfile.write(path, np.clip(rain, -1.0, 1.0), rate_hz, format="MP3")
    return path


def progress(fraction: float, stage: str = "Mixing") -> Reply:
    """A piece under way."""
    return Reply(
        text="Raga Yaman · Sitar",
        progress=Progress(stage, fraction, 20.0),
        buttons=((Button("Cancel", f"/cancel {PIECE}"),),),
        generation=PIECE,
    )


def finished(text: str = "Raga Yaman · Sitar · seed 7") -> Reply:
    """A piece that is done."""
    return Reply(
        text=text,
        track=Track(PIECE, AUDIO, "Yaman <Teental>", "Sitar & Tabla", AUDIO_S, "Yaman.mp3", COVER),
        buttons=((Button("Another take", f"/again {PIECE}"),),),
        favorite=FavoriteState(FavoriteTarget(generation=PIECE), on=False),
        generation=PIECE,
    )


def png(width: int = 300, height: int = 285) -> bytes:
    """A picture of one gray."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def card(name: str, remarks: str = "") -> Reply:
    """What /raga answers."""
    fields = (Field("Vadi", "G"), *((Field("Remarks", remarks),) if remarks else ()))
    picture = Picture(name, "Hindustani")
    return Reply(
        card=Card(name, "Hindustani & <kin>", fields, "Calm.", "Kin: Bhupali", picture),
        buttons=((Button("Generate in it", f"/generate {name}"),),),
        favorite=FavoriteState(FavoriteTarget(raga=name, tradition="Hindustani"), on=False),
    )


@dataclass
class Double:
    """Answers like the handlers do, and remembers what it was asked."""

    audio_file: Path
    requests: list[Request] = field(default_factory=list)
    answers: list[MessageRef] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    too_large: bool = False
    limits: list[int] = field(default_factory=list)
    remarks: str = ""
    covered: bool = True
    """Whether the audio holds a picture."""
    file_bytes: int = 4000
    """The size of a file that is taken away."""
    fetched: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    gone: list[tuple[str | None, tuple[str, ...]]] = field(default_factory=list)
    """What was left, in order: the group and chats, or a group and where it moved to."""
    out_of_reach: bool = False
    """Whether Convex hears nothing of that now."""
    drawn: dict[str, bytes] = field(default_factory=lambda: {"Yaman": png()})
    """The pictures that can be had, by raga."""

    def services(self) -> Services:
        """What a platform is given."""
        return Services(
            respond=self.respond,
            sign_in=self.sign_in,
            complete=lambda _: (),
            choices=self.choices,
            audio=self.audio,
            picture=self.picture,
            smaller=self.smaller,
            cover=self.cover,
            download=self.download,
            playable=self.playable,
            left=self.left,
            moved=self.moved,
        )

    async def sign_in(self, visitor: Actor, proven: Actor) -> Reply:
        """The chats never ask for it."""
        raise AssertionError(f"{visitor.account} with {proven.account}")

    def of(self, command: str) -> list[Request]:
        """What was asked by a command."""
        return [request for request in self.requests if request.command == command]

    async def respond(self, request: Request) -> Reply:
        """A reply by command; /held and /hear wait until the test lets them go."""
        self.requests.append(request)
        match request.command:
            case "raga":
                return card(request.text or str(request.options.get("name", "Yaman")), self.remarks)
            case "generate" if not (request.text or request.options):
                instruments = (Button("Sitar", "/guide mood i0"), Button("Veena", "/guide mood i1"))
                menus = (
                    Menu("An instrument", instruments),
                    Menu("A voice", (Button("A man", "/guide mood v0"),)),
                )
                return Reply(card=Card("Who shall play?"), menus=menus)
            case "guide" if not request.text.startswith("make"):
                return Reply(
                    card=Card("What mood?"), buttons=((Button("Make it", "/guide make i0"),),), replaces=True
                )
            case "generate" | "again" | "vary" | "longer" | "guide":
                if "nothing" in (request.text, request.options.get("raga")):
                    return Reply(text="I know no raga named that.", private=True, ok=False)
                assert request.answer is not None
                self.answers.append(request.answer)
                return progress(0.0, "Next in line")
            case "favorite":
                return Reply(notice="It is among your favorites now.", private=True)
            case "cancel":
                return Reply(notice="Stopped.", private=True)
            case "history":
                return self._history(request)
            case "play":
                return finished()
            case "download" if len(asked := request.text.split()) > 1:
                return Reply(text="Raga Yaman <&>", download=self.file(asked[1]), private=True)
            case "download":
                forms = (Button("MIDI", f"/download {PIECE} midi"), Button("WAV", f"/download {PIECE} wav"))
                return Reply(card=Card("As what?"), menus=(Menu("The form", forms),), private=True)
            case "settings":
                turn = (Button("More", "/settings back"),)
                return Reply(
                    card=Card("Settings"), buttons=(turn,), private=True, replaces=bool(request.text)
                )
            case "long":
                return Reply(text="\n".join(f"{number} {'<&>' * 30}" for number in range(120)))
            case "search":
                words = "<@123456789012345678> *_" * 8
                return Reply(text="\n".join(f"{number} {words}" for number in range(120)))
            case "held" | "hear":
                await self.held.wait()
                return Reply(text="At last.")
        return Reply(text=f"{request.command or 'said'}: {request.text}")

    @staticmethod
    def _history(request: Request) -> Reply:
        acts = (Button("Play", f"/play {PIECE}"), Button("Remove", f"/remove {PIECE}"))
        entry = Entry("Raga Yaman", "Sitar · seed 7", acts)
        buttons = ((Button("Older", "/history page:2"),),)
        return Reply(
            text="Your pieces", entries=(entry,), buttons=buttons, private=True, replaces=bool(request.text)
        )

    def choices(self, command: str, option: str, text: str) -> Sequence[Suggestion]:
        """Ragas by a part of their name."""
        assert (command, option) == ("raga", "name")
        return [Suggestion(one, one, "Hindustani") for one in RAGAS if text.casefold() in one.casefold()]

    async def audio(self, storage: StorageId) -> Path:
        """The file."""
        assert storage == AUDIO
        return self.audio_file

    def file(self, kind: str) -> Download:
        """A file of noise, as large as the test says; a WAV can be had as FLAC at half the size."""
        known: dict[str, FileKind] = {"midi": "midi", "wav": "wav", "opus": "opus", "flac": "flac"}
        path = self._file_path(f"yaman.{kind}")
        head = b"OggS" if kind == "opus" else b"DATA"
        path.write_bytes(head + b"\0" * (self.file_bytes // (2 if kind == "flac" else 1) - 4))
        smaller = self.file("flac") if kind == "wav" else None
        size = path.stat().st_size
        because = "As FLAC, which holds the same samples." if kind == "flac" else ""
        about = ("Yaman", "Sitar", AUDIO_S, f"Yaman.{kind}", size, smaller, because)
        return Download(PIECE, known[kind], path.name, *about)

    def _file_path(self, name: str) -> Path:
        return self.audio_file.with_name(name)

    async def download(self, file: str) -> Path:
        """A file that was made."""
        self.fetched.append(file)
        return self._file_path(file)

    async def cover(self, storage: StorageId, size: CoverSize) -> Path | None:
        """The picture in the audio: a PNG, or a JPEG of a size that no other picture of the tests has."""
        assert storage == AUDIO
        path = self.audio_file.with_name(f"cover-{size}")
        path.write_bytes(png(40, 30) if size == "whole" else THUMBNAIL)
        return path if self.covered else None

    async def picture(self, picture: Picture, theme: Theme) -> Drawn:
        """A file of its own for each state of a picture."""
        data = self.drawn.get(picture.raga)
        if data is None:
            raise UnavailableError
        path = self.audio_file.with_name(f"{picture.raga}-{theme}-{zlib.crc32(data):08x}.png")
        path.write_bytes(data)
        return Drawn(path, f"The scale of {picture.raga}.")

    async def smaller(self, path: Path, duration_s: float, most_bytes: int) -> Path | None:
        """As the bot makes it, unless it cannot."""
        self.limits.append(most_bytes)
        return None if self.too_large else await smaller(path, duration_s, most_bytes)

    async def left(self, platform: str, group: str | None, chats: Sequence[str]) -> None:
        """Forget it, unless Convex is out of reach."""
        assert platform in ("discord", "telegram")
        self.told.append("left")
        if self.out_of_reach:
            raise UnavailableError
        self.gone.append((group, tuple(chats)))

    async def moved(self, platform: str, group: str, to: str) -> None:
        """Move it, unless Convex is out of reach."""
        assert platform == "telegram"
        self.told.append("moved")
        if self.out_of_reach:
            raise UnavailableError
        self.gone.append((group, (to,)))

    async def playable(self, actor: Actor, place: Place, generation: GenerationId) -> StorageId:
        """Everybody may hear it."""
        assert place.platform == actor.account.partition(":")[0]
        assert generation == PIECE
        return AUDIO
