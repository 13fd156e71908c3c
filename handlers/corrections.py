"""Errors in the catalogue: a person says what is wrong with an entry, and finds out what became of it."""

from __future__ import annotations

from functools import partial

from handlers import values
from handlers.command import Option
from handlers.errors import InvalidInputError
from handlers.history import ago
from handlers.lookup import button, find, scale, unambiguous, which
from handlers.model import Correction, Entry, Menu, Reply, Request
from handlers.pages import listed
from handlers.ports import House
from handlers.ragas import TRADITION
from handlers.reading import Line, take_apart
from music.catalogue import Catalogue, Raga
from music.swaras import sargam

FIELDS = {
    "arohana": "Arohana",
    "avarohana": "Avarohana",
    "vadi": "Vadi",
    "samvadi": "Samvadi",
    "nyasa": "Nyasa",
    "pakad": "Pakad",
    "thaat": "Thaat",
    "melakarta": "Melakarta",
    "prahar": "Time",
    "season": "Season",
    "rasa": "Rasa",
    "mood": "Mood",
    "name": "Name",
    "aliases": "Also written",
    "scripts": "Other scripts",
    "kin": "Kin",
    "description": "Description",
    "notes": "Remarks",
    "other": "Something else",
}
"""What can be wrong, by the field's name in the catalogue."""

_WORDS = {
    "time": "prahar",
    "ascent": "arohana",
    "descent": "avarohana",
    "aroh": "arohana",
    "avroh": "avarohana",
}

_DIRECT = tuple(word for word in (*FIELDS, *_WORDS) if word != "name")
"""What may be written before a colon instead of `field:` and `text:`."""

OPTIONS = (
    Option("name", "The raga whose entry is wrong", "raga", example="Yaman"),
    Option("field", "What is wrong in it", "choice", tuple(FIELDS), "vadi"),
    Option("text", "What it should be, and how you know", example="G, as in Kramik Pustak Malika"),
    TRADITION,
    Option("page", "The page of what you have reported", "number", example="2"),
)
_TEXT_CHARACTERS = 500


async def correct(house: House, request: Request) -> Reply:
    """Report an error in a raga's entry; without a name, what became of one's reports."""
    readers = {"tradition": values.tradition, "page": values.page}
    line = take_apart(request, (*(option.name for option in OPTIONS), *_DIRECT), readers)
    if "page" in line.named or not (line.words or line.named):
        return await _reports(house, request)
    name, field, text = _parts(line)
    catalogue = house.ragas.catalogue()
    match = find(catalogue, name, line.read("tradition", values.tradition))
    if match.raga is None:
        return which(catalogue, name, match, lambda found: f"/correct {found}")
    raga = match.raga
    if field is None:
        return _fields(catalogue, raga)
    if not text:
        return _how(catalogue, raga, field)
    if len(text) > _TEXT_CHARACTERS:
        raise InvalidInputError(f"Please say it in at most {_TEXT_CHARACTERS} characters.")
    await house.corrections.file(
        request.actor, raga.name, raga.tradition, field, text, key=f"correct:{request.event}"
    )
    return Reply(
        text=f"Thank you. A curator will look at {raga.name}: {FIELDS[field].casefold()}. "
        "/correct shows what becomes of it.",
        private=True,
    )


def _parts(line: Line) -> tuple[str, str | None, str]:
    """The raga's name, the field, and what it should be; the field's name parts the words where none is named."""
    named, words = line.named, list(line.words)
    for word in _DIRECT:
        if word in named:
            return named.get("name") or " ".join(words), _known(word), named[word]
    field = _field(named["field"]) if "field" in named else None
    text = named.get("text", "")
    if "name" in named:
        return named["name"], field, " ".join((text, *words)).strip()
    for place, word in enumerate(words):
        found = _known(word)
        if place and field is None and found is not None:
            return " ".join(words[:place]), found, " ".join((*words[place + 1 :], text)).strip()
    return " ".join(words), field, text


def _known(word: str) -> str | None:
    plain = word.strip(":,.").casefold()
    plain = _WORDS.get(plain, plain)
    return plain if plain in FIELDS else None


def _field(text: str) -> str:
    found = _known(text.strip())
    if found is None:
        raise InvalidInputError(
            f"“{values.shown(text)}” is nothing that an entry has. It has {values.listed(FIELDS)}."
        )
    return found


def _fields(catalogue: Catalogue, raga: Raga) -> Reply:
    name = unambiguous(catalogue, raga)
    choices = tuple(
        one for field, label in FIELDS.items() for one in button(label, f"/correct {name} {field}")
    )
    return Reply(
        text=f"What is wrong with the entry of {raga.name}?",
        menus=(Menu("What is wrong?", choices),) if choices else (),
        private=True,
    )


def _how(catalogue: Catalogue, raga: Raga, field: str) -> Reply:
    said = _said(raga, field)
    now = (
        f"{raga.name}, {FIELDS[field].casefold()}: {said}."
        if said
        else f"{raga.name}: nothing is said there."
    )
    return Reply(
        text=f"{now} What should it be, and how do you know? Send it like this:\n"
        f"/correct name:{unambiguous(catalogue, raga)} field:{field} text:…",
        private=True,
    )


def _said(raga: Raga, field: str) -> str:
    """What the entry says there now."""
    if field in ("arohana", "avarohana"):
        return scale(raga, down=field == "avarohana")
    value = getattr(raga, field, None)
    if field in ("vadi", "samvadi", "nyasa") and value:
        swaras = (value,) if isinstance(value, str) else value
        return " ".join(sargam(swara, raga.tradition) for swara in swaras)
    if field == "pakad":
        return ", ".join(" ".join(sargam(one, raga.tradition) for one in phrase) for phrase in raga.pakad)
    if field == "scripts":
        return ", ".join(name for _, name in raga.scripts)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value).rstrip(".")


async def _reports(house: House, request: Request) -> Reply:
    now = house.clock.now()
    return await listed(
        request,
        "What you have reported",
        "You have reported nothing yet. The card of each raga has a button for it: /raga Yaman",
        partial(house.corrections.mine, request.actor),
        lambda report: Entry(
            f"{report.raga}: {FIELDS.get(report.field, report.field).casefold()}",
            " · ".join(filter(None, (_state(report), report.text, ago(report.created_at_ms, now)))),
        ),
    )


def _state(report: Correction) -> str:
    said = {"open": "not looked at yet", "accepted": "taken in", "declined": "not taken in"}[report.status]
    return f"{said}: {report.note}" if report.note else said
