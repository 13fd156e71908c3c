"""What a person keeps: the heart, and the list of all hearts."""

from __future__ import annotations

from functools import partial

from handlers import values
from handlers.errors import InvalidInputError
from handlers.generation import piece_named
from handlers.lookup import button, find, telling, unambiguous, which
from handlers.model import Entry, Favorite, FavoriteState, FavoriteTarget, Reply, Request
from handlers.pages import PAGE_OPTION, listed
from handlers.pieces import parameters
from handlers.ports import House
from handlers.ragas import favorite_line
from handlers.reading import take_apart
from music.catalogue import Catalogue, Tradition

LIST_OPTIONS = (PAGE_OPTION,)

_TRADITIONS: dict[str, Tradition] = {"h": "Hindustani", "c": "Carnatic"}


async def favorite(house: House, request: Request) -> Reply:
    """Put a heart on a piece or a raga, or take it off; without ``on`` or ``off``, the other of the two."""
    line = take_apart(request, ("piece", "raga"))
    words = list(line.words)
    on = values.switch(words.pop()) if words and words[-1].casefold() in ("on", "off") else None
    raga = line.named.get("raga")
    if raga is not None:
        if raga.casefold().endswith((" on", " off")):
            raga, _, last = raga.rpartition(" ")
            on = values.switch(last)
        letter, colon, name = raga.partition(":")
        tradition = _TRADITIONS.get(letter.casefold()) if colon else None
        catalogue = house.ragas.catalogue()
        match = find(catalogue, name if colon else raga, tradition)
        if match.raga is None:
            return which(catalogue, raga, match, lambda found: f"/raga {found}")
        target = FavoriteTarget(raga=match.raga.name, tradition=match.raga.tradition)
        name = match.raga.name
    elif words or "piece" in line.named:
        target = FavoriteTarget(generation=piece_named(request))
        name = "This piece"
    else:
        raise InvalidInputError("What shall I keep? Press the heart below a piece or a raga's card.")
    now_on = await house.backend.set_favorite(
        request.actor, request.place, target, on, key=f"favorite:{request.event}"
    )
    said = "is among your favorites now. /favorites shows them all." if now_on else "is no longer a favorite."
    return Reply(notice=f"{name} {said}", private=True, favorite=FavoriteState(target, now_on))


async def show(house: House, request: Request) -> Reply:
    """Everything with a heart, newest first."""
    catalogue = house.ragas.catalogue()
    return await listed(
        request,
        "Your favorites",
        "Nothing has your heart yet. Press ♥ below a piece or a raga's card to keep it.",
        partial(house.backend.favorites, request.actor),
        lambda kept: _entry(kept, catalogue),
    )


def _entry(kept: Favorite, catalogue: Catalogue) -> Entry:
    target = kept.target
    if kept.generation is not None:
        ident = kept.generation.id
        return Entry(
            f"Raga {kept.generation.request.raga}",
            parameters(kept.generation).partition(" · ")[2],
            (
                *button("Play", f"/play {ident}"),
                *button("Another take", f"/again {ident}"),
                *button("Let go", f"/favorite {ident} off"),
            ),
        )
    tradition = next((name for name in _TRADITIONS.values() if name == target.tradition), None)
    raga = catalogue.get(target.raga or "", tradition)
    if raga is None:
        return Entry(target.raga or "", f"{target.tradition} · no longer in the catalogue")
    return Entry(
        raga.name,
        telling(raga),
        (
            *button("Card", f"/raga {unambiguous(catalogue, raga)}"),
            *button("Generate", f"/generate {unambiguous(catalogue, raga)}"),
            *button("Let go", f"{favorite_line(raga)} off"),
        ),
    )
