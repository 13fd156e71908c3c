"""How long a piece takes to make, over how long it plays, and whether the cost stays linear."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import Figure
from music.catalogue import load
from music.piece import make_piece
from music.request import PieceRequest
from tests.bot_process import bare_environment

_LENGTHS_S = (30.0, 60.0, 300.0)
_ASK_BAR_S = 8.0


def _render_s(duration_s: float) -> float:
    raga = load().get("Yaman")
    assert raga is not None
    started = time.perf_counter()
    make_piece(PieceRequest(raga=raga, duration_s=duration_s, seed=7), lambda _stage, _fraction: None)
    return time.perf_counter() - started


async def _ask_s(state_dir: Path) -> float:
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "ask",
        "/generate Yaman 30s seed 7",
        "--save",
        str(state_dir / "out"),
        env=bare_environment(state_dir),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(120):
        status = await process.wait()
    assert status == 0
    return time.perf_counter() - started


async def measure() -> list[Figure]:
    """Render time by length, and the whole of `raga-bot ask` from the shell."""
    _render_s(5.0)
    figures = []
    shortest = 0.0
    for length_s in _LENGTHS_S:
        taken_s = _render_s(length_s)
        shortest = shortest or taken_s / length_s
        figures.append(
            Figure(
                f"rendering {length_s:.0f} s to MP3, one process",
                f"{taken_s:.2f} s",
                f"the audio plays {length_s:.0f} s",
                f"{length_s / taken_s:.0f} x real time; "
                f"{taken_s / length_s / shortest:.2f} x the cost of a second of 30 s",
            )
        )
    with tempfile.TemporaryDirectory() as folder:
        cold_s = await _ask_s(Path(folder))
        warm_s = await _ask_s(Path(folder))
    figures.append(
        Figure(
            'raga-bot ask "/generate Yaman 30s seed 7", everything started for it',
            f"{warm_s:.2f} s (first time {cold_s:.2f} s)",
            "the audio plays 30 s",
            f"{warm_s / 30:.2f}",
            f"under {_ASK_BAR_S:.0f} s",
            warm_s < _ASK_BAR_S,
        )
    )
    return figures
