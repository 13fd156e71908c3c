"""Names by rule: every transliteration, script and slip of the finger, what is no name at all, and suggestions."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music.catalogue import TRADITIONS, Catalogue, Tradition, load
from music.familiar import WELL_KNOWN, familiarity
from music.folding import plain_key
from music.scripts import CARNATIC_SCRIPTS, in_script

DATA = Path(__file__).parents[2] / "data" / "ragas"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


class Typed(NamedTuple):
    """What somebody types, and the raga that they mean."""

    text: str
    name: str
    tradition: Tradition


def melakartas_and_janyas() -> Iterator[tuple[str, str]]:
    """Every Carnatic raga's name with its spelling in ISO 15919."""
    for path in sorted(DATA.glob("carnatic-*.toml")):
        for entry in tomllib.loads(path.read_text("utf-8"))["raga"]:
            yield entry["name"], entry["iso"]


MARKED = "āīūēōṭḍṇśṣṁṅñḷ"
SCHEMES = {
    "ITRANS": (("A", "I", "U", "e", "o", "T", "D", "N", "sh", "Sh", "M", "~N", "~n", "L"), "RRi"),
    "Harvard-Kyoto": (("A", "I", "U", "e", "o", "T", "D", "N", "z", "S", "M", "G", "J", "L"), "R"),
    "popular, long": (("aa", "ee", "oo", "e", "o", "t", "d", "n", "sh", "sh", "m", "n", "n", "l"), "ri"),
    "popular, short": (("a", "i", "u", "e", "o", "th", "d", "n", "s", "sh", "m", "n", "n", "l"), "ru"),
    "IAST": (("ā", "ī", "ū", "e", "o", "ṭ", "ḍ", "ṇ", "ś", "ṣ", "ṃ", "ṅ", "ñ", "ḷ"), "ṛ"),
}


def in_scheme(iso: str, scheme: str) -> str:
    letters, vocalic = SCHEMES[scheme]
    of = dict(zip(MARKED, letters, strict=True))
    return "".join(of.get(letter, letter) for letter in iso.replace("r̥", vocalic))


def meant(catalogue: Catalogue, item: Typed) -> tuple[bool, bool, bool]:
    """Whether the raga came first, was among the first three, and whether another came confidently."""
    match = catalogue.find(item.text, item.tradition)
    offered = [*([match.raga] if match.raga else []), *match.others]
    hits = [(raga.name, raga.tradition) == (item.name, item.tradition) for raga in offered]
    confident = match.kind in ("exact", "near")
    return hits[:1] == [True], any(hits[:3]), confident and hits[:1] != [True]


def report(catalogue: Catalogue, items: list[Typed]) -> str:
    rows = []
    for item in items:
        match = catalogue.find(item.text, item.tradition)
        got = match.raga.name if match.raga else [raga.name for raga in match.others]
        rows.append(f"{item.text} meant {item.name}, got {match.kind} {got}")
    return "\n".join(rows)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_carnatic_name_is_understood_in_every_scheme(catalogue: Catalogue, scheme: str) -> None:
    items = [Typed(in_scheme(iso, scheme), name, "Carnatic") for name, iso in melakartas_and_janyas()]
    results = [(item, meant(catalogue, item)) for item in items]
    missed = report(catalogue, [item for item, (first, _, _) in results if not first])
    assert sum(first for _, (first, _, _) in results) >= 0.97 * len(results), missed
    assert sum(third for _, (_, third, _) in results) >= 0.99 * len(results), missed
    assert sum(wrong for _, (_, _, wrong) in results) <= 0.01 * len(results), missed


@pytest.mark.parametrize("script", CARNATIC_SCRIPTS)
def test_every_carnatic_name_is_found_in_its_scripts(catalogue: Catalogue, script: str) -> None:
    for name, iso in melakartas_and_janyas():
        match = catalogue.find(in_script(iso, script), "Carnatic")
        assert match.kind == "exact"
        found = [raga.name for raga in (match.raga, *match.others) if raga]
        assert name in found


