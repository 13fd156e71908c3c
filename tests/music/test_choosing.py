"""Moods, themes and hours onto ragas."""

from __future__ import annotations

import pytest

from music.catalogue import Catalogue, CatalogueError, Tradition, load
from music.choosing import (
    MOODS,
    PRAHARS,
    RASAS,
    THEMES,
    TIMES,
    mood_named,
    prahar_at,
    raga_for,
    ragas_for_mood,
    ragas_for_theme,
    times_of,
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.mark.parametrize(
    ("hour", "number"),
    [
        (6, 1),
        (8.99, 1),
        (9, 2),
        (12, 3),
        (15, 4),
        (18, 5),
        (21, 6),
        (0, 7),
        (23.99, 6),
        (3, 8),
        (5.99, 8),
        (24, 7),
        (30, 1),
    ],
)
def test_the_eight_watches(hour: float, number: int) -> None:
    assert prahar_at(hour).number == number


def test_the_watches_begin_at_sunrise() -> None:
    assert prahar_at(5.5, sunrise_hour=5.5).number == 1
    assert prahar_at(5.4, sunrise_hour=5.5).number == 8
    assert [prahar.number for prahar in PRAHARS] == list(range(1, 9))
    assert {prahar.time for prahar in PRAHARS} < set(TIMES)
    assert times_of([8, 1]) == ("dawn", "morning")


def test_the_moods_of_the_plan_suggest_its_ragas_first(catalogue: Catalogue) -> None:
    plan = {
        "peaceful": ["Yaman", "Bhairav", "Malkauns"],
        "joyful": ["Bilawal", "Kafi", "Bhairavi"],
        "romantic": ["Khamaj", "Desh", "Bageshri"],
        "devotional": ["Khamaj", "Desh", "Bageshri"],
        "energetic": ["Jog", "Hansadhwani", "Shivaranjani"],
        "melancholic": ["Darbari Kanada", "Marwa", "Puriya"],
    }
    for mood, names in plan.items():
        assert [raga.name for raga in ragas_for_mood(catalogue, mood)[:3]] == names


@pytest.mark.parametrize("mood", MOODS)
def test_every_mood_has_ragas_of_both_traditions(catalogue: Catalogue, mood: str) -> None:
    found = ragas_for_mood(catalogue, mood)
    assert len(set(found)) == len(found)
    assert {raga.tradition for raga in found} == {"Hindustani", "Carnatic"}
    assert [raga.name for raga in found[: len(MOODS[mood])]] == list(MOODS[mood])


def test_words_for_moods(catalogue: Catalogue) -> None:
    assert mood_named(" Sad ") == "melancholic"
    assert mood_named("PEACEFUL") == "peaceful"
    assert mood_named("hungry") is None
    assert ragas_for_mood(catalogue, "happy") == ragas_for_mood(catalogue, "joyful")
    assert ragas_for_mood(catalogue, "hungry") == []


@pytest.mark.parametrize("theme", THEMES)
def test_every_raga_of_a_theme_is_in_the_catalogue(catalogue: Catalogue, theme: str) -> None:
    found = ragas_for_theme(catalogue, theme)
    assert set(THEMES[theme].ragas) <= {raga.name for raga in found}
    assert len(set(found)) == len(found)
    assert ragas_for_theme(catalogue, f" {theme.upper()} ") == found


def test_the_themes_of_the_plan() -> None:
    groups = {
        group: {name for name, theme in THEMES.items() if theme.group == group}
        for group in ("spiritual", "cultural", "contemporary", "educational")
    }
    assert groups == {
        "spiritual": {"morning prayer", "evening devotion", "meditation"},
        "cultural": {"festival", "season", "region"},
        "contemporary": {"fusion", "ambient", "dance"},
        "educational": {"learning the raga", "scale practice", "base for improvisation"},
    }


def test_a_season_s_ragas_serve_the_season(catalogue: Catalogue) -> None:
    found = ragas_for_theme(catalogue, "season")
    assert all(raga in found for raga in catalogue.ragas if raga.season)


def test_the_same_seed_gives_the_same_raga(catalogue: Catalogue) -> None:
    again = Catalogue(reversed(catalogue.ragas))
    for seed in range(50):
        first = raga_for(catalogue, mood="joyful", hour=7, seed=seed)
        assert raga_for(catalogue, mood="joyful", hour=7, seed=seed) == first
        assert raga_for(again, mood="joyful", hour=7, seed=seed) == first
    assert len({raga_for(catalogue, seed=seed).name for seed in range(200)}) > 40


@pytest.mark.parametrize("tradition", ["Hindustani", "Carnatic"])
@pytest.mark.parametrize("mood", [*MOODS, None, "hungry", ""])
@pytest.mark.parametrize("theme", ["meditation", "season", None, "no theme"])
@pytest.mark.parametrize("hour", [4.0, 13.5, None])
def test_any_question_has_an_answer_of_the_tradition(
    catalogue: Catalogue, mood: str | None, theme: str | None, hour: float | None, tradition: Tradition
) -> None:
    for seed in (0, 1, 2**31 - 1):
        assert raga_for(catalogue, mood, theme, hour, tradition, seed).tradition == tradition


def test_what_is_asked_for_is_kept(catalogue: Catalogue) -> None:
    for seed in range(40):
        calm = raga_for(catalogue, mood="peaceful", seed=seed)
        assert calm in ragas_for_mood(catalogue, "peaceful")
        morning = raga_for(catalogue, hour=7, tradition="Hindustani", seed=seed)
        assert 1 in morning.prahar or not morning.prahar
        prayer = raga_for(catalogue, theme="morning prayer", seed=seed)
        assert prayer.name in THEMES["morning prayer"].ragas
        both = raga_for(
            catalogue, mood="devotional", theme="morning prayer", tradition="Hindustani", seed=seed
        )
        assert "devotional" in both.mood
        assert both.name in THEMES["morning prayer"].ragas


def test_an_empty_catalogue_has_nothing_to_choose() -> None:
    with pytest.raises(CatalogueError, match="no raga to choose"):
        raga_for(Catalogue(()))


def test_rasas_of_the_catalogue_lead_to_moods(catalogue: Catalogue) -> None:
    assert {rasa for raga in catalogue.ragas for rasa in raga.rasa} <= set(RASAS)
    unsaid = [raga for raga in catalogue.ragas if raga.rasa == ("karuna",) and not raga.mood]
    assert all(raga in ragas_for_mood(catalogue, "melancholic") for raga in unsaid)
