"""Servers: who may look after one, what counts as which channel, and what happens when the bot is out of it."""

from __future__ import annotations

import pytest

from bot.platforms.discord import DiscordPlatform
from bot.platforms.shelf import Shelf
from handlers.model import Request
from tests.bot.platforms.discord.test_dialogue import card_in, said
from tests.bot.platforms.double import Double
from tests.peers.discord.interactions import Asked
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import ADMINISTRATOR, MANAGE_GUILD, Person
from tests.peers.discord.world import TOKEN, Channel


def guild_of(channel: Channel) -> int:
    assert channel.guild is not None
    return channel.guild.ident


async def asked(peer: DiscordPeer, double: Double, how: Asked) -> Request:
    """What the handlers were asked by it."""

    def found() -> list[Request]:
        return [one for one in double.requests if one.event == str(how.ident)]

    await peer.until(found, "the request")
    return found()[0]


def guru(peer: DiscordPeer, room: Channel, may: int = MANAGE_GUILD) -> Person:
    person = peer.person("Guru")
    person.permissions[guild_of(room)] = may
    return person


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("may", [MANAGE_GUILD, ADMINISTRATOR])
async def test_who_may_manage_the_server_is_offered_its_commands_and_looks_after_it(
    peer: DiscordPeer, double: Double, room: Channel, may: int
) -> None:
    person, asha = guru(peer, room, may), peer.person("Asha")
    for command in ("settings", "block", "unblock", "audit"):
        assert person.is_offered(command, room)
        assert not asha.is_offered(command, room)
        assert not person.is_offered(command, person.direct)
    how = await person.command("settings", room, hour="5", allow=room)
    request = await asked(peer, double, how)
    assert request.manages
    assert request.place.group == str(guild_of(room))
    assert request.rooms == {str(room.ident): "#general"}
    assert request.options == {"hour": "5", "allow": str(room.ident)}
    assert "Settings" in await said(peer, how)
    assert how.answers[0].ephemeral


