"""A piece as a folder of files: the mix, each of its lines, and the score.

No line is held in memory beside the mix: what sounds goes onto the disk at once, so that this takes no more room than
making the MP3 alone.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from music.compose import compose
from music.encode import mp3, pcm16, write_wav
from music.instruments.wavetable import SAMPLE_RATE_HZ
from music.piece import drums_lead, mixed, performer_of
from music.progress import Progress
from music.tags import tags, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from music.ensemble import Line
    from music.progress import Report
    from music.request import PieceRequest

STEMS: Final = ("melody", "drone", "percussion")
"""All players together are the melody."""

_PEAK: Final = 0.9
"""A stem that would be louder is made so loud."""

_BLOCK: Final = 1 << 18


def _blocks(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(samples), _BLOCK):
        yield samples[start : start + _BLOCK]


class _Stem:
    """Mono samples on the disk that lines are added to; silence at first."""

    def __init__(self, file: IO[bytes], total: int) -> None:
        self._file = file
        self._total = total
        file.truncate(4 * total)

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """All of it, block by block; float32, (n,) each."""
        for start in range(0, self._total, _BLOCK):
            self._file.seek(4 * start)
            yield np.frombuffer(self._file.read(4 * min(_BLOCK, self._total - start)), dtype=np.float32)

    def add(self, line: Line) -> None:
        """Another line, as loud as it is in the mix."""
        for number, (there, more) in enumerate(zip(self.blocks(), _blocks(line.samples), strict=True)):
            self._file.seek(4 * number * _BLOCK)
            self._file.write((there + more * np.float32(line.level)).tobytes())

    def write(self, path: Path) -> None:
        """The stem as a WAV file."""
        highest = max((float(np.abs(block).max()) for block in self.blocks()), default=0.0)
        factor = np.float32(min(1.0, _PEAK / max(highest, 1e-9)))
        write_wav(path, (block * factor for block in self.blocks()), 1)


def write_stems(request: PieceRequest, folder: Path, report: Report) -> None:
    """Writes mix.wav, mix.mp3, melody.wav, drone.wav, percussion.wav and score.json into a folder, which is made.

    ``report`` is that of `music.piece.make_piece`. Raises `OSError`, and `music.encode.EncodeError` when ffmpeg fails.
    """
    progress = Progress(report)
    progress.begin("compose")
    score = compose(request)
    progress(1.0)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        total = round(score.duration_s * SAMPLE_RATE_HZ)
        stems = {name: _Stem(stack.enter_context(tempfile.TemporaryFile()), total) for name in STEMS}
        mix = mixed(
            request.raga,
            score,
            progress,
            drums_lead=drums_lead(request),
            heard=lambda line: stems[line.kind].add(line),
        )
        progress.begin("encode")
        for name, stem in stems.items():
            stem.write(folder / f"{name}.wav")
    write_wav(folder / "mix.wav", _blocks(mix), 2)
    pcm = pcm16(mix)
    del mix
    written = tags(score, title_of(score), performer_of(request))
    (folder / "mix.mp3").write_bytes(mp3(pcm, 2, written, report=progress))
    (folder / "score.json").write_text(score.to_json() + "\n", encoding="utf-8")
    progress(1.0)
