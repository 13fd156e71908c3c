"""Slips of finger and ear by rules of their own: kept apart from the table, so that nothing is fitted to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

_TELEPHONE = ("abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz")
_OTHER_KEYBOARD = str.maketrans("yzqw", "zyaz")
_CONSONANTS = "bcdfghjklmnprstvy"

Rule = Callable[[Random, str], str]


def _at(random: Random, name: str, pattern: str) -> re.Match[str] | None:
    return random.choice(found) if (found := list(re.finditer(pattern, name))) else None


def _one(pattern: str, replacement: str) -> Rule:
    """One occurrence, at random, of a pattern replaced."""

    def rule(random: Random, name: str) -> str:
        match = _at(random, name, pattern)
        return (
            name if match is None else name[: match.start()] + match.expand(replacement) + name[match.end() :]
        )

    return rule


def _all(pattern: str, replacement: str) -> Rule:
    return lambda _random, name: re.sub(pattern, replacement, name)


def _same_telephone_key(random: Random, name: str) -> str:
    match = _at(random, name, r"(?<=\w)[a-z]")
    if match is None:
        return name
    key = next(key for key in _TELEPHONE if match[0] in key)
    return name[: match.start()] + random.choice(key.replace(match[0], "")) + name[match.end() :]


def _any_consonant(random: Random, name: str) -> str:
    match = _at(random, name, rf"(?<=\w)[{_CONSONANTS}]")
    if match is None:
        return name
    return name[: match.start()] + random.choice(_CONSONANTS.replace(match[0], "")) + name[match.end() :]


def _over_one(random: Random, name: str) -> str:
    match = _at(random, name, r"(?<=\w)(\w)(\w)(\w)")
    return (
        name
        if match is None
        else name[: match.start()] + match[3] + match[2] + match[1] + name[match.end() :]
    )


RULES: dict[str, Rule] = {
    "a blank struck beside": _one(" ", "b"),
    "a letter held down": _one(r"(?<=\w)(\w)", r"\1\1\1"),
    "the last letter lost": _all(r"(?<=\w{4})\w$", ""),
    "the end twice": _all(r"(\w\w)$", r"\1\1"),
    "another keyboard": lambda _random, name: name.translate(_OTHER_KEYBOARD),
    "another letter of the telephone's key": _same_telephone_key,
    "some other consonant": _any_consonant,
    "letters exchanged over one": _over_one,
    "a digit at the end": _all("$", "1"),
    "as in German": _all("sh", "sch"),
    "as in German, too": lambda _random, name: name.replace("v", "w").replace("j", "dsch"),
    "as in French": lambda _random, name: name.replace("j", "dj").replace("u", "ou"),
    "as in French, too": lambda _random, name: name.replace("ch", "tch").replace("k", "qu"),
    "as in Dutch": _all("u", "oe"),
    "as in Bengali": _one("a", "o"),
    "as in Bengali, too": _all("v", "b"),
    "as in Tamil": _one("[gG]", "k"),
    "as in Tamil, too": lambda _random, name: name.replace("b", "p").replace("d", "t"),
    "e for i": _one("i", "e"),
    "o for u": _one("u", "o"),
    "two vowels left out": lambda random, name: _one("(?<=[^aeiou])a", "")(
        random, _one("(?<=[^aeiou])i", "")(random, name)
    ),
    "its kind behind": lambda _random, name: f"{name} thaat",
}
"""Each takes a name in small letters, and leaves it alone where it does not apply."""


def slips(random: Random, name: str) -> Iterator[tuple[str, str]]:
    """Rules with what they make of a name."""
    for rule, slip in RULES.items():
        if (text := slip(random, name)) != name:
            yield rule, text
