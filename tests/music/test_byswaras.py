"""Ragas by their notes: how texts are read, and what is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from music.byswaras import Found, Notes, SwaraIndex, read_notes
from music.catalogue import Catalogue, load
from music.raga import Raga, Variant
from music.swaras import PITCH_CLASS, parse_scale, sargam


def raga(name: str, up: str, down: str, tradition: str = "Carnatic", *others: str) -> Raga:
    """A raga of a few fields; ``others`` are the two lines of another school's form."""
    return Raga(
        name=name,
        tradition="Hindustani" if tradition == "Hindustani" else "Carnatic",
        arohana=parse_scale(up),
        avarohana=parse_scale(down),
        variants=(Variant(parse_scale(others[0]), parse_scale(others[1]), "another school"),)
        if others
        else (),
    )


MOHANAM = raga("Mohanam", "S R2 G3 P D2 S'", "S' D2 P G3 R2 S")
BHUPALI = raga("Bhupali", "S R2 G3 P D2 S'", "S' D2 P G3 R2 S", "Hindustani")
UNKNOWN = raga("Anon", "S R2 G3 P D2 S'", "S' D2 P G3 S R2 S")
BILAHARI = raga("Bilahari", "S R2 G3 P D2 S'", "S' N3 D2 P M1 G3 R2 S")
HAMSADHWANI = raga("Hamsadhwani", "S R2 G3 P N3 S'", "S' N3 P G3 R2 S")
SIVARANJANI = raga("Shivaranjani", "S R2 G2 P D2 S'", "S' D2 P G2 R2 S")
MOHANAKALYANI = raga("Mohanakalyani", "S R2 G3 P D2 S'", "S' N3 D2 P M2 G3 R2 S")
FOUR = raga("Four", "S R2 G3 P S'", "S' P G3 R2 S")
GAPLESS = raga("Elsewhere", "S G3 P N3 S'", "S' N3 P G3 S", "Carnatic", "S R2 G3 P D2 S'", "S' D2 P G3 R2 S")
SAMA = raga("Sama", "S R2 M1 P D2 S'", "S' N2 D2 P M1 R2 S")
SMALL = (UNKNOWN, GAPLESS, FOUR, MOHANAKALYANI, SIVARANJANI, HAMSADHWANI, BILAHARI, MOHANAM, BHUPALI, SAMA)


@pytest.fixture(scope="module")
def index() -> SwaraIndex:
    return SwaraIndex(SMALL)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.mark.parametrize(
    "text",
    [
        "S R2 G3 P D2",
        "s r2 g3 p d2",
        "R2 G3 P D2",
        "SR2G3PD2",
        "S-R2-G3-P-D2",
        "S,R,G,P,D",
        "S R G P D",
        "SRGPD",
        "Sa Re Ga Pa Dha",
        "sa ri ga pa da",
        "SaReGaPaDha",
        "Sa Ri2 Ga3 Pa Dha2",
        "S R₂ G₃ P D₂",
        "S R G P D Ṡ",
        "S R G P D S'",
        "Ḍ S R G P D",
        "सा रे ग प ध",
        "స రి గ ప ద",
        "notes: S R G P D",
        "swaras S, R, G, P, D",
        "sa shuddha re shuddha ga pa shuddha dha",
        "  S  R\tG\nP D ",
    ],
)
def test_five_notes_however_written(index: SwaraIndex, text: str) -> None:
    found = index.find(text)
    assert found is not None
    assert {PITCH_CLASS[swara] for swara in ("S", *found.notes.up)} == {0, 2, 4, 7, 9}
    assert found.notes.down == ()
    assert found.exact[:2] in ((MOHANAM, BHUPALI), (BHUPALI, MOHANAM))


@pytest.mark.parametrize(
    ("text", "swaras"),
    [
        ("S r G m P d N", "S R1 G3 M1 P D1 N3"),
        ("SrGmPdN", "S R1 G3 M1 P D1 N3"),
        ("S R G M P D N", "S R2 G3 M2 P D2 N3"),
        ("S R G M♯ P D N", "S R2 G3 M2 P D2 N3"),
        ("S R G M' P D N", "S R2 G3 M2 P D2 N3"),
        ("S R G m M P D N", "S R2 G3 M1 M2 P D2 N3"),
        ("S R G M M' P D N", "S R2 G3 M1 M2 P D2 N3"),
        ("s r g m p d n", "S R1 G2 M1 P D1 N2"),
        ("Sa re Ga ma Pa dha Ni", "S R1 G3 M1 P D1 N3"),
        ("Sa Re Ga Ma Pa Dha Ni", "S R2 G3 M1 P D2 N3"),
        ("sa re ga ma pa dha ni", "S R2 G3 M1 P D2 N3"),
        ("sa komal re ga tivra ma pa komal dha ni", "S R1 G3 M2 P D1 N3"),
        ("S R̲ G M P D̲ N", "S R1 G3 M2 P D1 N3"),
        ("S R1 G1 M1 P D1 N1", "S R1 G1 M1 P D1 N1"),
        ("S R3 G3 M2 P D3 N3", "S R3 G3 M2 P D3 N3"),
        ("S R2 G3 M P D2 N3", "S R2 G3 M1 P D2 N3"),
        ("S R2 M1' P N3,", "S R2 M1 P N3"),
    ],
)
def test_what_letters_say(text: str, swaras: str) -> None:
    assert read_notes(text)[0] == Notes(parse_scale(swaras))


