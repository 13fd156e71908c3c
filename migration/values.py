"""Values of the old columns made what Convex's fields are; what cannot be read gives None and is kept as it was."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from migration.rows import Value, read_value
from music.choosing import ANY_TIME, PRAHARS, SEASONS, SUNSET, TIMES, mood_named
from music.swaras import Tradition

_JSON = re.compile(r'\s*[\[{"]')
_PARTS = re.compile(r"\s*[,;|\n]\s*")
_WRAPPED = ("values", "items", "list", "swaras", "notes", "names")
_MAX_TEXTS = 500


def unwrapped(value: Value) -> tuple[Value, bool]:
    """What a column means where JSON stands in a text; False where it looks like JSON and is none."""
    if isinstance(value, str) and _JSON.match(value):
        try:
            return read_value(value), True
        except (ValueError, RecursionError):
            return value, False
    return value, True


def text(value: Value) -> str | None:
    """A text, trimmed; a number as it is written. None for what is no single value, and for nothing."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | Decimal):
        return str(value)
    return None


def texts(value: Value) -> list[str] | None:
    """A list of texts: from a list, a list within an object, one text or several between commas."""
    value, readable = unwrapped(value)
    if not readable:
        return None
    if value is None:
        return []
    if isinstance(value, str):
        return [part for part in _PARTS.split(value.strip()) if part][:_MAX_TEXTS]
    if isinstance(value, dict):
        inner = next((value[name] for name in _WRAPPED if isinstance(value.get(name), list)), None)
        return None if inner is None or len(value) > 1 else texts(inner)
    if not isinstance(value, list) or len(value) > _MAX_TEXTS:
        return None
    found = []
    for item in value:
        item = item.get("name") if isinstance(item, dict) and set(item) == {"name"} else item
        one = text(item)
        if one is None and item not in (None, ""):
            return None
        if one:
            found.append(one)
    return found


