"""Favorites and history: hearts, pages, and whose they are."""

from __future__ import annotations

from handlers.history import ago
from handlers.model import FavoriteTarget, Reply
from tests.handlers.conftest import Say
from tests.handlers.record import NOW, Dialogue


def lines(reply: Reply) -> list[str]:
    return [button.line for row in reply.buttons for button in row]


async def test_a_heart_on_a_raga(say: Say, dialogue: Dialogue) -> None:
    card = await say("/raga Bhairavi Carnatic")
    heart = next(line for line in lines(card) if line.startswith("/favorite"))
    assert heart == "/favorite raga:c:Bhairavi"
    on = await say(heart)
    assert on.favorite is not None
    assert on.favorite.on
    assert on.favorite.target == FavoriteTarget(raga="Bhairavi", tradition="Carnatic")
    assert on.notice == "Bhairavi is among your favorites now. /favorites shows them all."
    assert on.private
    off = await say(heart)
    assert off.favorite is not None
    assert not off.favorite.on


async def test_setting_is_idempotent_and_a_repeated_press_counts_once(say: Say) -> None:
    for _ in range(3):
        reply = await say("/favorite raga:h:Yaman on")
        assert reply.favorite is not None
        assert reply.favorite.on
    for _ in range(2):
        reply = await say("/favorite raga:h:Yaman", event="pressed")
        assert reply.favorite is not None
        assert not reply.favorite.on
    reply = await say("/favorite raga:h:Yaman off")
    assert reply.favorite is not None
    assert not reply.favorite.on


async def test_a_heart_on_what_is_not_there(say: Say) -> None:
    assert "What shall I keep?" in (await say("/favorite")).text
    assert not (await say("/favorite raga:h:Qwertz")).ok
    assert not (await say("/favorite k123")).ok


async def test_favorites_hold_pieces_and_ragas_newest_first(say: Say, dialogue: Dialogue) -> None:
    assert "Nothing has your heart yet" in (await say("/favorites")).text
    await say("/generate Yaman 30s")
    piece = dialogue.backend.finish(next(iter(dialogue.backend.pieces)))
    await say(f"/favorite {piece.id}")
    await say("/favorite raga:h:Desh")
    reply = await say("/favorites")
    assert reply.private
    assert [entry.title for entry in reply.entries] == ["Desh", "Raga Yaman"]
    assert [button.line for button in reply.entries[1].buttons] == [
        f"/play {piece.id}",
        f"/again {piece.id}",
        f"/favorite {piece.id} off",
    ]
    await say(reply.entries[0].buttons[2].line)
    assert [entry.title for entry in (await say("/favorites")).entries] == ["Raga Yaman"]
    assert (await say("/favorites", who="web:ben")).entries == ()


async def test_history_pages(say: Say, dialogue: Dialogue) -> None:
    assert "Nothing has been made for you yet" in (await say("/history")).text
    for number in range(212):
        await say(f"/generate Yaman 30s seed {number}")
        dialogue.backend.finish(list(dialogue.backend.pieces)[-1])
    first = await say("/history")
    assert first.private
    assert not first.replaces
    assert len(first.entries) == 5
    assert "seed 211" in first.entries[0].detail
    assert lines(first) == ["/history page:2"]
    second = await say("/history page:2")
    assert second.replaces
    assert "seed 206" in second.entries[0].detail
    assert lines(second) == ["/history page:1", "/history page:3"]
    dialogue.backend.calls.clear()
    far = await say("/history page:41")
    assert "seed 11 " in far.entries[0].detail
    assert dialogue.backend.calls == ["history"] * 3
    last = await say("/history page:43")
    assert len(last.entries) == 2
    assert lines(last) == ["/history page:42"]
    beyond = await say("/history page:44")
    assert "nothing on that page" in beyond.text
    for bad in ("0", "-3", "two", "1e9", "NaN"):
        assert not (await say(f"/history page:{bad}")).ok


async def test_history_says_how_each_piece_stands(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Yaman")
    await say("/generate Desh")
    await say("/cancel")
    stopped, running = (await say("/history")).entries
    assert stopped.detail.startswith("stopped · ")
    assert running.detail.startswith("being made · ")
    assert [button.label for button in running.buttons] == ["Show", "Cancel"]
    assert [button.label for button in stopped.buttons] == ["Try again", "Remove"]


def test_how_long_ago() -> None:
    now_ms = NOW.timestamp() * 1000
    assert ago(now_ms - 5_000, NOW) == "just now"
    assert ago(now_ms - 60_000, NOW) == "1 minute ago"
    assert ago(now_ms - 7_300_000, NOW) == "2 hours ago"
    assert ago(now_ms - 3 * 86_400_000, NOW) == "3 days ago"
    assert ago(now_ms + 60_000, NOW) == "just now"
