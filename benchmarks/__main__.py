"""Run the benchmarks: ``python -m benchmarks [name ...]``; all of them without a name."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from benchmarks import (
    calls,
    discord,
    engine,
    generation,
    lookup,
    lookups,
    migration,
    pictures,
    searches,
    stall,
    telegram,
)
from benchmarks.report import Figure, table

BENCHMARKS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "lookup": lookup.measure,
    "lookups": lookups.measure,
    "engine": engine.measure,
    "generation": generation.measure,
    "calls": calls.measure,
    "migration": migration.measure,
    "pictures": pictures.measure,
    "searches": searches.measure,
    "stall": stall.measure,
    "discord": discord.measure,
    "telegram": telegram.measure,
}


async def _measure(names: list[str]) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        figures += await BENCHMARKS[name]()
    return figures


def main() -> int:
    """Print a table; exit status 1 when a bar is missed."""
    names = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        print(
            f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}",
            file=sys.stderr,
        )
        return 2
    figures = asyncio.run(_measure(names))
    print(table(figures))
    return 1 if any(figure.holds is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
