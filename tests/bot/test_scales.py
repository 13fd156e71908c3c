"""Ragas to be heard: made once, kept, made again where the file has gone."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import soundfile

from bot.backend.audio import AudioStore
from bot.platforms.shelf import Shelf
from bot.scales import PREFIX, Scales
from handlers.errors import NotFoundError, UnavailableError
from handlers.model import StorageId
from music.catalogue import Catalogue, Raga, load

CATALOGUE = load()


@pytest.fixture
async def audio(tmp_path: Path) -> AsyncIterator[AudioStore]:
    async def url_of(_: StorageId) -> str | None:
        raise AssertionError("a scale is never fetched")

    async with httpx.AsyncClient(trust_env=False) as http:
        yield AudioStore(tmp_path / "audio", 2**30, http, url_of)


def scales_of(tmp_path: Path, audio: AudioStore, catalogue: Catalogue = CATALOGUE) -> Scales:
    return Scales(audio, Shelf(tmp_path / "scales.sqlite3"), lambda: catalogue)


def named(name: str) -> Raga:
    raga = CATALOGUE.get(name, "Hindustani")
    assert raga is not None
    return raga


async def test_a_scale_is_made_once_and_again_where_its_file_has_gone(
    tmp_path: Path, audio: AudioStore
) -> None:
    scales = scales_of(tmp_path, audio)
    yaman = named("Yaman")
    first, same, other = await asyncio.gather(
        scales.track(yaman, None), scales.track(yaman, None), scales.track(yaman, "D")
    )
    assert first == same
    assert first.audio.startswith(PREFIX)
    assert first.audio != other.audio
    assert 10.0 <= first.duration_s <= 15.0
    path = await scales.path(first.audio)
    made = path.read_bytes()
    length_s = soundfile.info(io.BytesIO(made)).duration
    assert length_s == pytest.approx(first.duration_s, abs=0.5)
    await scales.stop()

    path.unlink()
    again = scales_of(tmp_path, audio)
    assert await again.track(yaman, None) == first  # known without being made
    assert not path.exists()
    assert (await again.path(first.audio)).read_bytes() == made
    with pytest.raises(NotFoundError):
        await again.path(StorageId(f"{PREFIX}of nothing"))
    await again.stop()

    path.unlink()
    without = scales_of(tmp_path, audio, Catalogue([named("Desh")]))
    with pytest.raises(NotFoundError):
        await without.path(first.audio)
    await without.stop()


async def test_a_disk_that_is_none_is_said_kindly(tmp_path: Path, audio: AudioStore) -> None:
    (tmp_path / "scales.sqlite3").mkdir()
    scales = scales_of(tmp_path, audio)
    with pytest.raises(UnavailableError):
        await scales.track(named("Desh"), None)
    with pytest.raises(NotFoundError):
        await scales.path(StorageId(f"{PREFIX}unknown"))
    await scales.stop()
