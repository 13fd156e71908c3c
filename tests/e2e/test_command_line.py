"""The command line as a person uses it: every call a process of its own."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from tests.bot_process import BotProcess, bare_environment, children_of

DEADLINE_S = 90.0
ROOT = Path(__file__).resolve().parents[2]


async def raga_bot(state_dir: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """Run to the end; returns exit status, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        env=bare_environment(state_dir, **settings),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@pytest.fixture(scope="module")
def state_dir(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = Path(shutil.copytree(seeded, tmp_path_factory.mktemp("state") / "state"))
    yield folder
    assert children_of(folder) == []


def samples(path: Path) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], int]:
    heard, rate_hz = soundfile.read(path)
    return heard, rate_hz


async def test_ask_makes_a_piece_and_the_same_seed_makes_the_same(state_dir: Path, tmp_path: Path) -> None:
    found = []
    for folder in ("one", "two"):
        status, output, errors = await raga_bot(
            state_dir, "ask", "/generate Yaman 30s seed 7", "--save", str(tmp_path / folder)
        )
        assert status == 0, errors
        (mp3,) = (tmp_path / folder).iterdir()
        assert mp3.name == "Yaman - Sitar - seed 7.mp3"
        assert f"Saved as {mp3}" in output
        assert "Raga Yaman · Sitar · 30 s" in output
        assert "%" in errors
        found.append(samples(mp3))
    (first, rate_hz), (second, _) = found
    assert abs(len(first) / rate_hz - 30.0) <= 0.5
    assert np.array_equal(first, second)


async def test_ask_answers_and_says_when_it_cannot(state_dir: Path, tmp_path: Path) -> None:
    status, output, _ = await raga_bot(state_dir, "ask", "/raga Yaman")
    assert status == 0
    assert "Hindustani · Kalyan thaat" in output
    status, output, _ = await raga_bot(state_dir, "ask", "/history")
    assert status == 0
    assert "seed 7" in output
    status, output, errors = await raga_bot(state_dir, "ask", "/generate Yaman duration:1e9")
    assert status == 1
    assert "5 seconds to 10 minutes" in output
    assert "Traceback" not in errors
    (tmp_path / "file").write_text("in the way")
    status, _, errors = await raga_bot(
        state_dir, "ask", "/generate Yaman 5s", "--save", str(tmp_path / "file")
    )
    assert status == 1
    assert "Traceback" not in errors


async def test_ask_uses_the_bot_that_runs(tmp_path: Path) -> None:
    bot = BotProcess(tmp_path)
    await bot.start()
    try:
        status, output, errors = await raga_bot(tmp_path, "ask", "/generate Desh 5s seed 2")
        assert status == 0, errors
        assert "Raga Desh" in output
        status, output, _ = await raga_bot(tmp_path, "doctor")
        assert f"the local deployment at {bot.lines[2].split()[4].rstrip(',')} is running" in output
    finally:
        assert await bot.stop() == 0


async def test_catalogue_export(state_dir: Path) -> None:
    status, output, _ = await raga_bot(state_dir, "catalogue", "export")
    assert status == 0
    ragas = json.loads(output)
    assert len({(raga["name"], raga["tradition"]) for raga in ragas}) == len(ragas) >= 132
    assert sum(raga["tradition"] == "Hindustani" for raga in ragas) >= 40
    yaman = next(raga for raga in ragas if raga["name"] == "Yaman")
    assert yaman["arohana"] == ["N3,", "R2", "G3", "M2", "D2", "N3", "S'"]


