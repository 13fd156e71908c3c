"""Many pieces at once: nothing is sent too fast, and what is finished does not wait for what is shown of the rest."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.backend.audio import AudioStore
from bot.backend.documents import Delivery
from bot.delivery import DeliveryWatcher
from bot.platforms.discord import DiscordPlatform
from bot.platforms.discord.spot import Spot
from bot.progress import ProgressBoard
from handlers.model import AccountId, Generation, Progress, Reply, StorageId
from tests.bot.doubles import LiveStates, delivery
from tests.bot.platforms.discord.double import AUDIO, Double, finished, progress
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.world import BOT, Channel, Limits, Message

CHATS, PIECES_A_CHAT = 50, 4
WITHIN_S = 3.0
STEP_S = 0.12


@pytest.fixture
def limits() -> Limits:
    """As they are in earnest."""
    return Limits()


def show(generation: Generation) -> Reply:
    if generation.status == "completed":
        return finished(f"piece {generation.id}")
    at = generation.progress or Progress("Mixing", 0.0)
    return replace(progress(at.fraction), text=f"piece {generation.id}")


def opened(peer: DiscordPeer, channel: Channel, number: int) -> Delivery:
    """A piece under way, whose message stands in its chat."""
    message = Message(peer.clock.snowflake(), channel, BOT, "One moment …")
    channel.messages[message.ident] = message
    spot = Spot(channel.ident, message.ident)
    return replace(delivery(number), message=spot.ref(), account=AccountId(f"discord:{number + 1}"))


def completed(one: Delivery) -> Delivery:
    return replace(one, generation=replace(one.generation, status="completed", audio=AUDIO))


async def test_two_hundred_pieces_in_fifty_chats(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, tmp_path: Path
) -> None:
    channels = [
        peer.guild(f"Guild {number}") if number % 2 else peer.person(f"Person {number}").direct
        for number in range(CHATS)
    ]
    # One piece of each chat after another, as workers that take turns would end them.
    pieces = [opened(peer, channels[number % CHATS], number) for number in range(CHATS * PIECES_A_CHAT)]
    live, board = LiveStates(), ProgressBoard()
    marked: set[str] = set()
    done_at: dict[str, float] = {}

    async def mark(ident: str) -> None:
        marked.add(ident)

    async def url_of(_: StorageId) -> str | None:
        raise AssertionError("the file is here already")

    async with httpx.AsyncClient(trust_env=False) as http:
        audio = AudioStore(tmp_path / "audio", 2**30, http, url_of)
        await audio.put(AUDIO, await asyncio.to_thread(double.audio_file.read_bytes))
        watcher = DeliveryWatcher(live, mark, {platform.name: platform}, board, audio, show)
        await watcher.start()
        try:
            await live.set(*pieces)
            for number, piece in enumerate(list(pieces)):
                for other in pieces[number:]:
                    share = min(0.99, (number + 1) / len(pieces))
                    board.report(other.generation.id, Progress("Mixing", share, 9.0))
                pieces[number] = completed(piece)
                done_at[piece.generation.id] = peer.clock.now()
                await live.set(*(one for one in pieces if one.id not in marked))
                await asyncio.sleep(STEP_S)  # pieces are not all done at once
            await peer.until(lambda: len(marked) == len(pieces), "all marks")
        finally:
            await watcher.stop()
            await audio.stop()
    posted = {
        str(call.body["content"]).partition("piece ")[2]: call.at_s
        for call in peer.calls
        if call.route == "post"
    }
    waits = sorted(posted[ident] - at for ident, at in done_at.items())
    edits = peer.count("edit")
    print(f"{edits} edits; results after {waits[len(waits) // 2]:.2f} s (median), {waits[-1]:.2f} s (worst)")
    assert len(posted) == len(pieces)
    assert waits[-1] <= WITHIN_S
    assert sum(len(channel.audios) for channel in channels) == len(pieces)
    assert peer.buckets.refused == []
    assert edits > CHATS
