"""Progress and finished pieces: at the chat's pace, once, and not lost, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from bot.platforms import MessageGoneError
from bot.platforms.shelf import Shelf
from bot.platforms.telegram import TelegramPlatform, pace
from bot.platforms.telegram.post import BusyError, PostError
from handlers.model import AccountId, MessageRef, Reply
from tests.bot.platforms.double import AUDIO, PIECE, Double, finished, progress
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.people import Person
from tests.peers.telegram.world import Chat, Message


async def asked(peer: TelegramPeer, double: Double, person: Person, chat: Chat | None = None) -> MessageRef:
    """A piece is asked for; the message that shows its progress."""
    count = len(double.answers)
    person.say("/generate Yaman", chat)
    await peer.until(lambda: len(double.answers) > count)
    ref = double.answers[-1]
    where = chat or person.chat
    await peer.until(lambda: "Next in line" in message_of(where, ref).text)
    return ref


def message_of(chat: Chat, ref: MessageRef) -> Message:
    return chat.messages[int(ref.message.split("/")[0])]


def audios(chat: Chat) -> list[Message]:
    return [one for one in chat.from_bot if one.audio is not None]


async def more_done(peer: TelegramPeer, before: int) -> None:
    """The call that went wrong has come to its end at the server too."""
    await peer.until(lambda: peer.done > before, "the end of a call")


async def delivered(
    peer: TelegramPeer, platform: TelegramPlatform, ref: MessageRef, person: Person, nonce: str = "d1"
) -> int:
    """Deliver as the watcher does, again after each trouble; the number of tries."""
    for tries in range(1, 8):
        done = peer.done
        try:
            async with asyncio.timeout(20):
                await platform.deliver(ref, finished(), nonce=nonce, to=AccountId(person.account))
        except PostError as error:
            print(f"tried in vain: {type(error).__name__}: {error}")
            await more_done(peer, done)
            continue
        return tries
    raise AssertionError("never delivered")


async def test_progress_then_the_piece_as_an_answer(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double, shelf: Shelf
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    message = message_of(asha.chat, ref)
    for percent in range(5, 55, 5):
        await platform.edit(ref, progress(percent / 100))
    await peer.until(lambda: "50%" in message.text)
    assert len(message.history) <= 5  # what came too fast was left out, the newest was shown
    assert await delivered(peer, platform, ref, asha) == 1
    [track] = audios(asha.chat)
    assert asha.chat.from_bot == [track]
    assert track.reply_to == next(iter(asha.chat.messages))
    assert track.audio is not None
    assert (track.audio["title"], track.audio["performer"]) == ("Yaman <Teental>", "Sitar & Tabla")
    assert track.audio["duration"] == 8
    assert [one["text"] for one in track.buttons] == ["Another take", "♥ Favorite"]
    assert await shelf.get("heart", f"{asha.ident}/{track.ident}") == f"/favorite {PIECE}"
    assert await shelf.get("audio", AUDIO) == track.audio["file_id"]
    await platform.edit(ref, progress(0.9))  # comes too late, and shows nothing
    assert await delivered(peer, platform, ref, asha) == 1
    assert audios(asha.chat) == [track]


async def test_who_pressed_in_a_group_is_named_in_the_caption(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam")
    asha.say(f"/play {PIECE}", group)
    first = await peer.message(group, lambda one: one.audio is not None)
    asha.press(first, "Another take")
    await peer.until(lambda: double.answers)
    await delivered(peer, platform, double.answers[0], asha)
    assert f'<a href="tg://user?id={asha.ident}">' in audios(group)[-1].text


@pytest.mark.parametrize("silent", [True, False])
async def test_who_wants_no_sound_is_neither_called_by_name_nor_by_a_sound(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double, silent: bool
) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam")
    asha.say(f"/play {PIECE}", group)
    first = await peer.message(group, lambda one: one.audio is not None)
    asha.press(first, "Another take")
    await peer.until(lambda: double.answers)
    reply = replace(finished(), silent=silent)
    await platform.deliver(double.answers[0], reply, nonce="d1", to=AccountId(asha.account))
    assert ("tg://user" in audios(group)[-1].text) != silent
    sent = [one for one in peer.calls if one.method == "sendaudio"][-1]
    assert (sent.params.get("disable_notification") == "true") == silent


async def test_a_failed_piece_ends_in_its_message(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    held = peer.fault("editMessageText", "slow")
    await platform.edit(ref, progress(0.4))
    await peer.until(lambda: held.seen)
    ending = asyncio.create_task(platform.edit(ref, Reply(text="It could not be made.", ok=False)))
    await peer.until(lambda: not ending.done())
    held.released.set()
    await ending
    assert message_of(asha.chat, ref).text == "It could not be made."
    await platform.edit(ref, Reply(text="It could not be made.", ok=False))  # "not modified" is success
    assert len(asha.chat.from_bot) == 1


async def test_a_piece_without_audio_ends_in_its_message(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    gone = Reply(text="Its audio is no longer there.", ok=False)
    await platform.deliver(ref, gone, nonce="d1", to=AccountId(asha.account))
    assert [one.text for one in asha.chat.from_bot] == ["Its audio is no longer there."]


async def test_a_slow_edit_does_not_hold_up_the_result(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    held = peer.fault("editMessageText", "slow")
    await platform.edit(ref, progress(0.4))
    await peer.until(lambda: held.seen)
    await delivered(peer, platform, ref, asha)
    assert len(audios(asha.chat)) == 1
    held.released.set()
    await peer.until(lambda: asha.chat.from_bot == audios(asha.chat))


@pytest.mark.parametrize("kind", ["500", "502", "503", "cut", "lost"])
async def test_an_unanswered_post_is_repaired_by_an_edit(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double, shelf: Shelf, kind: str
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    peer.fault("sendAudio", kind)
    assert await delivered(peer, platform, ref, asha) == 2
    doubles = len(audios(asha.chat)) - 1
    assert doubles == (1 if kind == "lost" else 0)
    assert message_of(asha.chat, ref).audio is not None
    assert await shelf.get("heart", f"{asha.ident}/{ref.message.split('/')[0]}") == f"/favorite {PIECE}"
    assert await delivered(peer, platform, ref, asha) == 1
    assert len(audios(asha.chat)) == 1 + doubles
    assert peer.count("sendAudio") == 1


async def test_a_repair_whose_answer_is_lost_is_repeated_without_a_double(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    peer.fault("sendAudio", "502")
    peer.fault("editMessageMedia", "lost", times=2)
    assert await delivered(peer, platform, ref, asha) == 4
    assert len(audios(asha.chat)) == 1


async def test_a_death_between_the_post_and_its_note_loses_nothing(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double, shelf: Shelf
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    await shelf.put("sent", "d1", "sending")  # as a process leaves it that was killed there
    await delivered(peer, platform, ref, asha)
    assert [one.ident for one in audios(asha.chat)] == [int(ref.message.split("/")[0])]


async def test_429_on_edits_and_on_the_final_post(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    fault = peer.fault("editMessageText", "429", retry_after=2)
    await platform.edit(ref, progress(0.4))
    await peer.until(lambda: fault.seen)
    last = peer.calls[-1].at_s
    await platform.edit(ref, progress(0.6))
    await peer.until(lambda: "60%" in message_of(asha.chat, ref).text)
    edit = next(one for one in reversed(peer.calls) if one.method == "editmessagetext")
    assert edit.at_s - last >= 2.0
    peer.fault("sendAudio", "429", retry_after=1)
    await delivered(peer, platform, ref, asha)
    assert len(audios(asha.chat)) == 1


async def test_a_chat_that_rests_does_not_delay_another(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    ref, other = await asked(peer, double, asha), await asked(peer, double, ravi)
    peer.fault("sendAudio", "429", retry_after=60, chat=asha.ident)
    with pytest.raises(BusyError):
        await platform.deliver(ref, finished(), nonce="d1", to=AccountId(asha.account))
    asha.say("/raga Desh")  # waits for its chat
    clock = asyncio.get_running_loop().time
    began = clock()
    ravi.say("/raga Yaman")
    await peer.message(ravi.chat, lambda one: "<b>Yaman</b>" in one.text)
    await delivered(peer, platform, other, ravi, "d2")
    latency_s = clock() - began
    print(f"the other chat's answer and piece took {latency_s:.2f} s")
    assert latency_s < 10.0  # nowhere near the 60 s of the first chat
    assert audios(asha.chat) == []


async def test_who_blocked_the_bot_is_left_alone(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    asha.block()
    with pytest.raises(MessageGoneError):
        await platform.deliver(ref, finished(), nonce="d1", to=AccountId(asha.account))
    with pytest.raises(MessageGoneError):
        await platform.edit(ref, Reply(text="It could not be made.", ok=False))


async def test_a_deleted_message_is_told_and_the_piece_still_comes(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    del asha.chat.messages[int(ref.message.split("/")[0])]
    edits = peer.count("editMessageText")
    await platform.edit(ref, progress(0.4))
    await peer.until(lambda: peer.count("editMessageText") > edits)
    await asha_hears(peer, asha)
    with pytest.raises(MessageGoneError):
        await platform.edit(ref, progress(0.5))
    await delivered(peer, platform, ref, asha)
    assert len(audios(asha.chat)) == 1


async def asha_hears(peer: TelegramPeer, asha: Person) -> None:
    """An answer has come after all that went before it."""
    asha.say("/raga Desh")
    await peer.message(asha.chat, lambda one: "Desh" in one.text)


async def test_a_request_that_was_deleted_is_answered_all_the_same(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha, forum = peer.person("Asha"), peer.group("Forum", topics=(7,))
    asha.say("/generate Yaman", forum, thread=7)
    await peer.until(lambda: double.answers)
    for message in list(forum.messages.values()):
        if not message.sender["is_bot"]:
            del forum.messages[message.ident]
    forum.topics.clear()
    await delivered(peer, platform, double.answers[0], asha)
    assert [one.thread for one in audios(forum)] == [None]


async def test_a_group_that_has_moved_gets_its_piece(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha, group, larger = peer.person("Asha"), peer.group("Sangam"), peer.group("Sangam")
    ref = await asked(peer, double, asha, group)
    group.moved_to = larger.ident
    await delivered(peer, platform, ref, asha)
    assert len(audios(larger)) == 1


async def test_a_group_keeps_room_for_results(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam")
    ref = await asked(peer, double, asha, group)
    await platform.edit(ref, progress(0.3))
    await platform.edit(ref, progress(0.5))
    await peer.until(lambda: "50%" in message_of(group, ref).text)
    shown = [one.at_s for one in peer.calls if one.method == "editmessagetext"]
    gap_s = min(later - earlier for earlier, later in pairwise(shown))
    assert gap_s > 1.5 * pace.GAP_S  # more than between answers, however unevenly they travel
    await delivered(peer, platform, ref, asha)


@pytest.mark.parametrize("hopeless", [False, True])
async def test_a_file_that_is_too_large_is_made_smaller_or_told(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double, hopeless: bool
) -> None:
    asha = peer.person("Asha")
    ref = await asked(peer, double, asha)
    size = double.audio_file.stat().st_size
    peer.limits = type(peer.limits)(file_bytes=size - 1)
    double.too_large = hopeless
    await delivered(peer, platform, ref, asha)
    if hopeless:
        assert "too large for Telegram" in message_of(asha.chat, ref).text
    else:
        [track] = audios(asha.chat)
        assert track.audio is not None
        assert track.audio["file_size"] < size
        assert double.limits[0] > 40_000_000
