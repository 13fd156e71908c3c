"""Audio made smaller by the real ffmpeg."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from bot.compact import smaller

LENGTH_S = 20.0


def noise(path: Path) -> Path:
    """Twenty seconds of noise as a large MP3."""
    samples = np.random.default_rng(7).normal(0.0, 0.1, (int(LENGTH_S * 44_100), 2))
    soundfile.write(path, samples, 44_100, format="MP3", bitrate_mode="CONSTANT", compression_level=0.0)
    return path


async def test_a_file_that_fits_is_left_alone(tmp_path: Path) -> None:
    source = noise(tmp_path / "piece.mp3")
    assert await smaller(source, LENGTH_S, source.stat().st_size) == source


async def test_the_best_rate_that_fits_is_taken_once(tmp_path: Path) -> None:
    source = noise(tmp_path / "piece.mp3")
    found = await smaller(source, LENGTH_S, 200_000)
    assert found is not None
    assert found.stat().st_size <= 200_000
    info = soundfile.info(found)
    assert abs(info.duration - LENGTH_S) < 0.2
    made_at = found.stat().st_mtime_ns
    assert await smaller(source, LENGTH_S, 200_000) == found
    assert found.stat().st_mtime_ns == made_at
    assert found.name == "piece-64k.mp3"


async def test_what_no_rate_fits_or_is_no_audio(tmp_path: Path) -> None:
    source = noise(tmp_path / "piece.mp3")
    assert await smaller(source, LENGTH_S, 40_000) is None
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no audio" * 100_000)
    assert await smaller(broken, LENGTH_S, 300_000) is None
