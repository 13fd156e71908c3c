"""Hearts on every chat platform: which reactions are one, and what a heart on a reply stands for."""

from __future__ import annotations

from handlers.model import BUTTON_LINE_BYTES, Reply

_HEARTS = frozenset("❤♥♡❣💖💗💓💞💕💝💘💟🧡💛💚💙💜🤎🖤🤍🩷🩵🩶⭐🌟🫶") | {"❤\u200d🔥", "❤\u200d🩹"}
_SELECTORS = {ord("\ufe0e"): None, ord("\ufe0f"): None} | dict.fromkeys(range(0x1F3FB, 0x1F400))


def is_heart(emoji: str) -> bool:
    """Whether an emoji is a heart or a star; variation selectors and skin tones do not count."""
    return emoji.translate(_SELECTORS) in _HEARTS


def heart_line(reply: Reply) -> str | None:
    """The command that a heart on this reply stands for, without its ``on`` or ``off``."""
    if reply.favorite is None:
        return None
    for row in reply.buttons:
        for one in row:
            if one.line.startswith("/favorite "):
                return one.line.removesuffix(" on").removesuffix(" off")
    target = reply.favorite.target
    if target.generation is not None:
        return f"/favorite {target.generation}"
    line = f"/favorite raga:{(target.tradition or '')[:1].casefold()}:{target.raga}"
    return line if len(line.encode()) <= BUTTON_LINE_BYTES else None
