"""What travels between the page and the bot: the frames of both directions, and a reply as JSON."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypedDict
from urllib.parse import quote

import segno
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from handlers.model import (
    Button,
    Card,
    Download,
    Entry,
    FavoriteTarget,
    Menu,
    Progress,
    Reply,
    Suggestion,
    Track,
)

FRAME_BYTES = 16 * 1024
"""The longest frame or request body that the page may send."""

LINE_CHARACTERS = 2000
"""The longest line that a person may say."""

COMPLETED_CHARACTERS = 300
"""The longest line that is worth completing."""

AskId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
]
"""The page's own name for one thing it asks, a UUID; asking again by the same name asks nothing twice."""

MessageId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


_COMMAND = re.compile(r"/([A-Za-z][A-Za-z0-9_]*)(?:@\w+)?(?=\s|$)")


class FrameError(Exception):
    """The page sent what this bot does not understand; the message says what about it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Frame(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Hello(_Frame):
    """The first frame of a connection: the newest change that the page has of its conversation."""

    type: Literal["hello"]
    epoch: Annotated[str, StringConstraints(max_length=64)] = ""
    since: Annotated[int, Field(ge=0, le=2**53)] = 0


class Say(_Frame):
    """A line that the person typed, or chose from the examples."""

    type: Literal["say"]
    id: AskId
    text: Annotated[str, StringConstraints(min_length=1, max_length=LINE_CHARACTERS)]


class Press(_Frame):
    """A button of a message."""

    type: Literal["press"]
    id: AskId
    message: MessageId
    line: Annotated[str, StringConstraints(pattern=r"^/", max_length=256)]


class Complete(_Frame):
    """What could the line typed so far become? ``request`` is given back with the answer."""

    type: Literal["complete"]
    request: Annotated[int, Field(ge=0, le=2**53)]
    line: Annotated[str, StringConstraints(max_length=COMPLETED_CHARACTERS)]


class Clear(_Frame):
    """Forget the conversation, but for what is still under way."""

    type: Literal["clear"]


class Ping(_Frame):
    """Are you there?"""

    type: Literal["ping"]


class Said(_Frame):
    """The body of POST /api/say."""

    id: AskId
    text: Annotated[str, StringConstraints(min_length=1, max_length=LINE_CHARACTERS)]


Frame = Hello | Say | Press | Complete | Clear | Ping

_FRAMES: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])
_SAID = TypeAdapter(Said)

_CODES = {
    "json_invalid": ("not_json", "That was not JSON that I can read."),
    "union_tag_invalid": ("unknown_type", "I know no frame of that type."),
    "union_tag_not_found": ("unknown_type", "A frame needs a type."),
}


def read_frame(data: str | bytes) -> Frame:
    """A frame of the page. Raises FrameError."""
    _check_size(data)
    try:
        return _FRAMES.validate_json(data)
    except ValidationError as error:
        raise _refusal(error) from None


def read_said(data: bytes) -> Said:
    """The body of POST /api/say. Raises FrameError."""
    _check_size(data)
    try:
        return _SAID.validate_json(data)
    except ValidationError as error:
        raise _refusal(error) from None


def clean_line(text: str) -> str:
    """A typed line without control characters and outer blanks. Raises FrameError when nothing is left."""
    kept = "".join(
        " " if character in "\r\n\t\u2028\u2029" else character
        for character in unicodedata.normalize("NFC", text)
        if character in "\r\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
    )
    line = kept.strip()
    if not line:
        raise FrameError("invalid", "There is nothing in that message. Type / to see what I can do.")
    return line


def read_line(line: str) -> tuple[str, str]:
    """The command and the rest of a line, ``("raga", "Yaman")``; what begins with no slash has no command."""
    match = _COMMAND.match(line)
    return (match[1].casefold(), line[match.end() :].strip()) if match else ("", line)


def _check_size(data: str | bytes) -> None:
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))
    if size > FRAME_BYTES:
        raise FrameError(
            "too_long", f"That is too long for one message; {FRAME_BYTES // 1024} kB is the most."
        )


def _refusal(error: ValidationError) -> FrameError:
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if problem["type"] in _CODES:
        return FrameError(*_CODES[problem["type"]])
    where = ".".join(str(part) for part in problem["loc"]) or "frame"
    return FrameError("invalid", f"{where[:80]}: {problem['msg']}")


class ButtonJson(TypedDict):
    """A label and the command line that pressing it sends."""

    label: str
    line: str


class FieldJson(TypedDict):
    """One named value of a card."""

    name: str
    value: str


class PictureJson(TypedDict):
    """The picture of a card in both themes; ``alt`` says what it shows. Width and height in pixels."""

    light: str
    dark: str
    alt: str
    width: int
    height: int


class CardJson(TypedDict):
    """A titled sheet."""

    title: str
    subtitle: str
    fields: list[FieldJson]
    description: str
    footer: str
    picture: PictureJson | None


class ProgressJson(TypedDict):
    """How far a piece has come; ``fraction`` 0 to 1."""

    stage: str
    fraction: float
    seconds_left: float | None
    attempt: int


class CoverJson(TypedDict):
    """The picture of a piece, and what it shows in words."""

    url: str
    alt: str


class TrackJson(TypedDict):
    """A finished piece. ``url`` plays it and ``download`` saves it, for the accounts that may hear it."""

    generation: str
    title: str
    performer: str
    duration_s: float
    filename: str
    url: str
    download: str
    cover: CoverJson | None


class DownloadJson(TypedDict):
    """A piece as a file of another kind, at ``url`` for the accounts that may hear it."""

    kind: str
    title: str
    filename: str
    size_bytes: int
    url: str


class QrJson(TypedDict):
    """An address, and the same as a QR code: a string of 0 and 1 for each of its rows."""

    address: str
    rows: list[str]


class MenuJson(TypedDict):
    """A choice among several lines."""

    title: str
    choices: list[ButtonJson]


class EntryJson(TypedDict):
    """One row of a list."""

    title: str
    detail: str
    buttons: list[ButtonJson]


class FavoriteJson(TypedDict):
    """What a heart is put on, as one string, and whether it is."""

    target: str
    on: bool


class ReplyJson(TypedDict):
    """handlers.model.Reply, part by part."""

    text: str
    card: CardJson | None
    progress: ProgressJson | None
    track: TrackJson | None
    download: DownloadJson | None
    entries: list[EntryJson]
    menus: list[MenuJson]
    buttons: list[list[ButtonJson]]
    private: bool
    replaces: bool
    notice: str
    favorite: FavoriteJson | None
    generation: str | None
    qr: QrJson | None
    ok: bool


class SuggestionJson(TypedDict):
    """One choice of an autocomplete."""

    value: str
    label: str
    detail: str


def reply_json(reply: Reply, picture: PictureJson | None = None) -> ReplyJson:
    """A reply for the page. ``picture``: that of its card, where it can be had."""
    favorite = reply.favorite
    return {
        "text": reply.text,
        "card": _card(reply.card, picture) if reply.card else None,
        "progress": _progress(reply.progress) if reply.progress else None,
        "track": _track(reply.track) if reply.track else None,
        "download": _download(reply.download) if reply.download else None,
        "entries": [_entry(entry) for entry in reply.entries],
        "menus": [_menu(menu) for menu in reply.menus],
        "buttons": [[_button(button) for button in row] for row in reply.buttons],
        "private": reply.private,
        "replaces": reply.replaces,
        "notice": reply.notice,
        "favorite": {"target": target_name(favorite.target), "on": favorite.on} if favorite else None,
        "generation": reply.generation,
        "qr": _qr(reply.qr) if reply.qr else None,
        "ok": reply.ok,
    }


def suggestions_json(suggestions: Sequence[Suggestion]) -> list[SuggestionJson]:
    """Choices for the page."""
    return [{"value": choice.value, "label": choice.label, "detail": choice.detail} for choice in suggestions]


def target_name(target: FavoriteTarget) -> str:
    """One string for what a heart is put on; the same thing always has the same."""
    if target.generation is not None:
        return f"generation:{target.generation}"
    return f"raga:{target.tradition or ''}:{target.raga}"


def is_remark(reply: Reply) -> bool:
    """Whether a reply is only to be flashed, and needs no message of its own."""
    shown = (reply.text, reply.card, reply.progress, reply.track, reply.entries, reply.menus)
    return bool(reply.notice) and not any((*shown, reply.download, reply.buttons))


def dump(value: Any) -> str:
    """JSON without needless blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _button(button: Button) -> ButtonJson:
    return {"label": button.label, "line": button.line}


