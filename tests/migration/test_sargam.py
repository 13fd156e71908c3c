"""Swaras as people write them, and those that can be read two ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.sargam import SargamError, scale, swara
from music.swaras import PITCH_CLASS, parse_scale


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        ("S r R g G m M P d D n N S'", "S R1 R2 G2 G3 M1 M2 P D1 D2 N2 N3 S'"),
        ("Sa Re Ga Ma Pa Dha Ni Sa'", "S R2 G3 M1 P D2 N3 S'"),
        ("SA RE GA MA PA DHA NI", "S R2 G3 M1 P D2 N3"),
        ("sa re ga ma pa dha ni sa", "S R2 G3 M1 P D2 N3 S"),
        ("Sa re ga ma Pa dha ni", "S R1 G2 M1 P D1 N2"),
        ("Sa komal Re Ga tivra Ma Pa Dha shuddha Ni", "S R1 G3 M2 P D2 N3"),
        ("Sa Re(komal) Ga(k) Ma(tivra) Pa", "S R1 G2 M2 P"),
        ("S R♭ G M# P Db N", "S R1 G3 M2 P D1 N3"),
        ("S R2 G3 M1 P D2 N3 S'", "S R2 G3 M1 P D2 N3 S'"),
        ("S R₂ G₃", "S R2 G3"),
        ("SRGmPDNS'", "S R2 G3 M1 P D2 N3 S'"),
        ("S-R-G-m-P", "S R2 G3 M1 P"),
        ("S → R → G", "S R2 G3"),
        ("S, R, G, m, P", "S R2 G3 M1 P"),
        ("S,R,G,m,P", "S R2 G3 M1 P"),
        ("N, R G m P", "N3, R2 G3 M1 P"),
        (".N R G", "N3, R2 G3"),
        ("..D .N S", "D2,, N3, S"),
        ("Ṇ R G", "N3, R2 G3"),
        ("Ṡ N D P", "S' N3 D2 P"),
        ("S R̲ G̲ M̍ P", "S R1 G2 M2 P"),
        ("S* N", "S' N3"),
        ("S’ N", "S' N3"),
        ("S\" S'", "S'' S'"),
        ("Shadja Gandhar Pancham", "S G3 P"),
        (["S", "R", "G"], "S R2 G3"),
        (["N,", "Sa R"], "N3, S R2"),
        ("", ""),
        ([], ""),
    ],
)
def test_what_can_be_read_in_one_way_is_read(written: str | list[str], tokens: str) -> None:
    assert " ".join(scale(written)) == tokens


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("S R H P", "“H” is no swara"),
        ("सा रे", "is no swara"),
        ("Sa-Re-Banana", "“Banana” is no swara"),
        ("s r g m p d n s", "small letters"),
        ("S R G M P D N s", "both large and small"),
        ("Sa re ga Ma Pa", "a Ma that may be"),
        ("S. N D", "the dot after"),
        ("R N', S", "two octaves"),
        ("S R4", "is no swara"),
        ("S1", "there is no “S1”"),
        ("komal Sa", "there is no"),
        ("tivra Re", "there is no"),
        ("komal R2", "there is no"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(SargamError, match=why):
        scale(written)


def test_a_carnatic_scale_needs_numbers_or_small_letters() -> None:
    for written in ("S R G M P", "Sa Ri Ga Ma Pa"):
        with pytest.raises(SargamError, match="Carnatic"):
            scale(written, "Carnatic")
    assert scale("S R1 G3 M1", "Carnatic") == ("S", "R1", "G3", "M1")
    assert scale("S r G m", "Carnatic") == ("S", "R1", "G3", "M1")


def test_one_swara_is_one() -> None:
    assert [swara(text) for text in ("Ga", "g", "Komal Gandhar", "N,")] == ["G3", "G2", "G2", "N3"]
    with pytest.raises(SargamError, match="not one swara"):
        swara("S R")


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(PITCH_CLASS)), st.sampled_from(["", "'", "''", ",", ",,"])),
        max_size=12,
    )
)
def test_tokens_stay_as_they_are(parts: list[tuple[str, str]]) -> None:
    tokens = tuple(name + marks for name, marks in parts)
    assert scale(tokens) == tokens


@given(st.text(alphabet="SRGMPDNsrgmpdnaeih123.,' #♭()\u0307\u0323-", max_size=24))
def test_whatever_is_read_is_swaras(written: str) -> None:
    try:
        tokens = scale(written)
    except SargamError:
        return
    assert parse_scale(" ".join(tokens)) == tokens
