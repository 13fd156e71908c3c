"""Dialogues with the handlers: said, and expected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

import handlers
from handlers.model import Reply
from tests.handlers.record import Dialogue

Say = Callable[..., Awaitable[Reply]]


@pytest.fixture
def dialogue() -> Dialogue:
    return Dialogue()


@pytest.fixture
def say(dialogue: Dialogue) -> Say:
    """Say a line; keywords are those of Dialogue.request."""

    async def spoken(line: str, **how: object) -> Reply:
        return await handlers.respond(dialogue.house, dialogue.request(line, **how))  # type: ignore[arg-type] # as given

    return spoken
