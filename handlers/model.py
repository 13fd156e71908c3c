"""What passes between a chat platform, the handlers and the backend: plain, immutable objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, NewType, TypeVar

AccountId = NewType("AccountId", str)
"""One account on one platform, such as ``discord:123`` or ``web:9f2c…``: the subject of its token."""

GenerationId = NewType("GenerationId", str)
"""Convex's id of a row of ``musicGenerations``."""

StorageId = NewType("StorageId", str)
"""Convex's id of a stored file."""

Cursor = NewType("Cursor", str)
"""Where the next page of a list begins; opaque."""

BUTTON_LINE_BYTES = 64
"""A button carries its command in at most so many UTF-8 bytes: Telegram's limit for callback data."""

GenerationStatus = Literal["processing", "completed", "failed"]
MusicType = Literal["instrumental", "vocal"]


@dataclass(frozen=True, slots=True)
class MessageRef:
    """One message on one platform. Ids are strings everywhere: Convex's numbers would lose digits."""

    platform: str
    chat: str
    message: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who speaks."""

    account: AccountId
    name: str
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Place:
    """Where they speak; ``private`` says that nobody else reads there.

    ``group``: the server or group that it belongs to, or that is spoken of, whose rules and allowance hold.
    ``room``: the chat of that by which its rules go, such as the channel of a thread; None where a group is a
    single chat.
    """

    platform: str
    chat: str
    private: bool
    group: str | None = None
    room: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody else of whom a request speaks: chosen from a list, mentioned, or answered."""

    account: AccountId
    name: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One command, typed, chosen from a menu or pressed as a button.

    ``options`` holds what the platform already took apart (raw values by option name), ``text`` what is
    left to be read as free text. ``event`` is the platform's own id of the event, the same when the event is
    delivered again. ``answer`` is the message that the reply will stand in, where the platform knows it
    before it asks for the reply. ``manages``: the platform has just looked up, for this event alone, that the
    actor looks after ``place.group``; only commands that need it are looked up. ``rooms``: names of that group's
    chats by their ids, for the same commands.
    """

    actor: Actor
    place: Place
    command: str
    event: str
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    text: str = ""
    answer: MessageRef | None = None
    subject: Subject | None = None
    manages: bool = False
    rooms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Button:
    """A label and the command line that pressing it sends, such as ``/history page:k17``."""

    label: str
    line: str

    def __post_init__(self) -> None:
        if not self.line.startswith("/"):
            raise ValueError(f"a button's line is a command: {self.line!r}")
        if len(self.line.encode()) > BUTTON_LINE_BYTES:
            raise ValueError(f"a button's line has at most {BUTTON_LINE_BYTES} bytes: {self.line!r}")


ButtonRows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Menu:
    """A choice among several lines: a select menu on Discord, rows of buttons elsewhere. At most 25 choices."""

    title: str
    choices: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One named value of a card."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a raga's scale."""

    raga: str
    tradition: str


@dataclass(frozen=True, slots=True)
class Card:
    """A titled sheet: an embed on Discord, a captioned photo on Telegram, a panel in the page."""

    title: str
    subtitle: str = ""
    fields: tuple[Field, ...] = ()
    description: str = ""
    footer: str = ""
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece has come. ``fraction`` runs from 0 to 1 and never goes back within one attempt."""

    stage: str
    fraction: float
    seconds_left: float | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Track:
    """Finished audio, to be attached or played. ``generation``: the piece, or the scale, by which it is asked for.

    ``cover`` says what the picture shows that the file may hold; empty where it holds none.
    """

    generation: GenerationId
    audio: StorageId
    title: str
    performer: str
    duration_s: float
    filename: str
    cover: str = ""


FileKind = Literal["mp3", "opus", "wav", "flac", "midi", "stems", "picture"]


@dataclass(frozen=True, slots=True)
class Download:
    """A file, made and ready to be attached; ``file`` is the name by which it is asked for.

    ``instead``: the same in a form that takes less room, for a chat that takes no file of this size, and ``because``:
    what to say of it then. ``generation`` is empty for a file that is no piece.
    """

    generation: GenerationId
    kind: FileKind | Literal["copy"]
    file: str
    title: str
    performer: str
    duration_s: float
    filename: str
    size_bytes: int
    instead: Download | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a list, with the buttons that act on it."""

    title: str
    detail: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class FavoriteTarget:
    """What a heart is put on: a generation or a raga (exactly one is set)."""

    generation: GenerationId | None = None
    raga: str | None = None
    tradition: str | None = None


