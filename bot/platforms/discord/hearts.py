"""Which reactions are a heart, whatever form they come in; and whether a person's last one has gone."""

from __future__ import annotations

from collections import OrderedDict

import discord

from bot.platforms.hearts import is_heart

_REMEMBERED = 4096


def means_heart(emoji: discord.PartialEmoji) -> bool:
    """Whether a reaction is a heart; a server's own emoji never is."""
    name: object = emoji.name  # which the library takes as it comes
    return emoji.id is None and isinstance(name, str) and is_heart(name)


class Hearts:
    """Counts each person's hearts on a message: one of two that is taken off leaves the other."""

    def __init__(self) -> None:
        self._on: OrderedDict[tuple[int, int], set[str]] = OrderedDict()

    def put_on(self, message: int, user: int, emoji: str) -> None:
        """A heart was put on."""
        self._on.setdefault((message, user), set()).add(emoji)
        self._on.move_to_end((message, user))
        while len(self._on) > _REMEMBERED:
            self._on.popitem(last=False)

    def taken_off(self, message: int, user: int, emoji: str) -> bool:
        """A heart was taken off; says whether no other is known to be left."""
        left = self._on.get((message, user), set())
        left.discard(emoji)
        if not left:
            self._on.pop((message, user), None)
        return not left