def slips(name: str) -> Iterator[str]:
    """A name with one letter left out, typed twice, exchanged with the next, or struck beside."""
    for place in range(1, len(name) - 1):
        if " " not in name[place : place + 2]:
            yield name[:place] + name[place + 1 :]
            yield name[:place] + name[place] + name[place:]
            yield name[:place] + name[place + 1] + name[place] + name[place + 2 :]


def test_slips_of_the_finger_in_well_known_names(catalogue: Catalogue) -> None:
    names = [raga for raga in catalogue.suggest("", 80) if len(raga.name) >= 6]
    known = {plain_key(name) for raga in catalogue.ragas for name in raga.names}
    items = [
        Typed(slip, raga.name, raga.tradition)
        for raga in names
        for slip in slips(raga.name.lower())
        if plain_key(slip) not in known
    ]
    assert len(items) > 1000
    results = [(item, meant(catalogue, item)) for item in items]
    missed = report(catalogue, [item for item, (first, _, _) in results if not first])
    assert sum(first for _, (first, _, _) in results) >= 0.97 * len(results), missed
    assert sum(third for _, (_, third, _) in results) >= 0.99 * len(results), missed
    assert sum(wrong for _, (_, _, wrong) in results) <= 0.01 * len(results), missed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "asdfgh",
        "qwertyuiop",
        "zxcvbnm",
        "hjkl",
        "x",
        "🎵🎶",
        "\x00",
        "\x00\x01\x02",
        "!!!???",
        "...",
        "raga",
        "राग",
        "12345678",
        "73",
        "mela 99",
        "क",
        "你好世界",
        "مرحبا",
        "hello world",
        "good morning",
        "lorem ipsum dolor",
        "<script>alert(1)</script>",
        "'; drop table ragas; --",
        "y" * 10_000,
        "yaman " * 2_000,
        "\u0301" * 500,
        "ﷺ" * 80,
    ],
)
def test_nonsense_is_no_raga(catalogue: Catalogue, text: str) -> None:
    match = catalogue.find(text)
    assert (match.kind, match.raga, match.others) == ("none", None, ())
    assert catalogue.get(text) is None


def test_lone_surrogates_do_no_harm(catalogue: Catalogue) -> None:
    assert catalogue.find("\ud800").kind == "none"
    assert catalogue.suggest("\ud800") == []


def test_a_name_in_both_traditions(catalogue: Catalogue) -> None:
    for prefer in TRADITIONS:
        match = catalogue.find("Bhairavi", prefer)
        assert match.kind == "exact"
        assert match.raga is not None
        assert (match.raga.name, match.raga.tradition) == ("Bhairavi", prefer)
        assert [(raga.name, raga.tradition != prefer) for raga in match.others] == [("Bhairavi", True)]
    anyone = catalogue.find("bhairavi")
    assert anyone.raga is not None
    assert anyone.raga.tradition == "Hindustani"
    assert catalogue.get("Bhairavi", "Carnatic") in anyone.others
    todi = catalogue.find("Todi", "Carnatic")
    assert todi.raga is not None
    assert todi.raga.name == "Hanumatodi"
    assert "Todi" in [raga.name for raga in todi.others]


def test_a_tradition_in_words_decides(catalogue: Catalogue) -> None:
    for text, tradition in (("Carnatic Bhairavi", "Carnatic"), ("bhairavi hindustani", "Hindustani")):
        match = catalogue.find(text)
        assert match.raga is not None
        assert (match.raga.name, match.raga.tradition) == ("Bhairavi", tradition)


def test_what_is_typed_exactly_goes_before_the_preference(catalogue: Catalogue) -> None:
    match = catalogue.find("Hindolam", "Hindustani")
    assert match.raga is not None
    assert match.raga.name == "Hindolam"
    assert "Hindol" in [raga.name for raga in match.others]


