"""Pieces to take away: each as what Telegram shows it best as, uploaded once, and never lost for its size."""

from __future__ import annotations

import pytest

from bot.platforms.telegram import TelegramPlatform, files
from tests.bot.platforms.double import PIECE, THUMBNAIL, Double
from tests.peers.telegram.markup import plain
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.world import Message


def held(message: Message, kind: str) -> str:
    """The name at Telegram of what a message holds; empty where it holds no such thing."""
    return str((message.content.get(kind) or {}).get("file_id", ""))


def thumbnail(peer: TelegramPeer) -> bytes:
    """The small picture of the one track that was sent."""
    (sent,) = [one for one in peer.calls if one.method == "sendaudio"]
    upload = sent.params[str(sent.params["thumbnail"]).removeprefix("attach://")]
    return bytes(upload.data)


async def test_a_file_is_a_document_and_opus_a_voice_note(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    asha.say(f"/download {PIECE} midi")
    message = await peer.message(asha.chat, lambda one: bool(held(one, "document")))
    assert plain(message.text) == "Raga Yaman <&>"
    assert message.content["document"]["file_name"] == "Yaman.midi"
    assert peer.files[held(message, "document")].data[:4] == b"DATA"
    assert double.fetched == ["yaman.midi"]
    asha.say(f"/download {PIECE} opus")
    voice = await peer.message(asha.chat, lambda one: bool(held(one, "voice")))
    assert voice.content["voice"]["duration"] == 8
    # The message that said to wait is gone in the end.
    await peer.until(lambda: len(asha.chat.from_bot) == 2, "the end of what said to wait")


async def test_the_same_file_is_uploaded_once(peer: TelegramPeer, platform: TelegramPlatform) -> None:
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    for times, person in enumerate((asha, ravi, asha), start=1):
        person.say(f"/download {PIECE} midi")
        await peer.until_called("sendDocument", times)
    assert peer.uploads == 1


async def test_from_a_group_it_goes_to_the_private_chat(
    peer: TelegramPeer, platform: TelegramPlatform
) -> None:
    asha, group = peer.person("Asha"), peer.group("Forum")
    asha.say("/help")  # before, the bot may not write to her
    await peer.message(asha.chat, lambda one: bool(one.text))
    asha.say(f"/download {PIECE} midi", group)
    message = await peer.message(asha.chat, lambda one: bool(held(one, "document")))
    assert message.content["document"]["file_name"] == "Yaman.midi"
    assert group.from_bot == []


async def test_a_wav_that_is_too_large_comes_as_flac_and_says_so(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "UPLOAD_BYTES", 3000)
    asha = peer.person("Asha")
    asha.say(f"/download {PIECE} wav")
    message = await peer.message(asha.chat, lambda one: bool(held(one, "document")))
    assert message.content["document"]["file_name"] == "Yaman.flac"
    assert "As FLAC, which holds the same samples" in plain(message.text)
    double.file_bytes = 9000
    asha.say(f"/download {PIECE} wav")
    refused = await peer.message(asha.chat, lambda one: "The chat page" in one.text)
    assert plain(refused.text).startswith("This file has 0 MB, and Telegram takes 0.")


async def test_a_piece_has_its_own_picture_in_the_list_of_a_player(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    asha.say(f"/play {PIECE}")
    await peer.message(asha.chat, lambda one: one.audio is not None)
    assert thumbnail(peer) == THUMBNAIL


async def test_a_piece_without_a_picture_has_the_sign_of_the_bot(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    double.covered = False
    asha = peer.person("Asha")
    asha.say(f"/play {PIECE}")
    await peer.message(asha.chat, lambda one: one.audio is not None)
    assert thumbnail(peer)[:2] == b"\xff\xd8"
    assert thumbnail(peer) != THUMBNAIL
