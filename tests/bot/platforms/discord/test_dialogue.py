"""What people ask, press, choose and react with, and where it is answered."""

from __future__ import annotations

import pytest

from bot.platforms.shelf import Shelf
from tests.bot.platforms.double import COVER, PIECE, RAGAS, Double, finished
from tests.peers.discord.interactions import Asked
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import Person
from tests.peers.discord.world import BOT_ID, Channel, Message

pytestmark = pytest.mark.usefixtures("platform")


async def said(peer: DiscordPeer, asked: Asked) -> str:
    """What was answered."""
    await peer.until(lambda: asked.text, "an answer")
    return asked.text


async def card_in(peer: DiscordPeer, person: Person, channel: Channel) -> Message:
    asked = await person.command("raga", channel, name="Yaman")
    await said(peer, asked)
    assert asked.original is not None
    return asked.original


async def test_a_command_is_answered_in_its_own_message(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha", "hi")
    card = await card_in(peer, asha, room)
    assert card.embeds[0]["title"] == "Yaman"
    assert "Hindustani & <kin>" in card.text
    assert not card.ephemeral
    [request] = double.of("raga")
    assert request.options == {"name": "Yaman"}
    assert request.actor.account == asha.account
    assert (request.actor.name, request.actor.locale) == ("Asha", "hi")
    assert not request.place.private
    assert peer.count("post") == 0
    await asha.press(card, "Generate in it")
    await peer.until(lambda: double.answers)
    assert double.of("generate")[0].text == "Yaman"
    assert peer.commands["raga"]["name_localizations"] == {"hi": "राग"}


async def test_a_card_has_its_picture_where_there_is_one(peer: DiscordPeer, room: Channel) -> None:
    asha = peer.person("Asha")
    card = await card_in(peer, asha, room)
    assert card.picture is not None
    assert card.picture["description"] == "The scale of Yaman."
    asked = await asha.command("raga", room, name="Bhairavi")
    assert "Bhairavi" in await said(peer, asked)
    assert asked.original is not None
    assert asked.original.picture is None


async def test_what_is_private_is_hidden_among_others_and_plain_alone(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    hidden, plain = await asha.command("history", room), await asha.command("history")
    assert "Your pieces" in await said(peer, hidden)
    assert "Your pieces" in await said(peer, plain)
    assert hidden.answers[0].ephemeral
    assert not plain.answers[0].ephemeral
    assert [request.place.private for request in double.of("history")] == [False, True]
    turned = await asha.press(hidden.answers[0], "Older")
    await peer.until(lambda: turned.acknowledged and len(hidden.answers[0].history) == 2, "the next page")
    assert turned.more == []
    assert room.from_bot == []


async def test_suggestions_come_as_somebody_types(peer: DiscordPeer, room: Channel) -> None:
    asha = peer.person("Asha")
    assert await asha.type("raga", "name", "yam", room) == ["Yaman", "Yaman Kalyan"]
    assert await asha.type("raga", "name", "", room) == list(RAGAS)


async def test_the_guide_is_one_message_that_becomes_the_piece(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    asked = await asha.command("generate", room)
    assert "Who shall play?" in await said(peer, asked)
    guide = asked.answers[0]
    other = await ravi.press(guide, "Veena")
    assert "Somebody else is choosing" in await said(peer, other)
    assert other.answers[0].ephemeral
    assert double.of("guide") == []
    await asha.press(guide, "Veena")
    await peer.until(lambda: "What mood?" in guide.text, "the next step")
    assert double.of("guide")[0].text == "mood i1"
    await asha.press(guide, "Make it")
    await peer.until(lambda: "Next in line" in guide.text, "the progress")
    assert double.answers[0].message == str(guide.ident)
    assert room.from_bot == [guide]


async def test_a_button_that_makes_a_piece_gets_a_message_of_its_own(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    card = await card_in(peer, asha, room)
    made = await asha.press(card, "Generate in it")
    assert "Next in line" in await said(peer, made)
    assert made.original is not card
    assert made.original is not None
    assert double.answers[0].message == str(made.original.ident)


async def test_a_refusal_is_for_the_asker_alone(peer: DiscordPeer, room: Channel) -> None:
    asha = peer.person("Asha")
    asked = await asha.command("generate", room, raga="nothing")
    assert "no raga named that" in await said(peer, asked)
    assert [one.ephemeral for one in asked.answers] == [True]
    assert room.from_bot == []


async def test_a_notice_flashes(peer: DiscordPeer, room: Channel) -> None:
    asha = peer.person("Asha")
    card = await card_in(peer, asha, room)
    pressed = await asha.press(card, "♥")
    assert "among your favorites" in await said(peer, pressed)
    assert [one.ephemeral for one in pressed.answers] == [True]
    assert room.from_bot == [card]


async def test_a_long_answer_is_split_and_means_nothing_to_discord(peer: DiscordPeer, room: Channel) -> None:
    asha = peer.person("Asha")
    asked = await asha.command("search", room, text="x")
    await peer.until(lambda: "119 " in asked.text, "the end of a long answer")
    assert len(asked.answers) > 2
    assert all(len(one.content) <= 2000 for one in asked.answers)
    assert "<@1" not in asked.text
    assert r"\*\_" in asked.text


async def test_a_slow_answer_is_promised_at_once(peer: DiscordPeer, double: Double, room: Channel) -> None:
    asha = peer.person("Asha")
    asked = await asha.command("hear", room)
    await peer.until(lambda: asked.acknowledged is not None, "the promise")
    peer.clock.advance(60)
    double.held.set()
    assert await said(peer, asked) == "At last."


async def test_an_interaction_that_comes_twice_is_answered_once(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    asked = await asha.command("raga", room, name="Yaman")
    [session] = peer.gateway.sessions.values()
    event = session.events[-1]["d"]
    await peer.gateway.emit("INTERACTION_CREATE", event, room.guild.ident if room.guild else None)
    await said(peer, asked)
    await card_in(peer, asha, room)
    assert len(double.of("raga")) == 2


async def test_hearts_of_any_shape_are_set_and_never_toggled(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    card = await card_in(peer, asha, room)
    for emoji in ("❤️", "❤", "♥️", "⭐", "🫶🏽"):
        before = len(double.of("favorite"))
        await asha.react(card, emoji)
        await peer.until(lambda count=before: len(double.of("favorite")) > count, emoji)  # type: ignore[misc] # mypy cannot infer a default's type
    for emoji in ("👍", "❤️", "❤", "♥️", "⭐"):
        await asha.react(card, emoji, on=False)
    assert {request.text for request in double.of("favorite")} == {"raga:h:Yaman on"}
    await asha.react(card, "🫶🏽", on=False, twice=True)
    await peer.until(lambda: len(double.of("favorite")) == 7, "the last heart gone, told twice")
    assert [request.text for request in double.of("favorite")][-2:] == ["raga:h:Yaman off"] * 2
    assert len({request.event for request in double.of("favorite")}) == 7


async def test_reactions_in_a_direct_message_count_and_those_of_the_bot_do_not(
    peer: DiscordPeer, double: Double
) -> None:
    asha, bot = peer.person("Asha"), peer.person("Raga Bot")
    bot.ident = BOT_ID
    card = await card_in(peer, asha, asha.direct)
    await bot.react(card, "❤")
    await asha.react(card, "❤")
    await peer.until(lambda: double.of("favorite"))
    assert [request.actor.account for request in double.of("favorite")] == [asha.account]
    assert double.of("favorite")[0].place.private


async def test_entries_have_rows_of_numbered_buttons(peer: DiscordPeer, double: Double) -> None:
    asha = peer.person("Asha")
    asked = await asha.command("history")
    await said(peer, asked)
    labels = [[one["label"] for one in row["components"]] for row in asked.answers[0].components]
    assert labels == [["1. Play"], ["1. Remove"], ["Older"]]


async def test_a_piece_is_played_again_without_a_second_upload(
    peer: DiscordPeer, double: Double, room: Channel, shelf: Shelf
) -> None:
    asha = peer.person("Asha")
    asked = await asha.command("history", room)
    await said(peer, asked)
    await asha.press(asked.answers[0], "Play")
    await peer.until(lambda: len(room.audios) == 1, "the piece")
    await asha.press(asked.answers[0], "Play")
    await peer.until(lambda: len(room.audios) == 2, "the piece once more")
    first, second = room.audios
    assert second.snapshot is not None
    assert second.audio == first.audio
    assert peer.uploads == 1
    await asha.react(second, "❤")
    await peer.until(lambda: double.of("favorite"))
    assert double.of("favorite")[0].text == f"{PIECE} on"
    first.deleted = True
    await asha.press(asked.answers[0], "Play")
    await peer.until(lambda: len(room.audios) == 2, "the piece, uploaded anew")
    assert peer.uploads == 2
    assert await shelf.get("audio", finished().track.audio) == f"{room.ident}/{room.audios[-1].ident}"  # type: ignore[union-attr] # it has one


async def test_a_piece_comes_with_its_picture_and_what_that_shows(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    asked = await asha.command("history", room)
    await said(peer, asked)
    await asha.press(asked.answers[0], "Play")
    await peer.until(lambda: len(room.audios) == 1, "the piece")
    (audio, picture) = room.audios[0].attachments
    assert audio["filename"] == "Yaman.mp3"
    assert (picture["filename"], picture["description"]) == ("piece.png", COVER)
    double.covered = False
    room.audios[0].deleted = True
    await asha.press(asked.answers[0], "Play")
    await peer.until(lambda: len(room.audios) == 1, "the piece without a picture")
    assert [one["filename"] for one in room.audios[0].attachments] == ["Yaman.mp3"]


async def test_a_file_to_take_away_is_for_the_asker_alone(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    asked = await asha.command("history", room)
    await said(peer, asked)
    pressed = await asha.send(asked.answers[0], {"custom_id": f"/download {PIECE} midi", "component_type": 2})
    await peer.until(lambda: any(one.attachments for one in pressed.answers), "the file")
    (answer,) = [one for one in pressed.answers if one.attachments]
    assert answer.ephemeral
    assert [one["filename"] for one in answer.attachments] == ["Yaman.midi"]
    assert double.fetched == ["yaman.midi"]


async def test_a_wav_that_is_too_large_comes_as_flac_and_says_so(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    double.file_bytes = 15 * 2**20
    asked = await asha.command("history", room)
    await said(peer, asked)
    pressed = await asha.send(asked.answers[0], {"custom_id": f"/download {PIECE} wav", "component_type": 2})
    await peer.until(lambda: any(one.attachments for one in pressed.answers), "the file")
    (answer,) = [one for one in pressed.answers if one.attachments]
    assert [one["filename"] for one in answer.attachments] == ["Yaman.flac"]
    assert "As FLAC, which holds the same samples" in answer.content
    double.file_bytes = 40 * 2**20
    pressed = await asha.send(asked.answers[0], {"custom_id": f"/download {PIECE} wav", "component_type": 2})
    await peer.until(lambda: any("chat page" in one.content for one in pressed.answers), "a word about it")
    assert not any(one.attachments for one in pressed.answers)


async def test_a_button_that_is_none_of_ours_gets_a_kind_word(peer: DiscordPeer, room: Channel) -> None:
    asha = peer.person("Asha")
    card = await card_in(peer, asha, room)
    pressed = await asha.send(card, {"custom_id": "something else", "component_type": 2})
    assert "no longer know that button" in await said(peer, pressed)


async def test_where_only_the_asker_has_the_bot_it_answers_by_the_token(
    peer: DiscordPeer, double: Double
) -> None:
    asha, friends = peer.person("Asha"), peer.group()
    card = await card_in(peer, asha, friends)
    assert "Yaman" in card.text
    hidden = await asha.command("history", friends)
    await said(peer, hidden)
    assert hidden.answers[0].ephemeral
    for count in (1, 2):
        await asha.press(hidden.answers[0], "Play")
        await peer.until(lambda n=count: peer.uploads == n, "the piece")  # type: ignore[misc] # mypy cannot infer a default's type
    assert peer.count("post") == peer.count("edit") == 0
    assert not any(request.place.private for request in double.requests)
