"""Groups: who may look after one, of whom they speak, and what happens when the bot is out of it."""

from __future__ import annotations

import pytest

from bot.platforms.shelf import Shelf
from bot.platforms.telegram import TelegramPlatform
from handlers.model import Request
from tests.bot.platforms.double import Double
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.people import Person
from tests.peers.telegram.world import TOKEN, Chat, Message


async def asked(peer: TelegramPeer, double: Double, command: str, count: int) -> Request:
    """The so many-th request of a command."""
    await peer.until(lambda: len(double.of(command)) == count, f"/{command}")
    return double.of(command)[-1]


def guru(peer: TelegramPeer, group: Chat) -> Person:
    """Somebody who looks after the group, and has the private chat open."""
    person = peer.person("Guru")
    group.admins.add(person.ident)
    person.chat.closed = False
    return person


async def shown(peer: TelegramPeer, chat: Chat, words: str) -> Message:
    return await peer.message(chat, lambda one: words in one.text, words)


@pytest.mark.usefixtures("platform")
async def test_an_administrator_is_looked_up_at_each_call_and_answered_in_private(
    peer: TelegramPeer, double: Double
) -> None:
    group = peer.group("Sangam")
    person, owner, asha = guru(peer, group), peer.person("Owner"), peer.person("Asha")
    group.owner = owner.ident
    asha.chat.closed = owner.chat.closed = False
    person.say("/settings hour:5", group)
    request = await asked(peer, double, "settings", 1)
    assert request.manages
    assert (request.place.group, request.place.room, request.text) == (str(group.ident), None, "hour:5")
    owner.say("/settings", group)
    assert (await asked(peer, double, "settings", 2)).manages
    asha.say("/settings", group)
    assert not (await asked(peer, double, "settings", 3)).manages
    settings = await shown(peer, person.chat, "Settings")
    assert group.from_bot == []
    # What stands in the private chat is still about the group, and the right is asked for anew.
    person.press(settings, "More")
    request = await asked(peer, double, "settings", 4)
    assert request.manages
    assert (request.place.group, request.place.private) == (str(group.ident), True)
    group.admins.clear()
    person.press(settings, "More")
    assert not (await asked(peer, double, "settings", 5)).manages
    assert peer.count("getChatMember") == 5


@pytest.mark.usefixtures("platform")
async def test_nobody_else_looks_after_it(peer: TelegramPeer, double: Double) -> None:
    group, asha = peer.group("Sangam"), peer.person("Asha")
    asha.say("/raga Yaman", group)
    card = await shown(peer, group, "Yaman")
    forged = asha.press_line(card, "/settings hour:1")
    assert not (await asked(peer, double, "settings", 1)).manages
    await peer.until(lambda: forged.answer)
    # In private there is no group, unless a message that was sent to an administrator names it.
    asha.start("raga_Desh")
    mine = await shown(peer, asha.chat, "Desh")
    before = peer.count("getChatMember")
    forged = asha.press_line(mine, "/settings hour:1")
    request = await asked(peer, double, "settings", 2)
    assert (request.manages, request.place.group) == (False, None)
    asha.say("/settings")
    assert not (await asked(peer, double, "settings", 3)).manages
    assert peer.count("getChatMember") == before
    await peer.until(lambda: forged.answer)


@pytest.mark.usefixtures("platform")
async def test_who_cannot_be_looked_up_is_told_so(peer: TelegramPeer, double: Double) -> None:
    group = peer.group("Sangam")
    person = guru(peer, group)
    peer.fault("getChatMember", "500")
    person.say("/settings", group)
    await shown(peer, person.chat, "I could not ask Telegram")
    assert double.of("settings") == []
    person.say("/settings", group)
    assert (await asked(peer, double, "settings", 1)).manages


@pytest.mark.usefixtures("platform")
async def test_who_speaks_for_the_group_is_one_of_its_administrators(
    peer: TelegramPeer, double: Double
) -> None:
    group = peer.group("Sangam")
    person, asha = guru(peer, group), peer.person("Asha")
    person.say("/settings", group, anonymous=True)
    request = await asked(peer, double, "settings", 1)
    assert request.manages
    assert (request.actor.account, request.actor.name) == (f"telegram:{group.ident}", "Sangam")
    ask = await shown(peer, group, "You speak for the group")
    assert "Settings" not in ask.text
    asha.press(ask, "Show it to me")
    assert not (await asked(peer, double, "settings", 2)).manages
    person.press(ask, "Show it to me")
    assert (await asked(peer, double, "settings", 3)).manages
    await shown(peer, person.chat, "Settings")
    # Nothing else is done in a group's name.
    person.say("/raga Yaman", group, anonymous=True)
    person.say("/block", group, anonymous=True)
    assert (await asked(peer, double, "block", 1)).manages
    await shown(peer, group, "block:")
    assert double.of("raga") == []