def _card(card: Card, picture: PictureJson | None) -> CardJson:
    return {
        "title": card.title,
        "subtitle": card.subtitle,
        "fields": [{"name": field.name, "value": field.value} for field in card.fields],
        "description": card.description,
        "footer": card.footer,
        "picture": picture,
    }


def _progress(progress: Progress) -> ProgressJson:
    return {
        "stage": progress.stage,
        "fraction": max(0.0, min(1.0, progress.fraction)),
        "seconds_left": progress.seconds_left,
        "attempt": progress.attempt,
    }


def _track(track: Track) -> TrackJson:
    ident = quote(track.generation, safe="")
    url = f"/audio/{ident}"
    return {
        "generation": track.generation,
        "title": track.title,
        "performer": track.performer,
        "duration_s": track.duration_s,
        "filename": track.filename,
        "url": url,
        "download": f"{url}?download=1",
        "cover": {"url": f"/cover/{ident}.png", "alt": track.cover} if track.cover else None,
    }


def _download(file: Download) -> DownloadJson:
    return {
        "kind": file.kind,
        "title": file.title,
        "filename": file.filename,
        "size_bytes": file.size_bytes,
        # A copy of all that is somebody's is made for whoever asks, of their own.
        "url": f"/download/{quote(file.generation, safe='')}/{file.kind}" if file.generation else "/export",
    }


def _qr(address: str) -> QrJson:
    rows = segno.make(address, error="m", micro=False).matrix
    return {"address": address, "rows": ["".join("1" if dark else "0" for dark in row) for row in rows]}


def _menu(menu: Menu) -> MenuJson:
    return {"title": menu.title, "choices": [_button(choice) for choice in menu.choices]}


def _entry(entry: Entry) -> EntryJson:
    return {
        "title": entry.title,
        "detail": entry.detail,
        "buttons": [_button(button) for button in entry.buttons],
    }
