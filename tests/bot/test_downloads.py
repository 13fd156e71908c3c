"""Pieces in other forms, made by the real engine and read back by other programs."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bot.commission import commission
from bot.covers import Covers
from bot.downloads import ENDINGS, Downloads
from bot.rendering import Rendered, load_engine
from handlers.errors import InvalidInputError, NotFoundError
from handlers.model import FileKind, Generation, GenerationId, GenerationRequest, StorageId
from music.catalogue import load as load_catalogue

CATALOGUE = load_catalogue()
REQUEST = GenerationRequest(
    "Yaman", "Hindustani", "instrumental", ("sitar",), None, "peaceful", "listening", 6.0, 9
)
PIECE = GenerationId("k5700yaman")
FORMS: tuple[FileKind, ...] = ("wav", "flac", "opus", "mp3")


@pytest.fixture(scope="session")
def posted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Generation]:
    """A piece as the worker made it, and as Convex knows it."""
    made = load_engine()(commission(PIECE, REQUEST, CATALOGUE), lambda *_: None)
    assert isinstance(made, Rendered)
    path = tmp_path_factory.mktemp("posted") / "kg2yaman.mp3"
    path.write_bytes(made.data)
    return path, Generation(
        PIECE, "completed", REQUEST, 0.0, audio=StorageId("kg2yaman"), metadata=made.metadata
    )


@pytest.fixture
async def downloads(posted: tuple[Path, Generation], tmp_path: Path) -> AsyncIterator[Downloads]:
    async def audio(storage: StorageId) -> Path:
        assert storage == "kg2yaman"
        return posted[0]

    made = Downloads(tmp_path / "downloads", audio, Covers(tmp_path / "covers"), lambda: CATALOGUE)
    yield made
    await made.stop()


def samples(path: Path) -> np.ndarray:
    """All that is heard, (n, channels)."""
    return np.asarray(soundfile.read(path, always_2d=True, dtype="float32")[0])


async def test_every_form_is_the_piece_that_was_posted(
    downloads: Downloads, posted: tuple[Path, Generation]
) -> None:
    mp3, generation = posted
    heard = samples(mp3)
    for kind in FORMS:
        file = await downloads.make(generation, kind)
        path = await downloads.path(file.file)
        assert file.size_bytes == path.stat().st_size
        assert file.filename == f"Yaman - Sitar - seed 9.{ENDINGS[kind]}"
        if kind == "opus":
            assert soundfile.info(path).samplerate == 48_000
            continue
        other = samples(path)
        length = min(len(heard), len(other))
        assert abs(len(heard) - len(other)) < 4000
        lag = 0 if kind == "mp3" else _lag(heard[:, 0], other[:, 0])
        a, b = heard[lag:length, 0], other[: length - lag, 0]
        assert np.corrcoef(a, b)[0, 1] > 0.98
    wav = await downloads.make(generation, "wav")
    assert wav.instead is not None
    flac = await downloads.path(wav.instead.file)
    assert np.array_equal(samples(flac), samples(await downloads.path(wav.file)))


def _lag(late: np.ndarray, early: np.ndarray) -> int:
    """By how many samples an MP3 comes late, a thousandth of a second or two."""
    part = slice(40_000, 60_000)
    shifts = range(2400)
    return max(shifts, key=lambda shift: float(np.dot(late[40_000 + shift : 60_000 + shift], early[part])))


async def test_notes_lines_and_picture(downloads: Downloads, posted: tuple[Path, Generation]) -> None:
    generation = posted[1]
    midi = await downloads.path((await downloads.make(generation, "midi")).file)
    assert midi.read_bytes()[:4] == b"MThd"
    stems = await downloads.path((await downloads.make(generation, "stems")).file)
    with zipfile.ZipFile(stems) as archive:
        names = archive.namelist()
    assert {"score.json", "score.mid", "levels.json"} < set(names)
    assert any(name.endswith("sitar.flac") for name in names)
    picture = await downloads.path((await downloads.make(generation, "picture")).file)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


async def test_one_file_is_made_however_many_ask(
    downloads: Downloads, posted: tuple[Path, Generation]
) -> None:
    made = await asyncio.gather(*(downloads.make(posted[1], "midi") for _ in range(5)))
    assert len(set(made)) == 1
    written = (await downloads.path(made[0].file)).stat().st_mtime_ns
    again = await downloads.make(posted[1], "midi")
    assert again == made[0]
    assert (await downloads.path(again.file)).read_bytes()[:4] == b"MThd"
    assert written


@pytest.mark.parametrize("score", [None, "0123456789abcdef"])
async def test_another_piece_is_never_passed_off_as_this_one(
    downloads: Downloads, posted: tuple[Path, Generation], score: str | None
) -> None:
    mp3, generation = posted
    assert generation.metadata is not None
    old = replace(generation, metadata=replace(generation.metadata, score=score))
    wav = await downloads.path((await downloads.make(old, "wav")).file)
    decoded = samples(mp3)
    assert len(samples(wav)) == pytest.approx(len(decoded), abs=4000)
    for kind in ("midi", "stems"):
        kinds: FileKind = kind
        with pytest.raises(InvalidInputError, match="another take comes in every form"):
            await downloads.make(old, kinds)


async def test_a_file_without_a_picture_says_so(tmp_path: Path, posted: tuple[Path, Generation]) -> None:
    plain = tmp_path / "plain.mp3"
    soundfile.write(plain, np.zeros((44_100, 2)), 44_100, format="MP3")

    async def audio(storage: StorageId) -> Path:
        return plain

    downloads = Downloads(tmp_path / "downloads", audio, Covers(tmp_path / "covers"), lambda: CATALOGUE)
    with pytest.raises(InvalidInputError, match="has no picture"):
        await downloads.make(posted[1], "picture")
    await downloads.stop()


@pytest.mark.parametrize(
    "name", ["", "x", "../covers/x.png", "x.exe", "k5700yaman.wav", "k/x.mid", "k5700yaman.flac"]
)
async def test_a_name_that_nobody_handed_out(downloads: Downloads, name: str) -> None:
    with pytest.raises(NotFoundError):
        await downloads.path(name)


async def test_the_cover_whole_and_small(tmp_path: Path, posted: tuple[Path, Generation]) -> None:
    covers = Covers(tmp_path / "covers")
    whole, small = await covers.of(posted[0], "whole"), await covers.of(posted[0], "small")
    assert whole is not None
    assert small is not None
    data = whole.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20]) == 1000
    jpeg = small.read_bytes()
    assert jpeg[:2] == b"\xff\xd8"
    assert len(jpeg) < 200_000
    frame = next(jpeg.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in jpeg)
    assert int.from_bytes(jpeg[frame + 5 : frame + 7]) == int.from_bytes(jpeg[frame + 7 : frame + 9]) == 320
    assert await covers.of(posted[0], "whole") == whole
    assert [path.suffix for path in sorted(whole.parent.iterdir())] == [".jpg", ".png"]