def test_what_can_be_read_in_two_ways() -> None:
    assert [notes.up for notes in read_notes("S R G M P")] == [
        ("S", "R2", "G3", "M2", "P"),
        ("S", "R2", "G3", "M1", "P"),
    ]
    assert [notes.up for notes in read_notes("srgp")] == [("S", "R1", "G2", "P"), ("S", "R2", "G3", "P")]
    assert [notes.up for notes in read_notes("Srgp")] == [("S", "R1", "G2", "P"), ("S", "R2", "G3", "P")]
    assert len(read_notes("S r G P")) == len(read_notes("S R2 G3 P")) == 1


def test_the_second_reading_comes_after_the_first(catalogue: Catalogue) -> None:
    found = SwaraIndex(catalogue.ragas).find("SRGMPDN")
    assert found is not None
    names = [one.name for one in found.exact]
    assert names.index("Yaman") < names.index("Bilawal")


@pytest.mark.parametrize(
    "text",
    [
        "S R2 G3 P D2 S' / S' N3 D2 P M1 G3 R2 S",
        "SRGPD|SNDPmGRS",
        "arohana S R G P D avarohana S N D P m G R S",
    ],
)
def test_ascent_and_descent_apart(index: SwaraIndex, text: str) -> None:
    found = index.find(text)
    assert found is not None
    assert found.notes.down
    assert found.exact == (BILAHARI,)
    assert MOHANAM in found.fitting
    assert MOHANAKALYANI in found.fitting


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "S",
        "S R",
        "S P",
        "S R S R",
        "SRG",
        "srp",
        "Yaman",
        "hello",
        "asdfgh",
        "spring",
        "sargam",
        "mridangam",
        "grand",
        "damp",
        "mp3",
        "r2d2",
        "S P2 R G M",
        "S R4 G M P",
        "S R G and P",
        "S R G P D /x",
        "🎵 S R G",
        "S" * 300,
        "\x00",
        "S R2 G3 " * 40,
    ],
)
def test_what_is_not_meant_as_notes(index: SwaraIndex, text: str) -> None:
    assert read_notes(text) == ()
    assert index.find(text) is None


def test_a_name_goes_before_notes(index: SwaraIndex, catalogue: Catalogue) -> None:
    assert index.find("Sama") is None
    whole = SwaraIndex(catalogue.ragas)
    assert not any(whole.find(name) for one in catalogue.ragas for name in one.names)


def test_groups_and_their_order(index: SwaraIndex) -> None:
    found = index.find("S R2 G3 P D2")
    assert found is not None
    assert found.exact == (MOHANAM, BHUPALI, UNKNOWN) or found.exact == (BHUPALI, MOHANAM, UNKNOWN)
    assert found.fitting == (BILAHARI, MOHANAKALYANI, GAPLESS)
    assert found.near == (HAMSADHWANI, SIVARANJANI, FOUR)
    assert found.ragas == (*found.exact, *found.fitting, *found.near)
    assert SAMA not in found.ragas


def test_two_names_of_one_key_are_one(index: SwaraIndex) -> None:
    for one, other in (("S G1 G3 P D2", "S R2 G3 P N1"), ("S R2 R3 P D2", "S R2 G2 P N1")):
        first, second = index.find(one), index.find(other)
        assert first is not None
        assert second is not None
        assert first.ragas == second.ragas


def test_nothing_of_the_kind(index: SwaraIndex) -> None:
    assert index.find("S R1 G1 M2 D3") == Found(Notes(("S", "R1", "G1", "M2", "D3")))
    assert SwaraIndex(()).find("S R G P D") == Found(Notes(("S", "R2", "G3", "P", "D2")))


def test_every_raga_is_found_by_its_own_notes(catalogue: Catalogue) -> None:
    index = SwaraIndex(catalogue.ragas)
    for one in catalogue.ragas:
        if len({swara[0] for swara in (*one.arohana, *one.avarohana)}) < 4:
            continue
        for text in (
            f"{' '.join(one.arohana)} / {' '.join(one.avarohana)}",
            " ".join((*one.arohana, *one.avarohana)),
            " | ".join(
                " ".join(sargam(swara, one.tradition) for swara in line)
                for line in (one.arohana, one.avarohana)
            ),
        ):
            found = index.find(text)
            assert found is not None, text
            assert one in found.exact, text
            assert len(set(found.ragas)) == len(found.ragas)


@given(text=st.text("SRGMPDNsrgmpdnaehi123 /|'♯,.", max_size=60))
def test_whatever_is_typed_is_read_or_not(text: str) -> None:
    for notes in read_notes(text):
        assert all(swara in PITCH_CLASS for swara in (*notes.up, *notes.down))
        assert len({swara[0] for swara in (*notes.up, *notes.down)}) >= 3
