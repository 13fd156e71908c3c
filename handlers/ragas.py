"""Looking ragas up: one raga's card, and lists of ragas."""

from __future__ import annotations

from handlers import values
from handlers.command import Option
from handlers.errors import InvalidInputError
from handlers.hour import PLACE, moment, place
from handlers.locales import script_of
from handlers.lookup import button, family, find, scale, telling, unambiguous, which
from handlers.model import (
    ButtonRows,
    Card,
    Entry,
    FavoriteState,
    FavoriteTarget,
    Field,
    Picture,
    Reply,
    Request,
)
from handlers.ports import House
from handlers.reading import take_apart
from music.byswaras import Found
from music.catalogue import TRADITIONS, Catalogue, Match, Raga
from music.choosing import MOODS, PRAHARS, RASAS, TIMES, raga_for
from music.places import city_named
from music.raga import Variant
from music.swaras import Tradition, sargam

LISTED = 8
"""So many ragas stand on one page of a list."""

TRADITION = Option("tradition", "Hindustani or Carnatic", "choice", ("Hindustani", "Carnatic"), "Carnatic")
SHOW_OPTIONS = (Option("name", "The raga's name, however spelt", "raga", example="Yaman"), TRADITION, PLACE)
SEARCH_OPTIONS = (
    Option("text", "A part of a name, a quality, or the notes", example="S R2 G3 P D2"),
    TRADITION,
    Option("time", "The part of the day", "choice", TIMES, "evening"),
    Option("mood", "The mood", "choice", tuple(MOODS), "peaceful"),
    Option("page", "The page of the list", "number", example="2"),
)

_SCRIPT_LANGUAGES = ("Devanagari", "Tamil", "Telugu", "Kannada", "Malayalam")


async def show(house: House, request: Request) -> Reply:
    """The card of a raga; without a name, one that suits the hour."""
    readers = {"tradition": values.tradition, "place": place}
    line = take_apart(request, ("name", "raga", "tradition", "place"), readers)
    catalogue = house.ragas.catalogue()
    prefer = line.read("tradition", values.tradition)
    text = " ".join(filter(None, (line.named.get("name") or line.named.get("raga"), line.rest)))
    likes = await house.people.preferences(request.actor)
    language = str(likes.get("language") or request.actor.locale)
    if not text:
        at = moment(house, line.read("place", place) or city_named(str(likes.get("place", ""))))
        chosen = raga_for(
            catalogue,
            hour=at.hour,
            tradition=prefer or next((one for one in TRADITIONS if likes.get("tradition") == one), None),
            seed=at.now.toordinal() * 24 + at.now.hour,
            sunrise_hour=at.sunrise_hour,
        )
        where = f" in {at.city.name}" if at.city is not None else ""
        return card(catalogue, chosen, f"{at.prahar.name}{where}: a raga for this hour.", language=language)
    match = find(catalogue, text, prefer)
    if match.raga is None:
        return which(catalogue, text, match, lambda name: f"/raga {name}")
    remark = f"I take “{values.shown(text)}” to mean {match.raga.name}." if match.kind == "near" else ""
    return card(catalogue, match.raga, remark, match, language)


def favorite_line(raga: Raga) -> str:
    """What the heart of a raga's card sends."""
    return f"/favorite raga:{raga.tradition[0].casefold()}:{raga.name}"


def card(
    catalogue: Catalogue, raga: Raga, remark: str = "", match: Match | None = None, language: str = "en"
) -> Reply:
    """All that is known of one raga, and what can be done with it; its name in the script of a language too."""
    name = unambiguous(catalogue, raga)
    others = match.others if match is not None else ()
    written = next((name for script, name in raga.scripts if script == script_of(language)), "")
    rows: ButtonRows = (
        (*button("Hear it", f"/hear {name}"), *button("Generate in it", f"/generate {name}")),
        (*button("♥ Favorite", favorite_line(raga)), *button("Report an error", f"/correct {name}")),
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
            subtitle=" · ".join(filter(None, (written, raga.tradition, family(raga), raga.jati))),
            fields=tuple(_fields(raga)),
            description=raga.description,
            footer=f"Kin: {', '.join(raga.kin)}" if raga.kin else "",
            picture=Picture(raga.name, raga.tradition),
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
        ("Other forms", "\n".join(_form(one, raga.tradition) for one in raga.variants)),
        ("Remarks", raga.notes),
    )
    return [
        Field(name, value[:1].upper() + value[1:] if name in _WORDS else value)
        for name, value in known
        if value
    ]


def _form(one: Variant, tradition: Tradition) -> str:
    up, down = (" ".join(sargam(swara, tradition) for swara in line) for line in (one.arohana, one.avarohana))
    return f"{up} | {down} ({one.note})"


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
    notes = catalogue.by_swaras(text) if text else None
    if notes is None:
        found, remarks = catalogue.search(text, tradition, time, mood), {}
    else:
        fitting = set(catalogue.search("", tradition, time, mood))
        found = [raga for raga in (*notes.exact, *notes.fitting) if raga in fitting]
        if len(found) < LISTED:
            found += [raga for raga in notes.near if raga in fitting]
        remarks = _closeness(notes)
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
        Entry(
            raga.name,
            " · ".join(filter(None, (remarks.get(raga), telling(raga)))),
            button("Card", f"/raga {unambiguous(catalogue, raga)}"),
        )
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
    heard = "" if notes is None else f"\nRead as {_heard(notes)}."
    return Reply(
        text=f"{count}{about}{where}{heard}",
        entries=entries,
        buttons=(turns,) if turns else (),
        replaces="page" in line.named,
    )


def _heard(notes: Found) -> str:
    """The notes as they were read, in the sargam of both traditions."""
    lines = [line for line in (notes.notes.up, notes.notes.down) if line]
    ways = (" | ".join(" ".join(sargam(one, way) for one in line) for line in lines) for way in TRADITIONS)
    return ", in Carnatic names ".join(ways)


def _closeness(notes: Found) -> dict[Raga, str]:
    """How the notes that were asked for are in a raga; nothing where they are just its own."""
    return dict.fromkeys(notes.fitting, "one way only, or in another school") | dict.fromkeys(
        notes.near, "one swara apart"
    )


def _mood(text: str) -> str:
    """A mood, or a rasa, which ragas are listed by too."""
    plain = text.strip().casefold()
    return plain if plain in RASAS else values.mood(text)
