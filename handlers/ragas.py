"""Looking ragas up: one raga's card, and lists of ragas."""

from __future__ import annotations

from handlers import values
from handlers.command import Option
from handlers.errors import InvalidInputError
from handlers.lookup import button, family, find, scale, telling, unambiguous, which
from handlers.model import (
    ButtonRows,
    Card,
    Entry,
    FavoriteState,
    FavoriteTarget,
    Field,
    Reply,
    Request,
)
from handlers.ports import House
from handlers.reading import take_apart
from music.catalogue import Catalogue, Match, Raga
from music.choosing import MOODS, PRAHARS, RASAS, TIMES, prahar_at, raga_for
from music.swaras import sargam

LISTED = 8
"""So many ragas stand on one page of a list."""

TRADITION = Option("tradition", "Hindustani or Carnatic", "choice", ("Hindustani", "Carnatic"), "Carnatic")
SHOW_OPTIONS = (Option("name", "The raga's name, however spelt", "raga", example="Yaman"), TRADITION)
SEARCH_OPTIONS = (
    Option("text", "A part of a name, a thaat, a melakarta, a quality", example="kauns"),
    TRADITION,
    Option("time", "The part of the day", "choice", TIMES, "evening"),
    Option("mood", "The mood", "choice", tuple(MOODS), "peaceful"),
    Option("page", "The page of the list", "number", example="2"),
)

_SCRIPT_LANGUAGES = ("Devanagari", "Tamil", "Telugu", "Kannada", "Malayalam")


async def show(house: House, request: Request) -> Reply:
    """The card of a raga; without a name, one that suits the hour."""
    line = take_apart(request, ("name", "raga", "tradition"), {"tradition": values.tradition})
    catalogue = house.ragas.catalogue()
    prefer = line.read("tradition", values.tradition)
    text = " ".join(filter(None, (line.named.get("name") or line.named.get("raga"), line.rest)))
    if not text:
        now = house.clock.now()
        hour = now.hour + now.minute / 60
        chosen = raga_for(catalogue, hour=hour, tradition=prefer, seed=now.toordinal() * 24 + now.hour)
        return card(catalogue, chosen, f"{prahar_at(hour).name}: a raga for this hour.")
    match = find(catalogue, text, prefer)
    if match.raga is None:
        return which(catalogue, text, match, lambda name: f"/raga {name}")
    remark = f"I take “{values.shown(text)}” to mean {match.raga.name}." if match.kind == "near" else ""
    return card(catalogue, match.raga, remark, match)


def favorite_line(raga: Raga) -> str:
    """What the heart of a raga's card sends."""
    return f"/favorite raga:{raga.tradition[0].casefold()}:{raga.name}"


def card(catalogue: Catalogue, raga: Raga, remark: str = "", match: Match | None = None) -> Reply:
    """All that is known of one raga, and what can be done with it."""
    name = unambiguous(catalogue, raga)
    others = match.others if match is not None else ()
    rows: ButtonRows = (
        (*button("Hear it", f"/generate {name} 20s"), *button("Generate in it", f"/generate {name}")),
        button("♥ Favorite", favorite_line(raga)),
        tuple(
            one
            for other in others[:3]
            for one in button(f"{other.name} ({other.tradition})", f"/raga {unambiguous(catalogue, other)}")
        ),
    )
    return Reply(
        text=remark,
        card=Card(
            title=raga.name,
            subtitle=" · ".join(filter(None, (raga.tradition, family(raga), raga.jati))),
            fields=tuple(_fields(raga)),
            description=raga.description,
            footer=f"Kin: {', '.join(raga.kin)}" if raga.kin else "",
        ),
        buttons=tuple(row for row in rows if row),
        favorite=FavoriteState(FavoriteTarget(raga=raga.name, tradition=raga.tradition), on=False),
    )


def _fields(raga: Raga) -> list[Field]:
    def swaras(*tokens: str | None) -> str:
        return " ".join(sargam(token, raga.tradition) for token in tokens if token)

    scripts = [name for script in _SCRIPT_LANGUAGES for known, name in raga.scripts if known == script]
    known = (
        ("Arohana", scale(raga)),
        ("Avarohana", scale(raga, down=True)),
        ("Pakad", ", ".join(swaras(*phrase) for phrase in raga.pakad)),
        ("Vadi", swaras(raga.vadi)),
        ("Samvadi", swaras(raga.samvadi)),
        ("Nyasa", swaras(*raga.nyasa)),
        ("Time", _hours(raga)),
        ("Season", ", ".join(raga.season)),
        ("Rasa", ", ".join(raga.rasa)),
        ("Mood", ", ".join(raga.mood)),
        ("Also written", ", ".join(raga.aliases)),
        ("In other scripts", ", ".join(scripts)),
        ("Remarks", raga.notes),
    )
    return [
        Field(name, value[:1].upper() + value[1:] if name in _WORDS else value)
        for name, value in known
        if value
    ]


_WORDS = ("Time", "Season", "Rasa", "Mood")


def _hours(raga: Raga) -> str:
    if raga.prahar:
        return ", ".join(PRAHARS[number - 1].name for number in raga.prahar).casefold()
    return ", ".join(raga.time)


async def search(house: House, request: Request) -> Reply:
    """A list of ragas, by name and by what they are like."""
    names = tuple(option.name for option in SEARCH_OPTIONS)
    readers = {"tradition": values.tradition, "time": values.time, "mood": _mood, "page": values.page}
    line = take_apart(request, names, readers)
    text = " ".join(filter(None, (line.named.get("text"), line.rest)))
    if len(text) > 200:
        raise InvalidInputError("That is a long text to search for: at most 200 characters, please.")
    catalogue = house.ragas.catalogue()
    tradition, time = line.read("tradition", values.tradition), line.read("time", values.time)
    mood, page = line.read("mood", _mood), line.read("page", values.page) or 1
    found = catalogue.search(text, tradition, time, mood)
    asked = [
        text,
        *(
            f"{name}:{value}"
            for name, value in (("tradition", tradition), ("time", time), ("mood", mood))
            if value
        ),
    ]
    said = " ".join(filter(None, asked))
    if not found:
        return Reply(
            text=f"I found no raga for “{values.shown(said)}”. Try fewer words, or a mood: {values.listed(MOODS)}.",
            ok=False,
        )
    pages = -(-len(found) // LISTED)
    page = min(page, pages)
    entries = tuple(
        Entry(raga.name, telling(raga), button("Card", f"/raga {unambiguous(catalogue, raga)}"))
        for raga in found[LISTED * (page - 1) : LISTED * page]
    )
    turns = tuple(
        turn
        for label, number in (("Back", page - 1), ("More", page + 1))
        if 1 <= number <= pages
        for turn in button(label, " ".join(filter(None, ("/search", said, f"page:{number}"))))
    )
    count = "1 raga" if len(found) == 1 else f"{len(found)} ragas"
    where = f", page {page} of {pages}" if pages > 1 else ""
    about = f" for “{values.shown(said)}”" if said else ""
    return Reply(
        text=f"{count}{about}{where}",
        entries=entries,
        buttons=(turns,) if turns else (),
        replaces="page" in line.named,
    )


def _mood(text: str) -> str:
    """A mood, or a rasa, which ragas are listed by too."""
    plain = text.strip().casefold()
    return plain if plain in RASAS else values.mood(text)
