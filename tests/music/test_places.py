"""Sunrise by place and day, against almanac times to five minutes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from music.places import CITIES, City, city_named, sunrise_hour


@pytest.mark.parametrize(
    ("name", "day", "rises"),
    [
        # Times of sunrise as almanacs print them for these cities and days.
        ("Chennai", (2026, 6, 21), "5:43"),
        ("Chennai", (2026, 12, 21), "6:27"),
        ("Delhi", (2026, 1, 10), "7:15"),
        ("Kolkata", (2026, 3, 20), "5:42"),
        ("London", (2026, 6, 21), "4:43"),
        ("London", (2026, 12, 21), "8:04"),
        ("New York", (2026, 3, 20), "7:00"),
        ("Sydney", (2026, 12, 21), "5:41"),
    ],
)
def test_the_sun_rises(name: str, day: tuple[int, int, int], rises: str) -> None:
    city = city_named(name)
    assert city is not None
    hours, minutes = map(int, rises.split(":"))
    found = sunrise_hour(city, datetime(*day, 12, tzinfo=UTC))
    assert found == pytest.approx(hours + minutes / 60, abs=5 / 60)


def test_every_city_has_a_clock_and_a_sunrise() -> None:
    for city in CITIES:
        assert city_named(city.name.upper()) is city
        for month in (1, 6):
            assert 3.5 < sunrise_hour(city, datetime(2026, month, 21, tzinfo=UTC)) < 9.0


def test_old_names_and_none() -> None:
    assert city_named("Madras") is city_named(" chennai ")
    assert city_named("Atlantis") is None


def test_where_the_sun_does_not_rise_it_is_six() -> None:
    assert sunrise_hour(City("Far north", 80.0, 20.0, "UTC"), datetime(2026, 12, 21, tzinfo=UTC)) == 6.0
