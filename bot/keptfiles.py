"""Files that were made or fetched once and are worth keeping, in a folder of bounded size."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Collection
from pathlib import Path

_IN_USE_S = 600.0
"""A path that was just handed out is about to be opened, and so stays for so long."""


class KeptFiles:
    """Files by name, the longest unused ones dropped beyond ``max_bytes``. Blocks: call it in a thread.

    ``endings`` are those of its files, such as ``.mp3``; whatever else stands in the folder is an old draft.
    """

    def __init__(self, folder: Path, max_bytes: int, endings: Collection[str]) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._endings = frozenset(endings)

    def find(self, name: str) -> Path | None:
        """The file, if it is there; it counts as used now."""
        path = self.folder / name
        return path if _touch(path) else None

    def put(self, name: str, data: bytes) -> Path:
        """Keep a file's bytes. Raises OSError."""
        draft = self.draft(name)
        try:
            draft.write_bytes(data)
            return self.adopt(name, draft)
        finally:
            draft.unlink(missing_ok=True)

    def draft(self, name: str) -> Path:
        """A path beside the file, for one that writes it in steps and has it adopted. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f".{Path(name).stem}.{secrets.token_hex(4)}"

    def adopt(self, name: str, draft: Path) -> Path:
        """Make a finished draft the file. Raises OSError."""
        path = self.folder / name
        draft.replace(path)
        self._make_room(path)
        return path

    def drop(self, name: str) -> None:
        """Let a file go; one that is not there has gone already."""
        with contextlib.suppress(OSError):
            (self.folder / name).unlink()

    def _make_room(self, newest: Path) -> None:
        files = []
        now = time.time()
        for path in self.folder.iterdir():
            with contextlib.suppress(OSError):
                status = path.stat()
                if path.suffix in self._endings:
                    files.append((status.st_mtime, status.st_size, path))
                elif now - status.st_mtime > _IN_USE_S:
                    path.unlink()  # a draft of a process that was killed
        total = sum(size for _, size, _ in files)
        for used_at, size, path in sorted(files):
            if total <= self._max_bytes or now - used_at < _IN_USE_S:
                break
            if path != newest:
                with contextlib.suppress(OSError):
                    path.unlink()
                    total -= size


def _touch(path: Path) -> bool:
    """Mark as used; False where there is no such file."""
    try:
        os.utime(path)
    except OSError:
        return path.is_file()  # one that cannot be marked can be played all the same
    return True