@pytest.mark.usefixtures("platform")
async def test_everybody_else_does_not_whatever_the_menu_or_a_button_offers(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    assert room.guild is not None
    room.guild.opened.add("settings")
    elsewhere = peer.guild("Elsewhere", installed=False)
    for person, where in ((asha, room), (guru(peer, elsewhere, ADMINISTRATOR), room)):
        assert not (await asked(peer, double, await person.command("settings", where))).manages
    card = await card_in(peer, asha, room)
    for person in (asha, guru(peer, room)):
        forged = await person.send(card, {"custom_id": "/settings hour:1", "component_type": 2})
        request = await asked(peer, double, forged)
        assert request.manages is (person is not asha)
        assert request.text == "hour:1"
    # Where the bot itself is not, whoever manages the server has nothing to set.
    stranger = guru(peer, elsewhere)
    request = await asked(peer, double, await stranger.command("raga", elsewhere, name="Desh"))
    assert request.place.group == str(guild_of(elsewhere))
    apart = await card_in(peer, stranger, room)
    apart.channel = elsewhere
    forged = await stranger.send(apart, {"custom_id": "/settings", "component_type": 2})
    assert not (await asked(peer, double, forged)).manages
    direct = await card_in(peer, stranger, stranger.direct)
    forged = await stranger.send(direct, {"custom_id": "/settings", "component_type": 2})
    request = await asked(peer, double, forged)
    assert (request.manages, request.place.group, request.place.private) == (False, None, True)


@pytest.mark.usefixtures("platform")
async def test_a_right_of_long_ago_is_none(peer: DiscordPeer, double: Double, room: Channel) -> None:
    person = guru(peer, room)
    how = await person.command("settings", room, before_s=16 * 60)
    await peer.until(lambda: double.of("settings"))
    assert not double.of("settings")[0].manages
    assert peer.interactions.late == [how.ident]
    peer.interactions.late.clear()


@pytest.mark.usefixtures("platform")
async def test_a_person_is_named_by_an_option(peer: DiscordPeer, double: Double, room: Channel) -> None:
    person, ravi = guru(peer, room), peer.person("Ravi")
    request = await asked(peer, double, await person.command("block", room, person=ravi))
    assert request.subject is not None
    assert (request.subject.account, request.subject.name, request.subject.bot) == (
        ravi.account,
        "Ravi",
        False,
    )
    assert request.options == {}
    ravi.json["bot"] = True
    request = await asked(peer, double, await person.command("block", room, person=ravi))
    assert request.subject is not None
    assert request.subject.bot
    assert (await asked(peer, double, await person.command("block", room))).subject is None


@pytest.mark.usefixtures("platform")
async def test_a_server_is_one_group_and_a_thread_counts_as_its_channel(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha, thread = peer.person("Asha"), peer.thread(room)
    places = [
        (await asked(peer, double, await asha.command("raga", where, name="Desh"))).place
        for where in (room, thread, peer.group(), asha.direct)
    ]
    guild = str(guild_of(room))
    assert (places[0].chat, places[0].group, places[0].room) == (str(room.ident), guild, str(room.ident))
    assert (places[1].chat, places[1].group, places[1].room) == (str(thread.ident), guild, str(room.ident))
    assert places[2].group == places[2].chat  # a private group is a group of its own
    assert (places[3].group, places[3].room) == (None, None)


@pytest.mark.usefixtures("platform")
async def test_a_server_that_is_left_is_forgotten_and_one_that_is_out_of_order_is_not(
    peer: DiscordPeer, double: Double, shelf: Shelf, room: Channel
) -> None:
    asha, thread = peer.person("Asha"), peer.thread(room)
    cards = [await card_in(peer, asha, one) for one in (room, thread, asha.direct)]
    await noted(shelf, 2)
    assert room.guild is not None
    await peer.outage(room.guild)
    await card_in(peer, asha, asha.direct)  # comes after it, on the same connection
    assert double.told == []
    double.out_of_reach = True
    await peer.remove_bot(room.guild)
    await peer.until(lambda: double.told)
    double.out_of_reach = False
    await peer.until(lambda: double.gone, "what was left")
    assert double.gone == [(str(room.guild.ident), (str(room.ident), str(thread.ident)))]
    await forgotten(peer, shelf)
    kept = [await shelf.get("heart", f"{one.channel.ident}/{one.ident}") for one in cards]
    assert [one is not None for one in kept] == [False, False, True]


async def noted(shelf: Shelf, count: int) -> None:
    """Wait until so many chats are on the shelf, which is done beside the answers."""
    for _ in range(2000):
        if len(await shelf.all("chat")) == count:
            return
    raise AssertionError(f"there are not {count} chats")


async def forgotten(peer: DiscordPeer, shelf: Shelf) -> None:
    """Wait until nothing is left to be told."""
    for _ in range(2000):
        if not await shelf.all("left"):
            return
    raise AssertionError("it is still to be told")


@pytest.mark.usefixtures("platform")
async def test_a_channel_goes_with_its_threads_and_a_thread_alone(
    peer: DiscordPeer, double: Double, shelf: Shelf, room: Channel
) -> None:
    asha = peer.person("Asha")
    threads = [peer.thread(room) for _ in range(2)]
    for where in (room, *threads):
        await card_in(peer, asha, where)
    await noted(shelf, 3)
    await peer.delete(threads[0])
    await peer.until(lambda: len(double.gone) == 1, "the thread")
    await peer.delete(room)
    await peer.until(lambda: len(double.gone) == 2, "the channel")
    assert double.gone == [
        (None, (str(threads[0].ident),)),
        (None, (str(room.ident), str(threads[1].ident))),
    ]
    await forgotten(peer, shelf)
    assert await shelf.all("heart") == {}
    assert await shelf.all("chat") == {}


async def test_what_was_left_while_nobody_listened_is_told_after_a_restart(
    peer: DiscordPeer, double: Double, shelf: Shelf, room: Channel
) -> None:
    other, asha = peer.guild("Other"), peer.person("Asha")
    double.out_of_reach = True

    def platform() -> DiscordPlatform:
        return DiscordPlatform(
            double.services(), TOKEN, shelf, api_url=peer.url, gateway_url=peer.gateway_url
        )

    first = platform()
    await first.start()
    await peer.ready()
    for where in (room, other):
        await card_in(peer, asha, where)
    await noted(shelf, 2)
    assert other.guild is not None
    assert room.guild is not None
    await peer.remove_bot(other.guild)
    await peer.until(lambda: double.told)
    await first.stop()
    assert double.gone == []
    room.guild.installed = False  # the bot is away, and hears nothing of it
    peer.gateway.sessions.clear()
    double.out_of_reach = False
    second = platform()
    await second.start()
    both = {(str(one.guild.ident), (str(one.ident),)) for one in (room, other) if one.guild is not None}
    try:
        await peer.until(lambda: set(double.gone) == both, "both")
    finally:
        await second.stop()
