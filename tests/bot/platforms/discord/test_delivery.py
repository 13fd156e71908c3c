"""Progress and finished pieces: once, and not lost, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.platforms import MessageGoneError
from bot.platforms.discord import DiscordPlatform, pace
from bot.platforms.discord.post import BusyError, PostError
from bot.platforms.shelf import Shelf
from handlers.model import AccountId, MessageRef, Reply
from tests.bot.platforms.double import PIECE, Double, finished, progress
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import Person
from tests.peers.discord.world import TOKEN, Channel, Message

SUPPRESS_NOTIFICATIONS = 1 << 12


@pytest.fixture(autouse=True)
def quick_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much quicker as the peer's windows are here."""
    monkeypatch.setattr(pace, "PROGRESS_GAP_S", 0.17)


async def asked(
    peer: DiscordPeer, double: Double, person: Person, channel: Channel | None = None
) -> MessageRef:
    """A piece is asked for; the message that shows its progress."""
    count = len(double.answers)
    made = await person.command("generate", channel, raga="Yaman")
    await peer.until(lambda: len(double.answers) > count)
    await peer.until(lambda: "Next in line" in made.text)
    return double.answers[-1]


def message_of(channel: Channel, ref: MessageRef) -> Message:
    return channel.messages[int(ref.message)]


async def delivered(platform: DiscordPlatform, ref: MessageRef, person: Person, nonce: str = "d1") -> int:
    """Deliver as the watcher does, again after each trouble; the number of tries."""
    for tries in range(1, 20):
        try:
            await platform.deliver(ref, finished(), nonce=nonce, to=AccountId(person.account))
        except PostError:
            await asyncio.sleep(0.1)  # the watcher's own pause
        else:
            return tries
    raise AssertionError("it is never delivered")


async def shown(
    peer: DiscordPeer, platform: DiscordPlatform, ref: MessageRef, channel: Channel, share: float
) -> None:
    """A state of progress, offered until there is room for it."""
    message = message_of(channel, ref)
    while f"{share:.0%}" not in message.text:
        await platform.edit(ref, progress(share))
        await asyncio.sleep(0.02)


async def test_progress_and_the_piece(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha, room)
    for share in (0.2, 0.4, 0.8):
        await shown(peer, platform, ref, room, share)
    assert "**Mixing**" in message_of(room, ref).content
    assert await delivered(platform, ref, asha) == 1
    assert await delivered(platform, ref, asha) == 1  # told again, shown once
    [piece] = room.audios
    assert piece.notified == {asha.ident}
    assert piece.reference is not None
    assert str(piece.reference["message_id"]) == ref.message
    assert "seed 7" in piece.text
    assert [one["label"] for one in piece.items] == ["Another take", "♥ Favorite"]
    await peer.until(lambda: message_of(room, ref).text == "Here it is.")
    assert message_of(room, ref).items == []
    await platform.edit(ref, progress(0.9))  # late
    assert message_of(room, ref).text == "Here it is."


