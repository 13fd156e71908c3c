"""`ragas:search` gives a web client the answers that the bot's own lookup gives, on the real deployment."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
import pytest_asyncio

from bot.backend.snapshot import seed
from music.catalogue import Catalogue, Raga, Tradition, load
from music.familiar import UNFAMILIAR, familiarity
from music.swaras import PITCH_CLASS, base
from tests.bot.deployment import Deployment, deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Whoever is well known, and every fourth of the others: enough to be confused with each other, and soon seeded.
_ALL = load().ragas
CATALOGUE = Catalogue(
    raga for place, raga in enumerate(_ALL) if familiarity(raga) < UNFAMILIAR or place % 4 == 0
)
AGREEMENT = 0.95


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def convex(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployment(tmp_path_factory.mktemp("convex")) as running:
        await seed(running.convex, running.signer.bot, CATALOGUE)
        yield running


async def search(convex: Deployment, query: str, **filters: object) -> list[tuple[str, Tradition]]:
    found = await convex.convex.query("ragas:search", {"query": query, **filters})
    return [(raga["name"], raga["tradition"]) for raga in cast("list[dict[str, Any]]", found)]


def named(raga: Raga) -> tuple[str, Tradition]:
    return raga.name, raga.tradition


def misspelt(name: str, dice: random.Random) -> str:
    """The name with a slip of the finger, or as it would be written by ear."""
    at = dice.randrange(1, len(name) - 1)
    before, letter, after = name[:at], name[at], name[at + 1 :]
    return dice.choice(
        [
            before + after,
            before + letter + letter + after,
            before + dice.choice("aeiou") + after,
            before + after[:1] + letter + after[1:],
            before + letter + dice.choice("hnsr") + after,
            name.replace("v", "w").replace("ee", "i").replace("sh", "s"),
            name.replace("a", "aa", 2).replace("i", "ee"),
        ]
    )


def misspellings(count: int) -> Sequence[str]:
    dice = random.Random(20)  # noqa: S311 - the same ones at each run
    texts: list[str] = []
    while len(texts) < count:
        text = misspelt(dice.choice(CATALOGUE.ragas).name, dice)
        if CATALOGUE.get(text) is None:
            texts.append(text)
    return texts


async def test_misspelt_names_find_what_the_bot_finds(convex: Deployment) -> None:
    tried, other = 0, []
    for text in misspellings(230):
        match = CATALOGUE.find(text)
        if match.raga is None:
            continue
        tried += 1
        if (found := (await search(convex, text))[:1]) != [named(match.raga)]:
            other.append((text, named(match.raga), found))
    assert tried >= 150
    assert len(other) <= (1.0 - AGREEMENT) * tried, other


async def test_every_name_in_every_script_finds_its_raga(convex: Deployment) -> None:
    for raga in CATALOGUE.ragas[::20]:
        for name in raga.names:
            match = CATALOGUE.find(name)
            assert match.raga is not None
            assert (await search(convex, name))[:1] == [named(match.raga)], name


async def test_of_one_name_in_both_traditions_the_filter_decides(convex: Deployment) -> None:
    hindustani, carnatic = ("Bhairavi", "Hindustani"), ("Bhairavi", "Carnatic")
    both = await search(convex, "Bhairavee")
    assert {hindustani, carnatic} == set(both[:2])
    assert (await search(convex, "Bhairavee", tradition="Hindustani"))[0] == hindustani
    assert (await search(convex, "Bhairavee", tradition="Carnatic"))[0] == carnatic
    assert (await search(convex, "Bhairavee carnatic"))[0] == carnatic


@pytest.mark.parametrize("nonsense", ["asdfgh", "xylophone", "zzzz", "qwertyuiop", "🎵", "'; --"])
async def test_nonsense_finds_nothing(convex: Deployment, nonsense: str) -> None:
    assert await search(convex, nonsense) == []


async def test_a_first_letter_finds_the_well_known(convex: Deployment) -> None:
    found = await search(convex, "y")
    assert found[0] == ("Yaman", "Hindustani")
    assert all(name.startswith("Y") for name, _ in found[:5])


async def test_filters_give_what_has_all_of_it(convex: Deployment) -> None:
    def fits(raga: Raga) -> bool:
        return raga.thaat == "Kalyan" and 5 in raga.prahar and "peaceful" in (*raga.mood, *raga.rasa)

    found = await search(convex, "", thaat="kalyan", prahar=5, mood="Peaceful")
    assert set(found) == {named(raga) for raga in CATALOGUE.ragas if fits(raga)}
    assert found[0] == ("Yaman", "Hindustani")
    within = await search(convex, "Yamen", thaat="Kalyan")
    assert within[0] == ("Yaman", "Hindustani")
    assert await search(convex, "Yamen", thaat="Todi") == []


@pytest.mark.parametrize("swaras", ["S R2 G3 P D2", "D2 P G3 R2 S'", "S R2 G3 M2 P D2 N3"])
async def test_swaras_find_the_ragas_that_have_these_and_no_others(convex: Deployment, swaras: str) -> None:
    keys = {PITCH_CLASS[base(swara)] for swara in swaras.split()}
    expected = {
        named(raga)
        for raga in CATALOGUE.ragas
        if {PITCH_CLASS[base(swara)] for swara in (*raga.arohana, *raga.avarohana)} == keys
    }
    assert expected
    assert set(await search(convex, swaras)) == expected
    assert set(await search(convex, "", swaras=swaras.split())) == expected
