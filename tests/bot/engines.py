"""Engines for tests of what can go wrong: the theme of a request says what it shall do.

They run in rendering processes; ``ENGINE_FOLDER`` in the environment is where they and a test meet.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from bot.rendering import Engine, Rendered, Report, Wanted
from handlers.model import GenerationMetadata
from music.request import PieceError, PieceRequest

FOLDER = "ENGINE_FOLDER"
REFUSAL = "The sitar has no strings today."
MP3 = b"music, more or less"


def load() -> Engine:
    """An engine that does as the theme says."""
    folder = Path(os.environ[FOLDER])

    def render(request: Wanted, report: Report) -> Rendered:
        assert isinstance(request, PieceRequest)
        with (folder / "begun").open("a") as file:
            file.write(f"{os.getpid()} {request.seed}\n")
        tried = folder / f"tried to {request.theme}"
        first = not tried.exists()
        tried.touch()
        report("melody", 0.5)
        match request.theme:
            case "refuse":
                raise PieceError(REFUSAL)
            case "fail":
                raise ArithmeticError("a note too many")
            case "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            case "crash once" if first:
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                signal.pause()
            case "hang once" if first:
                signal.pause()
            case "hold":
                # Opening a pipe waits for somebody at its other end.
                with (folder / "gate").open("rb"):
                    pass
            case "steps":
                for step in range(500, 1000):
                    report("melody", step / 1000)
            case _:
                pass
        metadata = GenerationMetadata("Yaman", "Nobody", request.duration_s, 146.8, 60.0, "Teental", len(MP3))
        return Rendered(MP3, metadata)

    return render


def load_nothing() -> Engine:
    """An engine that is not there."""
    raise ImportError("no engine")


def begun(folder: Path) -> list[tuple[int, int]]:
    """Process id and seed of every rendering that was begun."""
    path = folder / "begun"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(pid), int(seed)) for pid, seed in (line.split() for line in lines)]
