"""Hearing a raga itself: its arohana and avarohana, played."""

from __future__ import annotations

from handlers import values
from handlers.command import Option
from handlers.errors import InvalidInputError
from handlers.lookup import button, find, scale, unambiguous, which
from handlers.model import FavoriteState, FavoriteTarget, Reply, Request
from handlers.ports import House
from handlers.ragas import TRADITION, favorite_line
from handlers.reading import take_apart
from music.request import KEYS

OPTIONS = (
    Option("name", "The raga's name, however spelt", "raga", example="Yaman"),
    Option("key", "The note of Sa", "choice", KEYS, "D"),
    TRADITION,
)


async def hear(house: House, request: Request) -> Reply:
    """Arohana and avarohana over a tanpura, and the first phrase of the pakad."""
    readers = {"tradition": values.tradition, "key": values.key}
    line = take_apart(request, ("name", "raga", "key", "tradition"), readers)
    text = " ".join(filter(None, (line.named.get("name") or line.named.get("raga"), line.rest)))
    if not text:
        raise InvalidInputError("Which raga would you like to hear? For example: /hear Yaman")
    catalogue = house.ragas.catalogue()
    match = find(catalogue, text, line.read("tradition", values.tradition))
    if match.raga is None:
        return which(catalogue, text, match, lambda name: f"/hear {name}")
    raga = match.raga
    name = unambiguous(catalogue, raga)
    likes = await house.people.preferences(request.actor)
    liked = next((key for key in KEYS if likes.get("tonic") == key), None)
    track = await house.scales.track(raga, line.read("key", values.key) or liked)
    return Reply(
        text=f"{raga.name}: {scale(raga)} | {scale(raga, down=True)}",
        track=track,
        buttons=(
            (*button("Generate in it", f"/generate {name}"), *button("Its card", f"/raga {name}")),
            button("♥ Favorite", favorite_line(raga)),
        ),
        favorite=FavoriteState(FavoriteTarget(raga=raga.name, tradition=raga.tradition), on=False),
    )
