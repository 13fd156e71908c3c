"""The catalogue's upkeep from the command line: bringing it into Convex, and the corrections that people file."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from bot import journal
from bot.backend.corrections import Curation, hints
from bot.backend.identity import IdentityError
from bot.backend.local import LocalConvexError
from bot.backend.snapshot import remove, seed, strays
from bot.bar import Bar
from bot.core import Core, build
from bot.settings import Settings
from handlers.errors import RagaBotError
from handlers.model import Correction, CorrectionStatus
from music.catalogue import CatalogueError

_PAGE = 50


async def sync(settings: Settings, *, remove_strays: bool) -> int:
    """Add and change what differs in Convex; what only Convex has is told, and removed only when that is asked for."""

    async def work(core: Core) -> int:
        with Bar() as bar:
            counts = await seed(
                core.convex,
                core.signer.bot,
                core.packaged,
                report=lambda done, total: bar.show(done / max(total, 1), f"{done} of {total}"),
            )
        print(
            f"{counts.added} added, {counts.changed} changed, {counts.unchanged} as they were"
            f" ({len(core.packaged.ragas)} ragas, {core.where})."
        )
        left = await strays(core.convex, core.packaged)
        for name, tradition in left:
            print(f"only in Convex: {name} ({tradition})")
        if left and remove_strays:
            print(f"{await remove(core.convex, core.signer.bot, left)} removed.")
        elif left:
            print(f"{len(left)} left as they are; --remove takes them away.")
        return 0

    return await with_core(settings, work)


async def corrections(settings: Settings, status: CorrectionStatus, *, as_toml: bool) -> int:
    """Print what people have filed; ``as_toml``: what was accepted, as lines for the catalogue's files."""

    async def work(core: Core) -> int:
        desk = Curation(core.convex, core.signer.bot)
        if as_toml:
            print(hints(await desk.accepted()))
            return 0
        count, cursor = 0, None
        while True:
            page = await desk.reports(status, cursor, _PAGE)
            for report in page.items:
                print(_line(report))
            count, cursor = count + len(page.items), page.next
            if cursor is None:
                break
        print(f"{count} {status}.", file=sys.stderr)
        return 0

    return await with_core(settings, work)


async def decide(settings: Settings, ident: str, *, accept: bool, value: str | None, note: str | None) -> int:
    """Accept or decline one report."""

    async def work(core: Core) -> int:
        desk = Curation(core.convex, core.signer.bot)
        print(_line(await desk.decide(ident, accept, value=value, note=note)))
        return 0

    return await with_core(settings, work)


async def with_core(
    settings: Settings, work: Callable[[Core], Awaitable[int]], *, bot_suffix: str = "-catalogue"
) -> int:
    """Do something with the parts of a bot, one that runs beside it included; what goes wrong is a sentence."""
    journal.set_up("WARNING" if settings.log_level == "INFO" else settings.log_level, settings.secrets())
    async with AsyncExitStack() as stack:
        try:
            return await work(await build(settings, stack, bot_suffix=bot_suffix, share=True))
        except (LocalConvexError, IdentityError, CatalogueError, RagaBotError, OSError) as error:
            print(f"That did not work. {error}", file=sys.stderr)
            return 1


def _line(report: Correction) -> str:
    parts = [report.id, f"{report.raga} ({report.tradition})", f"{report.field}: {report.text}"]
    if report.value is not None:
        parts.append(f"taken in as: {report.value}")
    parts.append(report.status if report.note is None else f"{report.status}: {report.note}")
    if report.account is not None:
        parts.append(f"by {report.account}")
    return " | ".join(parts)
