"""The catalogue's content, its documents, exports and searches."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from music.catalogue import TRADITIONS, Catalogue, CatalogueError, Raga, load
from music.choosing import MOODS, TIMES
from music.melakarta import CHAKRAS, chakra_name, melakarta_scale
from music.swaras import PITCH_CLASS, semitone


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def test_there_are_enough_ragas_of_both_traditions(catalogue: Catalogue) -> None:
    counts = {name: sum(raga.tradition == name for raga in catalogue.ragas) for name in TRADITIONS}
    assert counts["Hindustani"] >= 100
    assert counts["Carnatic"] >= 72 + 200
    assert len({(raga.name, raga.tradition) for raga in catalogue.ragas}) == len(catalogue.ragas)


@pytest.mark.parametrize("tradition", TRADITIONS)
def test_every_entry_can_be_shown(catalogue: Catalogue, tradition: str) -> None:
    for raga in catalogue.ragas:
        if raga.tradition != tradition:
            continue
        assert raga.arohana
        assert raga.avarohana
        assert raga.jati
        assert any(script == "Devanagari" for script, _ in raga.scripts), raga.name
        assert raga.description, raga.name
        assert (raga.melakarta is None) == (tradition == "Hindustani")
        if raga.melakarta is not None and raga.chakra is None:
            assert raga.parent == next(
                other.name for other in catalogue.ragas if other.chakra and other.melakarta == raga.melakarta
            )


def test_every_entry_is_small_enough_for_convex(catalogue: Catalogue) -> None:
    largest = max(
        len(json.dumps(raga.to_document(), ensure_ascii=False).encode()) for raga in catalogue.ragas
    )
    assert largest < 6000


def test_the_ragas_of_the_plan_are_there(catalogue: Catalogue) -> None:
    names = "Yaman Bhairav Malkauns Bilawal Kafi Bhairavi Khamaj Desh Bageshri Jog Shivaranjani Marwa Puriya"
    for name in names.split():
        raga = catalogue.get(name, "Hindustani")
        assert raga is not None
        assert raga.name == name


def keys(line: tuple[str, ...]) -> set[int]:
    return {semitone(token) % 12 for token in line}


def test_well_known_scales(catalogue: Catalogue) -> None:
    """Figures that every textbook has, by key: the test's own table."""
    expected = {
        ("Yaman", "Hindustani"): ({0, 2, 4, 6, 9, 11}, {0, 2, 4, 6, 7, 9, 11}),
        ("Malkauns", "Hindustani"): ({0, 3, 5, 8, 10}, {0, 3, 5, 8, 10}),
        ("Bhimpalasi", "Hindustani"): ({0, 3, 5, 7, 10}, {0, 2, 3, 5, 7, 9, 10}),
        ("Marwa", "Hindustani"): ({0, 1, 4, 6, 9, 11}, {0, 1, 4, 6, 9, 11}),
        ("Todi", "Hindustani"): ({0, 1, 3, 6, 7, 8, 11}, {0, 1, 3, 6, 7, 8, 11}),
        ("Mohanam", "Carnatic"): ({0, 2, 4, 7, 9}, {0, 2, 4, 7, 9}),
        ("Bilahari", "Carnatic"): ({0, 2, 4, 7, 9}, {0, 2, 4, 5, 7, 9, 11}),
        ("Bhairavi", "Carnatic"): ({0, 2, 3, 5, 7, 9, 10}, {0, 2, 3, 5, 7, 8, 10}),
        ("Nattai", "Carnatic"): ({0, 3, 4, 5, 7, 10, 11}, {0, 3, 5, 7, 11}),
        ("Amritavarshini", "Carnatic"): ({0, 4, 6, 7, 11}, {0, 4, 6, 7, 11}),
    }
    for (name, tradition), (up, down) in expected.items():
        raga = next(raga for raga in catalogue.ragas if (raga.name, raga.tradition) == (name, tradition))
        assert (keys(raga.arohana), keys(raga.avarohana)) == (up, down), name


# The key of letters (katapayadi) by which a melakarta's first two syllables, read backward, say its number.
ROWS = (
    "k ṭ p y",
    "kh ṭh ph r",
    "g ḍ b l",
    "gh ḍh bh v",
    "ṅ ṇ m ś",
    "c t ṣ",
    "ch th s",
    "j d h",
    "jh dh ḷ",
    "ñ n",
)
DIGITS = {letter: (row + 1) % 10 for row, letters in enumerate(ROWS) for letter in letters.split()}
CLUSTER = re.compile("((?:[kgcjṭḍtdpb]h?|[ṅñṇnmyrlvśṣshḷṁ])+)[aāiīuūeēoō]")


