"""Where somebody is, for the hour: the prahars are counted from sunrise. Sources: docs/musicology.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from music.choosing import SUNRISE_HOUR
from music.folding import plain_key


@dataclass(frozen=True, slots=True)
class City:
    """A city: degrees north and east, and the name of its time zone."""

    name: str
    latitude: float
    longitude: float
    zone: str

    def local(self, now: datetime) -> datetime:
        """A moment by the clocks there."""
        return now.astimezone(ZoneInfo(self.zone))


_INDIA = "Asia/Kolkata"
CITIES = (
    City("Ahmedabad", 23.0, 72.6, _INDIA),
    City("Bengaluru", 13.0, 77.6, _INDIA),
    City("Bhopal", 23.3, 77.4, _INDIA),
    City("Bhubaneswar", 20.3, 85.8, _INDIA),
    City("Chandigarh", 30.7, 76.8, _INDIA),
    City("Chennai", 13.1, 80.3, _INDIA),
    City("Coimbatore", 11.0, 77.0, _INDIA),
    City("Delhi", 28.6, 77.2, _INDIA),
    City("Dharwad", 15.5, 75.0, _INDIA),
    City("Guwahati", 26.1, 91.7, _INDIA),
    City("Gwalior", 26.2, 78.2, _INDIA),
    City("Hyderabad", 17.4, 78.5, _INDIA),
    City("Indore", 22.7, 75.9, _INDIA),
    City("Jaipur", 26.9, 75.8, _INDIA),
    City("Kochi", 9.9, 76.3, _INDIA),
    City("Kolkata", 22.6, 88.4, _INDIA),
    City("Lucknow", 26.8, 80.9, _INDIA),
    City("Madurai", 9.9, 78.1, _INDIA),
    City("Mumbai", 19.1, 72.9, _INDIA),
    City("Mysuru", 12.3, 76.6, _INDIA),
    City("Nagpur", 21.1, 79.1, _INDIA),
    City("Patna", 25.6, 85.1, _INDIA),
    City("Pune", 18.5, 73.9, _INDIA),
    City("Thanjavur", 10.8, 79.1, _INDIA),
    City("Thiruvananthapuram", 8.5, 76.9, _INDIA),
    City("Vadodara", 22.3, 73.2, _INDIA),
    City("Varanasi", 25.3, 83.0, _INDIA),
    City("Vijayawada", 16.5, 80.6, _INDIA),
    City("Visakhapatnam", 17.7, 83.2, _INDIA),
    City("Colombo", 6.9, 79.9, "Asia/Colombo"),
    City("Dhaka", 23.8, 90.4, "Asia/Dhaka"),
    City("Karachi", 24.9, 67.0, "Asia/Karachi"),
    City("Kathmandu", 27.7, 85.3, "Asia/Kathmandu"),
    City("Lahore", 31.5, 74.3, "Asia/Karachi"),
    City("Dubai", 25.2, 55.3, "Asia/Dubai"),
    City("Kuala Lumpur", 3.1, 101.7, "Asia/Kuala_Lumpur"),
    City("Singapore", 1.4, 103.8, "Asia/Singapore"),
    City("Tokyo", 35.7, 139.7, "Asia/Tokyo"),
    City("Melbourne", -37.8, 145.0, "Australia/Melbourne"),
    City("Sydney", -33.9, 151.2, "Australia/Sydney"),
    City("Auckland", -36.8, 174.8, "Pacific/Auckland"),
    City("Durban", -29.9, 31.0, "Africa/Johannesburg"),
    City("Nairobi", -1.3, 36.8, "Africa/Nairobi"),
    City("Port Louis", -20.2, 57.5, "Indian/Mauritius"),
    City("Amsterdam", 52.4, 4.9, "Europe/Amsterdam"),
    City("Berlin", 52.5, 13.4, "Europe/Berlin"),
    City("London", 51.5, -0.1, "Europe/London"),
    City("Paris", 48.9, 2.4, "Europe/Paris"),
    City("Boston", 42.4, -71.1, "America/New_York"),
    City("Chicago", 41.9, -87.6, "America/Chicago"),
    City("Houston", 29.8, -95.4, "America/Chicago"),
    City("Los Angeles", 34.1, -118.2, "America/Los_Angeles"),
    City("New York", 40.7, -74.0, "America/New_York"),
    City("Port of Spain", 10.7, -61.5, "America/Port_of_Spain"),
    City("San Francisco", 37.8, -122.4, "America/Los_Angeles"),
    City("Sao Paulo", -23.6, -46.6, "America/Sao_Paulo"),
    City("Toronto", 43.7, -79.4, "America/Toronto"),
    City("Vancouver", 49.3, -123.1, "America/Vancouver"),
)
"""Where the music is at home, and where its listeners live."""

_OLD_NAMES = {
    "bangalore": "Bengaluru",
    "baroda": "Vadodara",
    "banaras": "Varanasi",
    "benares": "Varanasi",
    "bombay": "Mumbai",
    "calcutta": "Kolkata",
    "cochin": "Kochi",
    "madras": "Chennai",
    "mysore": "Mysuru",
    "newdelhi": "Delhi",
    "nyc": "New York",
    "poona": "Pune",
    "tanjore": "Thanjavur",
    "trivandrum": "Thiruvananthapuram",
}


@cache
def _by_name() -> dict[str, City]:
    named = {plain_key(city.name): city for city in CITIES}
    return named | {old: named[plain_key(new)] for old, new in _OLD_NAMES.items()}


def city_named(text: str) -> City | None:
    """A city by its name, also by the one that it had."""
    return _by_name().get(plain_key(text))


def sunrise_hour(city: City, when: datetime) -> float:
    """When the sun rises there on that day, in hours after local midnight, to a few minutes.

    Where it does not rise or never sets, the usual six o'clock.
    """
    local = city.local(when)
    turn = 2.0 * math.pi / 365.0 * (local.timetuple().tm_yday - 1 + 0.25)
    # Spencer's series: the equation of time in minutes, and the sun's declination.
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * math.cos(turn)
        - 0.032077 * math.sin(turn)
        - 0.014615 * math.cos(2.0 * turn)
        - 0.040849 * math.sin(2.0 * turn)
    )
    declination = (
        0.006918
        - 0.399912 * math.cos(turn)
        + 0.070257 * math.sin(turn)
        - 0.006758 * math.cos(2.0 * turn)
        + 0.000907 * math.sin(2.0 * turn)
        - 0.002697 * math.cos(3.0 * turn)
        + 0.00148 * math.sin(3.0 * turn)
    )
    latitude = math.radians(city.latitude)
    # The upper edge at the horizon, refraction included: 90.833 degrees from the zenith.
    cosine = math.cos(math.radians(90.833)) / (math.cos(latitude) * math.cos(declination)) - math.tan(
        latitude
    ) * math.tan(declination)
    if abs(cosine) > 1.0:
        return SUNRISE_HOUR
    offset = local.utcoffset()
    ahead_min = offset.total_seconds() / 60.0 if offset is not None else 0.0
    rise_min = 720.0 - 4.0 * (city.longitude + math.degrees(math.acos(cosine))) - equation_min + ahead_min
    return rise_min / 60.0 % 24.0
