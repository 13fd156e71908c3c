"""The pictures of cards over HTTP: what the page is told of them, how long they are kept, and what is turned away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.platforms import Drawn, Theme
from bot.platforms.web import WebPlatform
from bot.platforms.web.pictures import CardPictures
from handlers.errors import UnavailableError
from handlers.model import Picture, Reply
from tests.bot.platforms.web.double import (
    ALT,
    PICTURE_PX,
    SCALE,
    SOMEBODY,
    WebDouble,
    heard_reply,
    progress_reply,
    yaman_card,
)
from tests.bot.platforms.web.visit import Visit

LIGHT = "/picture/Hindustani/Yaman/light.png"


async def told(visit: Visit) -> Any:
    """What the page is told of the picture of a new card."""
    return (await visit.say("/raga Yaman"))["reply"]["card"]["picture"]


async def fetched(visit: Visit, address: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body."""
    async with visit.http.get(address, headers=headers) as answer:
        return answer.status, answer.headers, await answer.read()


async def test_a_card_tells_of_its_picture(visit: Visit) -> None:
    picture = await told(visit)
    assert picture["alt"] == ALT
    assert (picture["width"], picture["height"]) == PICTURE_PX
    assert picture["light"].startswith(f"{LIGHT}?v=")
    assert picture["dark"].startswith("/picture/Hindustani/Yaman/dark.png?v=")
    async with visit.tab() as tab:
        await tab.hello()
        assert tab.shown()[-1]["reply"]["card"]["picture"] == picture


async def test_a_picture_is_a_png_that_browsers_keep(visit: Visit, double: WebDouble) -> None:
    picture = await told(visit)
    bodies = []
    for theme in ("light", "dark"):
        status, headers, body = await fetched(visit, picture[theme])
        assert status == 200
        assert headers["Content-Type"] == "image/png"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in headers
        assert body == double.audio_file.with_name(f"yaman-{theme}-1.png").read_bytes()
        bodies.append(body)
        status, headers, body = await fetched(visit, picture[theme], **{"If-None-Match": headers["ETag"]})
        assert (status, body) == (304, b"")
        assert "immutable" in headers["Cache-Control"]
    assert bodies[0] != bodies[1]


@pytest.mark.parametrize("version", ["?v=0123456789abcdef", "", "?v=", "?v=../../x", "?v=%00"])
async def test_any_other_version_is_the_picture_of_today_and_not_kept(visit: Visit, version: str) -> None:
    today = await fetched(visit, (await told(visit))["light"])
    status, headers, body = await fetched(visit, LIGHT + version)
    assert (status, body) == (200, today[2])
    assert headers["Cache-Control"] == "no-cache"
    status, headers, body = await fetched(visit, LIGHT + version, **{"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")


async def test_an_old_card_shows_the_picture_of_today(visit: Visit, double: WebDouble) -> None:
    old = await told(visit)
    _, before, _ = await fetched(visit, old["light"])
    double.edition = 2
    status, headers, body = await fetched(visit, old["light"], **{"If-None-Match": before["ETag"]})
    assert status == 200
    assert headers["Cache-Control"] == "no-cache"
    assert headers["ETag"] != before["ETag"]
    assert body == double.audio_file.with_name("yaman-light-2.png").read_bytes()
    new = await told(visit)
    assert new["light"] != old["light"]
    assert (await fetched(visit, new["light"]))[2] == body


async def test_a_picture_needs_no_account(visit: Visit, platform: WebPlatform) -> None:
    picture = await told(visit)
    async with Visit(platform.url) as stranger:
        assert (await fetched(stranger, picture["dark"]))[0] == 200
        status, _, _ = await fetched(stranger, picture["dark"], Host="evil.example")
        assert status == 421


async def test_no_picture_of_an_unknown_raga(visit: Visit) -> None:
    for address in ("/picture/Hindustani/Asdfgh/light.png", "/picture/Carnatic/Yaman/light.png"):
        async with visit.http.get(address) as answer:
            assert answer.status == 404
            assert answer.headers["Cache-Control"] == "no-store"
            assert "no raga of that name" in (await answer.json())["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "Hindustani/Yaman/blue.png",
        "Hindustani/Yaman/light.jpg",
        "Hindustani/Yaman/light.png/",
        "Hindustani/Yaman/Light.png",
        "hindustani/Yaman/light.png",
        "Persian/Yaman/light.png",
        "Hindustani/light.png",
        "Hindustani//light.png",
        "Hindustani/..%2f..%2fetc%2fpasswd/light.png",
        "Hindustani/%2e%2e/light.png",
        "..%2fHindustani/Yaman/light.png",
        "Hindustani/Yaman%00/light.png",
        "Hindustani/Yaman%0d%0aX-Evil:%201/light.png",
        "Hindustani/Yaman/..%2fweb.sqlite",
        f"Hindustani/{'a' * 101}/light.png",
        f"Hindustani/{'a' * 6000}/light.png",
        "Hindustani/%ff/light.png",
    ],
)
async def test_no_other_path_leads_anywhere(visit: Visit, path: str) -> None:
    async with visit.http.get(f"/picture/{path}") as answer:
        assert answer.status == 404
        assert "X-Evil" not in answer.headers
        assert (await answer.json())["error"]["code"] == "not_found"


