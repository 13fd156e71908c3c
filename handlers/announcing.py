"""What the operator has announced, told where it matters: with /help, and when a piece is begun."""

from __future__ import annotations

from dataclasses import replace

from handlers.model import Reply


def announced(reply: Reply, words: str | None) -> Reply:
    """The reply with the words; without any, as it is."""
    if words is None:
        return reply
    # Above a card, which may be long; below the line of a piece, which says whose it is.
    text = f"{reply.text}\n\n{words}" if reply.text else words
    return replace(reply, text=text)
