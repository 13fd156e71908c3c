"""A piece to take away: in the form that an editor, a sequencer or a phone wants."""

from __future__ import annotations

from handlers.command import Option
from handlers.errors import InvalidInputError
from handlers.generation import PIECE, piece_named
from handlers.lookup import button
from handlers.model import Card, FileKind, Generation, Menu, Reply, Request
from handlers.pieces import parameters
from handlers.ports import House
from handlers.reading import take_apart
from handlers.values import listed, shown

KINDS: dict[FileKind, tuple[str, str]] = {
    "mp3": ("MP3", "as it was posted, at its best quality, with its picture"),
    "opus": ("Opus", "small; on Telegram a voice note"),
    "wav": ("WAV", "every sample, for an editor"),
    "flac": ("FLAC", "every sample, at about half the size"),
    "midi": ("MIDI", "the notes, with meend as pitch bends"),
    "stems": ("Stems", "each line by itself, in one ZIP with the score"),
    "picture": ("Picture", "the melody over the tala's grid"),
}
"""What a piece can be had as: the label, and what it is good for."""

_WORDS: dict[str, FileKind] = {
    "ogg": "opus",
    "voice": "opus",
    "wave": "wav",
    "mid": "midi",
    "zip": "stems",
    "lines": "stems",
    "png": "picture",
    "image": "picture",
}
FORMAT = "format"
OPTIONS = (*PIECE, Option(FORMAT, "As what", "choice", tuple(KINDS), "midi"))


async def download(house: House, request: Request) -> Reply:
    """The forms that a piece can be had in; with a form named, the file."""
    line = take_apart(request, ("piece", FORMAT))
    ident = piece_named(request, FORMAT)
    named = line.named.get(FORMAT) or " ".join(line.words[1:])
    kind = _kind(named) if named else None
    generation = await house.backend.generation(request.actor, request.place, ident)
    if generation.status != "completed" or generation.audio is None:
        raise InvalidInputError("This piece is not there yet. When it is, it can be had in every form.")
    if kind is None:
        return _choice(generation)
    file = await house.downloads.make(generation, kind)
    return Reply(text=f"{KINDS[kind][0]}: {parameters(generation)}", download=file, private=True)


def _kind(text: str) -> FileKind:
    plain = text.casefold().strip(" .")
    for kind in KINDS:
        if plain in (kind, KINDS[kind][0].casefold()):
            return kind
    if plain in _WORDS:
        return _WORDS[plain]
    raise InvalidInputError(
        f"A piece can be had as {listed(label for label, _ in KINDS.values())}. “{shown(text)}” is none of these."
    )


def _choice(generation: Generation) -> Reply:
    return Reply(
        card=Card(
            title="As what would you like it?",
            subtitle=parameters(generation),
            description="\n".join(f"{label}: {what}." for label, what in KINDS.values()),
        ),
        menus=(
            Menu(
                "The form",
                tuple(
                    one
                    for kind, (label, _) in KINDS.items()
                    for one in button(label, f"/download {generation.id} {kind}")
                ),
            ),
        ),
        private=True,
    )
