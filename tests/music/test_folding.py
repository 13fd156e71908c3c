"""The keys of names, row by row; ports of the folding to other languages are held to the same table."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from music.folding import NAME_LENGTH_MAX, bare_key, plain_key, sound_key, tamil_key

TABLE = Path(__file__).with_name("folding.tsv")
ROWS = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("# ")]


def test_the_table_is_whole() -> None:
    assert len(ROWS) >= 150
    assert {len(row) for row in ROWS} == {5}
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("text", "plain", "sound", "bare", "tamil"), ROWS)
def test_keys(text: str, plain: str, sound: str, bare: str, tamil: str) -> None:
    assert plain_key(text) == plain
    assert sound_key(text) == sound
    assert bare_key(sound) == bare
    assert tamil_key(sound) == tamil


@pytest.mark.parametrize(
    "spellings",
    [
        ("Śaṅkarābharaṇaṁ", "shaMkarAbharaNam", "zaMkarAbharaNam", "sankarabharana", "shankaraabharanamu"),
        ("ṛṣabhapriyā", "r̥ṣabhapriya", "RRiShabhapriyA", "R^iShabhapriyA", "RSabhapriyA", "rishabhapriya"),
        ("zivaraJjanI", "śivarañjanī", "shivara~njanI", "Sivaranjani", "Shivaranjanee"),
        ("Chhāyānaṭ", "chaayanat", "Chayanaat"),
        ("Gauḷa", "gowla", "goula", "gowlai", "gaulam"),
        ("Kāphī", "kafi", "Kaafee", "kaphi"),
        ("Hindolam", "hindola", "hindoalam", "hindolamu", "हिन्दोलम्"),
        ("Durgā", "durga", "doorgaa", "Durgah", "दुर्गा"),
    ],
)
def test_ways_of_writing_one_name_sound_alike(spellings: tuple[str, ...]) -> None:
    assert len({sound_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bhairav", "Bhairavi"),
        ("Todi", "Jogi"),
        ("Lalit", "Lalita Gauri"),
        ("Megh", "Mand"),
        ("Jyoti", "Jnoti"),
    ],
)
def test_different_names_sound_different(one: str, other: str) -> None:
    assert sound_key(one) != sound_key(other)


@given(st.text())
def test_keys_are_short_and_of_few_letters(text: str) -> None:
    assert len(plain_key(text)) <= NAME_LENGTH_MAX
    sound = sound_key(text)
    assert not set(sound) - set("abcdefghijklmnopqrstuvwxyz0123456789")
    assert len(bare_key(sound)) <= len(sound)
    assert plain_key(text.upper()) == plain_key(text.upper().lower())
