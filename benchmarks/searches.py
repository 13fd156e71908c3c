"""Documents that `ragas:search` reads in Convex, counted by the deployment itself, beside the size of the catalogue."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path

from benchmarks.report import Figure, percentile
from bot.backend.documents import Document
from bot.backend.gateway import http_client
from bot.backend.snapshot import seed
from music.catalogue import load
from tests.bot.deployment import Deployment
from tests.bot_process import ROOT, BotProcess

_METERED = """
import { v } from "convex/values";
import { query } from "./_generated/server";
import { filters } from "./model/facets";
import { searchRagas } from "./model/search";

export const search = query({
  args: { query: v.string(), ...filters },
  handler: async (ctx, args) => {
    const found = await searchRagas(ctx, args);
    return { found: found.length, read: (await ctx.meta.getTransactionMetrics()).documentsRead.used };
  },
});
"""
_BAR = 1000
_ASKED: tuple[dict[str, object], ...] = (
    {"query": "Yaman"},
    {"query": "yamn"},
    {"query": "darbri kanda"},
    {"query": "shankarabarnam"},
    {"query": "k"},
    {"query": "kal"},
    {"query": "S R2 G3 P D2"},
    {"query": "peaceful evening"},
    {"query": "asdfgh"},
    {"query": "", "mood": "devotional"},
    {"query": "", "prahar": 5, "tradition": "Hindustani"},
    {"query": "", "melakarta": 28},
    {"query": "kalyani", "tradition": "Carnatic"},
)
"""Names right and wrong, beginnings, notes, qualities, nonsense, filters."""


def _metered(folder: Path) -> Path:
    """Our functions, and one beside them that also says what it read."""
    functions = folder / "convex"
    shutil.copytree(ROOT / "convex", functions)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    (functions / "metered.ts").write_text(_METERED)
    return functions


async def measure() -> list[Figure]:
    """The most and the middle of what searches of every kind read."""
    catalogue = load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state = folder / "state"
        served = BotProcess(
            state, "convex", "--functions", str(_metered(folder)), "--port", "0", "--state", str(state / "db")
        )
        await served.start(ready="Convex is listening at")
        try:
            url = served.lines[-1].split()[-1]
            async with http_client(url) as http:
                convex = Deployment(url, state, http, secrets.token_hex(8))
                await seed(convex.convex, convex.signer.bot, catalogue)
                answers = [Document(await convex.convex.query("metered:search", one)) for one in _ASKED]
        finally:
            await served.stop()
    reads = [answer.number("read") for answer in answers]
    found = [answer.number("found") for answer in answers]
    most = max(reads)
    return [
        Figure(
            f"documents read by ragas:search, {len(reads)} kinds of search",
            f"p50 {percentile(reads, 0.5):.0f}, most {most:.0f}",
            f"{len(catalogue.ragas)} ragas; found p50 {percentile(found, 0.5):.0f}, most {max(found):.0f}",
            f"{most / len(catalogue.ragas):.2f}",
            f"<= {_BAR}",
            most <= _BAR,
        )
    ]
