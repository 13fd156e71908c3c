"""The audio files that old rows point at: looked for in one folder, and nowhere else."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from urllib.parse import unquote, urlsplit

from migration import values
from migration.transform import Old, Transformer
from migration.work import Upload

FILE_BYTES = 200 * 2**20


def audio(transformer: Transformer, old: Old, field: str) -> str | None:
    """The SHA-256 of the file that a column points at, which is then to be uploaded."""
    given = values.text(old.raw(field))
    if given is None:
        return None
    found = _found(transformer.files, given)
    if isinstance(found, str):
        transformer.refuse(old, field, found)
        return None
    transformer.upload(found)
    return found.sha256


def _found(root: Path | None, given: str) -> Upload | str:
    """The file, or why there is none."""
    try:
        parts = urlsplit(given)
        if parts.scheme in ("http", "https"):
            return "lies on the web: it is not fetched"
        if root is None:
            return "is a file: name its folder with --files"
        relative = unquote(parts.path) if parts.scheme == "file" else given
        path = (root / relative.lstrip("/")).resolve()
        if Path(relative).is_absolute() and not (path.is_relative_to(root) and path.is_file()):
            # An absolute path may lead into the folder as a whole.
            path = Path(relative).resolve()
        if not path.is_relative_to(root):
            return "is not in the folder of --files"
        if not path.is_file():
            return "there is no such file"
        size = path.stat().st_size
        if size > FILE_BYTES:
            return f"the file is larger than {FILE_BYTES >> 20} MiB"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links that lead in a circle
        return "the file cannot be read"
    return Upload(digest, path, mimetypes.guess_type(path.name)[0] or "application/octet-stream", size)