@dataclass(frozen=True, slots=True)
class FavoriteState:
    """Whether the asker keeps the thing that a reply is about; a page paints its heart by it."""

    target: FavoriteTarget
    on: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot says. Texts are plain, without any platform's markup; a platform escapes them.

    ``private``: only the asker may read it. ``replaces``: it takes the place of the message whose button was
    pressed (a page turned). ``notice``: a short remark that needs no message of its own where the platform
    can flash one. ``qr``: an address for another device, where a picture can be shown that it scans. ``generation``:
    the piece whose progress or result this message shows. ``silent``: whoever it is for does not want to be called
    to it. ``ok`` is False when the command was refused or failed.
    """

    text: str = ""
    card: Card | None = None
    progress: Progress | None = None
    track: Track | None = None
    download: Download | None = None
    entries: tuple[Entry, ...] = ()
    menus: tuple[Menu, ...] = ()
    buttons: ButtonRows = ()
    private: bool = False
    replaces: bool = False
    notice: str = ""
    favorite: FavoriteState | None = None
    generation: GenerationId | None = None
    qr: str = ""
    silent: bool = False
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One choice of an autocomplete: ``value`` is put in, ``label`` is shown, ``detail`` tells it apart."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A piece asked for, with everything that was left open already chosen."""

    raga: str
    tradition: str
    music_type: MusicType
    instruments: tuple[str, ...]
    voice: str | None
    mood: str
    theme: str
    duration_s: float
    seed: int
    tempo_bpm: float | None = None
    key: str | None = None
    tala: str | None = None
    style: str | None = None
    after: GenerationId | None = None


@dataclass(frozen=True, slots=True)
class GenerationMetadata:
    """What the worker says of a finished piece. ``score``: the fingerprint of its score, if it is known."""

    title: str
    performer: str
    duration_s: float
    tonic_hz: float
    tempo_bpm: float
    tala: str
    size_bytes: int
    score: str | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """One piece as its asker sees it. ``position`` counts those waiting before it (0: next).

    ``title``: the name that its owner gave it. ``made_after``: it was made after another piece. ``shared``: others may
    open it by a link. ``error`` is a sentence for the person, ``error_code`` says what kind of end it was.
    """

    id: GenerationId
    status: GenerationStatus
    request: GenerationRequest
    created_at_ms: float
    favorite: bool = False
    own: bool = True
    progress: Progress | None = None
    position: int | None = None
    audio: StorageId | None = None
    metadata: GenerationMetadata | None = None
    title: str | None = None
    made_after: bool = False
    shared: bool = False
    error_code: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A piece that somebody shares, and who that is; None where they are gone."""

    generation: Generation
    by: Person | None


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One piece of those after which another was made. ``generation``: for whom may see it."""

    title: str
    by: Person | None
    own: bool
    generation: GenerationId | None = None


PlaylistRole = Literal["owner", "editor", "listener"]


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist that somebody belongs to, by the role that they have in it."""

    id: str
    name: str
    role: PlaylistRole
    owner: Person | None


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """A piece of a playlist. ``removable``: for whom asks."""

    id: str
    generation: Generation
    added_by: Person | None
    removable: bool


@dataclass(frozen=True, slots=True)
class PlaylistMember:
    """Somebody who belongs to a playlist."""

    id: str
    person: Person
    role: PlaylistRole
    own: bool


@dataclass(frozen=True, slots=True)
class Favorite:
    """A kept thing: a generation, or a raga by name and tradition."""

    target: FavoriteTarget
    created_at_ms: float
    generation: Generation | None = None


Item = TypeVar("Item")

Preferences = Mapping[str, str | float | bool]
"""What a person prefers, by the setting's name: tonic, tradition, duration (s), instrument, voice, place and others."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody else, as people may see them: never by an id."""

    platform: str
    name: str


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """One account of a person. ``id`` names it to `/unlink`; ``current``: the one that is spoken by."""

    id: str
    account: AccountId
    platform: str
    name: str
    current: bool


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of so many in so many seconds."""

    left: int
    of: int
    every_s: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What is kept of a person. ``undo``: the link that can still be taken back, and until when (ms)."""

    accounts: tuple[LinkedAccount, ...]
    preferences: Preferences
    pieces: Allowance
    seconds: Allowance
    running: int
    created_at_ms: float
    email: str | None = None
    undo: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class LinkSecret:
    """What links another account: a code to type, and a token for an address. Good for five minutes, and once."""

    code: str
    token: str


LinkStatus = Literal["ok", "own", "unknown", "paused", "waiting", "linked", "ended"]


@dataclass(frozen=True, slots=True)
class LinkStep:
    """How far a link has come. ``until_ms``: when a pause or the undo is over; ``id``: the link, later the merge."""

    status: LinkStatus
    other: Person | None = None
    id: str = ""
    until_ms: float = 0.0


NoticeKind = Literal["link_asked", "linked", "link_declined", "link_undone", "unlinked", "deleted"]


@dataclass(frozen=True, slots=True)
class Notice:
    """What an account is to be told in private."""

    id: str
    account: AccountId
    platform: str
    kind: NoticeKind
    details: Mapping[str, str | float]


CorrectionStatus = Literal["open", "accepted", "declined"]


@dataclass(frozen=True, slots=True)
class Correction:
    """What somebody says is wrong with a raga's entry. ``value``: what the entry is to say, as a curator put it.

    ``account`` and ``decided_by`` are only there for curators.
    """

    id: str
    raga: str
    tradition: str
    field: str
    text: str
    status: CorrectionStatus
    created_at_ms: float
    value: str | None = None
    note: str | None = None
    account: str | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items and where the next ones begin (None: these were the last)."""

    items: tuple[Item, ...]
    next: Cursor | None = None
