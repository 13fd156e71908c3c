"""Importing into a deployment that is busy, that loses answers, and that cannot be reached."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.backend.gateway import Convex, http_client
from bot.backend.identity import Keys, Signer
from migration.command import migrate
from migration.deployment import Deployment, RefusedError
from migration.errors import MigrationError
from migration.folder import Folder, State
from migration.importing import Importer
from migration.progress import Progress
from migration.wishes import Wishes
from tests.migration.home import ISSUER, Home, nameless
from tests.migration.odd_rows import fill
from tests.migration.old_database import OldDatabase, old_database


@dataclass(slots=True)
class Busy:
    """Hands calls on to a deployment, but answers some of them as an overloaded one does, and loses other answers."""

    target: str
    dice: random.Random = field(default_factory=lambda: random.Random(2))  # noqa: S311 - no secret
    said: Counter[int] = field(default_factory=Counter)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call: of eight one finds it too busy, one too often asked, and of one the answer is lost."""
        body = await request.read()
        fate = self.dice.randrange(8)
        if fate == 0:
            self.said[503] += 1
            return web.Response(status=503)
        if fate == 1:
            self.said[429] += 1
            return web.Response(status=429, headers={"Retry-After": "0.01"})
        kept = {
            name: value
            for name, value in request.headers.items()
            if name in ("Authorization", "Content-Type")
        }
        async with http_client(self.target) as http:
            answer = await http.request(
                request.method, f"{self.target}{request.path_qs}", content=body, headers=kept
            )
        if fate == 2:
            self.said[0] += 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        self.said[answer.status_code] += 1
        said = answer.content.replace(self.target.encode(), str(request.url.origin()).encode())
        return web.Response(body=said, status=answer.status_code, content_type="application/json")


@contextlib.asynccontextmanager
async def busy(target: str) -> AsyncIterator[tuple[Busy, str]]:
    """A busy deployment's address."""
    double = Busy(target)
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{rest:.*}", double.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield double, f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
def ready(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OldDatabase, Path]]:
    """A database, and the folder in which a dry run has got everything ready; no test changes either."""
    folder = tmp_path_factory.mktemp("ready")
    with old_database(postgres, folder) as old:
        fill(old, 18, megabytes=1, files=2)
        assert migrate(Wishes(old.uri, folder, ISSUER, source="old", files=old.audio, dry_run=True)) == 0
        yield old, folder / "migration"


@pytest.fixture
def transformed(ready: tuple[OldDatabase, Path], convex: Home) -> Iterator[tuple[Folder, State]]:
    """What a dry run has got ready, for one test alone."""
    shutil.copytree(ready[1], convex.state_dir / "migration")
    folder = Folder(convex.state_dir, "old")
    state = folder.state()
    assert state is not None
    yield folder, state
    folder.close()


async def bring(folder: Folder, state: State, url: str, patience_s: float = 60.0) -> None:
    """Import what is ready through this address."""
    signer = Signer(Keys.load(folder.path.parents[1]), "b1", ISSUER)
    async with http_client(url) as http:
        deployment = Deployment(Convex(url, http), signer, patience_s=patience_s)
        await Importer(folder.work, state, deployment, Progress()).run()


def test_a_busy_deployment_that_loses_answers_ends_in_the_same_state(
    transformed: tuple[Folder, State], convex: Home
) -> None:
    folder, state = transformed

    async def through_trouble() -> Counter[int]:
        async with busy(convex.url) as (double, url):
            await bring(folder, state, url)
            return double.said

    said = asyncio.run(through_trouble())
    assert min(said[429], said[503], said[0], said[200]) > 0
    after = convex.documents()
    entries = dict(folder.work.counts("entries"))
    assert Counter(row["target"] for row in after["migrated"]) == entries
    assert len({file["sha256"] for file in after["_storage"]}) == len(after["_storage"])

    # The same again without trouble changes nothing.
    folder.work.database.execute("DELETE FROM counts WHERE what = 'cursor'")
    asyncio.run(bring(folder, state, convex.url))
    assert nameless(convex.documents()) == nameless(after)


def test_a_deployment_that_is_away_is_said_to_be_so_and_nothing_is_lost(
    transformed: tuple[Folder, State], convex: Home
) -> None:
    folder, state = transformed
    with pytest.raises(MigrationError, match=r"does not answer\. Nothing is lost: go on with --resume"):
        asyncio.run(bring(folder, state, "http://127.0.0.1:9", patience_s=0.1))
    asyncio.run(bring(folder, state, convex.url))
    assert len(convex.documents()["migrated"]) == folder.work.total()


def test_a_deployment_that_does_not_know_the_bot_is_said_to_be_so(
    transformed: tuple[Folder, State], convex: Home, tmp_path: Path
) -> None:
    folder, state = transformed
    signer = Signer(Keys.load(tmp_path / "another"), "b1", ISSUER)

    async def strange() -> None:
        async with http_client(convex.url) as http:
            deployment = Deployment(Convex(convex.url, http), signer)
            await Importer(folder.work, state, deployment, Progress()).run()

    with pytest.raises(MigrationError, match="does not know this bot's key"):
        asyncio.run(strange())
    assert "migrated" not in convex.documents()


def test_more_than_convex_reads_in_one_call_is_read_in_parts(tmp_path: Path) -> None:
    sizes: list[int] = []

    class Narrow(Deployment):
        async def query(self, path: str, args: Mapping[str, Any]) -> Any:
            assert path in ("migration:page", "migration:entries")
            many = int(args["paginationOpts"]["numItems"]) if "paginationOpts" in args else len(args["keys"])
            sizes.append(many)
            if many > 30:
                raise RefusedError
            return (
                {"page": [many], "isDone": len(sizes) > 4, "continueCursor": "c"}
                if "paginationOpts" in args
                else []
            )

    async def read() -> list[int]:
        async with http_client("http://127.0.0.1:9") as http:
            signer = Signer(Keys.load(tmp_path), "b1", ISSUER)
            narrow = Narrow(Convex("http://127.0.0.1:9", http), signer)
            pages = [page async for page in narrow.pages("migration:page", {})]
            await narrow.found("old", [("ragas", str(n), "oldRagas") for n in range(100)])
            return [size for page in pages for size in page]

    assert asyncio.run(read()) == [25, 25, 25]
    assert sizes == [100, 50, 25, 25, 25, 100, 50, 25, 25, 50, 25, 25]


def test_two_migrations_do_not_work_in_one_folder(
    transformed: tuple[Folder, State],
    ready: tuple[OldDatabase, Path],
    convex: Home,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert migrate(Wishes(ready[0].uri, convex.state_dir, ISSUER, source="old", dry_run=True)) == 1
    assert "is at work in" in capsys.readouterr().err
