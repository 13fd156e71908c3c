"""Many pieces at once: nothing is sent too fast, and what is finished does not wait for what is shown of the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.backend.documents import Delivery
from bot.platforms.telegram import TelegramPlatform
from bot.platforms.telegram.spot import Spot
from handlers.model import AccountId
from tests.bot.doubles import delivery
from tests.bot.platforms.double import Double
from tests.bot.platforms.load import CHATS, PIECES_A_CHAT, WITHIN_S, Load
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.world import BOT, Chat, Limits, Message


@pytest.fixture
def limits() -> Limits:
    """As they are in earnest."""
    return Limits()


def opened(peer: TelegramPeer, chat: Chat, number: int) -> Delivery:
    """A piece under way, whose message stands in its chat."""
    chat.closed = False
    message = Message(chat.next_id(), chat, BOT, peer.clock.date(), {"text": "One moment …"})
    chat.add(message)
    spot = Spot(chat.ident, message.ident)
    return replace(delivery(number), message=spot.ref(), account=AccountId(f"telegram:{abs(chat.ident)}"))


async def test_two_hundred_pieces_in_fifty_chats(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double, tmp_path: Path
) -> None:
    chats = [
        peer.group(f"Group {number}") if number % 2 else peer.person(f"Person {number}").chat
        for number in range(CHATS)
    ]
    # One piece of each chat after another, as workers that take turns would end them.
    load = Load(
        [opened(peer, chats[number % CHATS], number) for number in range(CHATS * PIECES_A_CHAT)],
        peer.clock.now,
    )
    await load.run(platform, double.audio_file, tmp_path, lambda: peer.until(lambda: load.over, "all marks"))
    waits = load.waits_s((one.params["caption"], one.at_s) for one in peer.calls if one.method == "sendaudio")
    edits = peer.count("editMessageText")
    print(f"{edits} edits; results after {waits[len(waits) // 2]:.2f} s (median), {waits[-1]:.2f} s (worst)")
    assert waits[-1] <= WITHIN_S
    assert sum(one.audio is not None for chat in chats for one in chat.from_bot) == len(load.pieces)
    assert peer.flood.refused == []
    assert edits > CHATS
