"""Audio files: kept once, fetched once, asked for anew where an address has run out, dropped when old."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bot.backend import audio as room
from bot.backend.audio import AudioStore
from handlers.errors import NotFoundError, RagaBotError, UnavailableError
from handlers.model import StorageId
from tests.bot.peer import Peer, cut, flood, gives, hang, peer, says, trickle

DEADLINE_S = 30.0
S1 = StorageId("s1")


@dataclass(slots=True)
class Scene:
    """A store, the server of its files, and who asked for addresses."""

    store: AudioStore
    files: Peer
    folder: Path
    asked: list[StorageId] = field(default_factory=list)
    known: bool = True
    out_of_reach: bool = False


@contextlib.asynccontextmanager
async def stage(tmp_path: Path, max_bytes: int = 2**20) -> AsyncIterator[Scene]:
    scene: Scene

    async def url_of(storage_id: StorageId) -> str | None:
        scene.asked.append(storage_id)
        if scene.out_of_reach:
            raise UnavailableError
        return f"{scene.files.url}/file" if scene.known else None

    async with peer() as files, httpx.AsyncClient(trust_env=False) as http:
        folder = tmp_path / "audio"
        scene = Scene(AudioStore(folder, max_bytes, http, url_of), files, folder)
        try:
            async with asyncio.timeout(DEADLINE_S):
                yield scene
        finally:
            await scene.store.stop()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_what_was_made_here_is_never_fetched(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        path = await scene.store.put(S1, b"music")
        assert await scene.store.path(S1, f"{scene.files.url}/file") == path
        assert path.read_bytes() == b"music"
        assert not scene.asked


async def test_what_was_fetched_is_kept_for_the_next_start(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        scene.files.will(gives(b"music"))
        path = await scene.store.path(S1)
    async with stage(tmp_path) as scene:
        assert await scene.store.path(S1) == path
        assert path.read_bytes() == b"music"
        assert not scene.asked


async def test_many_who_ask_fetch_once_and_one_who_leaves_hinders_nobody(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        reached = asyncio.Event()
        go_on = asyncio.Event()
        give = gives(b"music")

        async def slowly(request: object) -> object:
            reached.set()
            await go_on.wait()
            return await give(request)  # type: ignore[arg-type]  # handed on as it came

        scene.files.will(slowly)  # type: ignore[arg-type]
        readers = [asyncio.create_task(scene.store.path(S1)) for _ in range(5)]
        await reached.wait()
        readers[0].cancel()
        go_on.set()
        outcomes = await asyncio.gather(*readers, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
        assert len(set(map(str, outcomes[1:]))) == 1
        assert scene.asked == ["s1"]


async def test_the_address_at_hand_is_tried_first(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        scene.files.will(gives(b"music"))
        await scene.store.path(S1, f"{scene.files.url}/file")
        assert not scene.asked


@pytest.mark.parametrize("first", [says("gone", 404), says("no", 403), cut(), says("", 500)])
async def test_an_address_that_has_run_out_is_asked_for_anew(tmp_path: Path, first: object) -> None:
    async with stage(tmp_path) as scene:
        scene.files.will(first, gives(b"music"))  # type: ignore[arg-type]  # pytest's parameters are objects
        path = await scene.store.path(S1, f"{scene.files.url}/file")
        assert path.read_bytes() == b"music"
        assert scene.asked == ["s1"]


@pytest.mark.parametrize("url", ["no address", "http://127.0.0.1:1/file", "file:///etc/passwd", "http://["])
async def test_an_address_that_is_none_is_asked_for_anew(tmp_path: Path, url: str) -> None:
    async with stage(tmp_path) as scene:
        scene.files.will(gives(b"music"))
        assert (await scene.store.path(S1, url)).read_bytes() == b"music"


async def test_what_is_nowhere_is_not_found(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        scene.known = False
        with pytest.raises(NotFoundError):
            await scene.store.path(S1)
        assert not scene.folder.exists()


async def test_an_outage_is_temporary(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        scene.out_of_reach = True
        with pytest.raises(UnavailableError):
            await scene.store.path(S1)
        scene.out_of_reach = False
        scene.files.will(says("", 502))
        with pytest.raises(UnavailableError):
            await scene.store.path(S1)
        scene.files.will(gives(b"music"))
        assert (await scene.store.path(S1)).read_bytes() == b"music"


@pytest.mark.parametrize("act", [hang(), trickle()])
async def test_a_server_that_never_ends_is_left_at_the_deadline(
    tmp_path: Path, act: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "DEADLINE_S", 0.2)
    async with stage(tmp_path) as scene:
        scene.files.will(act)  # type: ignore[arg-type]
        with pytest.raises(UnavailableError):
            await scene.store.path(S1)


async def test_a_flood_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_FILE_BYTES", 2**20)
    async with stage(tmp_path) as scene:
        scene.files.will(flood(4 * 2**20))
        with pytest.raises(UnavailableError):
            await scene.store.path(S1)
        assert not scene.folder.exists()


async def test_the_longest_unused_go_first_and_those_in_use_stay(tmp_path: Path) -> None:
    async with stage(tmp_path, max_bytes=25) as scene:
        paths = [await scene.store.put(StorageId(f"s{number}"), b"0123456789") for number in range(3)]
        draft = scene.folder / ".s9.abcd"
        draft.write_bytes(b"half a p")
        assert all(path.exists() for path in paths)  # too large, but all of them were just handed out
        old = time.time() - 7200.0
        for age, path in enumerate([*paths, draft]):
            os.utime(path, (old + age, old + age))
        await scene.store.path(StorageId("s0"))
        newest = await scene.store.put(StorageId("s3"), b"0123456789")
        assert [path.exists() for path in (*paths, newest)] == [True, False, False, True]
        assert not draft.exists()


async def test_no_id_leads_out_of_the_folder(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        for name in ("../../out", "/etc/passwd", "a" * 300, "", "s1\0", "स"):
            path = await scene.store.put(StorageId(name), b"music")
            assert path.parent == scene.folder
            assert path.exists()
    assert len(names_in(tmp_path / "audio")) == 6
    assert names_in(tmp_path) == ["audio"]


async def test_a_folder_that_cannot_be_written_is_said_once_without_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "audio").write_text("a file stands in the way")
    async with stage(tmp_path) as scene:
        scene.files.will(gives(b"music"))
        with caplog.at_level(logging.INFO, room.__name__), pytest.raises(RagaBotError):
            await scene.store.path(S1)
        (said,) = [record.getMessage() for record in caplog.records if record.name == room.__name__]
        assert said.startswith("The audio could not be kept in")
        assert scene.files.url not in said


async def test_stopping_ends_what_is_fetched(tmp_path: Path) -> None:
    async with stage(tmp_path) as scene:
        reached = asyncio.Event()
        scene.files.will(hang(reached))
        reader = asyncio.create_task(scene.store.path(S1))
        await reached.wait()
        await scene.store.stop()
        with pytest.raises(asyncio.CancelledError):
            await reader
