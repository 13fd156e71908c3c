"""Pictures drawn for real and decoded again by ffmpeg."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from bot.drawing import THEMES, Theme, draw
from bot.drawing.card import HEIGHT, WIDTH, family, native_names, svg
from bot.drawing.lettering import LetteringError, covered, outline, writable
from bot.drawing.palette import palette
from bot.drawing.picture import file_name, slug
from bot.drawing.raster import RasterError, pixels, png
from music.catalogue import Catalogue, load
from music.raga import Raga
from music.swaras import parse_scale

YAMAN = Raga(
    name="Yaman",
    tradition="Hindustani",
    arohana=parse_scale("N3, R2 G3 M2 D2 N3 S'"),
    avarohana=parse_scale("S' N3 D2 P M2 G3 R2 S"),
    scripts=(("Devanagari", "यमन"),),
    thaat="Kalyan",
    vadi="G3",
    samvadi="N3",
)
REETIGOWLA = Raga(
    name="Reetigowla",
    tradition="Carnatic",
    arohana=parse_scale("S G2 R2 G2 M1 N2 D2 M1 N2 S'"),
    avarohana=parse_scale("S' N2 D2 M1 G2 M1 P M1 G2 R2 S"),
    scripts=(
        ("Devanagari", "रीतिगौळ"),
        ("Tamil", "ரீதிகௌள"),
        ("Telugu", "రీతిగౌళ"),
        ("Kannada", "ರೀತಿಗೌಳ"),
        ("Malayalam", "രീതിഗൌള"),
    ),
    melakarta=22,
    parent="Kharaharapriya",
)


@cache
def whole() -> Catalogue:
    return load()


@cache
def decoded(raga: Raga, theme: Theme) -> NDArray[np.int16]:
    """The picture as ffmpeg reads it: (height, width, 3)."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "png_pipe", "-i", "-"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, input=draw(raga, theme), capture_output=True, check=True, timeout=60)
    return np.frombuffer(done.stdout, np.uint8).reshape(HEIGHT, WIDTH, 3).astype(np.int16)


def near(picture: NDArray[np.int16], color: str, within: int = 12) -> NDArray[np.bool_]:
    """Where the picture has a color, or one hardly different."""
    wanted = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)], np.int16)
    found: NDArray[np.bool_] = (np.abs(picture - wanted) <= within).all(axis=-1)
    return found


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("raga", [YAMAN, REETIGOWLA], ids=lambda raga: raga.name)
def test_a_picture_decodes_and_shows_its_colors(raga: Raga, theme: Theme) -> None:
    picture, colors = decoded(raga, theme), palette(theme)
    assert (picture[:20, :20] == picture[0, 0]).all()
    assert near(picture[:1, :1], colors.paper, within=0).all()
    for color, least in ((colors.arohana, 2000), (colors.avarohana, 1500), (colors.ink, 3000)):
        assert near(picture, color).sum() > least
    assert (near(picture, colors.vadi).sum() > 2000) == (raga.vadi is not None)


def test_the_ways_are_apart_and_each_has_its_color() -> None:
    picture, colors = decoded(YAMAN, "light"), palette("light")
    y, x = np.indices(picture.shape[:2])
    from_center = np.hypot(x - 500, y - 600)
    on_wheel = from_center < 345
    up, down = (near(picture, color) & on_wheel for color in (colors.arohana, colors.avarohana))
    assert up.sum() > 1500
    assert down.sum() > 1500
    assert from_center[down].max() < 226 < from_center[up].min()


@pytest.mark.parametrize("raga", [YAMAN, REETIGOWLA], ids=lambda raga: raga.name)
def test_themes_differ(raga: Raga) -> None:
    light, dark = decoded(raga, "light"), decoded(raga, "dark")
    assert light.mean() > 200 > 60 > dark.mean()


def test_the_same_raga_gives_the_same_bytes_in_any_thread() -> None:
    alone = draw(REETIGOWLA, "dark")
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda raga: draw(raga, "dark"), [REETIGOWLA, YAMAN] * 4))
    assert together[::2] == [alone] * 4
    assert len(set(together)) == 2


