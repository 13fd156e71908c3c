"""What platforms remember of their own messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.platforms.shelf import Shelf


async def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "new" / "discord.sqlite")
    assert await shelf.get("heart", "1/2") is None
    await shelf.put("heart", "1/2", "/favorite k1")
    await shelf.put("heart", "1/2", "/favorite k2")
    await shelf.put("audio", "1/2", "file")
    await shelf.close()
    again = Shelf(tmp_path / "new" / "discord.sqlite")
    assert await again.get("heart", "1/2") == "/favorite k2"
    await again.forget("heart", "1/2")
    assert await again.get("heart", "1/2") is None
    assert await again.get("audio", "1/2") == "file"
    await again.put("audio", "0", "older")
    await again.put("audio", "1/2", "newer")
    assert list((await again.all("audio")).items()) == [("0", "older"), ("1/2", "newer")]
    assert await again.all("heart") == {}
    await again.close()


async def test_the_oldest_go_first(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf.sqlite", kept=3)
    for number in range(1001):
        await shelf.put("heart", str(number), "x")
    assert [await shelf.get("heart", str(number)) is not None for number in (0, 500, 998, 999, 1000)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    await shelf.close()


async def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "shelf.sqlite").write_text("this is no database, and long enough to be read as one" * 30)
    shelf = Shelf(tmp_path / "shelf.sqlite")
    with pytest.raises(OSError, match=r"shelf.sqlite cannot be used"):
        await shelf.get("heart", "1")
    await shelf.close()
