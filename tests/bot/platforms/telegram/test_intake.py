"""Updates on their way in: by polls or by a webhook, once each, and whatever they hold."""

from __future__ import annotations

import asyncio
import copy
import socket
from typing import Any

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telegram import Bot, Update

from bot.platforms.shelf import Shelf
from bot.platforms.telegram import TelegramPlatform
from bot.platforms.telegram.intake import Intake
from tests.bot.platforms.double import Double
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.people import Person
from tests.peers.telegram.world import TOKEN, Json

SECRET = "a-secret_of-the_tests"


async def hears(peer: TelegramPeer, person: Person, name: str) -> None:
    """The bot answers still."""
    person.say(f"/raga {name}")
    await peer.message(person.chat, lambda one: f"<b>{name}</b>" in one.text)


def mangled(draw: st.DrawFn, value: Any) -> Any:
    """A value as it should be, or with something in it gone, or of another kind."""
    junk = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just([]), st.just({}))
    if draw(st.integers(0, 9)) == 0:
        return draw(junk)
    if isinstance(value, dict):
        return {name: mangled(draw, one) for name, one in value.items() if draw(st.integers(0, 19))}
    if isinstance(value, list):
        return [mangled(draw, one) for one in value]
    return value


PERSON: Json = {"id": 77, "is_bot": False, "first_name": "Nobody", "language_code": "en"}
CHAT: Json = {"id": 77, "type": "private", "first_name": "Nobody"}
MESSAGE: Json = {"message_id": 5, "date": 1_790_000_000, "chat": CHAT, "from": PERSON, "text": "/raga Yaman"}
EMOJI: Json = {"type": "emoji", "emoji": "❤"}
KINDS: list[Json] = [
    {"message": MESSAGE},
    {"edited_message": MESSAGE},
    {
        "callback_query": {
            "id": "9",
            "from": PERSON,
            "message": MESSAGE,
            "data": "/raga Desh",
            "chat_instance": "1",
        }
    },
    {"inline_query": {"id": "8", "from": PERSON, "query": "yaman", "offset": ""}},
    {
        "message_reaction": {
            "chat": CHAT,
            "message_id": 5,
            "user": PERSON,
            "date": 1_790_000_000,
            "old_reaction": [],
            "new_reaction": [EMOJI],
        }
    },
    {"a_kind_to_come": {"anything": [1, 2, 3]}},
]


@st.composite
def updates(draw: st.DrawFn) -> Json:
    """Something like an update."""
    found = mangled(draw, copy.deepcopy(draw(st.sampled_from(KINDS))))
    return found if isinstance(found, dict) else {"what": found}


async def test_malformed_updates_by_the_thousand(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    batches: list[list[Json]] = []

    @settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(updates(), min_size=50, max_size=50))
    def collect(batch: list[Json]) -> None:
        batches.append(batch)

    await asyncio.to_thread(collect)
    odd = [one for batch in batches for one in batch]
    assert len(odd) >= 1000
    asha = peer.person("Asha")
    for content in odd:
        peer.updates.put_raw({"update_id": peer.updates.take_id(), **content})
    peer.updates.pending.append({"message": MESSAGE})
    peer.updates.pending.append("no object at all")
    await hears(peer, asha, "Yaman")
    await peer.until(lambda: not peer.updates.pending or len(peer.updates.pending) < 100)
    await hears(peer, asha, "Desh")


async def test_any_update_is_passed_over_or_handled(double: Double, shelf: Shelf) -> None:
    handled: list[Update] = []

    async def handle(update: Update) -> None:
        handled.append(update)

    intake = Intake(Bot(TOKEN), shelf, handle)
    odd: list[object] = [None, 7, "text", [], {}, {"update_id": True}, {"update_id": "1"}]
    for raw in [*odd, {"update_id": 1, "message": 3}]:
        intake.take(raw)
    intake.take({"update_id": 2, "message": MESSAGE})
    intake.take({"update_id": 2, "message": MESSAGE})
    await intake.stop()
    assert [update.update_id for update in handled] == [2]


