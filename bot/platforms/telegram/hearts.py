"""Which reactions are a heart, whatever form they come in."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import ReactionType, ReactionTypeEmoji

_HEARTS = frozenset("❤♥♡❣💖💗💓💞💕💝💘💟🧡💛💚💙💜🤎🖤🤍🩷🩵🩶⭐🌟🫶") | {"❤\u200d🔥", "❤\u200d🩹"}
_SELECTORS = {ord("\ufe0e"): None, ord("\ufe0f"): None} | dict.fromkeys(range(0x1F3FB, 0x1F400))


def is_heart(emoji: str) -> bool:
    """Whether an emoji is a heart or a star; variation selectors and skin tones do not count."""
    return emoji.translate(_SELECTORS) in _HEARTS


def change(old: Sequence[ReactionType], new: Sequence[ReactionType]) -> bool | None:
    """What a change of reactions says: a heart was put on, taken off, or (None) neither."""
    before, after = _any(old), _any(new)
    return None if before == after else after


def _any(reactions: Sequence[ReactionType]) -> bool:
    return any(isinstance(one, ReactionTypeEmoji) and is_heart(one.emoji) for one in reactions)