async def test_render_gives_stems_and_score(state_dir: Path, tmp_path: Path) -> None:
    arguments = ("--raga", "malkauns", "--duration", "12", "--seed", "4", "--tempo", "90", "--key", "D")
    status, _, errors = await raga_bot(state_dir, "render", *arguments, "--out", str(tmp_path / "out"))
    assert status == 0, errors
    score = json.loads((tmp_path / "out" / "score.json").read_text())
    assert (score["seed"], score["tempo_bpm"]) == (4, 90.0)
    assert score["tonic_hz"] == pytest.approx(293.66, abs=0.01)
    assert {"onset_s", "duration_s", "swara", "cents"} <= set(score["notes"][0])
    for name in ("mix", "melody", "drone", "percussion"):
        heard, rate_hz = samples(tmp_path / "out" / f"{name}.wav")
        assert abs(len(heard) / rate_hz - 12.0) <= 0.5
    assert (tmp_path / "out" / "mix.mp3").stat().st_size > 50_000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--raga", "qwertz"), "I know no raga of that name."),
        (("--raga", "Yaman", "--duration", "0"), "A piece lasts between"),
        (("--raga", "Yaman", "--duration", "nan"), "A piece lasts between"),
        (("--raga", "Yaman", "--tempo", "1e9"), "The tempo lies between"),
        (("--raga", "Yaman", "--key", "H"), "The key is the note of Sa"),
        (("--raga", "Yaman", "--seed", "-1"), "A seed is a whole number"),
        (("--raga", "Yaman", "--instrument", "kazoo"), "The instruments that I can play"),
    ],
)
async def test_render_says_what_it_cannot(
    state_dir: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    status, output, errors = await raga_bot(state_dir, "render", *arguments, "--out", str(tmp_path))
    assert (status, output) == (1, "")
    assert says in errors
    assert "Traceback" not in errors


async def test_doctor(state_dir: Path) -> None:
    status, output, errors = await raga_bot(state_dir, "doctor", WEB_PORT="0")
    assert status == 0, output + errors
    assert output.count("ok  ") == 8
    assert "the local deployment starts" in output
    status, output, _ = await raga_bot(state_dir, "doctor", CONVEX_URL="http://127.0.0.1:9")
    assert status == 1
    assert "MEND  Convex: http://127.0.0.1:9 does not answer" in output


async def test_settings_that_cannot_be_used(state_dir: Path) -> None:
    status, _, errors = await raga_bot(state_dir, "run", WEB_PORT="eighty", LOG_LEVEL="LOUD")
    assert status == 1
    assert "WEB_PORT: " in errors
    assert "LOG_LEVEL: " in errors
    assert "Traceback" not in errors


async def test_a_port_that_is_taken(tmp_path: Path) -> None:
    bot = BotProcess(tmp_path / "one")
    await bot.start()
    try:
        port = bot.url.rsplit(":", 1)[1]
        status, _, errors = await raga_bot(tmp_path / "two", "run", WEB_PORT=port)
        assert status == 1
        assert "another program uses that port" in errors
        assert "Traceback" not in errors
    finally:
        assert await bot.stop() == 0
    assert children_of(tmp_path / "two") == []


async def test_stopped_while_its_processes_still_begin(tmp_path: Path) -> None:
    bot = BotProcess(tmp_path, WORKERS="2")
    await bot.start()
    assert await bot.stop() == 0
    assert "Traceback" not in "\n".join(bot.log)
    assert children_of(tmp_path) == []


async def test_a_worker_alone(tmp_path: Path) -> None:
    status, _, errors = await raga_bot(tmp_path, "worker")
    assert status == 1
    assert "set CONVEX_URL" in errors
    bot = BotProcess(tmp_path, WORKERS="0")
    await bot.start()
    worker = BotProcess(tmp_path, "worker")
    try:
        await worker.start(ready="Ctrl-C stops it")
        status, _, errors = await raga_bot(tmp_path, "ask", "/generate Desh 5s seed 2")
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


async def test_the_catalogue_is_brought_into_convex_and_corrected(tmp_path: Path) -> None:
    status, output, errors = await raga_bot(tmp_path, "catalogue", "sync")
    assert (status, output.split(",")[1]) == (0, " 0 changed"), errors
    assert errors.splitlines()[-1].endswith(f"of {output.split()[0]}")
    status, output, _ = await raga_bot(tmp_path, "ask", "/correct Yaman vadi N, as I was taught")
    assert status == 0
    assert "Thank you" in output
    status, output, errors = await raga_bot(tmp_path, "catalogue", "corrections")
    assert (status, errors.strip()) == (0, "1 open.")
    assert "| Yaman (Hindustani) | vadi: N, as I was taught | open | by terminal:owner" in output
    ident = output.split(" | ")[0]
    accepted = ("catalogue", "accept", ident, "--value", "P", "--note", "so it is")
    status, output, _ = await raga_bot(tmp_path, *accepted)
    assert status == 0
    assert "taken in as: P | accepted: so it is" in output
    status, output, _ = await raga_bot(tmp_path, "catalogue", "sync")
    assert output.startswith("0 added, 1 changed")


async def test_the_operator_is_told_what_cannot_be_done(state_dir: Path) -> None:
    for account in ("Asha", "discord:Asha", "myspace:1", ""):
        status, output, errors = await raga_bot(state_dir, "ban", account)
        assert (status, output) == (1, "")
        assert "That is no account" in errors
    for arguments in (("announce",), ("announce", "Soon.", "--off"), ("ban",), ("audit", "--last", "x")):
        status, output, errors = await raga_bot(state_dir, *arguments)
        assert (status, output) == (2, "")
        assert "Traceback" not in errors
    status, _, errors = await raga_bot(state_dir, "announce", "x" * 501)
    assert status == 1
    assert errors == "That did not work. The announcement may have at most 500 characters.\n"
