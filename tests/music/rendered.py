"""A piece as samples, whole in memory: the mix, and the lines that it was made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from music.compose import compose
from music.ensemble import Line
from music.instruments.wavetable import SAMPLE_RATE_HZ
from music.piece import drums_lead, mixed
from music.progress import Progress
from music.request import PieceRequest
from music.score import Score
from music.stems import STEMS


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a piece before the mix, each mono float32, (n,); all players together are the melody."""

    melody: NDArray[np.float32]
    drone: NDArray[np.float32]
    percussion: NDArray[np.float32]


def silent(stage: str, fraction: float) -> None:
    """For whom no progress matters."""
    del stage, fraction


def render(request: PieceRequest) -> tuple[Score, NDArray[np.float32], Lines]:
    """The score, the mastered mix, float32 (n, 2), and the lines as loud as they are in it."""
    score = compose(request)
    total = round(score.duration_s * SAMPLE_RATE_HZ)
    kept = {kind: np.zeros(total, dtype=np.float32) for kind in STEMS}

    def keep(line: Line) -> None:
        kept[line.kind] += line.samples * np.float32(line.level)

    progress = Progress(silent)
    mix = mixed(request.raga, score, progress, drums_lead=drums_lead(request), heard=keep)
    return score, mix, Lines(**kept)
