"""Signing in to the page, with both providers over real sockets: the way that works, and every attack on it."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from bot.platforms.discord.login import DiscordLogin
from bot.platforms.proof import Login
from bot.platforms.telegram.login import FRESH_S, LEEWAY_S, TelegramLogin
from bot.platforms.web import WebPlatform
from bot.platforms.web.errands import MOST_OF_ONE
from handlers.model import Reply
from tests.bot.platforms.web.double import SECRET, WebDouble
from tests.bot.platforms.web.visit import Visit
from tests.peers.discord.oauth import CLIENT_SECRET
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.world import BOT_ID
from tests.peers.telegram.login import coded, sign
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.world import TOKEN

PROVIDERS = ("discord", "telegram")
Answer = dict[str, str]


@pytest.fixture
async def discord() -> AsyncIterator[DiscordPeer]:
    """Discord, with Asha signed in there."""
    server = DiscordPeer()
    await server.start()
    server.oauth.person = server.person("Asha")
    yield server
    await server.stop()
    assert server.problems == []


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramPeer]:
    """Telegram, with Ashu signed in there."""
    server = TelegramPeer()
    await server.start()
    server.login.domain = "127.0.0.1"
    server.login.person = server.person("Ashu")
    yield server
    await server.stop()
    assert server.problems == []


@pytest.fixture
async def platform(
    double: WebDouble, tmp_path: Path, discord: DiscordPeer, telegram: TelegramPeer
) -> AsyncIterator[WebPlatform]:
    """The page, with both of them set up."""
    logins: Sequence[Login] = (
        DiscordLogin(lambda: BOT_ID, CLIENT_SECRET, api_url=discord.url),
        TelegramLogin(TOKEN, address=f"{telegram.url}/login"),
    )
    served = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET, logins=logins)
    await served.start()
    discord.oauth.redirects = {f"{served.url}/signin/discord"}
    yield served
    await served.stop()


async def begin(visit: Visit, provider: str, **headers: str) -> str:
    """Press the button; returns the provider's address."""
    async with visit.http.post(f"/api/signin/{provider}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        return str((await answer.json())["address"])


async def decide(address: str, said: str = "yes") -> Answer:
    """Say yes or no at the provider; returns what the page finds in its own address afterwards."""
    async with aiohttp.ClientSession() as browser:
        async with browser.get(address) as page:
            assert page.status == 200, await page.text()
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', await page.text()))
        async with browser.post(address, data=fields | {"said": said}, allow_redirects=False) as decided:
            assert decided.status == 302
            back = urlsplit(decided.headers["Location"])
    return dict([*parse_qsl(back.query), *parse_qsl(back.fragment)])


async def finish(visit: Visit, provider: str, answer: Answer) -> tuple[int, dict[str, Any]]:
    """Post what came back."""
    async with visit.http.post(f"/api/signin/{provider}/finish", json=answer) as done:
        assert done.headers["Cache-Control"] == "no-store"
        return done.status, await done.json()


async def refused(visit: Visit, provider: str, answer: Answer, status: int, code: str) -> str:
    """The answer is refused with this code; returns the sentence."""
    got, body = await finish(visit, provider, answer)
    assert (got, body["error"]["code"]) == (status, code)
    return str(body["error"]["message"])


async def came_back(visit: Visit, provider: str, said: str = "yes") -> Answer:
    """Everything up to the return."""
    return await decide(await begin(visit, provider), said)


def changed(answer: Answer, token: str = TOKEN, **fields: Any) -> Answer:
    """Telegram's answer with other fields, signed anew with a token."""
    text = answer["tgAuthResult"]
    old = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    del old["hash"]
    return answer | {"tgAuthResult": coded(sign(old | fields, token))}


@pytest.mark.parametrize(("provider", "name"), [("discord", "Asha"), ("telegram", "Ashu")])
async def test_who_says_yes_there_is_vouched_for_here(
    visit: Visit, double: WebDouble, discord: DiscordPeer, telegram: TelegramPeer, provider: str, name: str
) -> None:
    assert await finish(visit, provider, await came_back(visit, provider)) == (
        200,
        {"ok": True, "text": f"Welcome, {name}."},
    )
    person = {"discord": discord.oauth.person, "telegram": telegram.login.person}[provider]
    assert person is not None
    ((visitor, proven),) = double.signed_in
    assert visitor.account.startswith("web:")
    assert (proven.account, proven.name) == (person.account, name)
    assert all(grant.revoked for grant in discord.oauth.tokens.values())


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_question_finds_a_conversation(
    visit: Visit, platform: WebPlatform, double: WebDouble, provider: str
) -> None:
    async with visit.tab() as tab:
        await tab.hello()
        await finish(visit, provider, await came_back(visit, provider))
        await platform.tell(double.signed_in[0][0].account, Reply(text="Is Asha you?"), nonce="n1")
        assert await tab.until_message(lambda one: "Is Asha you?" in str(one["reply"]))


@pytest.mark.parametrize("ok", [True, False])
async def test_what_comes_of_it_is_told_as_the_handlers_say(
    visit: Visit, double: WebDouble, ok: bool
) -> None:
    double.welcome = Reply(text="Please wait 3 minutes.", ok=ok)
    answer = await came_back(visit, "discord")
    assert await finish(visit, "discord", answer) == (200, {"ok": ok, "text": "Please wait 3 minutes."})


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_who_says_no_is_told_so(visit: Visit, double: WebDouble, provider: str) -> None:
    answer = await came_back(visit, provider, "no")
    assert "nothing has changed" in await refused(visit, provider, answer, 403, "denied")
    assert double.signed_in == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_state_of_another_visitor_signs_nobody_in(
    visit: Visit, platform: WebPlatform, double: WebDouble, discord: DiscordPeer, provider: str
) -> None:
    # Somebody begins, says yes with their own account, and makes another's browser go back with the answer.
    answer = await came_back(visit, provider)
    async with Visit(platform.url) as victim:
        await victim.arrive()
        assert "in which it was begun" in await refused(victim, provider, answer, 403, "over")
    # Nor is it any good to who began it, now that it is known elsewhere.
    await refused(visit, provider, answer, 403, "over")
    assert double.signed_in == []
    assert discord.oauth.tokens == {}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_answer_from_elsewhere_is_no_good_for_a_state_of_ones_own(
    visit: Visit, platform: WebPlatform, double: WebDouble, provider: str
) -> None:
    async with Visit(platform.url) as thief:
        await thief.arrive()
        stolen = await came_back(visit, provider)
        own = await came_back(thief, provider)
        if provider == "discord":  # PKCE: the code belongs to the verifier of who began
            await refused(thief, provider, stolen | {"state": own["state"]}, 400, "not_proven")
        else:  # Telegram's answer names no state: whoever steals it before it is used can show it, but only once
            assert (await finish(visit, provider, stolen))[0] == 200
            await refused(thief, provider, stolen | {"state": own["state"]}, 400, "not_proven")
    assert len(double.signed_in) == (provider == "telegram")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_answer_is_good_once(
    visit: Visit, double: WebDouble, discord: DiscordPeer, provider: str
) -> None:
    answer = await came_back(visit, provider)
    assert (await finish(visit, provider, answer))[0] == 200
    await refused(visit, provider, answer, 403, "over")
    # Not with a new state either: Discord's code and Telegram's hash are used up.
    again = await came_back(visit, provider)
    await refused(visit, provider, answer | {"state": again["state"]}, 400, "not_proven")
    assert len(double.signed_in) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("state", [None, "", "A" * 22])
async def test_without_the_state_there_is_no_sign_in(
    visit: Visit, double: WebDouble, discord: DiscordPeer, provider: str, state: str | None
) -> None:
    answer = await came_back(visit, provider)
    del answer["state"]
    if state is not None:
        answer["state"] = state
    await refused(visit, provider, answer, 403, "over")
    assert double.signed_in == []
    assert discord.oauth.tokens == {}


async def test_a_state_is_good_for_its_own_provider_only(visit: Visit, double: WebDouble) -> None:
    first, second = await came_back(visit, "discord"), await came_back(visit, "telegram")
    await refused(visit, "discord", first | {"state": second["state"]}, 403, "over")
    await refused(visit, "telegram", second | {"state": first["state"]}, 403, "over")
    assert double.signed_in == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"auth_date": -FRESH_S - 5}, "stale"),
        ({"auth_date": LEEWAY_S + 60}, "not_proven"),
        ({"id": "x"}, "not_proven"),
    ],
)
async def test_a_login_that_is_stale_or_from_the_future(
    visit: Visit, double: WebDouble, telegram: TelegramPeer, fields: dict[str, Any], code: str
) -> None:
    answer = await came_back(visit, "telegram")
    assert telegram.login.person is not None
    if "auth_date" in fields:
        fields = {
            "auth_date": telegram.login.fields(telegram.login.person)["auth_date"] + fields["auth_date"]
        }
    await refused(visit, "telegram", changed(answer, **fields), 400, code)
    assert double.signed_in == []


