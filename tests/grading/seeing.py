"""Six pieces to be listened to with the eyes: what was composed, and the spectrum of what is heard."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from bot.drawing.contour import draw_piece
from bot.drawing.raster import packed
from music.instruments.wavetable import SAMPLE_RATE_HZ
from music.request import PieceRequest
from tests.grading.grade import catalogue
from tests.music.rendered import render

PIECES: Final = (
    ("yaman-sitar", "Yaman", "Hindustani", ("sitar", "tabla"), None),
    ("darbari-kanada-sarangi", "Darbari Kanada", "Hindustani", ("sarangi",), None),
    ("reetigowla-veena", "Reetigowla", "Carnatic", ("veena", "mridangam"), None),
    ("hamsadhwani-violin", "Hamsadhwani", "Carnatic", ("violin",), None),
    ("malkauns-baritone", "Malkauns", "Hindustani", (), "baritone"),
    ("kafi-tabla", "Kafi", "Hindustani", ("tabla", "harmonium"), None),
)
"""File name, raga, tradition, instruments and voice: two Hindustani, two Carnatic, one sung, one led by drums."""

_DURATION_S: Final = 60.0
_LOWEST_HZ, _HIGHEST_HZ = 55.0, 10_000.0
_SIZE: Final = (1000, 360)
_RANGE_DB: Final = 70.0
_WINDOW: Final = 8192
_LEVELS: Final = 24
"""So many shades keep the file small; more cannot be told apart."""

_COLORS: Final = np.array([(24, 18, 15), (94, 44, 20), (224, 122, 31), (255, 236, 200)], dtype=np.float64)


def spectrogram(samples: NDArray[np.float32]) -> bytes:
    """A mix, float32 (n, 2), as PNG: time to the right, pitch in octaves upwards, loud parts bright."""
    width, height = _SIZE
    mono = samples.mean(axis=1, dtype=np.float64)
    hop = max(1, len(mono) // width)
    analysis = ShortTimeFFT(hann(_WINDOW, sym=False), hop, SAMPLE_RATE_HZ)
    power = np.abs(analysis.stft(mono)) ** 2
    hz = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, height)
    rows = np.clip(np.searchsorted(analysis.f, hz), 0, len(analysis.f) - 1)
    columns = np.linspace(0, power.shape[1] - 1, width).astype(int)
    level_db = 10.0 * np.log10(power[rows][:, columns] + 1e-12)
    share = np.clip(1.0 + (level_db - level_db.max()) / _RANGE_DB, 0.0, 1.0)[::-1]
    share = np.round(share * _LEVELS) / _LEVELS
    place = share * (len(_COLORS) - 1)
    picture = np.stack(
        [np.interp(place, np.arange(len(_COLORS)), _COLORS[:, channel]) for channel in range(3)], axis=-1
    )
    return packed(picture.astype(np.uint8))


def write_pictures(folder: Path) -> int:
    """Writes two pictures of each piece; returns 0."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, raga_name, tradition, instruments, voice in PIECES:
        raga = next(one for one in catalogue().ragas if (one.name, one.tradition) == (raga_name, tradition))
        request = PieceRequest(raga, _DURATION_S, seed=7, instruments=instruments, voice=voice)
        score, mix, _ = render(request)
        (folder / f"{name}-contour.png").write_bytes(draw_piece(score, "light"))
        (folder / f"{name}-spectrum.png").write_bytes(spectrogram(mix))
        print(f"{name}: {', '.join(section.name for section in score.sections)}")
    return 0
