"""Cards and lists of ragas."""

from __future__ import annotations

import pytest

from handlers.model import BUTTON_LINE_BYTES, FavoriteTarget, Reply
from handlers.ragas import card
from tests.handlers.conftest import Say
from tests.handlers.record import CATALOGUE, Dialogue


def lines(reply: Reply) -> list[str]:
    return [button.line for row in reply.buttons for button in row]


def facts(reply: Reply) -> dict[str, str]:
    assert reply.card is not None
    return {field.name: field.value for field in reply.card.fields}


async def test_a_card(say: Say, dialogue: Dialogue) -> None:
    reply = await say("/raga Yaman")
    assert reply.ok
    assert reply.card is not None
    assert (reply.card.title, reply.card.subtitle) == (
        "Yaman",
        "Hindustani · Kalyan thaat · Shadava-Sampurna",
    )
    assert facts(reply)["Arohana"] == "Ṇ R G M♯ D N Ṡ"
    assert facts(reply)["Vadi"] == "G"
    assert facts(reply)["Time"] == "First prahar of the night"
    assert "यमन" in facts(reply)["In other scripts"]
    assert lines(reply) == ["/hear Yaman", "/generate Yaman", "/favorite raga:h:Yaman", "/correct Yaman"]
    assert reply.favorite is not None
    assert reply.favorite.target == FavoriteTarget(raga="Yaman", tradition="Hindustani")
    assert dialogue.backend.calls == []


@pytest.mark.parametrize(
    "text", ["yaman", "YAMAN", "name:Yaman", 'name:"yaman"', "यमन", "Eman", "raga Yaman"]
)
async def test_a_name_however_it_is_spelt(say: Say, text: str) -> None:
    reply = await say(f"/raga {text}")
    assert reply.card is not None
    assert reply.card.title == "Yaman"


async def test_a_carnatic_card(say: Say) -> None:
    reply = await say("/raga Mechakalyani")
    assert reply.card is not None
    assert reply.card.subtitle == "Carnatic · melakarta 65, Rudra chakra · Sampurna"
    assert facts(reply)["Arohana"] == "S R₂ G₃ M₂ P D₂ N₃ Ṡ"
    janya = await say("/raga Hamsadhwani")
    assert janya.card is not None
    assert "janya of Dheerasankarabharanam (29)" in janya.card.subtitle


async def test_a_name_of_both_traditions_offers_the_other(say: Say) -> None:
    reply = await say("/raga Bhairavi")
    assert reply.card is not None
    assert reply.card.subtitle.startswith("Hindustani")
    assert "/raga Bhairavi Carnatic" in lines(reply)
    other = await say("/raga Bhairavi Carnatic")
    assert other.card is not None
    assert other.card.subtitle.startswith("Carnatic")
    assert "/generate Bhairavi Carnatic" in lines(other)
    named = await say("/raga Bhairavi", tradition="Carnatic")
    assert named.card == other.card


async def test_a_misspelt_name_is_answered_or_asked_about(say: Say) -> None:
    sure = await say("/raga Malkaunse")
    assert sure.card is not None
    assert sure.card.title == "Malkauns"
    unsure = await say("/raga malhar")
    assert not unsure.ok
    assert 2 <= len(unsure.entries) <= 5
    assert unsure.entries[0].buttons[0].line == f"/raga {unsure.entries[0].title}"


@pytest.mark.parametrize(
    "text", ["asdfgh", "!!!", "1e9", "NaN", "../../etc/passwd", "x" * 900, "\u202e\u0000"]
)
async def test_nonsense_is_no_raga(say: Say, text: str) -> None:
    reply = await say(f"/raga {text}")
    assert not reply.ok
    assert reply.card is None
    assert reply.text.startswith("I know no raga named")
    assert len(reply.text) < 200


async def test_a_name_of_ten_thousand_characters(say: Say) -> None:
    for reply in (await say("/raga " + "x" * 10_000), await say("/raga", name="x" * 10_000)):
        assert not reply.ok
        assert "at most 1000 characters" in reply.text


async def test_without_a_name_one_for_the_hour(say: Say) -> None:
    reply = await say("/raga")
    assert reply.card is not None
    assert reply.text == "First prahar of the night: a raga for this hour."
    raga = CATALOGUE.get(reply.card.title)
    assert raga is not None
    assert 5 in raga.prahar
    assert (await say("/raga")).card == reply.card


async def test_the_place_and_the_tradition_that_somebody_prefers(say: Say, dialogue: Dialogue) -> None:
    there = await say("/raga place:Chennai tradition:Carnatic")
    dialogue.people.likes = {"place": "Chennai", "tradition": "Carnatic"}
    assert await say("/raga") == there
    assert "in London" in (await say("/raga place:London")).text
    named = await say("/raga Bhairavi")  # who names one means that one
    assert named.card is not None
    assert named.card.subtitle.startswith("Hindustani")


