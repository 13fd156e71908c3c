"""Misspelt names find their ragas, and nonsense finds none: the tables, and slips by rules kept apart from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from music.catalogue import Catalogue, Raga, Tradition, load
from music.familiar import UNFAMILIAR, familiarity
from music.folding import plain_key, sound_key
from tests.music.slips import slips

BY_HAND = Path(__file__).with_name("test_catalogue_names.txt")
BY_RULE = Path(__file__).with_name("misspelt.tsv")
NONSENSE = Path(__file__).with_name("nonsense.txt")


class Typed(NamedTuple):
    """What somebody types, and the raga that they mean."""

    text: str
    name: str
    tradition: Tradition


def lines(path: Path) -> Iterator[str]:
    return (line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("# "))


def tradition(text: str) -> Tradition:
    return "Carnatic" if text == "Carnatic" else "Hindustani"


def by_hand() -> Iterator[Typed]:
    for line in lines(BY_HAND):
        meant, spellings = line.split(": ", 1)
        whose, name = meant.split(" / ")
        for text in spellings.split(", "):
            yield Typed(text, name, tradition(whose))


def by_rule() -> Iterator[Typed]:
    for line in lines(BY_RULE):
        text, whose, name, _ = line.split("\t")
        yield Typed(text, name, tradition(whose))


TABLE = (*by_hand(), *by_rule())


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


class Score(NamedTuple):
    """Shares of what was typed: the right raga first, among the first three, and another one surely."""

    first: float
    third: float
    wrong: float
    missed: str


def sounds(raga: Raga) -> set[str]:
    return {sound_key(name) for name in raga.names}


def score(catalogue: Catalogue, typed: Iterable[Typed], *, preferring: bool) -> Score:
    """A name of both traditions is right when both are offered, unless one tradition was preferred."""
    counts = [0, 0, 0, 0]
    missed: list[str] = []
    for text, name, whose in typed:
        match = catalogue.find(text, whose if preferring else None)
        offered = [*((match.raga,) if match.raga else ()), *match.others][:3]
        place = next(
            (at for at, one in enumerate(offered) if (one.name, one.tradition) == (name, whose)), None
        )
        right = place == 0
        if place and not preferring:
            right = offered[0].tradition != whose and bool(sounds(offered[0]) & sounds(offered[place]))
        wrong = match.kind in ("exact", "near") and not right
        counts = [was + one for was, one in zip(counts, (1, right, place is not None, wrong), strict=True)]
        if not right:
            missed.append(f"{text}: {name} ({whose}), got {match.kind} {[one.name for one in offered]}")
    total, first, third, wrongly = counts
    return Score(first / total, third / total, wrongly / total, "\n".join(missed))


def test_the_table_is_large_and_holds_no_name_of_the_catalogue(catalogue: Catalogue) -> None:
    known = {plain_key(name): raga.name for raga in catalogue.ragas for name in raga.names}
    assert [f"{item.text} is {known[key]}" for item in TABLE if (key := plain_key(item.text)) in known] == []
    ragas = {(raga.name, raga.tradition) for raga in catalogue.ragas}
    assert [item for item in TABLE if (item.name, item.tradition) not in ragas] == []
    assert len({(item.name, item.tradition, plain_key(item.text)) for item in TABLE}) == len(TABLE) >= 1000
    meant = [catalogue.get(item.name, item.tradition) for item in TABLE]
    assert sum(raga is not None and familiarity(raga) == UNFAMILIAR for raga in meant) >= 100
    assert all(sum(item.tradition == whose for item in TABLE) >= 350 for whose in ("Hindustani", "Carnatic"))
    assert sum(not item.text.isascii() for item in TABLE) >= 200


@pytest.mark.parametrize("preferring", [False, True])
@pytest.mark.parametrize("rows", [tuple(by_hand()), tuple(by_rule())], ids=["by hand", "by rule"])
def test_misspelt_names_are_understood(
    catalogue: Catalogue, rows: tuple[Typed, ...], preferring: bool
) -> None:
    found = score(catalogue, rows, preferring=preferring)
    assert found.first >= 0.97, found.missed
    assert found.third >= 0.99, found.missed
    assert found.wrong <= 0.01, found.missed


def kept_apart(catalogue: Catalogue, ragas: Iterable[Raga], seed: int) -> Iterator[Typed]:
    known = {plain_key(name) for raga in catalogue.ragas for name in raga.names}
    random = Random(seed)  # noqa: S311 - the same ones at each run
    for raga in ragas:
        for _, text in slips(random, raga.name.lower()):
            if plain_key(text) not in known:
                yield Typed(text, raga.name, raga.tradition)


def test_slips_that_nothing_was_fitted_to(catalogue: Catalogue) -> None:
    known = [raga for raga in catalogue.ragas if familiarity(raga) < UNFAMILIAR]
    others = [raga for raga in catalogue.ragas if familiarity(raga) == UNFAMILIAR]
    typed = [*kept_apart(catalogue, known[::8], 1), *kept_apart(catalogue, others[::40], 2)]
    assert len(typed) >= 700
    found = score(catalogue, typed, preferring=False)
    assert found.first >= 0.94, found.missed
    assert found.third >= 0.96, found.missed
    assert found.wrong <= 0.02, found.missed


WORDS = tuple(lines(NONSENSE))


def test_there_is_much_nonsense() -> None:
    assert len(set(WORDS)) == len(WORDS) >= 150


@pytest.mark.parametrize("text", WORDS)
def test_nonsense_is_never_answered_with_a_raga(catalogue: Catalogue, text: str) -> None:
    match = catalogue.find(text)
    assert match.raga is None
    assert match.kind in ("none", "unsure")
    assert len(match.others) <= 5


def test_most_nonsense_is_not_even_asked_about(catalogue: Catalogue) -> None:
    asked = [text for text in WORDS if catalogue.find(text).kind == "unsure"]
    assert len(asked) <= 0.1 * len(WORDS), asked


def test_words_of_the_art_are_no_ragas(catalogue: Catalogue) -> None:
    for text in ("sitar", "tillana", "gamaka", "Sargam", "सितार", "raga", "thaat"):
        assert catalogue.find(text).kind == "none"


def test_random_letters_are_no_ragas(catalogue: Catalogue) -> None:
    random = Random(7)  # noqa: S311 - the same ones at each run
    texts = [
        "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(4, 12))) for _ in range(300)
    ]
    assert [text for text in texts if catalogue.find(text).raga] == []
