"""A catalogue that cannot be used is refused whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import core, curation
from bot.settings import Settings
from music.catalogue import Catalogue, CatalogueError


async def test_a_broken_catalogue_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Catalogue:
        raise CatalogueError("a.toml, raga 'Yaman': it has no scale.")

    monkeypatch.setattr(core, "load", broken)
    settings = Settings(state_dir=tmp_path, convex_port=0)
    assert await curation.sync(settings, remove_strays=True) == 1
    assert capsys.readouterr().err == "That did not work. a.toml, raga 'Yaman': it has no scale.\n"
