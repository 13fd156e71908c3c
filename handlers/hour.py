"""What hour it is for somebody: by the clocks and the sun of their place, or of the community's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handlers.command import Option
from handlers.errors import InvalidInputError
from handlers.ports import House
from handlers.values import shown
from music.choosing import SUNRISE_HOUR, Prahar, prahar_at
from music.places import CITIES, City, city_named, sunrise_hour

PLACE = Option(
    "place", "The city whose hour counts", "choice", tuple(city.name for city in CITIES), "Chennai"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment somewhere. ``hour`` and ``sunrise_hour`` are hours after midnight."""

    now: datetime
    hour: float
    sunrise_hour: float
    city: City | None

    @property
    def prahar(self) -> Prahar:
        """The watch of the day or night."""
        return prahar_at(self.hour, self.sunrise_hour)


def place(text: str) -> City:
    """A city that somebody names."""
    city = city_named(text)
    if city is None:
        raise InvalidInputError(
            f"I do not know where “{shown(text)}” is. Name a large city near you, such as Chennai, Mumbai or London."
        )
    return city


def moment(house: House, city: City | None = None) -> Moment:
    """Now, at a city or where the community is."""
    city = city or house.clock.city
    now = house.clock.now()
    if city is not None:
        now = city.local(now)
    rise = SUNRISE_HOUR if city is None else sunrise_hour(city, now)
    return Moment(now, now.hour + now.minute / 60, rise, city)