async def test_who_wants_no_sound_is_neither_called_by_name_nor_by_a_sound(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    for silent in (True, False):
        ref = await asked(peer, double, asha, room)
        reply = replace(finished(), silent=silent)
        await platform.deliver(ref, reply, nonce=f"d{silent}", to=AccountId(asha.account))
        assert room.audios[-1].notified == (set() if silent else {asha.ident})
        post = [one for one in peer.calls if one.route == "post"][-1]
        assert bool(post.body.get("flags", 0) & SUPPRESS_NOTIFICATIONS) == silent


async def test_alone_with_the_bot_no_name_is_called(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    await delivered(platform, ref, asha)
    [piece] = asha.direct.audios
    assert piece.notified == set()
    assert piece.content.startswith("Raga Yaman")


async def test_a_piece_that_takes_longer_than_the_token_lives(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha, room)
    await shown(peer, platform, ref, room, 0.2)
    peer.clock.advance(16 * 60)
    await shown(peer, platform, ref, room, 0.4)
    peer.clock.advance(50 * 60)  # and the message itself has become old
    await shown(peer, platform, ref, room, 0.6)
    await delivered(platform, ref, asha)
    assert len(room.audios) == 1
    await peer.until(lambda: message_of(room, ref).text == "Here it is.")


async def test_a_token_that_is_refused_early(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    peer.fault("answer", "dead", times=100)
    ref = await asked(peer, double, asha, room)  # the first state, by the channel
    assert peer.count("edit") == 1
    await delivered(platform, ref, asha)
    assert len(room.audios) == 1


async def test_an_interaction_that_is_unknown_is_answered_in_the_channel(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    peer.fault("acknowledge", "dead", times=3)
    await asha.command("generate", room, raga="Yaman")
    await peer.message(room, lambda one: "Next in line" in one.text)
    await delivered(platform, double.answers[0], asha)
    assert len(room.audios) == 1
    await asha.command("raga", room, name="Desh")
    card = await peer.message(room, lambda one: "Desh" in one.text)
    assert card.notified == {asha.ident}
    await asha.command("history", room)
    await peer.message(asha.direct, lambda one: "Your pieces" in one.text)  # not before others


async def test_a_lost_acknowledgement_is_found_again(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    peer.fault("acknowledge", "lost")
    ref = await asked(peer, double, asha, room)
    assert [str(one.ident) for one in room.from_bot] == [ref.message]


@pytest.mark.parametrize("kind", ["429", "500", "503", "cut"])
async def test_trouble_with_a_state_of_progress(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel, kind: str
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha, room)
    fault = peer.fault("edit", kind)
    with_trouble = 0
    while not fault.seen or "60%" not in message_of(room, ref).text:
        try:
            await platform.edit(ref, progress(0.6))
        except PostError:
            with_trouble += 1  # the watcher comes back
        await asyncio.sleep(0.02)
    assert with_trouble <= 1
    await delivered(platform, ref, asha)
    assert len(room.audios) == 1


@pytest.mark.parametrize("kind", ["429", "500", "503", "cut", "lost"])
async def test_trouble_with_the_post_itself(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel, kind: str
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha, room)
    peer.fault("post", kind)
    tries = await delivered(platform, ref, asha)
    assert tries == (1 if kind in ("429", "500") else 2)
    assert len(room.audios) == 1
    assert room.audios[0].notified == {asha.ident}


async def test_a_lost_post_is_found_by_another_process_after_the_nonce_is_forgotten(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel, shelf: Shelf
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha, room)
    peer.fault("post", "lost")
    with pytest.raises(PostError):
        await platform.deliver(ref, finished(), nonce="d1", to=AccountId(asha.account))
    await platform.stop()
    peer.clock.advance(3600)  # longer than Discord knows a nonce
    again = DiscordPlatform(double.services(), TOKEN, shelf, api_url=peer.url, gateway_url=peer.gateway_url)
    await again.start()
    try:
        await delivered(again, ref, asha)
        assert len(room.audios) == 1
        assert peer.count("post") == 1
        asked_for = await asha.command("history", room)
        await peer.until(lambda: asked_for.text)
        await asha.press(asked_for.answers[0], "Play")
        await peer.until(lambda: len(room.audios) == 2, "the piece, forwarded")
        assert peer.uploads == 1
    finally:
        await again.stop()


async def test_a_message_that_was_deleted_does_not_take_the_piece_along(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha, room)
    message_of(room, ref).deleted = True
    await platform.edit(ref, progress(0.5))
    await delivered(platform, ref, asha)
    [piece] = room.audios
    assert piece.reference is None
    assert piece.notified == {asha.ident}
    with pytest.raises(MessageGoneError):
        await platform.edit(ref, Reply(text="It could not be made.", ok=False))


async def test_a_channel_that_is_closed_sends_the_piece_by_the_token_and_then_directly(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    ref, later = await asked(peer, double, asha, room), await asked(peer, double, asha, room)
    room.closed = True
    await shown(peer, platform, ref, room, 0.3)  # by the token, which is fresh
    await delivered(platform, ref, asha)
    assert len(room.audios) == 1
    peer.clock.advance(16 * 60)
    await platform.edit(later, progress(0.5))
    await delivered(platform, later, asha, "d2")
    assert len(asha.direct.audios) == 1


async def test_where_only_the_asker_has_the_bot_the_piece_comes_by_the_token_or_directly(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double
) -> None:
    asha, friends = peer.person("Asha"), peer.group()
    ref, later = await asked(peer, double, asha, friends), await asked(peer, double, asha, friends)
    await shown(peer, platform, ref, friends, 0.3)
    await delivered(platform, ref, asha)
    assert len(friends.audios) == 1
    await peer.until(lambda: message_of(friends, ref).text == "Here it is.")
    peer.clock.advance(16 * 60)
    await platform.edit(later, progress(0.5))
    await delivered(platform, later, asha, "d2")
    assert len(asha.direct.audios) == 1
    assert peer.count("post", friends) == peer.count("edit", friends) == 0


async def test_direct_messages_that_are_closed_are_an_answer(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    asha.direct.closed = True
    peer.clock.advance(16 * 60)
    with pytest.raises(MessageGoneError):
        await platform.deliver(ref, finished(), nonce="d1", to=AccountId(asha.account))
    with pytest.raises(MessageGoneError):
        await platform.edit(ref, Reply(text="It could not be made.", ok=False))


@pytest.mark.parametrize("hopeless", [False, True])
async def test_a_file_that_is_too_large_is_made_smaller_or_told(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel, hopeless: bool
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha, room)
    size = double.audio_file.stat().st_size
    peer.limits = type(peer.limits)(file_bytes=size - 1)
    double.too_large = hopeless
    await delivered(platform, ref, asha)
    if hopeless:
        await peer.until(lambda: "too large for Discord" in message_of(room, ref).text)
        assert "Another take" in str(message_of(room, ref).items)
    else:
        [piece] = room.audios
        assert piece.audio is not None
        assert piece.audio["size"] < size
        assert 10_000_000 < double.limits[0] < 10 * 2**20


async def test_a_chat_that_rests_for_a_minute_does_not_delay_another(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    ref, other = await asked(peer, double, asha, room), await asked(peer, double, ravi)
    for route in ("post", "edit"):
        peer.fault(route, "429", times=100, retry_after=60, channel=room.ident)
    with pytest.raises(BusyError):
        await platform.edit(ref, progress(0.5))
    with pytest.raises(BusyError):
        await platform.deliver(ref, finished(), nonce="d1", to=AccountId(asha.account))
    clock = asyncio.get_running_loop().time
    began = clock()
    answer = await ravi.command("raga", name="Yaman")
    await peer.until(lambda: answer.text)
    await delivered(platform, other, ravi, "d2")
    latency_s = clock() - began
    print(f"the other chat's answer and piece took {latency_s:.2f} s")
    assert latency_s < 10.0  # nowhere near the 60 s of the first chat
    with pytest.raises(BusyError):
        await platform.deliver(ref, finished(), nonce="d1", to=AccountId(asha.account))
    assert peer.count("post", room) == peer.count("edit", room) == 1  # it is not asked again meanwhile
    assert room.audios == []


async def test_the_same_state_again_is_no_trouble(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha, room)
    failed = Reply(text="It could not be made.", generation=PIECE, ok=False)
    await platform.edit(ref, failed)
    await platform.edit(ref, failed)
    assert message_of(room, ref).text == failed.text
    await platform.edit(ref, progress(0.9))  # late
    assert message_of(room, ref).text == failed.text