def said_numbers(iso: str) -> tuple[int, set[int]]:
    """The number by the rule (the last consonant of a cluster counts), and all that its clusters allow."""
    letters = [
        [letter.replace("ṁ", "m") for letter in re.findall("[kgcjṭḍtdpb]h|.", cluster)]
        for cluster in CLUSTER.findall(iso.replace("r̥", "ri"))[:2]
    ]
    ones, tens = ([DIGITS[letter] for letter in cluster] for cluster in letters)
    return 10 * tens[-1] + ones[-1], {10 * ten + one for ten in tens for one in ones}


def test_the_melakartas_names_say_their_numbers() -> None:
    path = Path(__file__).parents[2] / "data" / "ragas" / "carnatic-melakarta.toml"
    entries = tomllib.loads(path.read_text("utf-8"))["raga"]
    assert [entry["melakarta"] for entry in entries] == list(range(1, 73))
    by_rule = 0
    for entry in entries:
        number, allowed = said_numbers(entry["iso"])
        assert entry["melakarta"] in allowed, entry["name"]
        by_rule += number == entry["melakarta"]
    # Chakravakam, Divyamani, Vishwambari and a few more are known to count another consonant of the cluster.
    assert by_rule >= 64


def test_the_melakartas_follow_from_their_numbers(catalogue: Catalogue) -> None:
    melakartas = {raga.melakarta: raga for raga in catalogue.ragas if raga.chakra}
    assert set(melakartas) == set(range(1, 73))
    # A second derivation: one Ri below one Ga, one Ma, one Dha below one Ni, in rising order.
    pairs = [(low, high) for low in (1, 2, 3) for high in (2, 3, 4) if low < high]
    expected = [
        (0, *lower, ma, 7, *(key + 7 for key in upper), 12)
        for ma in (5, 6)
        for lower in pairs
        for upper in pairs
    ]
    for number, raga in melakartas.items():
        assert number is not None
        assert tuple(map(semitone, raga.arohana)) == expected[number - 1], raga.name
        assert raga.avarohana == raga.arohana[::-1]
        assert [token[0] for token in raga.arohana] == list("SRGMPDNS")
        assert raga.chakra == CHAKRAS[(number - 1) // 6] == chakra_name(number)
    for wrong in (0, 73, -1):
        with pytest.raises(ValueError, match="melakartas 1 to 72"):
            melakarta_scale(wrong)
        with pytest.raises(ValueError, match="melakartas 1 to 72"):
            chakra_name(wrong)


def test_documents_come_back_as_they_went(catalogue: Catalogue) -> None:
    for raga in catalogue.ragas:
        document: dict[str, Any] = json.loads(json.dumps(raga.to_document()))
        assert Raga.from_document(document) == raga
        # Convex has only floats, and adds fields of its own.
        if raga.melakarta is not None:
            document["melakarta"] = float(raga.melakarta)
        document["prahar"] = [float(watch) for watch in raga.prahar]
        document |= {"_id": "k1", "_creationTime": 1.5, "searchText": "x", "audioFeatures": {"tempo": 3}}
        again = Raga.from_document(document)
        assert again == raga
        assert hash(again) == hash(raga)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", ""),
        ("name", 3),
        ("tradition", "Western"),
        ("arohana", "S R2"),
        ("arohana", ["S", "Q"]),
        ("arohana", [1]),
        ("vadi", "H"),
        ("melakarta", 1.5),
        ("melakarta", float("nan")),
        ("melakarta", float("inf")),
        ("prahar", ["1"]),
        ("prahar", [True]),
        ("aliases", "Iman"),
        ("aliases", [1]),
        ("scripts", [3]),
        ("scripts", [{"script": "Tamil"}]),
        ("pakad", ["S R2"]),
        ("reviewed", "yes"),
    ],
)
def test_documents_that_cannot_be_read_are_refused(field: str, value: object) -> None:
    document = {"name": "Yaman", "tradition": "Hindustani", "arohana": ["S", "R2"], "avarohana": ["R2", "S"]}
    assert Raga.from_document(document).name == "Yaman"
    with pytest.raises(CatalogueError):
        Raga.from_document({**document, field: value})


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(CatalogueError, match="no object"):
        Raga.from_document([1])  # type: ignore[arg-type]  # what a broken cache may hold


