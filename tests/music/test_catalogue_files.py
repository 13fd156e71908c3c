"""The catalogue's files: what is read, and that every fault is said with its file and entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from music.catalogue import Catalogue, CatalogueError, load
from music.raga import Raga
from music.scripts import CARNATIC_SCRIPTS, in_script, to_latin

PARENT = """
[[raga]]
name = "Harikambhoji"
tradition = "Carnatic"
melakarta = 28
"""

ENTRY = """
[[raga]]
name = "Kambhoji"
iso = "kāmbhōji"
tradition = "Carnatic"
melakarta = 28
arohana = "S R2 G3 M1 P D2 S'"
avarohana = "S' N2 D2 P M1 G3 R2 S N3, P, D2, S"
foreign = "N3"
nyasa = "G3 P"
pakad = ["N3, P, D2, S"]
prahar = [5, 6]
rasa = ["shringara"]
mood = ["joyful"]
kin = ["Harikambhoji"]
aliases = ["Kamboji"]
scripts = {Bengali = "কাম্বোজী"}
description = "A raga."
variants = [{ arohana = "S R2 G3 P D2 S'", avarohana = "S' N2 D2 P M1 G3 R2 S", note = "without the turn" }]
reviewed = true
sources = ["Ragas in Carnatic Music"]
"""


def catalogue_of(folder: Path, text: str, name: str = "carnatic.toml") -> Catalogue:
    folder.joinpath(name).write_text(text, "utf-8")
    return load(folder)


def test_an_entry_is_read(tmp_path: Path) -> None:
    harikambhoji, kambhoji = catalogue_of(tmp_path, PARENT + ENTRY).ragas
    assert harikambhoji.arohana == ("S", "R2", "G3", "M1", "P", "D2", "N2", "S'")
    assert harikambhoji.chakra == "Bana"
    assert harikambhoji.parent is None
    assert kambhoji.parent == "Harikambhoji"
    assert kambhoji.chakra is None
    assert kambhoji.avarohana[-4:] == ("N3,", "P,", "D2,", "S")
    assert kambhoji.nyasa == ("G3", "P")
    assert kambhoji.pakad == (("N3,", "P,", "D2,", "S"),)
    assert kambhoji.prahar == (5, 6)
    assert kambhoji.time == ("evening", "night")
    assert kambhoji.jati == "Shadava-Sampurna"
    assert [(one.arohana[-2], one.note) for one in kambhoji.variants] == [("D2", "without the turn")]
    assert Raga.from_document(kambhoji.to_document()) == kambhoji
    assert kambhoji.notes == "Takes N3 from outside its melakarta."
    assert dict(kambhoji.scripts) == {
        "Devanagari": "कांभोजि",
        "Tamil": "காம்போஜி",
        "Telugu": "కాంభోజి",
        "Kannada": "ಕಾಂಭೋಜಿ",
        "Malayalam": "കാമ്ഭോജി",
        "Bengali": "কাম্বোজী",
    }


def test_a_file_may_set_defaults(tmp_path: Path) -> None:
    text = """
    [defaults]
    tradition = "Hindustani"
    thaat = "Kafi"
    [[raga]]
    name = "Kafi"
    devanagari = "काफ़ी"
    arohana = "S R2 G2 M1 P D2 N2 S'"
    avarohana = "S' N2 D2 P M1 G2 R2 S"
    vadi = "P"
    samvadi = "S"
    time = ["any time"]
    prahar = [6]
    """
    (kafi,) = catalogue_of(tmp_path, text).ragas
    assert (kafi.tradition, kafi.thaat, kafi.vadi, kafi.samvadi) == ("Hindustani", "Kafi", "P", "S")
    assert kafi.time == ("any time",)
    assert kafi.scripts == (("Devanagari", "काफ़ी"),)
    assert not kafi.reviewed


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('name = "Kambhoji"', "", "it has no name"),
        ('name = "Kambhoji"', "name = 3", "name is a text"),
        ('name = "Kambhoji"', 'name = " Kambhoji"', "without blanks"),
        ('name = "Kambhoji"', 'name = "!?"', "empty or too long"),
        ('name = "Kambhoji"', f'name = "{"a" * 61}"', "empty or too long"),
        ('tradition = "Carnatic"', 'tradition = "Western"', "tradition is one of"),
        ('tradition = "Carnatic"', 'tradition = "Hindustani"', "has a thaat, no melakarta"),
        ("melakarta = 28", "", "names its melakarta"),
        ("melakarta = 28", "melakarta = 73", "from 1 to 72"),
        ("melakarta = 28", "melakarta = 27", "D2 is not of melakarta 27"),
        ("melakarta = 28", 'melakarta = "28"', "melakarta is a whole number"),
        ('foreign = "N3"', "", "N3 is not of melakarta 28"),
        ('foreign = "N3"', 'foreign = "N3 N2"', "N2 is of melakarta 28, so it is not foreign"),
        ('iso = "kāmbhōji"', 'iso = "kAmbhOji"', "no letter of ISO 15919"),
        ("S R2 G3 M1 P D2 S'", "S R4 G3 M1 P D2 S'", "'R4' is no swara"),
        ("S R2 G3 M1 P D2 S'", "S R2 P", "fewer than four"),
        ("S R2 G3 M1 P D2 S'", "S R2 R2 G3 M1 S'", "twice running"),
        ("S R2 G3 M1 P D2 S'", "S' D2 P M1 G3 R2 S", "ends below its beginning"),
        ("S R2 G3 M1 P D2 S'", "R2 G3 M1 P D2", "arohana has no S"),
        ("S R2 G3 M1 P D2 S'", "S R2 G3 M1 P D2 S'''", "leaves the three octaves"),
        ("S' N2 D2 P M1 G3 R2 S N3, P, D2, S", "S R2 G3 P D2 S'", "ends above its beginning"),
        ('nyasa = "G3 P"', 'nyasa = "G2"', "G2 of nyasa is in neither"),
        ('nyasa = "G3 P"', 'vadi = "M2"', "M2 of vadi is in neither"),
        ('nyasa = "G3 P"', 'vadi = "S P"', "vadi is one swara, not 2"),
        ('nyasa = "G3 P"', 'vadi = "P"\nsamvadi = "P"', "are the same"),
        ('pakad = ["N3, P, D2, S"]', 'pakad = ["S G2"]', "G2 of pakad is in neither"),
        ('pakad = ["N3, P, D2, S"]', 'pakad = ["S"]', "at least two swaras"),
        ('pakad = ["N3, P, D2, S"]', 'pakad = "S R2"', "pakad is a list of texts"),
        ("prahar = [5, 6]", "prahar = [0]", "number from 1 to 8"),
        ("prahar = [5, 6]", "prahar = [9]", "number from 1 to 8"),
        ("prahar = [5, 6]", 'prahar = ["evening"]', "prahar is a list of numbers"),
        ("prahar = [5, 6]", 'time = ["teatime"]', "time does not know 'teatime'"),
        ("prahar = [5, 6]", 'season = ["wet"]', "season does not know 'wet'"),
        ("prahar = [5, 6]", 'thaat = "Ragini"', "none of the ten thaats"),
        ('rasa = ["shringara"]', 'rasa = ["love"]', "rasa does not know 'love'"),
        ('mood = ["joyful"]', 'mood = ["joyful", "joyful"]', "mood says something twice"),
        ('mood = ["joyful"]', 'mood = ["hungry"]', "mood does not know 'hungry'"),
        ('kin = ["Harikambhoji"]', 'kin = ["Nobody"]', "its kin 'Nobody' is not in the catalogue"),
        ('aliases = ["Kamboji"]', 'aliases = ["kambho-ji"]', "given twice"),
        ('aliases = ["Kamboji"]', 'aliases = ["HARI kambhoji"]', "also that of Harikambhoji"),
        ('aliases = ["Kamboji"]', "aliases = [1]", "aliases is a list of texts"),
        ('scripts = {Bengali = "কাম্বোজী"}', "scripts = {Bengali = 1}", "scripts is a table"),
        ('description = "A raga."', f'description = "{"a" * 601}"', "longer than 600"),
        ('note = "without the turn"', 'who = "x"', "variants is a list of tables"),
        ('note = "without the turn"', 'note = " "', "whose it is"),
        ("S R2 G3 P D2 S'", "S R5", "variants: 'R5' is no swara"),
        ("S R2 G3 P D2 S'", "S R2 P", "variant's arohana has fewer than four"),
        ("reviewed = true", "reviewed = 1", "reviewed is true or false"),
        ('sources = ["Ragas in Carnatic Music"]', 'sources = ["My uncle"]', "sources does not know"),
        ('sources = ["Ragas in Carnatic Music"]', "", "names its sources"),
        ('sources = ["Ragas in Carnatic Music"]', 'colour = "blue"', "no such key as colour"),
    ],
)
def test_a_fault_is_said_with_its_file_and_entry(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in ENTRY
    with pytest.raises(CatalogueError) as caught:
        catalogue_of(tmp_path, PARENT + ENTRY.replace(old, new), "a-file.toml")
    text = str(caught.value)
    assert "a-file.toml" in text
    assert fault in text
    if 'name = "Kambhoji"' not in old:
        assert "'Kambhoji'" in text


def test_a_name_may_stand_in_both_traditions_but_not_twice_in_one(tmp_path: Path) -> None:
    twin = """
    [[raga]]
    name = "Kambhoji"
    tradition = "Hindustani"
    arohana = "S R2 G3 M1 P D2 S'"
    avarohana = "S' N2 D2 P M1 G3 R2 S"
    """
    assert len(catalogue_of(tmp_path, PARENT + ENTRY + twin).ragas) == 3
    with pytest.raises(
        CatalogueError, match=r"z\.toml, raga 'Kambhoji': the name 'Kambhoji' is also that of"
    ):
        catalogue_of(tmp_path, ENTRY, "z.toml")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[raga]", "cannot be read"),
        ("x = 1", "holds more than"),
        ("raga = 3", "holds more than"),
        ("defaults = 3", "holds more than"),
        ("raga = [3]", "a raga is a table"),
        ('[defaults]\nname = "x"', "defaults cannot hold name"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(CatalogueError, match="odd") as caught:
        catalogue_of(tmp_path, text, "odd.toml")
    assert fault in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    tmp_path.joinpath("odd.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogueError, match=r"odd\.toml cannot be read"):
        load(tmp_path)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no TOML file"):
        load(tmp_path)
    with pytest.raises(CatalogueError, match="no TOML file"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("iso", "expected"),
    [
        ("haṁsadhvani", ("हंसध्वनि", "ஹம்ஸத்வனி", "హంసధ్వని", "ಹಂಸಧ್ವನಿ", "ഹംസധ്വനി")),
        ("mōhanaṁ", ("मोहनम्", "மோஹனம்", "మోహనం", "ಮೋಹನ", "മോഹനം")),
        ("śrī", ("श्री", "ஸ்ரீ", "శ్రీ", "ಶ್ರೀ", "ശ്രീ")),
        ("amr̥tavarṣiṇi", ("अमृतवर्षिणि", "அம்ரிதவர்ஷிணி", "అమృతవర్షిణి", "ಅಮೃತವರ್ಷಿಣಿ", "അമൃതവര്ഷിണി")),
        ("śuddha sāvēri", ("शुद्ध सावेरि", "சுத்த ஸாவேரி", "శుద్ధ సావేరి", "ಶುದ್ಧ ಸಾವೇರಿ", "ശുദ്ധ സാവേരി")),
    ],
)
def test_names_in_the_scripts_of_the_south(iso: str, expected: tuple[str, ...]) -> None:
    assert tuple(in_script(iso, script) for script in CARNATIC_SCRIPTS) == expected


@pytest.mark.parametrize(
    ("written", "latin"),
    [
        ("यमन", "yamana"),
        ("दरबारी कान्हड़ा", "darabārī kānhaḍā"),
        ("ইমন", "imana"),
        ("ਭੈਰਵੀ", "bhairavī"),
        ("ભૂપાલી", "bhūpālī"),
        ("ശ്രീരാഗം", "śrīrāgam"),
        ("അമൃതവർഷിണി", "amr̥tavarṣiṇi"),
        ("தோடி", "tōṭi"),
        ("raga यमन!", "raga yamana!"),
        ("", ""),
    ],
)
def test_scripts_in_latin_letters(written: str, latin: str) -> None:
    assert to_latin(written) == latin
