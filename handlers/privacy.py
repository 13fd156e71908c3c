"""What is kept of people, and having it deleted."""

from __future__ import annotations

from handlers.lookup import button
from handlers.model import Card, Field, Reply, Request
from handlers.ports import House
from handlers.reading import take_apart

_ASKED, _MEANT = "sure", "everything"

_KEPT = (
    ("Who you are", "the id and the name of your account here, and what you prefer; until you delete it"),
    ("Your pieces", "what you asked for, and the music; until you remove them or delete everything"),
    ("Your hearts", "which pieces and ragas you keep; until you take the heart off"),
    ("Errors that you report", "what you wrote, and from which account; until you delete everything"),
    ("Messages that show a piece", "their ids, so that a heart on them is yours; 90 days"),
    (
        "Servers and groups",
        "what you changed there, for a year; that somebody blocked you, until it is lifted",
    ),
    ("What you asked twice", "a mark, so that nothing is made twice; 7 days"),
    ("Your words", "the chat page keeps its last 300 messages; Discord and Telegram keep yours, I do not"),
)


async def privacy(house: House, request: Request) -> Reply:
    """What is kept, where, and for how long."""
    del house, request
    return Reply(
        card=Card(
            title="What I keep of you",
            description=(
                "It lies in this bot's own Convex database, and finished music also in a cache beside it. Nobody else "
                "is given it, and nothing is measured about you."
            ),
            fields=tuple(Field(name, what) for name, what in _KEPT),
            footer="/export gives you a copy of all that is yours. /delete removes it, for good.",
        ),
        buttons=((*button("A copy of it", "/export"), *button("Delete everything", "/delete")),),
        private=True,
    )


async def delete(house: House, request: Request) -> Reply:
    """Delete all that is somebody's: asked twice, and then begun."""
    words = take_apart(request, ()).words
    if words[:2] == (_ASKED, _MEANT):
        begun = await house.people.delete(request.actor)
        if not begun:
            return Reply(
                text="There is nothing of yours here, so nothing had to be deleted.",
                private=True,
                replaces=True,
            )
        return Reply(
            text="It is being deleted now: your pieces and their music, your hearts, all of it. I say when it is done.",
            private=True,
            replaces=True,
        )
    profile = await house.people.me(request.actor)
    if profile is None:
        return Reply(text="I keep nothing of you, so there is nothing to delete.", private=True)
    several = len(profile.accounts)
    all_of_them = f" This goes for all {several} of your accounts." if several > 1 else ""
    if words[:1] == (_ASKED,):
        return Reply(
            text=f"Once more, so that it is no slip: everything goes, and nobody can bring it back.{all_of_them}",
            buttons=(
                (
                    *button("Delete everything for good", f"/delete {_ASKED} {_MEANT}"),
                    *button("Keep it", "/me"),
                ),
            ),
            private=True,
            replaces=True,
        )
    return Reply(
        text=(
            "Shall I delete everything that is yours here: pieces and their music, favorites, history, preferences, "
            f"links and reports?{all_of_them}"
        ),
        buttons=((*button("Yes, delete it", f"/delete {_ASKED}"), *button("Keep it", "/me")),),
        private=True,
    )
