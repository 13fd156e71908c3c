"""Samples to files: MP3 by pydub and the ffmpeg that imageio-ffmpeg brings, WAV, and back again."""

from __future__ import annotations

import io
import subprocess
import tempfile
import warnings
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Final

import imageio_ffmpeg
import numpy as np

from music.instruments.wavetable import SAMPLE_RATE_HZ

with warnings.catch_warnings():
    # pydub looks for ffmpeg on the PATH when it is imported and warns when there is none. It is told below
    # which one to use, and is asked for nothing that needs ffprobe or ffplay. Before Python 3.13 it imports
    # the standard library's deprecated audioop.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUALITY: Final = "2"
"""LAME's variable bit rate V2, about 130 kbit/s for this music: as good as 192 constant, a third smaller."""

_BLOCK: Final = 1 << 18


class EncodeError(RuntimeError):
    """The audio could not be turned into a file."""


def _ffmpeg() -> str:
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def pcm16(samples: NDArray[np.float32]) -> bytes:
    """Samples as interleaved 16-bit little-endian integers. ``samples``: float32, (n,) or (n, channels)."""
    # Block by block into one buffer, whose value is handed out without a copy: a long piece is large.
    whole = io.BytesIO()
    for start in range(0, len(samples), _BLOCK):
        part = samples[start : start + _BLOCK]
        whole.write(np.rint(np.clip(part, -1.0, 1.0) * np.float32(32767.0)).astype("<i2").tobytes())
    return whole.getvalue()


def mp3(pcm: bytes, channels: int, tags: dict[str, str]) -> bytes:
    """Encodes 16-bit samples; ``tags`` are title, artist, comment and the like. Raises `EncodeError`."""
    AudioSegment.converter = _ffmpeg()
    segment = AudioSegment(data=pcm, sample_width=2, frame_rate=SAMPLE_RATE_HZ, channels=channels)
    target = io.BytesIO()
    try:
        segment.export(
            target,
            format="mp3",
            tags=tags,
            id3v2_version="3",
            # Level 7 of LAME's speed and quality scale takes half the time of its default.
            parameters=["-threads", "1", "-q:a", QUALITY, "-compression_level", "7"],
        )
    except (OSError, RuntimeError) as error:
        raise EncodeError("ffmpeg could not encode the piece") from error
    return target.getvalue()


def write_wav(path: Path, samples: NDArray[np.float32]) -> None:
    """Writes samples, float32 (n,) or (n, channels), as a 16-bit WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm16(samples))


def decode(data: bytes) -> NDArray[np.float32]:
    """The samples of an encoded file as ffmpeg decodes it; float32, (n, 2). Raises `EncodeError`."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "encoded"
        source.write_bytes(data)
        command = [_ffmpeg(), "-v", "error", "-i", str(source), "-f", "f32le", "-ac", "2"]
        done = subprocess.run(  # noqa: S603 - the arguments are ours
            [*command, "-ar", str(SAMPLE_RATE_HZ), "-"], capture_output=True, check=False
        )
    if done.returncode != 0:
        raise EncodeError("ffmpeg could not decode the file")
    return np.frombuffer(done.stdout, dtype="<f4").reshape(-1, 2)
