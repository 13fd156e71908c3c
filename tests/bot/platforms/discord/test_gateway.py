"""The connection: lost and found, refused, and fed with what no event should be."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.platforms.discord import DiscordPlatform, client
from bot.platforms.shelf import Shelf
from handlers.model import AccountId
from tests.bot.platforms.double import Double, finished
from tests.peers.discord.interactions import Asked
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import COMMAND, COMPONENT, Person
from tests.peers.discord.world import TOKEN, Channel


@pytest.fixture(autouse=True)
def quick_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer takes new sessions as they come."""
    monkeypatch.setattr(client, "IDENTIFY_GAP_S", 0.01)


EVENTS = (
    "INTERACTION_CREATE",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "GUILD_CREATE",
    "CHANNEL_UPDATE",
)


async def answered(peer: DiscordPeer, person: Person, channel: Channel | None = None) -> None:
    asked = await person.command("raga", channel, name="Yaman")
    await peer.until(lambda: "Yaman" in asked.text, "an answer")


@pytest.mark.usefixtures("platform")
async def test_what_happens_while_the_gateway_is_lost_is_answered_when_it_is_resumed(
    peer: DiscordPeer, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    await answered(peer, asha, room)
    await peer.gateway.drop()
    asked = await asha.command("raga", room, name="Desh")
    await peer.until(lambda: "Desh" in asked.text, "an answer after the resumption")
    assert (peer.gateway.identified, peer.gateway.resumed) == (1, 1)


async def test_a_piece_under_way_survives_the_loss_of_the_gateway(
    peer: DiscordPeer, platform: DiscordPlatform, double: Double, room: Channel
) -> None:
    asha = peer.person("Asha")
    await asha.command("generate", room, raga="Yaman")
    await peer.until(lambda: double.answers)
    await peer.gateway.drop(forget=True)
    await platform.deliver(double.answers[0], finished(), nonce="d1", to=AccountId(asha.account))
    assert len(room.audios) == 1
    await peer.until(lambda: peer.gateway.connected, "a new session")
    assert peer.gateway.identified == 2
    await answered(peer, asha, room)


@pytest.mark.usefixtures("platform")
async def test_an_invalid_session_is_begun_anew(peer: DiscordPeer, room: Channel) -> None:
    asha = peer.person("Asha")
    await peer.gateway.invalidate()
    await peer.until(lambda: peer.gateway.identified == 2 and peer.gateway.connected, "a new session")
    await answered(peer, asha, room)
    assert peer.count("publish") == 1


async def test_commands_are_told_once_and_again_when_they_have_changed(
    peer: DiscordPeer, double: Double, shelf: Shelf, room: Channel
) -> None:
    async def run() -> None:
        platform = DiscordPlatform(
            double.services(), TOKEN, shelf, api_url=peer.url, gateway_url=peer.gateway_url
        )
        await platform.start()
        await peer.ready()
        await answered(peer, peer.person("Asha"), room)
        await platform.stop()

    await run()
    await run()
    assert peer.count("publish") == 1
    await shelf.put("commands", "digest", "of another version")
    peer.fault("publish", "503")
    await run()
    await peer.until(lambda: peer.count("publish") >= 2)


async def test_as_many_shards_as_discord_recommends(
    peer: DiscordPeer, double: Double, shelf: Shelf, room: Channel
) -> None:
    peer.gateway.shards = 2
    rooms = [room, *(peer.guild(f"Guild {number}") for number in range(3))]
    platform = DiscordPlatform(
        double.services(), TOKEN, shelf, api_url=peer.url, gateway_url=peer.gateway_url
    )
    await platform.start()
    try:
        await peer.ready()
        asha = peer.person("Asha")
        for one in (None, *rooms):
            await answered(peer, asha, one)
    finally:
        await platform.stop()


async def test_a_wrong_token_is_one_sentence(peer: DiscordPeer, double: Double, shelf: Shelf) -> None:
    token = "wrong.token.of_the_tests"
    platform = DiscordPlatform(
        double.services(), token, shelf, api_url=peer.url, gateway_url=peer.gateway_url
    )
    line = await platform.start()
    assert "Discord does not accept DISCORD_TOKEN" in line
    assert "Discord does not accept DISCORD_TOKEN" in platform.failed.result()
    assert token not in line
    await platform.stop()


@pytest.mark.parametrize(("code", "says"), [(4004, "DISCORD_TOKEN"), (4014, "4014")])
async def test_a_gateway_that_refuses_for_good(
    peer: DiscordPeer, double: Double, shelf: Shelf, code: int, says: str
) -> None:
    peer.gateway.refuse_with = code
    platform = DiscordPlatform(
        double.services(), TOKEN, shelf, api_url=peer.url, gateway_url=peer.gateway_url
    )
    assert says in await platform.start()
    await platform.stop()


async def test_a_server_that_is_not_there_yet_is_waited_for(
    peer: DiscordPeer, double: Double, shelf: Shelf, room: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.discord.platform._FIRST_TRY_S", 0.1)
    fault = peer.fault("me", "slow")
    peer.fault("gateway", "503")
    platform = DiscordPlatform(
        double.services(), TOKEN, shelf, api_url=peer.url, gateway_url=peer.gateway_url
    )
    try:
        assert (await platform.start()).startswith("connecting")
        fault.released.set()
        await peer.ready()
        await answered(peer, peer.person("Asha"), room)
    finally:
        await platform.stop()


def corrupted(event: dict[str, Any], draw: st.DataObject) -> Any:
    """An event with something in it, at some depth, that does not belong there."""
    junk = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(max_size=8),
        st.lists(st.none(), max_size=2),
        st.just({}),
    )
    path: list[Any] = []
    at: Any = event
    while isinstance(at, dict) and at and draw.draw(st.integers(0, 3)):
        key = draw.draw(st.sampled_from(sorted(at)))
        path.append((at, key))
        at = at[key]
    if not path:
        return draw.draw(junk)
    holder, key = path[-1]
    if draw.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = draw.draw(junk)
    return event


async def test_a_thousand_malformed_events_leave_the_bot_answering(
    peer: DiscordPeer,
    platform: DiscordPlatform,
    double: Double,
    room: Channel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asha = peer.person("Asha")
    await answered(peer, asha, room)
    [card] = room.from_bot
    friends = peer.group()  # where a bot cannot post: none of these has a token that could be answered
    raws: list[str] = []

    @settings(max_examples=1200, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(draw=st.data(), kind=st.sampled_from(EVENTS), pressed=st.booleans())
    def make(draw: st.DataObject, kind: str, pressed: bool) -> None:
        ident = peer.clock.snowflake()
        asked = Asked(
            ident, f"none{ident}", COMPONENT if pressed else COMMAND, asha, friends, card if pressed else None
        )
        data: dict[str, Any] = {"custom_id": "/raga Yaman", "component_type": 2}
        if not pressed:
            data = {
                "id": "77",
                "name": "raga",
                "type": 1,
                "options": [{"name": "name", "type": 3, "value": "Yaman"}],
            }
        event = asha.event(asked, data)
        if kind.startswith("MESSAGE_REACTION"):
            event = {
                "user_id": str(asha.ident),
                "channel_id": str(room.ident),
                "message_id": str(card.ident),
                "emoji": {"id": None, "name": "❤"},
                "type": 0,
                "guild_id": str(room.guild.ident) if room.guild else "",
            }
        raws.append(
            json.dumps({"op": 0, "t": kind, "s": None, "d": corrupted(json.loads(json.dumps(event)), draw)})
        )

    await asyncio.to_thread(make)
    assert len(raws) >= 1000
    for at in range(0, len(raws), 100):
        for raw in raws[at : at + 100]:
            await peer.gateway.say(raw)
        await answered(peer, asha, room)
    assert (peer.gateway.identified, peer.gateway.resumed) == (1, 0)
    peer.problems.clear()  # a token that is none makes an address that is none
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.usefixtures("platform")
async def test_what_is_no_event_at_all_costs_a_connection_and_no_more(
    peer: DiscordPeer, room: Channel
) -> None:
    asha = peer.person("Asha")
    await answered(peer, asha, room)
    await peer.gateway.say("[1, 2]")
    await peer.until(lambda: peer.gateway.identified == 2 and peer.gateway.connected, "another connection")
    await answered(peer, asha, room)


def test_only_what_is_needed_is_asked_of_discord() -> None:
    assert client.INTENTS.value == 1 | 1 << 10 | 1 << 13