@pytest.mark.parametrize("text", ["mela 29", "Melakarta 29", "melakarta #29", "29"])
def test_a_melakarta_by_its_number(catalogue: Catalogue, text: str) -> None:
    match = catalogue.find(text)
    assert match.kind == "exact"
    assert match.raga is not None
    assert match.raga.name == "Dheerasankarabharanam"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rag eshri", "Rageshri"),
        ("Rag Eshree", "Rageshri"),
        ("yaman thaat", "Yaman"),
        ("thaat bhairav", "Bhairav"),
        ("malhar miyan ki", "Miyan Malhar"),
        ("Sarang, Brindavani", "Brindavani Sarang"),
        ("hindustani kpi", "Hindustani Kapi"),
        ("Karnataka Hindolam", "Karnataka Hindolam"),
        ("hindolam karnataka", "Karnataka Hindolam"),
        ("carnatic hindolm", "Hindolam"),
    ],
)
def test_more_words_than_the_name(catalogue: Catalogue, text: str, name: str) -> None:
    match = catalogue.find(text)
    assert match.raga is not None
    assert match.raga.name == name


def test_what_sounds_like_one_name_but_is_spelt_like_another_is_asked_about(catalogue: Catalogue) -> None:
    match = catalogue.find("revai")
    assert match.raga is None or match.raga.name == "Revati"
    assert "Revati" in [raga.name for raga in (*((match.raga,) if match.raga else ()), *match.others)]
    for text in ("days", "goal", "sort", "share"):
        assert catalogue.find(text).kind != "exact"


def test_what_is_unsure_offers_at_most_five(catalogue: Catalogue) -> None:
    for text in ("malhar", "bhair", "kauns", "puriya d", "ranjan"):
        match = catalogue.find(text)
        assert match.kind in ("unsure", "near", "exact")
        assert len(match.others) <= 5
        assert len(set(match.others)) == len(match.others)
        assert match.raga not in match.others
        assert (match.raga is None) == (match.kind == "unsure")
    assert catalogue.find("malhar").kind == "unsure"
    assert "Miyan Malhar" in [raga.name for raga in catalogue.find("malhar").others]


def test_every_name_finds_its_raga(catalogue: Catalogue) -> None:
    for raga in catalogue.ragas:
        assert catalogue.get(raga.name, raga.tradition) == raga
        for name in (raga.name, *raga.aliases):
            for text in (name, name.upper(), f"  raga {name.lower()} ", f"Rāga {name}", f"{name} raag"):
                match = catalogue.find(text, raga.tradition)
                assert (match.kind, match.raga) == ("exact", raga), text
        for _, name in raga.scripts:
            match = catalogue.find(name, raga.tradition)
            assert match.kind == "exact"
            assert raga in (match.raga, *match.others), name


def test_get_wants_the_name_and_the_tradition(catalogue: Catalogue) -> None:
    assert catalogue.get("Yaman", "Carnatic") is None
    assert catalogue.get("Yemman") is None
    mohanam = catalogue.get("mohana", "Carnatic")
    assert mohanam is not None
    assert mohanam.name == "Mohanam"


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("yam", "Yaman"),
        ("YAMAN", "Yaman"),
        ("bhimp", "Bhimpalasi"),
        ("palasi", "Bhimpalasi"),
        ("dhanash", "Puriya Dhanashri"),
        ("malh", "Miyan Malhar"),
        ("kaly", "Mechakalyani"),
        ("shank", "Dheerasankarabharanam"),
        ("drb", "Darbari Kanada"),
        ("bgesr", "Bageshri"),
        ("hamsad", "Hamsadhwani"),
        ("हंस", "Hansadhwani"),
        ("மோக", "Mohanam"),
        ("raag des", "Desh"),
        ("Kalyaani", "Mechakalyani"),
        ("malkaons", "Malkauns"),
    ],
)
def test_suggestions_while_typing(catalogue: Catalogue, prefix: str, name: str) -> None:
    assert name in [raga.name for raga in catalogue.suggest(prefix, 8)]