async def test_a_forged_login(visit: Visit, double: WebDouble) -> None:
    answer = await came_back(visit, "telegram")
    sentence = await refused(visit, "telegram", changed(answer, "1:anothers_token", id=1), 400, "not_proven")
    assert "does not come from Telegram" in sentence
    assert double.signed_in == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_another_page_can_neither_begin_nor_finish(
    visit: Visit, double: WebDouble, provider: str
) -> None:
    answer = await came_back(visit, provider)
    foreign = {"Origin": "https://evil.example"}
    for address in (f"/api/signin/{provider}", f"/api/signin/{provider}/finish"):
        async with visit.http.post(address, json=answer, headers=foreign) as turned_away:
            assert turned_away.status == 403
        async with visit.http.get(address) as no_form:
            assert no_form.status == 405
    # A form of another page can say that it is plain text, and be none.
    async with visit.http.post(
        f"/api/signin/{provider}/finish", data=json.dumps(answer), headers={"Content-Type": "text/plain"}
    ) as plain:
        assert plain.status == 415
    assert double.signed_in == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_browser_without_the_cookie_is_told_what_to_do(platform: WebPlatform, provider: str) -> None:
    async with Visit(platform.url) as stranger:
        for address in (f"/api/signin/{provider}", f"/api/signin/{provider}/finish"):
            async with stranger.http.post(address, json={"state": "x"}) as answer:
                assert answer.status == 403
                assert "allow cookies" in (await answer.json())["error"]["message"]
                assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "body", ["", "[]", "null", "7", '{"state":7}', '{"state":{}}', "[" * 9000, b'{"a":"\xff"}']
)
async def test_what_is_no_answer_is_refused(visit: Visit, provider: str, body: str | bytes) -> None:
    async with visit.http.post(
        f"/api/signin/{provider}/finish", data=body, headers={"Content-Type": "application/json"}
    ) as answer:
        assert answer.status == 400
        assert "Please sign in again" in (await answer.json())["error"]["message"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_answers_are_bounded(visit: Visit, provider: str) -> None:
    many = {f"f{number}": "x" for number in range(17)}
    async with visit.http.post(f"/api/signin/{provider}/finish", json=many) as answer:
        assert answer.status == 400
    async with visit.http.post(f"/api/signin/{provider}/finish", json={"state": "x" * 20_000}) as answer:
        assert answer.status == 413


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_visitor_begins_so_many_and_then_has_to_wait(visit: Visit, provider: str) -> None:
    for _ in range(MOST_OF_ONE):
        await begin(visit, provider)
    async with visit.http.post(f"/api/signin/{provider}") as answer:
        assert answer.status == 429
        assert "wait ten minutes" in (await answer.json())["error"]["message"]


async def test_the_way_back_is_the_page_itself_and_sets_nothing(platform: WebPlatform) -> None:
    async with Visit(platform.url) as browser:
        async with browser.http.get("/") as page:
            plain = await page.text()
        assert 'data-sign-in="discord telegram"' in plain
        for provider in PROVIDERS:
            # As a browser comes back from another site: without its cookie.
            headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
            async with browser.http.get(f"/signin/{provider}?code=x&state=y", headers=headers) as page:
                assert page.status == 200
                assert await page.text() == plain
                assert "Set-Cookie" not in page.headers
                assert page.headers["Cache-Control"] == "no-store"
                assert page.headers["Referrer-Policy"] == "no-referrer"


async def test_there_is_no_way_to_elsewhere(visit: Visit, platform: WebPlatform) -> None:
    for more in ("?return_to=https://evil.example", "?redirect_uri=https://evil.example&next=//evil.example"):
        for provider in PROVIDERS:
            async with visit.http.post(
                f"/api/signin/{provider}{more}", json={"return_to": "//evil"}
            ) as answer:
                address = (await answer.json())["address"]
            assert "evil" not in address
            asked = dict(parse_qsl(urlsplit(address).query))
            back = asked.get("redirect_uri") or asked["return_to"]
            assert back.startswith(f"{platform.url}/signin/{provider}")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_by_another_name_of_the_page_its_own_is_told(
    visit: Visit, platform: WebPlatform, provider: str
) -> None:
    other = platform.url.replace("127.0.0.1", "localhost")
    for headers in ({"Host": urlsplit(other).netloc, "Origin": other}, {"Host": urlsplit(other).netloc}):
        async with visit.http.post(f"/api/signin/{provider}", headers=headers) as answer:
            assert answer.status == 409
            assert platform.url in (await answer.json())["error"]["message"]


async def test_behind_a_proxy_people_come_back_to_the_public_address(
    double: WebDouble, tmp_path: Path, telegram: TelegramPeer
) -> None:
    public = "https://raga.example"
    served = WebPlatform(
        double.services(),
        "127.0.0.1",
        0,
        tmp_path / "proxied",
        SECRET,
        ("raga.example",),
        logins=(TelegramLogin(TOKEN, address=f"{telegram.url}/login"),),
        public_url=public,
    )
    (tmp_path / "proxied").mkdir()
    await served.start()
    try:
        async with Visit(served.url) as visit:
            await visit.arrive()
            address = await begin(visit, "telegram", Host="raga.example", Origin=public)
            asked = dict(parse_qsl(urlsplit(address).query))
            assert asked["origin"] == public
            assert asked["return_to"].startswith(f"{public}/signin/telegram?state=")
    finally:
        await served.stop()


async def test_a_provider_out_of_reach_is_told_as_such(
    visit: Visit, discord: DiscordPeer, double: WebDouble
) -> None:
    answer = await came_back(visit, "discord")
    discord.oauth.trouble = 503
    assert "cannot reach Discord" in await refused(visit, "discord", answer, 503, "out_of_reach")
    assert double.signed_in == []


async def test_nothing_secret_stands_in_the_log(
    visit: Visit, discord: DiscordPeer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        secrets = [CLIENT_SECRET, TOKEN]
        for provider in PROVIDERS:
            answer = await came_back(visit, provider)
            await finish(visit, provider, answer)
            await finish(visit, provider, answer)
            secrets += [value for name, value in answer.items() if name != "iss"]
        secrets += list(discord.oauth.tokens)
    ours = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("bot", "aiohttp"))
    )
    assert [secret for secret in secrets if secret in ours] == []


async def test_where_none_is_set_up_there_is_nothing(double: WebDouble, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    served = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path / "bare", SECRET)
    await served.start()
    try:
        async with Visit(served.url) as visit:
            await visit.arrive()
            async with visit.http.get("/") as page:
                assert 'data-sign-in=""' in await page.text()
            for provider in PROVIDERS:
                async with visit.http.get(f"/signin/{provider}") as answer:
                    assert answer.status == 404
                for address in (f"/api/signin/{provider}", f"/api/signin/{provider}/finish"):
                    async with visit.http.post(address, json={}) as answer:
                        assert answer.status == 404
    finally:
        await served.stop()
