"""What a picture shows, in words."""

from __future__ import annotations

from dataclasses import replace

from bot.drawing import described
from music.catalogue import load
from music.raga import Raga
from music.swaras import parse_scale
from tests.bot.drawing.test_picture import REETIGOWLA, YAMAN


def test_a_straight_hindustani_raga() -> None:
    assert described(YAMAN) == (
        "Raga Yaman (यमन), Hindustani, Kalyan thaat, drawn on a wheel of twelve steps. "
        "Arohana: lower Ni, Re, Ga, tivra Ma, Dha, Ni, upper Sa; "
        "avarohana: upper Sa, Ni, Dha, Pa, tivra Ma, Ga, Re, Sa; vadi Ga, samvadi Ni."
    )


def test_a_crooked_carnatic_raga_is_told_in_its_order() -> None:
    text = described(REETIGOWLA)
    assert "Carnatic, janya of Kharaharapriya (22)" in text
    assert "Arohana (crooked, vakra): Sa, Ga 2, Ri 2, Ga 2, Ma 1, Ni 2, Da 2, Ma 1, Ni 2, upper Sa;" in text
    assert (
        "avarohana (crooked, vakra): upper Sa, Ni 2, Da 2, Ma 1, Ga 2, Ma 1, Pa, Ma 1, Ga 2, Ri 2, Sa."
        in text
    )


def test_only_the_crooked_way_is_called_so() -> None:
    raga = replace(YAMAN, avarohana=parse_scale("S' N3 P D1 P G2 R1 G2 S"))
    text = described(raga)
    assert "Arohana: " in text
    assert (
        "avarohana (crooked, vakra): upper Sa, Ni, Pa, komal Dha, Pa, komal Ga, komal Re, komal Ga, Sa;"
        in text
    )


def test_every_description_is_short_enough_for_an_alt_text() -> None:
    for raga in load().ragas:
        assert 60 < len(described(raga)) < 1000
    endless = Raga("Endless", "Carnatic", parse_scale("S R2 " * 200), parse_scale("S"))
    assert len(described(endless)) < 1000
    assert described(endless).endswith("…")
