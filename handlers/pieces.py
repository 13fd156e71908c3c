"""A piece as people see it: while it waits, while it is made, when it is there, when it failed."""

from __future__ import annotations

import re
import unicodedata

from handlers.lookup import button
from handlers.model import (
    ButtonRows,
    FavoriteState,
    FavoriteTarget,
    Generation,
    GenerationRequest,
    Progress,
    Reply,
    Track,
)
from music.request import INSTRUMENTS, STYLES, VOICES

CANCELLED = "cancelled"

_STAGES = {
    "compose": "Composing",
    "melody": "Playing the melody",
    "drone": "Tuning the tanpura",
    "percussion": "Setting the tala",
    "mix": "Mixing",
    "encode": "Pressing the MP3",
    "upload": "Bringing it to you",
}
_FAILED = "This piece could not be made. Please ask for it once more."
_UNSAFE = re.compile(r"[^A-Za-z0-9 #()+,._-]+")


def players(request: GenerationRequest) -> str:
    """Who plays and sings, such as ``Sitar, Tabla``."""
    names = [VOICES.get(request.voice, request.voice).split(" (")[0]] if request.voice else []
    names += [INSTRUMENTS.get(name, name.capitalize()) for name in request.instruments]
    return ", ".join(names)


def length(duration_s: float) -> str:
    """A length, such as ``45 s`` or ``2:30``."""
    whole = round(duration_s)
    return f"{whole} s" if whole < 100 else f"{whole // 60}:{whole % 60:02d}"


def parameters(generation: Generation) -> str:
    """All that would make the same piece again, in one line."""
    request, made = generation.request, generation.metadata
    tempo = made.tempo_bpm if made is not None else request.tempo_bpm
    parts = (
        f"Raga {request.raga}" if request.raga else "",
        players(request),
        STYLES.get(request.style, request.style) if request.style else "",
        length(request.duration_s),
        request.key or "",
        "" if tempo is None else f"{tempo:.0f} bpm",
        (made.tala if made is not None else request.tala) or "",
        request.mood,
        f"seed {request.seed}",
    )
    return " · ".join(part for part in parts if part)


def show(generation: Generation) -> Reply:
    """The message of a piece, whatever its state."""
    match generation.status:
        case "completed":
            return finished(generation)
        case "failed":
            return _failed(generation)
        case _:
            return _under_way(generation)


def _under_way(generation: Generation) -> Reply:
    return Reply(
        text=parameters(generation),
        progress=_progress(generation),
        buttons=(button("Cancel", f"/cancel {generation.id}"),),
        generation=generation.id,
    )


def _progress(generation: Generation) -> Progress:
    progress = generation.progress
    if progress is not None:
        return Progress(
            _STAGES.get(progress.stage, progress.stage.capitalize()),
            progress.fraction,
            progress.seconds_left,
            progress.attempt,
        )
    before = generation.position or 0
    waiting = "Next in line" if before == 0 else f"Waiting, {before} before this one"
    return Progress(waiting, 0.0)


def finished(generation: Generation) -> Reply:
    """The piece itself, with what can be done with it."""
    request, made = generation.request, generation.metadata
    ident = generation.id
    if generation.audio is None:
        return _failed(generation)
    buttons: ButtonRows = (
        (
            *button("♥ Favorite", f"/favorite {ident}"),
            *button("Download", f"/download {ident}"),
            *(button("Share", f"/share {ident}") if generation.own else ()),
            *button("Playlist", f"/addto {ident}"),
        ),
        (
            *button("Another take", f"/again {ident}"),
            *button("Vary", f"/vary {ident}"),
            *button("Longer", f"/longer {ident}"),
            *(button("Made after", f"/chain {ident}") if generation.made_after or request.after else ()),
        ),
    )
    return Reply(
        text=parameters(generation),
        track=Track(
            generation=ident,
            audio=generation.audio,
            title=generation.title
            or (made.title if made is not None and made.title else f"Raga {request.raga}"),
            performer=(made.performer if made is not None else "") or players(request) or "Raga Bot",
            duration_s=made.duration_s if made is not None else request.duration_s,
            filename=filename(request),
            cover=_cover(generation),
        ),
        buttons=buttons,
        favorite=FavoriteState(FavoriteTarget(generation=ident), generation.favorite),
        generation=ident,
    )


def _cover(generation: Generation) -> str:
    """What the picture shows that our engine puts into its files; empty for files of other origin."""
    made = generation.metadata
    if made is None or made.score is None:
        return ""
    over = f" and the cycles of {made.tala}" if made.tala else ""
    return f"{made.title or 'The piece'} as a line of pitch over its swaras{over}, {length(made.duration_s)} long."


def filename(request: GenerationRequest, ending: str = "mp3") -> str:
    """What a piece is saved as."""
    plain = unicodedata.normalize(
        "NFKD", f"{request.raga or 'Raga'} - {players(request)} - seed {request.seed}"
    )
    return f"{_UNSAFE.sub('', plain).strip()[:100]}.{ending}"


def _failed(generation: Generation) -> Reply:
    about = parameters(generation)
    if generation.error_code == CANCELLED:
        text = f"Stopped: {about}"
    elif generation.error_code == "invalid" and generation.error:
        text = generation.error
    else:
        text = f"{_FAILED} ({about})"
    return Reply(
        text=text,
        buttons=(button("Try again", f"/again {generation.id}"),) if generation.own else (),
        generation=generation.id,
        ok=generation.error_code == CANCELLED,
    )
