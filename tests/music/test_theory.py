"""Shrutis, tuning, Sa and talas."""

from __future__ import annotations

import pytest

from music.catalogue import load
from music.request import KEYS
from music.theory import (
    JUST_RATIOS,
    REGISTERS,
    SHRUTIS,
    SHRUTIS_OF,
    TALAS,
    cents,
    drone_ratios,
    drone_sa_hz,
    key_hz,
    laya,
    octave_shift,
    pitch_classes,
    swara_cents,
    swara_hz,
    tonic_hz,
    tuned_cents,
)
from tests.music.ragas import BHAIRAV, DARBARI_KANADA, LALIT, MALKAUNS, YAMAN


def test_twenty_two_shrutis_rise_and_hold_the_twelve_keys() -> None:
    ratios = [ratio for _, ratio in SHRUTIS]
    assert len(ratios) == 22
    assert ratios == sorted(ratios)
    assert set(JUST_RATIOS) <= set(ratios)


@pytest.mark.parametrize(
    ("swara", "expected"),
    [
        ("S", 0.0),
        ("P", 701.955),
        ("G3", 386.314),
        ("N3,", -111.731),
        ("R2'", 1403.910),
        ("M2", 590.224),
        ("R3", 315.641),
    ],
)
def test_swaras_stand_on_just_intervals(swara: str, expected: float) -> None:
    assert swara_cents(swara) == pytest.approx(expected, abs=0.001)
    assert swara_hz(swara, 100.0) == pytest.approx(100.0 * 2.0 ** (expected / 1200.0), rel=1e-6)


def test_ati_komal_swaras_stand_on_a_shruti_of_their_own() -> None:
    assert tuned_cents(DARBARI_KANADA, "G2") == pytest.approx(294.135, abs=0.001)
    assert tuned_cents(DARBARI_KANADA, "D1,") == pytest.approx(792.180 - 1200.0, abs=0.001)
    assert tuned_cents(BHAIRAV, "R1'") == pytest.approx(1290.225, abs=0.001)
    for swara in ("S", "R2", "M1", "P", "N2"):
        assert tuned_cents(DARBARI_KANADA, swara) == swara_cents(swara)
    assert tuned_cents(YAMAN, "G3") == swara_cents("G3")


def test_every_shruti_of_a_raga_is_one_of_the_22_and_on_a_key_that_it_has() -> None:
    known = {ratio for _, ratio in SHRUTIS}
    ragas = {raga.name: raga for raga in load().ragas if raga.tradition == "Hindustani"}
    for name, own in SHRUTIS_OF.items():
        assert set(own) <= pitch_classes((*ragas[name].arohana, *ragas[name].avarohana))
        assert set(own.values()) <= known
        for key, ratio in own.items():
            assert 0.0 < cents(JUST_RATIOS[key] / ratio) < 25.0


def test_keys_are_equal_tempered_from_440() -> None:
    assert key_hz("A", 4) == pytest.approx(440.0)
    assert key_hz("C", 4) == pytest.approx(261.6256, abs=1e-4)


@pytest.mark.parametrize("performer", sorted(REGISTERS))
@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_taken_in_the_octave_next_to_the_usual_sa(performer: str, key: str) -> None:
    hz = tonic_hz(performer, key)
    assert abs(cents(hz / tonic_hz(performer, None))) <= 601.0
    assert any(hz == pytest.approx(key_hz(key, octave)) for octave in range(8))
    assert 103.8 <= drone_sa_hz(hz) < 207.7


def test_players_in_other_octaves_are_moved_by_whole_octaves() -> None:
    assert octave_shift("veena", tonic_hz("sitar", None)) == -1
    assert octave_shift("sitar", tonic_hz("tenor", None)) == 1
    assert octave_shift("sarod", tonic_hz("sitar", None)) == 0


def test_the_tanpura_leaves_pa_out_where_the_raga_does() -> None:
    assert drone_ratios(YAMAN)[0] == pytest.approx(3 / 4)
    assert drone_ratios(MALKAUNS)[0] == pytest.approx(2 / 3)
    assert drone_ratios(LALIT)[0] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("name", "matras", "bars"),
    [
        ("Teental", 16, (0, 4, 8, 12)),
        ("Ektal", 12, (0, 2, 4, 6, 8, 10)),
        ("Jhaptal", 10, (0, 2, 5, 7)),
        ("Rupak", 7, (0, 3, 5)),
        ("Keherwa", 8, (0, 4)),
        ("Dadra", 6, (0, 3)),
        ("Adi", 8, (0, 4, 6)),
        ("Rupaka", 6, (0, 2)),
        ("Misra Chapu", 7, (0, 3)),
        ("Khanda Chapu", 5, (0, 2)),
    ],
)
def test_talas_have_their_matras_and_vibhags(name: str, matras: int, bars: tuple[int, ...]) -> None:
    assert TALAS[name].matras == matras == len(TALAS[name].theka)
    assert TALAS[name].bars == bars


def test_teental_is_played_as_it_is_taught() -> None:
    spoken = " ".join(bol for matra in TALAS["Teental"].theka for bol in matra)
    assert spoken == "Dha Dhin Dhin Dha Dha Dhin Dhin Dha Dha Tin Tin Ta Ta Dhin Dhin Dha"


def test_laya_has_three_speeds() -> None:
    assert [laya(bpm) for bpm in (40, 60, 61, 150, 151)] == [
        "vilambit",
        "vilambit",
        "madhya",
        "madhya",
        "drut",
    ]