def number(value: Value) -> float | None:
    """A finite number, also one that stands in a text."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value if isinstance(value, int | float | Decimal | str) else "")
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def same_number(value: Value, found: float) -> bool:
    """Whether a number says the same as a float."""
    return (
        isinstance(value, int | float | Decimal)
        and not isinstance(value, bool)
        and Decimal(value) == Decimal(found)
    )


def flag(value: Value) -> bool | None:
    """A yes or no."""
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    word = value.strip().casefold() if isinstance(value, str) else ""
    return (
        True
        if word in ("true", "t", "yes", "y", "1")
        else False
        if word in ("false", "f", "no", "n", "0")
        else None
    )


_SECONDS = re.compile(r"^-?\d{9,11}(?:\.\d+)?$")
_MILLISECONDS = re.compile(r"^-?\d{12,14}$")
_OFFSET = re.compile(r"[+-]\d\d$")


def milliseconds(value: Value) -> float | None:
    """A moment in ms since 1970. A time without a zone is taken as UTC, a number as seconds or ms by its size."""
    written = text(value)
    if written is None:
        return None
    if _MILLISECONDS.match(written):
        return float(written)
    if _SECONDS.match(written):
        return float(round(float(written) * 1000))
    try:
        moment = datetime.fromisoformat(
            _OFFSET.sub(lambda zone: f"{zone[0]}:00", written) if len(written) > 10 else written
        )
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        return None
    # Whole microseconds in, so the quotient is exact to the nearest ms.
    return float((since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds) // 1000)


_EXACT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,3}0*)?(?:Z|[+]00(?::00)?)?")


def exact_milliseconds(value: Value) -> bool:
    """Whether nothing of a moment is lost in whole milliseconds of UTC."""
    return isinstance(value, str) and _EXACT.fullmatch(value) is not None


_DATE = re.compile(r"^(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?:[T ]\d\d:\d\d.*)?$")


def date(value: Value) -> str | None:
    """A date as in ``1975-03-08``, ``1975-03`` or ``1975``."""
    match = _DATE.match(text(value) or "")
    return None if match is None else "-".join(part for part in match.groups() if part)


def email(value: Value) -> str | None:
    """An e-mail address in small letters."""
    written = (text(value) or "").lower()
    plain = re.fullmatch(r"[^\s@\x00-\x1f]+@[^\s@.\x00-\x1f]+(\.[^\s@.\x00-\x1f]+)*", written)
    return written if plain and len(written) <= 254 else None


_TRADITIONS: dict[str, Tradition] = {
    **dict.fromkeys(
        (
            "hindustani",
            "hindusthani",
            "hindustanee",
            "north indian",
            "northern",
            "north",
            "hindustani classical",
        ),
        "Hindustani",
    ),
    **dict.fromkeys(
        (
            "carnatic",
            "karnatic",
            "karnatak",
            "karnataka",
            "carnatik",
            "south indian",
            "southern",
            "south",
            "carnatic classical",
        ),
        "Carnatic",
    ),
}


def tradition(value: Value) -> Tradition | None:
    """Hindustani or Carnatic, however written."""
    written = re.sub(r"[\s_-]+", " ", (text(value) or "").casefold())
    return _TRADITIONS.get(re.sub(r" (?:music|tradition|style|sangeet)$", "", written))


_TIME_WORDS = {
    **{word: word for word in TIMES},
    **dict.fromkeys(("sunset", "dusk", "twilight", "sandhya", "sandhiprakash"), SUNSET),
    **dict.fromkeys(("sunrise", "daybreak", "dawn", "early morning", "pratah"), "dawn"),
    **dict.fromkeys(("any", "any time", "anytime", "all", "all day", "all times", "all time"), ANY_TIME),
    **dict.fromkeys(("early evening", "sandhya kaal", "late evening"), "evening"),
    **dict.fromkeys(("early night", "ratri"), "night"),
    **dict.fromkeys(("late night", "midnight"), "midnight"),
    **dict.fromkeys(("early afternoon", "noon", "midday"), "afternoon"),
}
_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_WATCH = re.compile(r"^(\w+) (?:prahar|prahara|pehar|quarter)(?: of(?: the)? (day|night))$")
_COUNTED = re.compile(r"^(?:prahar|prahara)[ #]*([1-8])$")
_HOURS = re.compile(r"^(\d{1,2})(?:[:.]00)? ?(am|pm)? ?(?:-|–|to) ?(\d{1,2})(?:[:.]00)? ?(am|pm)?$")


@lru_cache(maxsize=4096)
def time_named(written: str) -> tuple[str, int | None] | None:
    """A time of day as the catalogue says it, and its prahar where a prahar was meant."""
    word = re.sub(r"[\s_]+", " ", written.strip().casefold())
    if (known := _TIME_WORDS.get(word)) is not None:
        return known, None
    watch = _watch(word)
    return None if watch is None else (PRAHARS[watch - 1].time, watch)


def _watch(word: str) -> int | None:
    if (counted := _COUNTED.match(word)) is not None:
        return int(counted[1])
    if (named := _WATCH.match(word)) is not None and named[1] in _ORDINALS:
        return _ORDINALS[named[1]] + (4 if named[2] == "night" else 0)
    hours = _HOURS.match(word)
    if hours is None:
        return None
    end_half = hours[4]
    begin, end = _hour(int(hours[1]), hours[2] or end_half), _hour(int(hours[3]), end_half)
    # Watches of three hours, the first from six in the morning.
    if begin is None or end is None or (end - begin) % 24 != 3 or begin % 3:
        return None
    return (begin - 6) % 24 // 3 + 1


def _hour(hour: int, half: str | None) -> int | None:
    if half is None:
        return hour % 24 if hour <= 24 else None
    return hour % 12 + (12 if half == "pm" else 0) if 1 <= hour <= 12 else None


_SEASON_WORDS = {
    **{word: word for word in SEASONS},
    **dict.fromkeys(("rainy", "rains", "rainy season", "varsha"), "monsoon"),
    **dict.fromkeys(("vasant", "vasanta"), "spring"),
    **dict.fromkeys(("grishma",), "summer"),
    **dict.fromkeys(("sharad", "fall"), "autumn"),
    **dict.fromkeys(("shishir", "hemant"), "winter"),
}


def named(field: Literal["season", "rasa", "mood"], written: str) -> str:
    """A season, rasa or mood as the catalogue says it where it knows it, else in small letters."""
    word = written.strip().casefold()
    if field == "season":
        return _SEASON_WORDS.get(word, word)
    if field == "mood":
        return mood_named(word) or word
    return {
        "shringar": "shringara",
        "karun": "karuna",
        "shant": "shanta",
        "veer": "vira",
        "veera": "vira",
    }.get(word, word)


def distinct(items: Sequence[str]) -> list[str]:
    """Each once, in the order of their first coming."""
    return list(dict.fromkeys(items))
