"""The handlers' side as a test scripts it: real replies, no Convex, a small real audio file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from bot.compact import smaller
from bot.platforms import Services
from handlers.model import (
    Actor,
    Button,
    Card,
    Entry,
    FavoriteState,
    FavoriteTarget,
    Field,
    GenerationId,
    Menu,
    MessageRef,
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
        track=Track(PIECE, AUDIO, "Yaman <Teental>", "Sitar & Tabla", AUDIO_S, "Yaman.mp3"),
        buttons=((Button("Another take", f"/again {PIECE}"),),),
        favorite=FavoriteState(FavoriteTarget(generation=PIECE), on=False),
        generation=PIECE,
    )


def card(name: str) -> Reply:
    """What /raga answers."""
    return Reply(
        card=Card(name, "Hindustani & <kin>", (Field("Vadi", "G"),), "Calm.", "Kin: Bhupali"),
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

    def services(self) -> Services:
        """What a platform is given."""
        return Services(
            respond=self.respond,
            complete=lambda _: (),
            choices=self.choices,
            audio=self.audio,
            smaller=self.smaller,
            playable=self.playable,
        )

    def of(self, command: str) -> list[Request]:
        """What was asked by a command."""
        return [request for request in self.requests if request.command == command]

    async def respond(self, request: Request) -> Reply:
        """A reply by command; /held waits until the test lets it go."""
        self.requests.append(request)
        match request.command:
            case "raga":
                return card(request.text or str(request.options.get("name", "Yaman")))
            case "generate" if not (request.options or request.text):
                menu = Menu(
                    "An instrument", (Button("Sitar", "/guide mood i0"), Button("Veena", "/guide mood i1"))
                )
                return Reply(card=Card("Who shall play?"), menus=(menu,))
            case "guide" if not request.text.startswith("make"):
                return Reply(
                    card=Card("What mood?"), buttons=((Button("Make it", "/guide make i0"),),), replaces=True
                )
            case "generate" | "again" | "vary" | "longer" | "guide":
                if request.options.get("raga") == "nothing":
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
            case "search":
                return Reply(
                    text="\n".join(f"{number} {'<@123456789012345678> *_' * 8}" for number in range(120))
                )
            case "help":
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

    async def smaller(self, path: Path, duration_s: float, most_bytes: int) -> Path | None:
        """As the bot makes it, unless it cannot."""
        self.limits.append(most_bytes)
        return None if self.too_large else await smaller(path, duration_s, most_bytes)

    async def playable(self, actor: Actor, place: Place, generation: GenerationId) -> StorageId:
        """Everybody may hear it."""
        assert place.platform == actor.account.partition(":")[0]
        assert generation == PIECE
        return AUDIO
