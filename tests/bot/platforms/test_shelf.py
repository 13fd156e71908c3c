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


async def test_a_chat_goes_with_all_that_stands_in_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf.sqlite")
    rows = {
        ("heart", "42/1"): "/favorite k1",
        ("asker", "42/1"): "discord:1",
        ("audio", "file"): "42/1",
        ("sent", "nonce"): "42/1",
        ("chat", "42"): "7/42",
        ("manages", "9/3"): "42",
    }
    others = {
        ("heart", "421/1"): "/favorite k1",
        ("heart", "4/42"): "/favorite k1",
        ("audio", "other"): "421/1",
        ("placeholder", "event"): "42/1/0",
        ("chat", "43"): "42/43",
        ("manages", "9/4"): "421",
        ("inbox", "42/1"): "42/1",
    }
    for (kind, key), value in (rows | others).items():
        await shelf.put(kind, key, value)
    await shelf.forget_chats(["42", "x' OR 1 --", "%"])
    assert [one for one in rows if await shelf.get(*one) is not None] == []
    assert [one for one in others if await shelf.get(*one) is None] == []
    await shelf.close()