@pytest.mark.parametrize("error", [UnavailableError(), ZeroDivisionError("a fault in drawing")])
async def test_a_card_goes_without_a_picture_that_cannot_be_had(
    visit: Visit, double: WebDouble, error: Exception
) -> None:
    double.undrawable = error
    body = await visit.say("/raga Yaman")
    assert body["reply"]["ok"]
    assert body["reply"]["card"]["title"] == "Yaman"
    assert body["reply"]["card"]["picture"] is None


async def test_a_picture_out_of_reach_says_so(visit: Visit, double: WebDouble, tmp_path: Path) -> None:
    double.undrawable = UnavailableError()
    async with visit.http.get(LIGHT) as answer:
        assert answer.status == 503
        assert answer.headers["Cache-Control"] == "no-store"
        assert "again" in (await answer.json())["error"]["message"]
    double.undrawable = FileNotFoundError(tmp_path / "gone.png")
    async with visit.http.get(LIGHT) as answer:
        assert answer.status == 503
        assert str(tmp_path) not in await answer.text()


async def test_a_card_does_not_wait_for_a_slow_pen_and_its_picture_comes_later(
    visit: Visit, double: WebDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = asyncio.Event()

    async def slow(picture: Picture, theme: Theme) -> Drawn:
        await drawn.wait()
        return await double.picture(picture, theme)

    monkeypatch.setattr("bot.platforms.web.pictures._PATIENCE_S", 0.01)
    pictures = CardPictures(slow)
    promised = await pictures.of(yaman_card(on=False))
    assert promised is not None
    assert promised["light"] == LIGHT
    assert promised["dark"] == LIGHT.replace("light", "dark")
    assert "Yaman" in promised["alt"]
    assert promised["width"] > promised["height"] > 0
    monkeypatch.undo()
    drawn.set()
    told_later = await pictures.of(yaman_card(on=False))
    assert told_later is not None
    assert told_later["alt"] == ALT
    assert (await fetched(visit, promised["light"]))[2] == (await fetched(visit, told_later["light"]))[2]


async def test_what_is_no_png_is_not_told_of(tmp_path: Path) -> None:
    async def broken(picture: Picture, theme: Theme) -> Drawn:
        path = tmp_path / f"{picture.raga}-{theme}.png"
        path.write_bytes(b"\x89PNG")
        return Drawn(path, ALT)

    assert await CardPictures(broken).of(yaman_card(on=False)) is None


async def test_a_card_that_is_edited_or_delivered_has_its_picture(
    visit: Visit, platform: WebPlatform, double: WebDouble
) -> None:
    def has_picture(message: Any) -> bool:
        card = message["reply"] and message["reply"]["card"]
        return bool(card and card["picture"] and card["picture"]["alt"] == ALT)

    async with visit.tab() as tab:
        await tab.hello()
        await tab.say("/generate Yaman")
        answer = double.requests[-1].answer
        assert answer is not None
        await platform.edit(answer, yaman_card(on=False))
        await tab.until_message(has_picture)
        await platform.edit(answer, Reply(text="In between."))
        await tab.until_message(lambda message: not has_picture(message) and message["id"] == answer.message)
        await platform.deliver(answer, yaman_card(on=False), nonce="d1", to=SOMEBODY)
        assert (await tab.until_message(has_picture))["id"] == answer.message


async def test_a_reply_without_a_card_asks_for_no_picture(double: WebDouble) -> None:
    double.undrawable = AssertionError("no picture was wanted")
    pictures = CardPictures(double.picture)
    assert [await pictures.of(reply) for reply in (progress_reply(0.5), heard_reply())] == [None, None]


async def test_a_scale_is_heard_and_saved_by_its_name(visit: Visit, double: WebDouble) -> None:
    track = (await visit.say("/hear Yaman"))["reply"]["track"]
    assert track["url"] == f"/audio/{SCALE}"
    status, headers, body = await fetched(visit, track["url"])
    assert (status, headers["Content-Type"]) == (200, "audio/mpeg")
    assert body == double.audio_file.read_bytes()
    status, headers, _ = await fetched(visit, track["download"])
    assert 'filename="Yaman - arohana and avarohana.mp3"' in headers["Content-Disposition"]