def test_documents_leave_out_what_is_absent(catalogue: Catalogue) -> None:
    kanakangi = catalogue.get("Kanakangi")
    assert kanakangi is not None
    document = kanakangi.to_document()
    assert not {"vadi", "samvadi", "season", "thaat", "pakad"} & set(document)
    assert all(value not in (None, "", []) for value in document.values())
    assert {"script": "Devanagari", "name": "कनकांगि"} in document["scripts"]


def test_the_export_is_what_a_catalogue_can_be_made_from(catalogue: Catalogue) -> None:
    exported = json.loads(json.dumps([raga.to_export() for raga in catalogue.ragas], ensure_ascii=False))
    assert len({frozenset(entry) for entry in exported}) == 1
    for entry in exported:
        assert set(entry["arohana"]) <= {name + mark for name in PITCH_CLASS for mark in ("", "'", ",", "''")}
    again = Catalogue(Raga.from_document(entry) for entry in exported)
    assert again.ragas == catalogue.ragas
    assert again.version == catalogue.version


def test_the_version_is_of_the_content(catalogue: Catalogue) -> None:
    assert Catalogue(reversed(catalogue.ragas)).version == catalogue.version
    assert Catalogue(catalogue.ragas[1:]).version != catalogue.version
    assert Catalogue(catalogue.ragas, "7").version == "7"
    assert load().version == catalogue.version


def test_ragas_and_catalogues_can_be_pickled(catalogue: Catalogue) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(catalogue.ragas, protocol)) == catalogue.ragas  # noqa: S301 (our own)
    again: Catalogue = pickle.loads(pickle.dumps(catalogue))  # noqa: S301 (our own)
    assert again.find("Yaman") == catalogue.find("Yaman")


def test_importing_the_catalogue_is_light() -> None:
    line = (
        "import sys, music.catalogue, music.choosing, music.swaras; "
        "print([name for name in ('numpy', 'scipy', 'pydub') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", line], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"


def test_search_by_everything(catalogue: Catalogue) -> None:
    assert catalogue.search("yaman")[0].name == "Yaman"
    assert catalogue.search("bageshvari")[0].name == "Bageshri"
    monsoon = catalogue.search("monsoon", tradition="Hindustani")
    assert {"Megh", "Miyan Malhar", "Gaud Malhar"} <= {raga.name for raga in monsoon}
    assert all(raga.tradition == "Carnatic" for raga in catalogue.search("bhairavi", tradition="Carnatic"))
    dawn = catalogue.search(time="dawn")
    assert dawn
    assert all("dawn" in raga.time for raga in dawn)
    for mood in MOODS:
        found = catalogue.search(mood=mood)
        assert found
        assert all(mood in (*raga.mood, *raga.rasa) for raga in found)
    both = catalogue.search("kafi", tradition="Hindustani", time="midnight", mood="romantic")
    assert both
    assert all("midnight" in raga.time and "romantic" in raga.mood for raga in both)
    melakarta = [raga.name for raga in catalogue.search("melakarta 22")]
    assert {"Kharaharapriya", "Abhogi"} <= set(melakarta)


def test_search_without_words_lists_all_the_best_known_first(catalogue: Catalogue) -> None:
    everything = catalogue.search()
    assert len(everything) == len(catalogue.ragas)
    assert everything[0].name == "Yaman"
    assert catalogue.search("   ") == everything


@pytest.mark.parametrize("text", ["asdfgh", "🎵🎵", "\x00", "x" * 10_000, "zzz qqq"])
def test_search_for_nonsense_finds_nothing(catalogue: Catalogue, text: str) -> None:
    assert catalogue.search(text) == []


def test_search_for_unknown_words_of_time_and_mood_finds_nothing(catalogue: Catalogue) -> None:
    assert catalogue.search(time="teatime") == []
    assert catalogue.search(mood="hungry") == []
    assert catalogue.search(time=" DAWN ") == catalogue.search(time="dawn")
    assert all(catalogue.search(time=time) for time in TIMES)


def test_an_empty_catalogue_answers_too() -> None:
    empty = Catalogue(())
    assert empty.find("Yaman").kind == "none"
    assert empty.get("Yaman") is None
    assert empty.suggest("") == empty.suggest("ya") == []
    assert empty.search() == empty.search("ya") == []
