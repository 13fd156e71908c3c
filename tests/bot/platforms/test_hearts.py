"""Hearts in all their forms, and what they stand for."""

from __future__ import annotations

import pytest

from bot.platforms.hearts import heart_line, is_heart
from handlers.model import Button, FavoriteState, FavoriteTarget, GenerationId, Reply

PIECE = FavoriteTarget(generation=GenerationId("k57"))
RAGA = FavoriteTarget(raga="Yaman", tradition="Hindustani")


def test_hearts_in_all_their_forms() -> None:
    for emoji in ("❤", "❤️", "♥", "♥️", "💖", "⭐", "⭐️", "❤\u200d🔥", "🫶🏽"):
        assert is_heart(emoji), emoji
    for emoji in ("👍", "💔", "🏽", ""):
        assert not is_heart(emoji), emoji


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        (Reply(favorite=FavoriteState(PIECE, on=False)), "/favorite k57"),
        (Reply(favorite=FavoriteState(RAGA, on=True)), "/favorite raga:h:Yaman"),
        (Reply(favorite=FavoriteState(FavoriteTarget(raga="x" * 60), on=False)), None),
        (Reply(text="?"), None),
        (
            Reply(
                buttons=((Button("Let go", "/favorite k58 off"),),), favorite=FavoriteState(PIECE, on=True)
            ),
            "/favorite k58",
        ),
    ],
)
def test_what_a_heart_stands_for(reply: Reply, line: str | None) -> None:
    assert heart_line(reply) == line
