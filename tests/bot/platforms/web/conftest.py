"""The page, served for a test with scripted handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.platforms.web import WebPlatform
from tests.bot.platforms.web.double import SECRET, WebDouble, write_audio
from tests.bot.platforms.web.visit import Visit


@pytest.fixture(scope="session")
def audio_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short MP3."""
    return write_audio(tmp_path_factory.mktemp("audio") / "piece.mp3")


@pytest.fixture
def double(audio_file: Path) -> WebDouble:
    """The handlers' side."""
    return WebDouble(audio_file)


@pytest.fixture
async def platform(double: WebDouble, tmp_path: Path) -> AsyncIterator[WebPlatform]:
    """The page on a free port."""
    served = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET)
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
async def visit(platform: WebPlatform) -> AsyncIterator[Visit]:
    """A browser with a cookie."""
    async with Visit(platform.url) as visitor:
        await visitor.arrive()
        yield visitor
