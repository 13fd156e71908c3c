"""The folder of pictures that were made."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import bot.drawing.pictures as pictures_module
from bot.drawing import Pictures, Theme, draw
from music.raga import Raga
from tests.bot.drawing.test_picture import REETIGOWLA, YAMAN


class Drawings:
    """Counts real drawings, holds them until it is told, and knows which threads drew."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Theme]] = []
        self.threads: set[int] = set()
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, raga: Raga, theme: Theme) -> bytes:
        self.made.append((raga.name, theme))
        self.threads.add(threading.get_ident())
        self.begun.set()
        assert self.go_on.wait(30)
        return draw(raga, theme)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> Drawings:
    counted = Drawings()
    monkeypatch.setattr(pictures_module, "draw", counted)
    return counted


async def test_a_picture_is_drawn_once_and_in_a_thread(tmp_path: Path, drawings: Drawings) -> None:
    pictures = Pictures(tmp_path / "new")
    path = await pictures.of(YAMAN, "dark")
    assert path.read_bytes() == draw(YAMAN, "dark")
    assert await pictures.of(YAMAN, "dark") == path
    assert await Pictures(tmp_path / "new").of(YAMAN, "dark") == path
    assert drawings.made == [("Yaman", "dark")]
    assert threading.get_ident() not in drawings.threads
    assert files(path.parent) == {path.name}


async def test_many_who_ask_at_once_share_one_drawing(tmp_path: Path, drawings: Drawings) -> None:
    pictures = Pictures(tmp_path)
    paths = await asyncio.gather(*(pictures.of(YAMAN, theme) for theme in ("light", "dark") * 8))
    assert len(set(paths)) == 2
    assert sorted(drawings.made) == [("Yaman", "dark"), ("Yaman", "light")]


async def test_one_who_gives_up_does_not_stop_the_others(tmp_path: Path, drawings: Drawings) -> None:
    drawings.go_on.clear()
    pictures = Pictures(tmp_path)
    first, second = (asyncio.create_task(pictures.of(YAMAN, "dark")) for _ in range(2))
    assert await asyncio.to_thread(drawings.begun.wait, 30)
    first.cancel()
    drawings.go_on.set()
    assert (await second).is_file()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(drawings.made) == 1


async def test_a_picture_that_went_is_drawn_again(tmp_path: Path, drawings: Drawings) -> None:
    pictures = Pictures(tmp_path)
    path = await pictures.of(YAMAN, "dark")
    path.unlink()
    assert await pictures.of(YAMAN, "dark") == path
    assert path.is_file()
    assert len(drawings.made) == 2


async def test_a_changed_raga_gets_another_file(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    one = await pictures.of(YAMAN, "dark")
    other = await pictures.of(replace(YAMAN, vadi="R2"), "dark")
    assert one != other
    assert one.read_bytes() != other.read_bytes()


async def test_a_broken_writing_leaves_nothing_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = Pictures(tmp_path)
    with monkeypatch.context() as broken:

        def refuse(_path: Path, _target: Path) -> Path:
            raise OSError("the disk is full")

        broken.setattr(Path, "replace", refuse)
        with pytest.raises(OSError, match="full"):
            await pictures.of(YAMAN, "dark")
    assert files(tmp_path) == set()
    assert (await pictures.of(YAMAN, "dark")).read_bytes() == draw(YAMAN, "dark")


async def test_the_folder_stays_small_and_keeps_what_was_asked_for_last(tmp_path: Path) -> None:
    old = await Pictures(tmp_path).of(YAMAN, "light")
    used = await Pictures(tmp_path).of(YAMAN, "dark")
    left_over, foreign = tmp_path / "tmpabc.part", tmp_path / "notes.txt"
    left_over.write_bytes(bytes(1000))
    foreign.write_text("mine")
    for age, path in ((3000, left_over), (2000, used), (1000, old)):
        os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime - age))
    pictures = Pictures(tmp_path, limit_bytes=used.stat().st_size + len(draw(REETIGOWLA, "dark")) + 10)
    await pictures.of(YAMAN, "dark")
    new = await pictures.of(REETIGOWLA, "dark")
    assert files(tmp_path) == {used.name, new.name, foreign.name}


async def test_the_newest_stays_however_small_the_limit(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path, limit_bytes=1)
    await pictures.of(YAMAN, "dark")
    path = await pictures.of(YAMAN, "light")
    assert files(tmp_path) == {path.name}
