"""Samples to files: MP3, OGG-Opus and FLAC by pydub and the ffmpeg that imageio-ffmpeg brings, WAV, and back."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tempfile
import threading
import warnings
import wave
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import imageio_ffmpeg
import numpy as np

from music.instruments.wavetable import SAMPLE_RATE_HZ

with warnings.catch_warnings():
    # pydub looks for ffmpeg on the PATH when it is imported and warns when there is none. It is told below
    # which one to use, and is asked for nothing that needs ffprobe or ffplay. Before Python 3.13 it imports
    # the standard library's deprecated audioop.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.exceptions import PydubException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

QUALITY: Final = "2"
"""LAME's variable bit rate V2, about 130 kbit/s for this music: as good as 192 constant, a third smaller."""

CUTOFF_HZ: Final = 16_000
"""Above this nothing is coded: no instrument here has an overtone above 15 kHz."""

OPUS_BITS: Final = 40_000
"""Bits a second of a voice note: a minute takes 300 KB."""

_BLOCK: Final = 1 << 15
_LOOK_S: Final = 0.25
_CODED: Final = re.compile(rb"out_time_us=(\d+)")
_PNG: Final = b"\x89PNG\r\n\x1a\n"


class EncodeError(RuntimeError):
    """The audio could not be turned into a file."""


def _ffmpeg() -> str:
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def pcm16(samples: NDArray[np.float32]) -> bytes:
    """Samples as interleaved 16-bit little-endian integers. ``samples``: float32, (n,) or (n, channels)."""
    # Block by block into one buffer, whose value is handed out without a copy: a long piece is large.
    sides = samples.reshape(len(samples), -1)
    # Its room is taken at once: a buffer that grows leaves behind what it has grown out of.
    whole = io.BytesIO()
    whole.seek(max(0, 2 * sides.size - 1))
    whole.write(b"\0"[: 2 * sides.size])
    whole.seek(0)
    block = np.empty((_BLOCK, sides.shape[1]), dtype="<i2")
    for start in range(0, len(sides), _BLOCK):
        count = min(_BLOCK, len(sides) - start)
        for side in range(sides.shape[1]):
            part = sides[start : start + count, side] * np.float32(32767.0)
            np.rint(part, out=part)
            np.clip(part, -32767.0, 32767.0, out=part)
            block[:count, side] = part
        whole.write(block[:count].data)
    return whole.getvalue()


def _encoded(
    pcm: bytes,
    channels: int,
    file_format: str,
    parameters: Sequence[str],
    tags: Mapping[str, str],
    cover: bytes | None = None,
    report: Callable[[float], None] | None = None,
) -> bytes:
    AudioSegment.converter = _ffmpeg()
    segment = AudioSegment(data=pcm, sample_width=2, frame_rate=SAMPLE_RATE_HZ, channels=channels)
    target = io.BytesIO()
    # Without these two words a file would hold the encoder's version, and a random number.
    parameters = ["-threads", "1", "-fflags", "+bitexact", *parameters]
    try:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as watch:
            if report is not None:
                told = Path(folder) / "progress"
                parameters += ["-progress", str(told), "-stats_period", str(_LOOK_S)]
                watch.enter_context(_followed(told, len(pcm) / (2 * channels * SAMPLE_RATE_HZ), report))
            watch.enter_context(_in_batch())
            picture = None
            if cover is not None:
                picture = Path(folder) / ("cover.png" if cover.startswith(_PNG) else "cover.jpg")
                picture.write_bytes(cover)
                # pydub would have it coded anew.
                parameters += ["-c:v", "copy", "-metadata:s:v", "comment=Cover (front)"]
            segment.export(
                target,
                format=file_format,
                parameters=parameters,
                tags=dict(tags),
                id3v2_version="3",
                cover=None if picture is None else str(picture),
            )
    except (OSError, PydubException) as error:
        raise EncodeError("ffmpeg could not encode the piece") from error
    return target.getvalue()


@contextmanager
def _in_batch() -> Iterator[None]:
    """Programs that are started meanwhile belong to a batch job, where the system knows one (Linux).

    Six threads of ffmpeg hand each other every packet. In a batch job the one that is woken waits for its turn, and
    does not take the core: a quarter of the switches, a tenth less time.
    """
    try:
        before = os.sched_getscheduler(0)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except (OSError, AttributeError):
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setscheduler(0, before, os.sched_param(0))


@contextmanager
def _followed(told: Path, duration_s: float, report: Callable[[float], None]) -> Iterator[None]:
    """Has ``report`` called with the share that is coded, as ffmpeg writes it into a file, from a thread."""
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(_LOOK_S):
            with suppress(OSError):
                times = _CODED.findall(told.read_bytes())
                if times:
                    report(min(1.0, int(times[-1]) / 1e6 / duration_s))

    thread = threading.Thread(target=follow, name="encoding", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def mp3(
    pcm: bytes,
    channels: int,
    tags: Mapping[str, str],
    cover: bytes | None = None,
    report: Callable[[float], None] | None = None,
) -> bytes:
    """Encodes 16-bit samples as MP3 with ID3 tags and, if given, a PNG or JPEG as its cover.

    ``tags`` are title, artist, comment and the like. ``report`` gets the share that is done, from a thread, and must
    not raise. Raises `EncodeError`.
    """
    # Level 7 of LAME's speed and quality scale takes half the time of its default.
    quality = ["-q:a", QUALITY, "-compression_level", "7", "-cutoff", str(CUTOFF_HZ), "-joint_stereo", "0"]
    return _encoded(pcm, channels, "mp3", quality, tags, cover, report)


def opus(pcm: bytes, channels: int, tags: Mapping[str, str]) -> bytes:
    """Encodes 16-bit samples as a small OGG-Opus file, as voice notes are. Raises `EncodeError`."""
    quality = ["-c:a", "libopus", "-b:a", str(OPUS_BITS), "-vbr", "on", "-compression_level", "5"]
    return _encoded(pcm, channels, "ogg", [*quality, "-application", "audio"], tags)


def flac(pcm: bytes, channels: int, tags: Mapping[str, str]) -> bytes:
    """Encodes 16-bit samples as FLAC, without loss. Raises `EncodeError`."""
    return _encoded(pcm, channels, "flac", ["-compression_level", "3"], tags)


def wav(pcm: bytes, channels: int) -> bytes:
    """16-bit samples as a WAV file."""
    target = io.BytesIO()
    with _wav(target, channels) as file:
        file.writeframes(pcm)
    return target.getvalue()


def write_wav(path: Path, blocks: Iterable[NDArray[np.float32]], channels: int) -> None:
    """Writes blocks of samples, each float32 (n,) or (n, channels), one after another as a 16-bit WAV file."""
    with path.open("wb") as target, _wav(target, channels) as file:
        for block in blocks:
            file.writeframesraw(pcm16(block))


@contextmanager
def _wav(target: IO[bytes], channels: int) -> Iterator[wave.Wave_write]:
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        yield file


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
