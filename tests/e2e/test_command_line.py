"""The command line as a person uses it: every call a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.bot_process import BotProcess, children_of, raga_bot


def samples(path: Path) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], int]:
    heard, rate_hz = soundfile.read(path)
    return heard, rate_hz


async def test_ask_makes_a_piece_and_the_same_seed_makes_the_same(
    shared_state_dir: Path, tmp_path: Path
) -> None:
    found = []
    for folder in ("one", "two"):
        status, output, errors = await raga_bot(
            shared_state_dir, "ask", "/generate Yaman 30s seed 7", "--save", str(tmp_path / folder)
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


async def test_ask_answers_and_says_when_it_cannot(shared_state_dir: Path, tmp_path: Path) -> None:
    status, output, _ = await raga_bot(shared_state_dir, "ask", "/raga Yaman")
    assert status == 0
    assert "Hindustani · Kalyan thaat" in output
    status, output, _ = await raga_bot(shared_state_dir, "ask", "/history")
    assert status == 0
    assert "seed 7" in output
    status, output, errors = await raga_bot(shared_state_dir, "ask", "/generate Yaman duration:1e9")
    assert status == 1
    assert "5 seconds to 10 minutes" in output
    assert "Traceback" not in errors
    (tmp_path / "file").write_text("in the way")
    status, _, errors = await raga_bot(
        shared_state_dir, "ask", "/generate Yaman 5s", "--save", str(tmp_path / "file")
    )
    assert status == 1
    assert "Traceback" not in errors


async def test_ask_uses_the_bot_that_runs(state_dir: Path) -> None:
    bot = BotProcess(state_dir)
    await bot.start()
    try:
        status, output, errors = await raga_bot(state_dir, "ask", "/generate Desh 5s seed 2")
        assert status == 0, errors
        assert "Raga Desh" in output
        status, output, _ = await raga_bot(state_dir, "doctor")
        assert f"the local deployment at {bot.lines[2].split()[4].rstrip(',')} is running" in output
    finally:
        assert await bot.stop() == 0


async def test_catalogue_export(shared_state_dir: Path) -> None:
    status, output, _ = await raga_bot(shared_state_dir, "catalogue", "export")
    assert status == 0
    ragas = json.loads(output)
    assert len({(raga["name"], raga["tradition"]) for raga in ragas}) == len(ragas) >= 132
    assert sum(raga["tradition"] == "Hindustani" for raga in ragas) >= 40
    yaman = next(raga for raga in ragas if raga["name"] == "Yaman")
    assert yaman["arohana"] == ["N3,", "R2", "G3", "M2", "D2", "N3", "S'"]


async def test_render_gives_stems_and_score(shared_state_dir: Path, tmp_path: Path) -> None:
    arguments = ("--raga", "malkauns", "--duration", "12", "--seed", "4", "--tempo", "90", "--key", "D")
    status, _, errors = await raga_bot(shared_state_dir, "render", *arguments, "--out", str(tmp_path / "out"))
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
    shared_state_dir: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    status, output, errors = await raga_bot(shared_state_dir, "render", *arguments, "--out", str(tmp_path))
    assert (status, output) == (1, "")
    assert says in errors
    assert "Traceback" not in errors


async def test_doctor(shared_state_dir: Path) -> None:
    status, output, errors = await raga_bot(shared_state_dir, "doctor", WEB_PORT="0")
    assert status == 0, output + errors
    assert output.count("ok  ") == 8
    assert "the local deployment starts" in output
    status, output, _ = await raga_bot(shared_state_dir, "doctor", CONVEX_URL="http://127.0.0.1:9")
    assert status == 1
    assert "MEND  Convex: http://127.0.0.1:9 does not answer" in output


async def test_settings_that_cannot_be_used(shared_state_dir: Path) -> None:
    status, _, errors = await raga_bot(shared_state_dir, "run", WEB_PORT="eighty", LOG_LEVEL="LOUD")
    assert status == 1
    assert "WEB_PORT: " in errors
    assert "LOG_LEVEL: " in errors
    assert "Traceback" not in errors


async def test_a_port_that_is_taken(state_dir: Path, tmp_path: Path) -> None:
    bot = BotProcess(state_dir)
    await bot.start()
    try:
        port = bot.url.rsplit(":", 1)[1]
        status, _, errors = await raga_bot(tmp_path / "another", "run", WEB_PORT=port)
        assert status == 1
        assert "another program uses that port" in errors
        assert "Traceback" not in errors
    finally:
        assert await bot.stop() == 0
    assert children_of(tmp_path / "another") == []


async def test_stopped_while_its_processes_still_begin(tmp_path: Path) -> None:
    bot = BotProcess(tmp_path, WORKERS="2")
    await bot.start()
    assert await bot.stop() == 0
    assert "Traceback" not in "\n".join(bot.log)
    assert children_of(tmp_path) == []