async def test_a_name_in_the_script_of_the_language_that_somebody_prefers(
    say: Say, dialogue: Dialogue
) -> None:
    subtitles = []
    for language in ("hi", "mr", "te", "en"):
        dialogue.people.likes = {"language": language}
        reply = await say("/raga Hamsadhwani")
        assert reply.card is not None
        assert reply.card.title == "Hamsadhwani"
        subtitles.append(reply.card.subtitle.split(" · ")[0])
    assert subtitles == ["हंसध्वनि", "हंसध्वनि", "హంసధ్వని", "Carnatic"]


async def test_the_hour_of_another_place(say: Say) -> None:
    # 19:30 in London is one o'clock at night in Chennai, where the sun rises at a quarter past six.
    reply = await say("/raga place:Madras")
    assert reply.text == "Third prahar of the night in Chennai: a raga for this hour."
    assert reply.card is not None
    raga = CATALOGUE.get(reply.card.title)
    assert raga is not None
    assert 7 in raga.prahar
    assert "large city near you" in (await say("/raga", place="Atlantis")).text


async def test_the_forms_of_other_schools_stand_on_the_card(say: Say) -> None:
    reply = await say("/raga Lalit tradition:Hindustani")
    assert reply.card is not None
    forms = next(one.value for one in reply.card.fields if one.name == "Other forms")
    assert "D" in forms.split()
    assert forms.endswith(")")


async def test_search(say: Say) -> None:
    reply = await say("/search kauns")
    assert reply.ok
    assert {"Malkauns", "Chandrakauns"} <= {entry.title for entry in reply.entries}
    assert reply.entries[0].buttons[0].line.startswith("/raga ")


@pytest.mark.parametrize("text", ["S R2 G3 P D2", "S R G P D", "SRGPD", "Sa Re Ga Pa Dha"])
async def test_search_by_the_notes(say: Say, text: str) -> None:
    reply = await say(f"/search {text}")
    titles = [entry.title for entry in reply.entries]
    assert {"Bhupali", "Mohanam", "Deshkar"} <= set(titles)
    assert "one swara" not in reply.entries[0].detail
    assert reply.text.endswith("Read as S R G P D, in Carnatic names S R₂ G₃ P D₂.")
    northern = await say(f"/search {text} tradition:Hindustani")
    assert all(entry.detail.startswith("Hindustani") for entry in northern.entries[:2])
    assert "Mohanam" not in [entry.title for entry in northern.entries]


async def test_search_by_two_lines_of_notes(say: Say) -> None:
    for text in ("S G2 M1 P N2 S' / S' N2 D2 P M1 G2 R2 S", "S g m P n S' | S' n D P m g R S"):
        titles = [entry.title for entry in (await say(f"/search {text}")).entries]
        assert {"Bhimpalasi", "Abheri"} <= set(titles[:4]), titles


async def test_search_by_qualities_and_pages(say: Say) -> None:
    first = await say("/search mood:peaceful tradition:Hindustani")
    assert "page 1 of" in first.text
    assert not first.replaces
    more = lines(first)
    assert more == ["/search tradition:Hindustani mood:peaceful page:2"]
    second = await say(more[0])
    assert second.replaces
    assert not {entry.title for entry in first.entries} & {entry.title for entry in second.entries}
    assert lines(second)[0] == "/search tradition:Hindustani mood:peaceful page:1"
    last = await say("/search mood:peaceful page:99999")
    assert last.entries


async def test_search_finds_nothing(say: Say) -> None:
    reply = await say("/search qqqqq mood:peaceful")
    assert not reply.ok
    assert "Try fewer words" in reply.text


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/search mood:grumpy", "The moods that I know are"),
        ("/search tradition:Baroque", "Hindustani or Carnatic"),
        ("/search time:teatime", "The times are"),
        ("/search page:0", "A page is a whole number"),
        ("/search page:-1", "A page is a whole number"),
        ("/search color:blue", "I know no “color:” here"),
        ("/search " + "x" * 300, "at most 200 characters"),
    ],
)
async def test_what_search_cannot_read(say: Say, line: str, says: str) -> None:
    reply = await say(line)
    assert not reply.ok
    assert reply.private
    assert says in reply.text


@pytest.mark.parametrize("raga", CATALOGUE.ragas, ids=lambda raga: f"{raga.tradition} {raga.name}")
def test_every_raga_has_a_card_whose_buttons_fit(raga: object) -> None:
    found = next(one for one in CATALOGUE.ragas if one is raga)
    reply = card(CATALOGUE, found)
    assert reply.card is not None
    assert len(lines(reply)) >= 3
    assert all(len(line.encode()) <= BUTTON_LINE_BYTES for line in lines(reply))
    assert len(reply.card.description) <= 4096
    assert all(len(field.name) <= 256 and 0 < len(field.value) <= 1024 for field in reply.card.fields)
    whole = (reply.card.title, reply.card.description, reply.card.footer)
    assert sum(map(len, whole)) + sum(len(one.name) + len(one.value) for one in reply.card.fields) <= 6000
