"""Many pieces at once: nothing is sent too fast, and what is finished does not wait for what is shown of the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.backend.documents import Delivery
from bot.platforms.discord import DiscordPlatform
from bot.platforms.discord.spot import Spot
from handlers.model import AccountId
from tests.bot.doubles import delivery
from tests.bot.platforms.double import Double
from tests.bot.platforms.load import CHATS, PIECES_A_CHAT, WITHIN_S, Load
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.world import BOT, Channel, Limits, Message


@pytest.fixture
def limits() -> Limits:
    """As they are in earnest."""
    return Limits()


def opened(peer: DiscordPeer, channel: Channel, number: int) -> Delivery:
    """A piece under way, whose message stands in its chat."""
    message = Message(peer.clock.snowflake(), channel, BOT, "One moment …")
    channel.messages[message.ident] = message
    spot = Spot(channel.ident, message.ident)
    return replace(delivery(number), message=spot.ref(), account=AccountId(f"discord:{number + 1}"))


async def test_two_hundred_pieces_in_fifty_chats(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, tmp_path: Path
) -> None:
    channels = [
        peer.guild(f"Guild {number}") if number % 2 else peer.person(f"Person {number}").direct
        for number in range(CHATS)
    ]
    # One piece of each chat after another, as workers that take turns would end them.
    load = Load(
        [opened(peer, channels[number % CHATS], number) for number in range(CHATS * PIECES_A_CHAT)],
        peer.clock.now,
    )
    await load.run(platform, double.audio_file, tmp_path, lambda: peer.until(lambda: load.over, "all marks"))
    waits = load.waits_s((call.body["content"], call.at_s) for call in peer.calls if call.route == "post")
    edits = peer.count("edit")
    print(f"{edits} edits; results after {waits[len(waits) // 2]:.2f} s (median), {waits[-1]:.2f} s (worst)")
    assert waits[-1] <= WITHIN_S
    assert sum(len(channel.audios) for channel in channels) == len(load.pieces)
    assert peer.buckets.refused == []
    assert edits > CHATS
