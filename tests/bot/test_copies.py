"""Copies of all that is somebody's, from the real deployment."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bot.backend.people import ConvexPeople
from bot.copies import Copies
from bot.platforms.shelf import Shelf
from handlers.errors import NotFoundError
from handlers.model import Actor, FavoriteTarget, StorageId
from tests.bot.deployment import Deployment, actor, deployment, place
from tests.bot.doubles import METADATA


@pytest.fixture
async def convex(tmp_path: Path) -> AsyncIterator[Deployment]:
    async with deployment(tmp_path / "convex") as running:
        yield running


@pytest.fixture
async def copies(convex: Deployment, tmp_path: Path) -> AsyncIterator[Copies]:
    rain = np.random.default_rng(7).normal(0.0, 0.2, (round(METADATA.duration_s) * 44_100, 2))
    soundfile.write(tmp_path / "rain.mp3", np.clip(rain, -1.0, 1.0), 44_100, format="MP3")
    shelf = Shelf(tmp_path / "people.sqlite3")

    async def audio(storage: StorageId) -> Path:
        if storage == "gone":
            raise NotFoundError
        return tmp_path / "rain.mp3"

    people = ConvexPeople(convex.convex, convex.signer, shelf)
    made = Copies(tmp_path / "copies", people, audio, b"s" * 32)
    yield made
    await made.stop()
    assert list((tmp_path / "copies").glob("*")) == []
    await shelf.close()


async def piece(convex: Deployment, who: Actor) -> str:
    """A finished piece of somebody's."""
    asked = await convex.ask(who)
    jobs = convex.jobs()
    job = await jobs.claim()
    assert job is not None
    assert await jobs.complete(job, await jobs.upload(b"music"), METADATA)
    return asked.id


async def test_a_copy_has_everything_and_comes_smaller_where_it_must(
    convex: Deployment, copies: Copies
) -> None:
    asha, ravi = actor("asha"), actor("ravi")
    assert await copies.make(asha) is None
    made, other = await piece(convex, asha), await piece(convex, ravi)
    heart = FavoriteTarget(generation=made)  # type: ignore[arg-type] # an id as Convex gave it
    await convex.backend.set_favorite(asha, place(asha), heart, True, key="1")
    copy = await copies.make(asha)
    assert copy is not None
    path = await copies.path(copy.file)
    assert path.stat().st_size == copy.size_bytes
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        pieces = json.loads(archive.read("pieces.json"))
        you = json.loads(archive.read("you.json"))
        whole = b"".join(archive.read(name) for name in names if name.endswith(".json")).decode()
        music = archive.getinfo(f"audio/{made}.mp3").file_size
    assert names == {
        "README.txt",
        "you.json",
        "pieces.json",
        "favorites.json",
        "corrections.json",
        "shares.json",
        "opened.json",
        "playlists.json",
        "entries.json",
        f"audio/{made}.mp3",
    }
    assert [one["id"] for one in pieces] == [made]
    assert you["accounts"] == [{"account": asha.account, "name": "asha"}]
    assert other not in whole
    assert ravi.account not in whole

    small = copy.instead
    assert small is not None
    assert "coded smaller" in small.because
    with zipfile.ZipFile(await copies.path(small.file)) as archive:
        assert archive.getinfo(f"audio/{made}.mp3").file_size < music / 2
    bare = small.instead
    assert bare is not None
    assert "Without its music" in bare.because
    with zipfile.ZipFile(await copies.path(bare.file)) as archive:
        assert not any(name.startswith("audio/") for name in archive.namelist())


async def test_a_copy_is_found_by_its_own_name_alone(convex: Deployment, copies: Copies) -> None:
    asha, ravi = actor("asha"), actor("ravi")
    await asyncio.gather(convex.ask(asha), convex.ask(ravi))
    first, second = await copies.make(asha), await copies.make(ravi)
    assert first is not None
    assert second is not None
    assert first.file != second.file
    assert (await copies.make(asha)) is not None  # the newer one, under the same name
    for name in ("copy-0.zip", "copy-0-small.zip", "../web.sqlite", "copy-x/../../y.zip"):
        with pytest.raises(NotFoundError):
            await copies.path(name)