@pytest.mark.usefixtures("platform")
async def test_somebody_is_named_by_an_answer_or_a_mention(peer: TelegramPeer, double: Double) -> None:
    group = peer.group("Forum", topics=(7,))
    person, ravi = guru(peer, group), peer.person("Ravi")
    said = ravi.say("hello", group)
    person.say("/block", group, answers=said)
    request = await asked(peer, double, "block", 1)
    assert request.subject is not None
    assert (request.subject.account, request.subject.name, request.subject.bot) == (
        ravi.account,
        "Ravi",
        False,
    )
    person.say("/block Ravi", group, mentions=ravi)
    request = await asked(peer, double, "block", 2)
    assert request.subject is not None
    assert request.subject.account == ravi.account
    person.say("/block @ravi", group)
    assert (await asked(peer, double, "block", 3)).subject is None
    opened = ravi.say("a topic", group, 7)
    opened.content["forum_topic_created"] = {"name": "a topic", "icon_color": 1}
    person.say("/block", group, 7, answers=opened)
    assert (await asked(peer, double, "block", 4)).subject is None
    for_all = person.say("hello", group, anonymous=True)
    person.say("/block", group, answers=for_all)
    request = await asked(peer, double, "block", 5)
    assert request.subject is not None
    assert request.subject.bot


@pytest.mark.usefixtures("platform")
async def test_a_group_and_a_private_chat_that_are_left_are_forgotten(
    peer: TelegramPeer, double: Double, shelf: Shelf
) -> None:
    group, small, asha = peer.group("Sangam"), peer.group("Small", kind="group"), peer.person("Asha")
    person = guru(peer, group)
    asha.start("raga_Desh")
    await shown(peer, asha.chat, "Desh")
    for chat in (group, small):
        asha.say("/raga Yaman", chat)
        await shown(peer, chat, "Yaman")
    person.say("/settings", group)
    await shown(peer, person.chat, "Settings")
    await peer.until(lambda: len(double.of("settings")) == 1)
    double.out_of_reach = True
    asha.takes_out(group, "kicked")
    await peer.until(lambda: double.told)
    double.out_of_reach = False
    asha.takes_out(small)
    asha.block()
    await peer.until(lambda: len(double.gone) == 3, "all three")
    assert sorted(double.gone, key=str) == sorted(
        [
            (str(group.ident), (str(group.ident),)),
            (str(small.ident), (str(small.ident),)),
            (None, (str(asha.ident),)),
        ],
        key=str,
    )
    await forgotten(shelf)
    assert await shelf.all("heart") == {}
    assert await shelf.all("manages") == {}


async def forgotten(shelf: Shelf) -> None:
    """Wait until nothing is left to be told."""
    for _ in range(2000):
        if not await shelf.all("left"):
            return
    raise AssertionError("it is still to be told")


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("out_first", [False, True])
async def test_a_group_that_grows_moves_and_is_not_left(
    peer: TelegramPeer, double: Double, out_first: bool
) -> None:
    small, large, asha = peer.group("Sangam", kind="group"), peer.group("Sangam"), peer.person("Asha")
    if out_first:
        small.moved_to = large.ident
        peer.fault("getChat", "500")
        asha.takes_out(small)
    else:
        asha.moves(small, large)
    await peer.until(lambda: double.gone, "the move")
    assert double.told == ["moved"]
    assert double.gone == [(str(small.ident), (str(large.ident),))]


async def test_what_was_left_is_told_after_a_restart(
    peer: TelegramPeer, double: Double, shelf: Shelf
) -> None:
    group, asha = peer.group("Sangam"), peer.person("Asha")
    double.out_of_reach = True
    first = TelegramPlatform(double.services(), TOKEN, shelf, api_url=peer.url)
    await first.start()
    asha.takes_out(group)
    await peer.until(lambda: double.told)
    await first.stop()
    double.out_of_reach = False
    second = TelegramPlatform(double.services(), TOKEN, shelf, api_url=peer.url)
    await second.start()
    try:
        await peer.until(lambda: double.gone)
    finally:
        await second.stop()
    assert double.gone == [(str(group.ident), (str(group.ident),))]
