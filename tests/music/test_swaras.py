"""Swara tokens: keys, octaves, and how each tradition writes them."""

from __future__ import annotations

import pytest

from music.swaras import PITCH_CLASS, SwaraError, base, octave, parse_scale, sargam, semitone


def test_sixteen_names_share_twelve_keys() -> None:
    assert len(PITCH_CLASS) == 16
    assert set(PITCH_CLASS.values()) == set(range(12))
    shared = [("R2", "G1"), ("R3", "G2"), ("D2", "N1"), ("D3", "N2")]
    assert all(PITCH_CLASS[a] == PITCH_CLASS[b] for a, b in shared)


@pytest.mark.parametrize(
    ("token", "semitones", "name", "octaves"),
    [
        ("S", 0, "S", 0),
        ("S'", 12, "S", 1),
        ("N3,", -1, "N3", -1),
        ("M2''", 30, "M2", 2),
        ("P,,", -17, "P", -2),
    ],
)
def test_octave_marks(token: str, semitones: int, name: str, octaves: int) -> None:
    assert semitone(token) == semitones
    assert base(token) == name
    assert octave(token) == octaves


@pytest.mark.parametrize("token", ["", "X", "R4", "s", "S',", "R", "'S", "S ", "P1", "N3'x"])
def test_what_is_no_swara_is_refused(token: str) -> None:
    for read in (semitone, base, octave):
        with pytest.raises(SwaraError, match="is no swara"):
            read(token)


def test_a_line_is_read_and_a_bad_one_refused() -> None:
    assert parse_scale(" N3, R2  G3\tS' ") == ("N3,", "R2", "G3", "S'")
    assert parse_scale("") == ()
    with pytest.raises(SwaraError, match="'Q'"):
        parse_scale("S R2 Q")


def test_hindustani_sargam() -> None:
    keys = parse_scale("S R1 R2 G2 G3 M1 M2 P D1 D2 N2 N3")
    assert " ".join(sargam(key, "Hindustani") for key in keys) == "S r R g G m M♯ P d D n N"
    assert sargam("S'", "Hindustani") == "\u1e60"
    assert sargam("N3,", "Hindustani") == "\u1e46"
    assert sargam("M2'", "Hindustani") == "\u1e40♯"


def test_carnatic_sargam() -> None:
    assert [sargam(name, "Carnatic") for name in PITCH_CLASS] == (
        ["S", "R₁", "R₂", "R₃", "G₁", "G₂", "G₃", "M₁", "M₂", "P", "D₁", "D₂", "D₃", "N₁", "N₂", "N₃"]
    )
    assert sargam("N3,", "Carnatic") == "\u1e46₃"


def test_no_two_swaras_are_written_alike() -> None:
    everything = [name + mark for name in PITCH_CLASS for mark in ("", "'", ",", "''")]
    assert len({sargam(token, "Carnatic") for token in everything}) == len(everything)
    written = {sargam(token, "Hindustani") for token in everything}
    assert len(written) == len({semitone(token) for token in everything})