def test_suggestions_from_the_first_letter(catalogue: Catalogue) -> None:
    for letter in "abdghjklmnprstvy":
        found = catalogue.suggest(letter)
        assert 5 <= len(found) <= 25
        own = [plain_key(raga.name).startswith(letter) for raga in found]
        assert own == sorted(own, reverse=True), letter
        places = [familiarity(raga) for raga, begins in zip(found, own, strict=True) if begins]
        assert places == sorted(places), letter
    for letter in "कमயతಕഹ":
        assert catalogue.suggest(letter), letter


def test_suggestions_go_by_match_and_then_by_how_well_known(catalogue: Catalogue) -> None:
    assert catalogue.suggest("y")[0].name == "Yaman"
    assert [raga.name for raga in catalogue.suggest("bh")][:2] == ["Bhairav", "Bhairavi"]
    assert [raga.name for raga in catalogue.suggest("todi")][:2] == ["Todi", "Hanumatodi"]
    # A word within a name comes after the names that begin with it, one that only sounds so comes later still.
    found = [raga.name for raga in catalogue.suggest("malh")]
    assert found[0] == "Miyan Malhar"
    assert found.index("Gaud Malhar") < found.index("Malahari")


def test_suggestions_narrow_as_more_is_typed(catalogue: Catalogue) -> None:
    for raga in catalogue.suggest("", 100):
        name = raga.name.lower()
        for end in range(4, len(name) + 1):
            assert raga in catalogue.suggest(name[:end], 25), name[:end]


@pytest.mark.parametrize(
    ("typed", "name"), [("bhmip", "Bhimpalasi"), ("yamn", "Yaman"), ("shanmuga", "Shanmukhapriya")]
)
def test_suggestions_bear_slips(catalogue: Catalogue, typed: str, name: str) -> None:
    assert name in [raga.name for raga in catalogue.suggest(typed, 10)]


def test_the_well_known_ragas_are_those_of_the_catalogue(catalogue: Catalogue) -> None:
    known = {
        whose: {raga.name for raga in catalogue.ragas if raga.tradition == whose} for whose in TRADITIONS
    }
    strangers = {whose: sorted(set(WELL_KNOWN[whose]) - known[whose]) for whose in TRADITIONS}
    assert strangers == {whose: [] for whose in TRADITIONS}
    for whose in TRADITIONS:
        assert len(set(WELL_KNOWN[whose])) == len(WELL_KNOWN[whose]) >= 150


def test_suggestions_before_typing_are_the_best_known(catalogue: Catalogue) -> None:
    names = [raga.name for raga in catalogue.suggest("")]
    assert len(names) == 25
    assert {"Yaman", "Bhairav", "Mohanam", "Mechakalyani"} <= set(names)
    assert catalogue.suggest("", 3) == catalogue.suggest("")[:3]
    assert catalogue.suggest("", 0) == catalogue.suggest("y", -1) == []


def test_suggestions_hold_no_raga_twice_and_put_the_exact_name_first(catalogue: Catalogue) -> None:
    for raga in catalogue.ragas:
        found = catalogue.suggest(raga.name)
        assert len(set(found)) == len(found) <= 25
        assert found[0].name == raga.name or plain_key(raga.name) in map(plain_key, found[0].names)


@pytest.mark.parametrize("text", ["asdfgh", "🎵", "\x00", "z" * 10_000, "!!"])
def test_no_suggestions_for_nonsense(catalogue: Catalogue, text: str) -> None:
    assert catalogue.suggest(text) == []


@given(text=st.one_of(st.text(), st.text("abdghikmnrsty '-~^.ā्रागणकതட", max_size=90)))
@settings(deadline=None, max_examples=300)
def test_whatever_is_typed_is_answered(catalogue: Catalogue, text: str) -> None:
    match = catalogue.find(text)
    assert (match.raga is None) == (match.kind in ("unsure", "none"))
    assert bool(match.others) or match.kind != "unsure"
    assert len(match.others) <= 5
    assert catalogue.find(text) == match
    assert len(catalogue.suggest(text, 7)) <= 7
    assert set(catalogue.search(text)) <= set(catalogue.ragas)
    found = catalogue.get(text)
    assert found is None or match.kind != "none"
