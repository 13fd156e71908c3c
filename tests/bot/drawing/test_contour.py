"""Pictures of pieces: what is drawn where, and how large the files are."""

from __future__ import annotations

import subprocess
from functools import cache

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from bot.drawing.contour import WIDTH, described_piece, draw_piece, height, svg
from bot.drawing.palette import THEMES, Theme, palette
from music.catalogue import load
from music.compose import compose
from music.contour import degrees, phrases
from music.demonstration import demonstrate
from music.raga import Raga
from music.request import PieceRequest
from music.score import Score


@cache
def raga(name: str) -> Raga:
    found = load().get(name)
    assert found is not None
    return found


@cache
def score(name: str, duration_s: float, *instruments: str) -> Score:
    return compose(PieceRequest(raga(name), duration_s, seed=3, instruments=instruments or ("sitar",)))


def decoded(png: bytes, tall: int) -> NDArray[np.int16]:
    """The picture as ffmpeg reads it: (height, width, 3)."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "png_pipe", "-i", "-"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, input=png, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(tall, WIDTH, 3).astype(np.int16)


def near(picture: NDArray[np.int16], color: str) -> NDArray[np.bool_]:
    """Where a color is."""
    wanted = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)])
    return np.asarray(np.abs(picture - wanted).max(axis=2) <= 10)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    "piece",
    [
        ("Yaman", 60.0, "sitar"),
        ("Darbari Kanada", 180.0, "sitar", "bansuri"),
        ("Reetigowla", 600.0, "veena", "violin"),
    ],
    ids=lambda piece: piece[0],
)
def test_a_picture_is_small_and_has_the_melody_and_the_sams(
    piece: tuple[str, float, str], theme: Theme
) -> None:
    drawn = score(*piece)
    png = draw_piece(drawn, theme)
    assert len(png) < 150_000
    assert png == draw_piece(drawn, theme)
    picture = decoded(png, height(drawn))
    colors = palette(theme)
    assert near(picture, colors.paper)[0].all()
    assert near(picture, colors.arohana).sum() > 1_500
    assert (near(picture, colors.avarohana).sum() > 300) == (len(drawn.players) > 1)
    assert near(picture, colors.ink).sum() > 500
    assert len(drawn.sams) > 1
    assert near(picture, colors.accent).sum() > 200


def test_the_melody_stands_on_its_lines_at_its_time() -> None:
    drawn = score("Yaman", 30.0)
    text = svg(drawn, palette("light"))
    used = degrees(drawn)
    assert text.count('stroke-width="2.20"') == sum(one.swara.startswith("S") for one in used)
    longest = max(drawn.notes, key=lambda note: note.duration_s)
    picture = decoded(draw_piece(drawn, "light"), height(drawn))
    orange = near(picture, palette("light").arohana)
    # The longest note is a level stretch of the line, as long as it lasts.
    width_px = longest.duration_s / 30.0 * (WIDTH - 116.0)
    assert orange.sum(axis=1).max() >= 0.9 * width_px


def test_lines_follow_the_ornaments() -> None:
    drawn = score("Darbari Kanada", 180.0, "sitar", "bansuri")
    found = phrases(drawn)
    swinging = next(note for note in drawn.notes if note.ornament == "andolan")
    inside = [
        cents
        for phrase in found
        if phrase.player == swinging.player
        for time_s, cents in phrase.moments
        if swinging.onset_s < time_s < swinging.onset_s + swinging.duration_s
    ]
    assert max(inside) - min(inside) > 20.0
    for phrase in found:
        times = [time_s for time_s, _ in phrase.moments]
        assert min(np.diff(times)) >= -1e-9
        assert 0.0 <= times[0] <= times[-1] <= drawn.duration_s + 1e-6
    held = sum(one.held_s for one in degrees(drawn))
    assert held == pytest.approx(sum(note.duration_s for note in drawn.notes))


def test_a_piece_without_tala_and_one_without_time_are_drawn() -> None:
    for drawn in (
        demonstrate(raga("Bhairav")),
        score("Yaman", 5.0, "harmonium"),
        score("Yaman", 5.0, "tabla"),
    ):
        assert len(draw_piece(drawn, "dark")) < 150_000
        assert drawn.raga in described_piece(drawn)