async def test_an_update_that_comes_again_is_answered_once(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha = peer.person("Asha")
    said = asha.say("/raga Yaman")
    peer.updates.put_raw({"update_id": 5001, "message": said.json()})
    await hears(peer, asha, "Desh")
    assert [request.text for request in double.of("raga")] == ["Yaman", "Desh"]


async def test_what_was_open_at_a_crash_is_taken_up_and_nothing_else(
    peer: TelegramPeer, double: Double, shelf: Shelf
) -> None:
    asha = peer.person("Asha")
    first = TelegramPlatform(double.services(), TOKEN, shelf, api_url=peer.url)
    await first.start()
    await hears(peer, asha, "Yaman")
    asha.say("/held")
    await peer.until(lambda: double.of("held"))
    await first.stop()
    double.held.set()
    peer.clock.advance(2)  # a start takes a while, and the pace of the process before has gone with it
    second = TelegramPlatform(double.services(), TOKEN, shelf, api_url=peer.url)
    await second.start()
    await peer.message(asha.chat, lambda one: "At last." in one.text)
    await second.stop()
    assert [request.command for request in double.requests] == ["raga", "held", "held"]
    assert double.requests[1].event == double.requests[2].event
    assert len(asha.chat.from_bot) == 2


async def test_a_start_that_comes_to_nothing_forgets_nothing(double: Double, shelf: Shelf) -> None:
    await shelf.put("inbox", "updates", '{"seen": [7], "open": []}')
    platform = TelegramPlatform(double.services(), TOKEN, shelf, api_url="http://127.0.0.1:9")
    await platform.stop()
    assert await shelf.get("inbox", "updates") == '{"seen": [7], "open": []}'


async def test_one_who_waits_does_not_hold_up_another(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha, ravi = peer.person("Asha"), peer.person("Ravi")
    asha.say("/held")
    asha.say("/raga Desh")
    await hears(peer, ravi, "Yaman")
    assert asha.chat.from_bot == []
    double.held.set()
    await peer.message(asha.chat, lambda one: "Desh" in one.text)
    assert ["At last" in one.text for one in asha.chat.from_bot] == [True, False]


async def test_one_chat_of_a_person_does_not_hold_up_another(
    peer: TelegramPeer, platform: TelegramPlatform, double: Double
) -> None:
    asha, group = peer.person("Asha"), peer.group("Sangam")
    peer.fault("sendMessage", "429", chat=group.ident, retry_after=60)
    asha.say("/raga Desh", group)
    await hears(peer, asha, "Yaman")
    assert group.from_bot == []


async def test_trouble_with_polls_passes(peer: TelegramPeer, platform: TelegramPlatform) -> None:
    asha = peer.person("Asha")
    for kind in ("500", "502", "429", "cut"):
        peer.fault("getUpdates", kind)
        peer.updates.wake()
    await hears(peer, asha, "Yaman")
    await hears(peer, asha, "Desh")


async def test_a_second_poller_is_told_in_a_sentence(peer: TelegramPeer, platform: TelegramPlatform) -> None:
    peer.updates.conflict = True
    peer.updates.wake()
    assert "another process fetches messages" in await platform.failed


async def test_a_token_that_is_refused_is_told_in_a_sentence(
    peer: TelegramPeer, double: Double, shelf: Shelf
) -> None:
    platform = TelegramPlatform(double.services(), "123:wrong", shelf, api_url=peer.url)
    assert "does not accept TELEGRAM_TOKEN" in await platform.start()
    assert platform.failed.done()
    await platform.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_webhook_hears_only_who_knows_the_secret(
    peer: TelegramPeer, double: Double, shelf: Shelf
) -> None:
    port = peer.updates.proxy_port = free_port()
    platform = TelegramPlatform(
        double.services(),
        TOKEN,
        shelf,
        api_url=peer.url,
        webhook_url="https://bot.example",
        webhook_secret=SECRET,
        webhook_port=port,
    )
    assert await platform.start() == "@raga_peer_bot, by webhook"
    assert peer.updates.webhook == "https://bot.example/telegram"
    asha = peer.person("Asha")
    await hears(peer, asha, "Yaman")
    header = "X-Telegram-Bot-Api-Secret-Token"
    async with aiohttp.ClientSession() as http:
        for headers, body, status in (
            ({}, b"{}", 403),
            ({header: "wrong"}, b"{}", 403),
            ({header: "é"}, b"{}", 403),
            ({header: SECRET}, b"no json", 400),
            ({header: SECRET}, b"[1]", 200),
        ):
            async with http.post(f"http://127.0.0.1:{port}/telegram", data=body, headers=headers) as answer:
                assert answer.status == status
    await platform.stop()
    assert set(peer.updates.webhook_statuses) == {200}
    assert [request.text for request in double.requests] == ["Yaman"]


async def test_a_webhook_without_a_secret_gets_one(peer: TelegramPeer, double: Double, shelf: Shelf) -> None:
    port = peer.updates.proxy_port = free_port()
    platform = TelegramPlatform(
        double.services(),
        TOKEN,
        shelf,
        api_url=peer.url,
        webhook_url="https://bot.example/here",
        webhook_port=port,
    )
    await platform.start()
    assert peer.updates.webhook == "https://bot.example/here"
    await hears(peer, peer.person("Asha"), "Yaman")
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"http://127.0.0.1:{port}/here", data=b"{}") as answer,
    ):
        assert answer.status == 403
    await platform.stop()


async def test_a_webhook_that_telegram_does_not_take_is_told(
    peer: TelegramPeer, double: Double, shelf: Shelf
) -> None:
    platform = TelegramPlatform(
        double.services(),
        TOKEN,
        shelf,
        api_url=peer.url,
        webhook_url="http://bot.example",
        webhook_secret="s",
    )
    await platform.start()
    assert "https url must be provided" in await platform.failed
    await platform.stop()


async def test_telegram_out_of_reach_does_not_stop_the_start(
    peer: TelegramPeer, double: Double, shelf: Shelf
) -> None:
    peer.fault("getMe", "502")
    platform = TelegramPlatform(double.services(), TOKEN, shelf, api_url=peer.url)
    assert await platform.start() == "@raga_peer_bot, by polling"
    await platform.stop()
