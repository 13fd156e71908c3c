"""Files as the Bot API keeps them: taken from an upload once, or named by what it called them before."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.peers.telegram.world import Json, Refusal, StoredFile

if TYPE_CHECKING:
    from tests.peers.telegram.peer import TelegramPeer

PHOTO_BYTES = 10 * 10**6
PHOTO_SIDES = 10_000
PHOTO_RATIO = 20
_PREVIEW_SIDE = 320


@dataclass(frozen=True)
class Upload:
    """A file of a multipart request."""

    name: str
    data: bytes


class Media:
    """Makes what a message holds of what a call gives."""

    def __init__(self, peer: TelegramPeer) -> None:
        self._peer = peer
        self._tracks: dict[str, Json] = {}
        self._photos: dict[str, list[Json]] = {}

    def audio(self, given: Any, about: Mapping[str, Any]) -> Json:
        """A track. Raises Refusal."""
        stored = self._stored(given, "audio")
        kept = self._tracks.setdefault(
            stored.file_id,
            {
                "file_id": stored.file_id,
                "file_unique_id": f"u{stored.file_id}",
                "duration": int(about.get("duration") or 0),
                "title": about.get("title", ""),
                "performer": about.get("performer", ""),
                "file_name": stored.name,
                "mime_type": "audio/mpeg",
                "file_size": len(stored.data),
            },
        )
        return dict(kept)

    def file(self, given: Any, kind: str, about: Mapping[str, Any]) -> Json:
        """A voice note or a document. Raises Refusal."""
        stored = self._stored(given, kind)
        held: Json = {
            "file_id": stored.file_id,
            "file_unique_id": f"u{stored.file_id}",
            "file_size": len(stored.data),
        }
        if kind == "voice":
            return held | {"duration": int(about.get("duration") or 0), "mime_type": "audio/ogg"}
        return held | {"file_name": stored.name}

    def photo(self, given: Any) -> list[Json]:
        """A photo in its sizes, the largest last; each has a name of its own. Raises Refusal."""
        stored = self._stored(given, "photo")
        if stored.file_id not in self._photos:
            width, height = _sides(stored.data)
            scale = _PREVIEW_SIDE / max(width, height, _PREVIEW_SIDE)
            preview = StoredFile(f"{stored.file_id}-s", stored.name, stored.data, "photo")
            self._peer.files[preview.file_id] = preview
            sizes = [
                _size(preview, round(width * scale), round(height * scale)),
                _size(stored, width, height),
            ]
            self._photos[stored.file_id] = sizes
            self._photos[preview.file_id] = sizes[:1]
        return list(self._photos[stored.file_id])

    @staticmethod
    def check_thumbnail(said: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        """Raises Refusal for a cover that would not be shown."""
        given = said.get("thumbnail")
        if isinstance(given, str) and given.startswith("attach://"):
            given = params.get(given.removeprefix("attach://"))
        if given is None:
            return
        if not isinstance(given, Upload) or given.data[:2] != b"\xff\xd8" or len(given.data) > 200_000:
            raise Refusal(400, "Bad Request: wrong thumbnail: a JPEG of at most 200 kB is taken")

    def _stored(self, given: Any, kind: str) -> StoredFile:
        peer = self._peer
        if isinstance(given, Upload):
            _check(given.data, kind, peer.limits.file_bytes)
            peer.uploads += 1
            stored = StoredFile(f"{kind.upper()}-{peer.uploads}", given.name, given.data, kind)
            peer.files[stored.file_id] = stored
            return stored
        found = peer.files.get(str(given))
        if found is None:
            raise Refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")
        if found.kind != kind:
            raise Refusal(400, f"Bad Request: can't use file of type {found.kind} as {kind}")
        return found


def _check(data: bytes, kind: str, most_bytes: int) -> None:
    if len(data) > most_bytes:
        raise Refusal(413, "Request Entity Too Large")
    if kind == "audio" and data[:3] != b"ID3" and data[:1] != b"\xff":
        raise Refusal(400, "Bad Request: the file is no MP3")
    if kind == "voice" and data[:4] != b"OggS":
        raise Refusal(400, "Bad Request: the file is no voice note")
    if kind == "photo":
        if len(data) > PHOTO_BYTES:
            raise Refusal(400, "Bad Request: PHOTO_SAVE_FILE_INVALID")
        width, height = _sides(data)
        if width + height > PHOTO_SIDES or max(width, height) > PHOTO_RATIO * min(width, height):
            raise Refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")


def _sides(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG; nothing else is sent as a photo."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or not data.endswith(b"IEND\xaeB`\x82"):
        raise Refusal(400, "Bad Request: IMAGE_PROCESS_FAILED")
    width, height = struct.unpack(">II", data[16:24])
    return int(width), int(height)


def _size(stored: StoredFile, width: int, height: int) -> Json:
    return {
        "file_id": stored.file_id,
        "file_unique_id": f"u{stored.file_id}",
        "width": width,
        "height": height,
        "file_size": len(stored.data),
    }
