"""The page's addresses: who may ask, what every response carries, and the audio."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from bot.platforms.web import AddressError, WebPlatform
from handlers.errors import UnavailableError
from handlers.model import StorageId
from tests.bot.platforms.web.double import COVER_PNG, PIECE, SECRET, SOMEBODY, WebDouble, finished_reply
from tests.bot.platforms.web.visit import Visit, ask_id

STATIC = Path(__file__).resolve().parents[4] / "bot" / "platforms" / "web" / "static"
ADDRESSES = [
    "/",
    "/health",
    "/static/main.js",
    "/static/none.js",
    "/nowhere",
    f"/audio/{PIECE}",
    "/live",
    "/api/say",
]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_response_keeps_the_page_closed(visit: Visit, address: str) -> None:
    async with visit.http.get(address) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "aiohttp" not in answer.headers["Server"]


async def test_the_page_is_complete_and_wholly_our_own(visit: Visit) -> None:
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        async with visit.http.get(address) as answer:
            assert answer.status == 200, address
            text = await answer.text()
            kind = answer.content_type
        foreign = set(re.findall(r"https?://[^\s\"']+", text)) - {"http://www.w3.org/2000/svg"}
        assert not foreign, address
        if kind == "text/html":
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)
            waiting += re.findall(r'(?:href|src)="(/[^"]*)"', text)
        if kind == "text/javascript":
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
            )
            waiting += [f"/static/{name}" for name in re.findall(r'from "\./([\w.]+)"', text)]
    assert {f"/static/{file.name}" for file in STATIC.iterdir()} - {"/static/index.html"} <= seen


async def test_an_unchanged_file_is_not_sent_twice(visit: Visit) -> None:
    async with visit.http.get("/static/main.js") as first:
        assert first.status == 200
        assert first.headers["Cache-Control"] == "no-cache"
        tag = first.headers["ETag"]
    async with visit.http.get("/static/main.js", headers={"If-None-Match": tag}) as second:
        assert second.status == 304
        assert await second.read() == b""


@pytest.mark.parametrize(
    "name", ["..%2fplatform.py", "%2e%2e/platform.py", "platform.py", "..%5cplatform.py"]
)
async def test_nothing_beside_the_page_is_served(visit: Visit, name: str) -> None:
    async with visit.http.get(f"/static/{name}") as answer:
        assert answer.status == 404


async def test_health(platform: WebPlatform) -> None:
    async with Visit(platform.url) as stranger, stranger.http.get("/health") as answer:
        assert answer.status == 200
        assert await answer.json() == {"status": "ok"}
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "10.0.0.1", "a@b", "[::1"]
)
async def test_a_foreign_host_name_is_turned_away(visit: Visit, host: str) -> None:
    async with visit.http.get("/", headers={"Host": host}) as answer:
        assert answer.status in (400, 421)
        if answer.status == 421:
            assert "WEB_ALLOWED_HOSTS" in (await answer.json())["error"]["message"]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1:9", "[::1]:8080", "ragas.example", "localhost."]
)
async def test_own_and_allowed_host_names_pass(double: WebDouble, tmp_path: Path, host: str) -> None:
    served = WebPlatform(
        double.services(), "127.0.0.1", 0, tmp_path, SECRET, allowed_hosts=("Ragas.example",)
    )
    await served.start()
    try:
        async with Visit(served.url) as stranger, stranger.http.get("/", headers={"Host": host}) as answer:
            assert answer.status == 200
    finally:
        await served.stop()


FOREIGN_ORIGINS = [
    "https://evil.example",
    "null",
    "http://127.0.0.1:1",
    "http://127.0.0.1.evil.example",
    "file://",
    "http://[",
    "http://127.0.0.1:99999",
    "",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
async def test_another_pages_requests_are_turned_away(visit: Visit, double: WebDouble, origin: str) -> None:
    headers = {"Origin": origin}
    body = {"id": ask_id(), "text": "/raga Yaman"}
    async with visit.http.post("/api/say", json=body, headers=headers) as answer:
        assert answer.status == 403
    async with visit.http.post("/api/session", headers=headers) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    async with visit.http.get(
        "/live", headers={**headers, **upgrade, "Sec-WebSocket-Key": "A" * 22 + "=="}
    ) as answer:
        assert answer.status == 403
    assert double.requests == []


async def test_the_own_page_and_clients_without_a_page_pass(visit: Visit) -> None:
    for headers in ({"Origin": visit.url}, {}, {"Sec-Fetch-Site": "same-origin"}):
        async with visit.http.post("/api/session", headers=headers) as answer:
            assert answer.status == 204
    async with visit.http.post("/api/session", headers={"Sec-Fetch-Site": "cross-site"}) as answer:
        assert answer.status == 403
    async with visit.tab(Origin=visit.url) as tab:
        assert (await tab.hello())["type"] == "welcome"


async def test_the_cookie_is_closed_and_lasts(platform: WebPlatform) -> None:
    async with Visit(platform.url) as stranger:
        async with stranger.http.get("/") as answer:
            assert "Set-Cookie" not in answer.headers, (
                "a visit by a link from elsewhere must not lose the account"
            )
        async with stranger.http.post("/api/session") as answer:
            cookie = answer.headers["Set-Cookie"]
    attributes = {part.strip().casefold() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert "max-age=34560000" in attributes


async def test_one_browser_is_one_account_and_another_is_another(visit: Visit, double: WebDouble) -> None:
    await visit.say("/raga Yaman")
    await visit.say("/help")
    async with Visit(visit.url) as other:
        await other.say("/help")
        await other.say("/help")
    accounts = [request.actor.account for request in double.requests]
    assert accounts[0] == accounts[1]
    assert accounts[2] == accounts[3]
    assert accounts[0] != accounts[2]
    assert all(re.fullmatch(r"web:[0-9a-f]{32}", account) for account in accounts)


async def test_forged_and_foreign_cookies_make_a_new_account(visit: Visit, double: WebDouble) -> None:
    await visit.say("/help")
    name, value = visit.cookie()
    account, signature = value.split(".")
    forged = [
        f"{'0' * 32}.{signature}",
        f"{account}.{'A' * 43}",
        f"{account}.",
        account,
        "",
        "x" * 3000,
        f"{account.upper()}.{signature}",
        f"{account}.{signature}A",
        "é.ü",
    ]
    for cookie in forged:
        headers = {"Cookie": f"{name}={cookie}"}
        async with Visit(visit.url, headers=headers) as forger:
            await forger.say("/help")
            assert forger.cookie()[1] != value
    accounts = [request.actor.account for request in double.requests]
    assert len(set(accounts)) == len(forged) + 1


async def test_a_cookie_of_another_key_is_foreign(visit: Visit, double: WebDouble, tmp_path: Path) -> None:
    await visit.say("/help")
    other_state = tmp_path / "other"
    other_state.mkdir()
    other = WebPlatform(double.services(), "127.0.0.1", 0, other_state, b"another secret of 32 bytes, really")
    await other.start()
    try:
        async with visit.return_to(other.url) as guest:
            await guest.say("/help")
            assert len({morsel.key for morsel in guest.http.cookie_jar}) == 2, (
                "neither bot overwrites the other's"
            )
    finally:
        await other.stop()
    assert len({request.actor.account for request in double.requests}) == 2


async def test_say_answers_with_the_reply(visit: Visit, double: WebDouble) -> None:
    ident = ask_id()
    body = await visit.say("/raga Yaman", ident)
    assert body["id"] == ident
    assert body["reply"]["card"]["title"] == "Yaman"
    assert body["reply"]["card"]["fields"][0] == {"name": "Arohana", "value": "Ṇ R G M♯ D N Ṡ"}
    assert body["reply"]["favorite"] == {"target": "raga:Hindustani:Yaman", "on": False}
    (request,) = double.requests
    assert (request.command, request.text, request.event) == ("raga", "Yaman", ident)
    assert request.place.private
    assert request.answer is not None
    assert request.answer.message == body["message"]
    assert request.place.chat == request.answer.chat == request.actor.account


async def test_say_twice_by_one_name_runs_once(visit: Visit, double: WebDouble) -> None:
    ident = ask_id()
    first = await visit.say("/raga Yaman", ident)
    assert await visit.say("/raga Yaman", ident) == first
    assert double.count("raga") == 1


AN_ID = "2b8b81aa-d089-430c-84e4-b5aa681e31cb"
BAD_BODIES = [
    (b"", 400),
    (b"{", 400),
    (b"[]", 400),
    (b"\xff\xfe", 400),
    (b"[" * 9000, 400),
    (b'{"id": "x", "text": "/help"}', 400),
    (json.dumps({"id": AN_ID, "text": 7}).encode(), 400),
    (json.dumps({"id": AN_ID, "text": ""}).encode(), 400),
    (json.dumps({"id": AN_ID, "text": " \n\t "}).encode(), 400),
    (json.dumps({"id": AN_ID, "text": "x" * 2001}).encode(), 400),
    (json.dumps({"id": AN_ID, "text": "/help", "role": "bot"}).encode(), 400),
    (json.dumps({"id": AN_ID, "text": "x" * 17_000}).encode(), 413),
]


@pytest.mark.parametrize(("body", "status"), BAD_BODIES)
async def test_a_body_that_makes_no_sense_is_refused_in_words(
    visit: Visit, double: WebDouble, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    async with visit.http.post("/api/say", data=body, headers=headers) as answer:
        assert answer.status == status
        error = (await answer.json())["error"]
    assert set(error) == {"code", "message"}
    assert "Traceback" not in error["message"]
    assert double.requests == []


async def test_say_takes_json_only(visit: Visit, double: WebDouble) -> None:
    async with visit.http.post("/api/say", data={"id": ask_id(), "text": "/help"}) as answer:
        assert answer.status == 415
    async with visit.http.put("/api/say") as answer:
        assert answer.status == 405
    assert double.requests == []


async def finished(visit: Visit, platform: WebPlatform, double: WebDouble) -> None:
    """A piece of this browser, delivered."""
    await visit.say("/generate Yaman")
    answer = double.requests[-1].answer
    assert answer is not None
    await platform.deliver(answer, finished_reply(), nonce="d1", to=SOMEBODY)


async def test_audio_whole_and_in_parts(visit: Visit, platform: WebPlatform, double: WebDouble) -> None:
    await finished(visit, platform, double)
    whole = double.audio_file.read_bytes()
    async with visit.http.get(f"/audio/{PIECE}") as answer:
        assert answer.status == 200
        assert answer.content_type == "audio/mpeg"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Cache-Control"].startswith("private")
        assert "Content-Disposition" not in answer.headers
        assert await answer.read() == whole
    for given, start, stop in (
        ("bytes=100-199", 100, 200),
        ("bytes=1000-", 1000, len(whole)),
        ("bytes=-50", -50, None),
    ):
        async with visit.http.get(f"/audio/{PIECE}", headers={"Range": given}) as answer:
            assert answer.status == 206
            assert await answer.read() == whole[start:stop]
            assert answer.headers["Content-Range"].endswith(f"/{len(whole)}")
    async with visit.http.get(f"/audio/{PIECE}", headers={"Range": f"bytes={len(whole)}-"}) as answer:
        assert answer.status == 416


async def test_a_download_has_its_name(visit: Visit, platform: WebPlatform, double: WebDouble) -> None:
    await finished(visit, platform, double)
    async with visit.http.get(f"/audio/{PIECE}?download=1") as answer:
        assert answer.status == 200
        given = answer.headers["Content-Disposition"]
    assert given.startswith("attachment;")
    assert "filename*=UTF-8''Raga%20Yaman%20%E2%80%93%207.mp3" in given
    assert 'filename="Raga Yaman _ 7.mp3"' in given


async def test_audio_is_only_for_who_may_hear_it(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    await finished(visit, platform, double)
    async with Visit(platform.url) as other:
        async with other.http.get(f"/audio/{PIECE}") as answer:
            assert answer.status == 404
        await other.arrive()
        async with other.http.get(f"/audio/{PIECE}") as answer:
            assert answer.status == 404
            assert "storage" not in await answer.text()


async def test_the_picture_of_a_piece_is_for_who_may_hear_it(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    await finished(visit, platform, double)
    async with visit.http.get(f"/cover/{PIECE}.png") as answer:
        assert answer.status == 200
        assert answer.content_type == "image/png"
        assert answer.headers["Cache-Control"].startswith("private")
        assert await answer.read() == COVER_PNG
    async with Visit(platform.url) as other:
        await other.arrive()
        async with other.http.get(f"/cover/{PIECE}.png") as answer:
            assert answer.status == 404
    double.covered = False
    async with visit.http.get(f"/cover/{PIECE}.png") as answer:
        assert answer.status == 404


async def test_a_file_of_another_kind_is_saved_under_its_name(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    await finished(visit, platform, double)
    async with visit.http.get(f"/download/{PIECE}/midi") as answer:
        assert answer.status == 200
        assert answer.content_type == "audio/midi"
        assert 'filename="Raga Yaman _ 7.mid"' in answer.headers["Content-Disposition"]
        assert await answer.read() == b"MThd"
    for odd in ("cassette", "midi midi", "..%2fmidi", "x" * 500):
        async with visit.http.get(f"/download/{PIECE}/{odd}") as answer:
            assert answer.status == 404
    async with Visit(platform.url) as other:
        async with other.http.get(f"/download/{PIECE}/midi") as answer:
            assert answer.status == 404
        await other.arrive()
        async with other.http.get(f"/download/{PIECE}/midi") as answer:
            assert answer.status == 404


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc%2fpasswd", "a" * 65, "%00", "k57;x"])
async def test_audio_that_is_not_there(visit: Visit, name: str) -> None:
    async with visit.http.get(f"/audio/{name}") as answer:
        assert answer.status == 404


async def test_audio_out_of_reach_says_so(
    visit: Visit, platform: WebPlatform, double: WebDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def unavailable(storage: StorageId) -> Path:
        raise UnavailableError

    monkeypatch.setattr(double, "audio", unavailable)
    served = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET)
    await platform.stop()
    await served.start()
    try:
        async with visit.return_to(served.url) as later:
            await later.say("/generate Yaman")
            async with later.http.get(f"/audio/{PIECE}") as answer:
                assert answer.status == 503
                assert (await answer.json())["error"]["message"] == UnavailableError.__doc__
    finally:
        await served.stop()


async def test_no_storage_id_ever_leaves(visit: Visit, platform: WebPlatform, double: WebDouble) -> None:
    await finished(visit, platform, double)
    body = await visit.say("/play k57")
    assert body["reply"]["track"]["url"] == f"/audio/{PIECE}"
    async with visit.tab() as tab:
        welcome = await tab.hello()
    assert "kg2secretstorage" not in json.dumps([body, welcome])


async def test_a_port_in_use_is_one_sentence(
    platform: WebPlatform, double: WebDouble, tmp_path: Path
) -> None:
    state = tmp_path / "second"
    state.mkdir()
    port = int(platform.url.rpartition(":")[2])
    second = WebPlatform(double.services(), "127.0.0.1", port, state, SECRET)
    with pytest.raises(AddressError, match=rf"127\.0\.0\.1:{port}.*another program.*WEB_PORT") as caught:
        await second.start()
    assert "\n" not in str(caught.value)
    await second.stop()


async def test_an_address_of_another_machine_is_one_sentence(double: WebDouble, tmp_path: Path) -> None:
    served = WebPlatform(double.services(), "192.0.2.1", 0, tmp_path, SECRET)
    with pytest.raises(AddressError, match="WEB_HOST"):
        await served.start()


async def test_the_url_names_the_port_that_was_free(platform: WebPlatform) -> None:
    host, _, port = platform.url.removeprefix("http://").rpartition(":")
    assert host == "127.0.0.1"
    with socket.create_connection((host, int(port)), timeout=5):
        pass


async def test_bound_to_all_addresses_any_address_will_do_but_no_name(
    double: WebDouble, tmp_path: Path
) -> None:
    served = WebPlatform(double.services(), "0.0.0.0", 0, tmp_path, SECRET)  # noqa: S104 - what is tested
    await served.start()
    try:
        assert served.url.startswith("http://127.0.0.1:")
        async with Visit(served.url) as stranger:
            for host, status in (("192.168.1.7:8080", 200), ("[fe80::1]", 200), ("evil.example", 421)):
                async with stranger.http.get("/", headers={"Host": host}) as answer:
                    assert answer.status == status, host
    finally:
        await served.stop()
