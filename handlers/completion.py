"""What a line typed so far could become: commands, option names, and what options take."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from handlers.command import Command, Option
from handlers.lookup import telling, unambiguous
from handlers.model import Suggestion
from handlers.ports import House

SUGGESTIONS_MAX = 25
"""Discord takes no more."""

_COMMAND = re.compile(r"/(\S*)(\s*)(.*)", re.DOTALL)
_NAMED = re.compile(r"(?:^|\s)([a-z]+):([^:]*)$", re.IGNORECASE)


def complete(house: House, commands: Sequence[Command], line: str) -> Sequence[Suggestion]:
    """Suggestions for the end of a line, best first. Instant, no network."""
    match = _COMMAND.fullmatch(line)
    if match is None:
        return ()
    name, blank, text = match.groups()
    if not blank:
        return _names(commands, name)
    command = next((one for one in commands if one.name == name.casefold() and one.listed), None)
    if command is None:
        return ()
    named = _NAMED.search(text)
    if named is not None:
        option = next((one for one in command.options if one.name == named[1].casefold()), None)
        return () if option is None else choices(house, option, named[2].lstrip())
    given = {found.casefold() for found in re.findall(r"(?:^|\s)([a-z]+):", text, re.IGNORECASE)}
    return _free(house, command, text, given)


def choices(house: House, option: Option, text: str) -> Sequence[Suggestion]:
    """What an option could be, given what was typed of it so far."""
    if option.kind == "raga":
        catalogue = house.ragas.catalogue()
        ragas = catalogue.suggest(text[:100], SUGGESTIONS_MAX)
        return [Suggestion(unambiguous(catalogue, raga), raga.name, telling(raga)) for raga in ragas]
    plain = text.casefold().strip()
    first = [choice for choice in option.choices if choice.casefold().startswith(plain)]
    rest = [choice for choice in option.choices if plain in choice.casefold() and choice not in first]
    return [Suggestion(choice, choice, option.name) for choice in (*first, *rest)][:SUGGESTIONS_MAX]


def _names(commands: Sequence[Command], begun: str) -> Sequence[Suggestion]:
    return [
        Suggestion(f"/{command.name}", f"/{command.name}", command.description)
        for command in commands
        if command.listed and not command.manages and command.name.startswith(begun.casefold())
    ][:SUGGESTIONS_MAX]


def _free(house: House, command: Command, text: str, given: Collection[str]) -> Sequence[Suggestion]:
    """Plain words: a raga while one may still be meant, values that begin like the last word, then names."""
    words = text.split()
    last = "" if text[-1:].isspace() or not words else words[-1]
    ragas: list[Suggestion] = []
    if not given and (last or not words):
        option = next((one for one in command.options if one.kind == "raga"), None)
        ragas = [] if option is None else _ragas(house, option, words)
    options = [one for one in command.options if one.name not in given and one.kind != "raga"]
    valued = [
        choice
        for option in options
        for choice in choices(house, option, last)
        if last and choice.value.casefold().startswith(last.casefold())
    ]
    names = [Suggestion(f"{one.name}:", f"{one.name}:", one.description) for one in options if not last]
    most = SUGGESTIONS_MAX - len(names)
    return _distinct([*[*ragas, *valued][: max(most, 1)], *names])[:SUGGESTIONS_MAX]


def _ragas(house: House, option: Option, words: Sequence[str]) -> list[Suggestion]:
    begun = " ".join(words)
    found = choices(house, option, begun)
    if len(words) > 1:
        # Behind a whole name stand other wishes; a name of several words is completed as one.
        found = [choice for choice in found if choice.value.casefold().startswith(begun.casefold())]
    return list(found)


def _distinct(found: Iterable[Suggestion]) -> list[Suggestion]:
    """Each value once; of ragas with one name in both traditions, both, told apart by their value."""
    return list({suggestion.value: suggestion for suggestion in reversed(list(found))}.values())[::-1]
