"""What a change of reactions says of hearts."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import ReactionType, ReactionTypeEmoji

from bot.platforms.hearts import is_heart


def change(old: Sequence[ReactionType], new: Sequence[ReactionType]) -> bool | None:
    """What a change of reactions says: a heart was put on, taken off, or (None) neither."""
    before, after = _any(old), _any(new)
    return None if before == after else after


def _any(reactions: Sequence[ReactionType]) -> bool:
    return any(isinstance(one, ReactionTypeEmoji) and is_heart(one.emoji) for one in reactions)