def test_what_a_raga_marks_changes_its_picture() -> None:
    seen = {
        svg(raga, palette("light"))
        for raga in (
            YAMAN,
            replace(YAMAN, vadi=None),
            replace(YAMAN, samvadi="R2"),
            replace(YAMAN, thaat=None),
            replace(YAMAN, avarohana=parse_scale("S' N3 D2 P M2 G3 R2 G3 R2 S")),
            replace(YAMAN, scripts=()),
        )
    }
    assert len(seen) == 6


def test_every_raga_of_the_catalogue_can_be_written_and_drawn() -> None:
    ragas = whole().ragas
    for raga in ragas:
        assert writable(raga.name) == raga.name
        assert writable(family(raga)) == family(raga)
        assert all(covered(name) for _, name in raga.scripts), raga.name
        if raga.scripts:
            assert native_names(raga)
        assert all(outline(name, 40.0, 500).glyphs for _, name in raga.scripts)
    crooked = sorted(ragas, key=lambda raga: len(raga.arohana) + len(raga.avarohana))[-6:]
    for number, raga in enumerate((*ragas[:: max(1, len(ragas) // 40)], *crooked)):
        picture = draw(raga, THEMES[number % 2])
        assert 20_000 < len(picture) < 150_000, raga.name


def test_scripts_are_shaped() -> None:
    """Consonants that join are narrower together than apart, and a sign may stand before its letter."""
    for joined in ("क्ष", "ക്ക", "క్క", "ಕ್ಕ"):
        parts = sum(outline(letter, 40.0).width for letter in (joined[0], joined[-1]))
        assert outline(joined, 40.0).width < parts
    assert [glyph for *_, glyph in outline("கெ", 40.0).glyphs] == [
        glyph for letter in "ெக" for *_, glyph in outline(letter, 40.0).glyphs[:1]
    ]


def test_a_joiner_stays_with_its_script() -> None:
    assert covered("ന\N{ZERO WIDTH JOINER}")
    assert outline("ക്\N{ZERO WIDTH NON-JOINER}ക", 40.0).width > outline("ക്ക", 40.0).width


def test_what_no_font_has_is_left_out_and_never_a_box() -> None:
    assert not covered("यमन 🎶")
    with pytest.raises(LetteringError, match="🎶"):
        outline("🎶", 40.0)
    strange = replace(YAMAN, name="Yaman 🎶", scripts=(("Devanagari", "यमन🎶"),))
    assert native_names(strange) == []
    assert draw(strange, "light").startswith(b"\x89PNG")


def test_a_raga_without_a_scale_still_has_a_picture() -> None:
    assert draw(Raga("नया", "Hindustani", (), ()), "dark").startswith(b"\x89PNG")


def test_levels_that_are_kept_come_out_exactly() -> None:
    size = 'width="8" height="8"'
    field = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect {size} fill="#e07a1f"/></svg>'
    assert pixels(field, 8, 8)[4, 4].tolist() == [0xE0, 0x7A, 0x1F]
    assert png(field, 8, 8, {0xE0, 0x7A, 0x1F}) != png(field, 8, 8)


def test_what_is_no_svg_is_an_error() -> None:
    with pytest.raises(RasterError, match="load_data"):
        pixels("no picture", 8, 8)


def test_a_file_name_follows_the_picture() -> None:
    name = file_name(YAMAN, "dark")
    assert name.startswith("yaman-dark-")
    assert file_name(replace(YAMAN, description="Evening."), "dark") == name
    assert file_name(replace(YAMAN, vadi="R2"), "dark") != name
    assert file_name(YAMAN, "light") != name


def test_slugs_are_plain() -> None:
    assert [slug(name) for name in ("Darbari Kanada", "Rītigauḷa", "../x", "यमन")] == [
        "darbari-kanada",
        "ritigaula",
        "x",
        "raga",
    ]
