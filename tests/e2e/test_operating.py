"""The command line as who runs the bot uses it: parts of it alone, the catalogue, bans and announcements."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.bot_process import BotProcess, raga_bot


async def test_a_worker_alone(state_dir: Path) -> None:
    status, _, errors = await raga_bot(state_dir, "worker")
    assert status == 1
    assert "set CONVEX_URL" in errors
    bot = BotProcess(state_dir, WORKERS="0")
    await bot.start()
    worker = BotProcess(state_dir, "worker")
    try:
        await worker.start(ready="Ctrl-C stops it")
        status, _, errors = await raga_bot(state_dir, "ask", "/generate Desh 5s seed 2")
        assert status == 0, errors
    finally:
        assert await worker.stop() == 0
        assert await bot.stop() == 0


async def test_convex_alone_serves_any_functions(tmp_path: Path) -> None:
    functions = tmp_path / "convex"
    functions.mkdir()
    (functions / "sums.ts").write_text(
        'import { queryGeneric as query } from "convex/server";\n'
        'import { v } from "convex/values";\n'
        "export const add = query({ args: { a: v.number(), b: v.number() }, returns: v.number(),\n"
        "  handler: async (_ctx, { a, b }) => a + b });\n"
    )
    served = BotProcess(tmp_path / "state", "convex", "--functions", str(functions), "--port", "0")
    await served.start(ready="Convex is listening at")
    try:
        url = served.lines[-1].split()[-1]
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(
                f"{url}/api/query", json={"path": "sums:add", "args": {"a": 2, "b": 3}, "format": "json"}
            )
        assert answer.json()["value"] == 5
    finally:
        await served.stop()
    status, _, errors = await raga_bot(tmp_path, "convex", "--functions", str(tmp_path / "nothing"))
    assert status != 0
    assert "nothing" in errors


async def test_the_catalogue_is_brought_into_convex_and_corrected(
    first_sync: tuple[str, str], state_dir: Path
) -> None:
    output, errors = first_sync
    assert output.split(",")[1:2] == [" 0 changed"], errors
    assert errors.splitlines()[-1].endswith(f"of {output.split()[0]}")
    status, output, _ = await raga_bot(state_dir, "ask", "/correct Yaman vadi N, as I was taught")
    assert status == 0
    assert "Thank you" in output
    status, output, errors = await raga_bot(state_dir, "catalogue", "corrections")
    assert (status, errors.strip()) == (0, "1 open.")
    assert "| Yaman (Hindustani) | vadi: N, as I was taught | open | by terminal:owner" in output
    ident = output.split(" | ")[0]
    accepted = ("catalogue", "accept", ident, "--value", "P", "--note", "so it is")
    status, output, _ = await raga_bot(state_dir, *accepted)
    assert status == 0
    assert "taken in as: P | accepted: so it is" in output
    status, output, _ = await raga_bot(state_dir, "catalogue", "sync")
    assert output.startswith("0 added, 1 changed")


async def test_the_operator_is_told_what_cannot_be_done(shared_state_dir: Path) -> None:
    for account in ("Asha", "discord:Asha", "myspace:1", ""):
        status, output, errors = await raga_bot(shared_state_dir, "ban", account)
        assert (status, output) == (1, "")
        assert "That is no account" in errors
    for arguments in (("announce",), ("announce", "Soon.", "--off"), ("ban",), ("audit", "--last", "x")):
        status, output, errors = await raga_bot(shared_state_dir, *arguments)
        assert (status, output) == (2, "")
        assert "Traceback" not in errors
    status, _, errors = await raga_bot(shared_state_dir, "announce", "x" * 501)
    assert status == 1
    assert errors == "That did not work. The announcement may have at most 500 characters.\n"
