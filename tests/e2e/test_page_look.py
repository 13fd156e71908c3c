"""How the page looks and sounds to those who read it: contrast, names, focus, small screens, calm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from bot.platforms.web import WebPlatform
from handlers.errors import UnavailableError
from tests.bot.platforms.web.browser import DEADLINE_MS, chromium, opened
from tests.bot.platforms.web.double import (
    ALT,
    PAPER,
    PICTURE_PX,
    SECRET,
    SOMEBODY,
    WebDouble,
    finished_reply,
    progress_reply,
    write_audio,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=DEADLINE_MS)

SCREENS = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 900}}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

CONTRAST = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  const rgb = (layers) => {
    paint.clearRect(0, 0, 1, 1);
    for (const color of layers) {
      paint.fillStyle = color;
      paint.fillRect(0, 0, 1, 1);
    }
    return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (parts) => {
    const [r, g, b] = parts.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  let checked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility({ opacityProperty: true })) continue;
    if (element.closest(".unseen, .skip, noscript")) continue;
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
    const under = luminance(rgb(["white", ...layers]));
    const over = luminance(rgb(["white", ...layers, getComputedStyle(element).color]));
    const ratio = (Math.max(under, over) + 0.05) / (Math.min(under, over) + 0.05);
    const size = parseFloat(getComputedStyle(element).fontSize);
    checked += 1;
    if (ratio < (size >= 24 ? 3 : 4.5) && !element.closest("[aria-hidden=true]")) {
      const text = walker.currentNode.data.slice(0, 40);
      poor.push(`${ratio.toFixed(2)} ${element.className || element.tagName}: ${text}`);
    }
  }
  return { checked, poor };
}"""

OVERFLOWING = """() => {
  const width = document.documentElement.clientWidth;
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.checkVisibility() && !element.closest(".unseen, .skip, svg"))
    .filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && (box.right > width + 0.5 || box.left < -0.5);
    })
    .map((element) => `${element.tagName}.${element.className}`);
}"""

SMALL_TARGETS = """() => [...document.querySelectorAll("button, a[href], input, textarea, [role=option]")]
  .filter((element) => element.checkVisibility() && !element.matches(".skip"))
  .map((element) => [element.getBoundingClientRect(), element])
  .filter(([box]) => box.width < 24 || box.height < 24)
  .map(([box, element]) => `${element.className} ${box.width}x${box.height}`)"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> WebDouble:
    return WebDouble(write_audio(tmp_path_factory.mktemp("audio") / "piece.mp3"))


@pytest_asyncio.fixture(loop_scope="module")
async def platform(double: WebDouble, tmp_path: Path) -> AsyncIterator[WebPlatform]:
    served = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET)
    await served.start()
    yield served
    await served.stop()


async def everything(page: Page, platform: WebPlatform, double: WebDouble) -> None:
    """A conversation with every kind of message in it, and the palette open."""
    field = page.get_by_role("combobox", name="Message")

    async def say(line: str) -> None:
        replies = await page.get_by_test_id("reply").count()
        await field.fill(line)
        await field.press("Enter")
        await expect(page.get_by_test_id("reply")).to_have_count(replies + 1)

    await say("/raga Yaman")
    await say("/hear Yaman")
    double.undrawable = UnavailableError()
    await say("/raga Yaman")
    double.undrawable = None
    await say("/generate Yaman")
    answer = double.requests[-1].answer
    assert answer is not None
    await platform.deliver(answer, finished_reply(on=True), nonce="d1", to=SOMEBODY)
    await say("/nonsense")
    await say("/help")
    await say("/history")
    await say("/generate Yaman")
    running = double.requests[-1].answer
    assert running is not None
    await platform.edit(running, progress_reply(0.3))
    await page.get_by_role("button", name="Favorite").first.click()
    await page.get_by_test_id("toasts").get_by_text("favorite").wait_for()
    await field.press_sequentially("/")
    await page.get_by_role("option").first.wait_for()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("screen", SCREENS)
async def test_text_is_legible_and_fits(
    browser: Browser, platform: WebPlatform, double: WebDouble, scheme: Literal["light", "dark"], screen: str
) -> None:
    settings: dict[str, Any] = {
        "color_scheme": scheme,
        "viewport": SCREENS[screen],
        "reduced_motion": "reduce",
    }
    async with opened(browser, platform.url, **settings) as page:
        for step in ("welcome", "everything"):
            if step == "everything":
                await everything(page, platform, double)
            measured = await page.evaluate(CONTRAST)
            assert measured["checked"] > 8
            assert measured["poor"] == [], step
            assert await page.evaluate(OVERFLOWING) == [], step
            assert await page.evaluate(SMALL_TARGETS) == [], step


SEEN = """async (image) => {
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const paint = canvas.getContext("2d");
  paint.drawImage(image, 0, 0);
  return [image.naturalWidth, image.naturalHeight, ...paint.getImageData(0, 0, 1, 1).data];
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_picture_of_a_card_is_that_of_the_scheme(
    browser: Browser, platform: WebPlatform, scheme: Literal["light", "dark"]
) -> None:
    async with opened(browser, platform.url, color_scheme=scheme) as page:
        field = page.get_by_role("combobox", name="Message")
        await field.fill("/raga Yaman")
        await field.press("Enter")
        image = page.get_by_test_id("card").get_by_role("img", name=ALT)
        await expect(image).to_be_visible()
        await image.evaluate(SEEN)  # it is there, so that what is asked for from now on is asked for again
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for shown in (scheme, *(other for other in SCHEMES if other != scheme)):
            await page.emulate_media(color_scheme=shown)
            await page.wait_for_function(
                "(theme) => document.querySelector('.wheel img').currentSrc.includes(`/${theme}.png`)",
                arg=shown,
            )
            width, height, *color, _ = await image.evaluate(SEEN)
            assert (width, height) == PICTURE_PX
            assert color == [*PAPER[shown][:2], PAPER[shown][2] - 1]
        assert not any(f"/{scheme}.png" in url for url in asked), "each theme is asked for once"


@pytest.mark.parametrize("screen", SCREENS)
async def test_a_picture_has_its_room_before_it_comes(
    browser: Browser, platform: WebPlatform, screen: str
) -> None:
    settings: dict[str, Any] = {"viewport": SCREENS[screen], "reduced_motion": "reduce"}
    async with opened(browser, platform.url, **settings) as page:
        come = asyncio.Event()

        async def later(route: Route) -> None:
            await come.wait()
            await route.continue_()

        await page.route("**/picture/**", later)
        field = page.get_by_role("combobox", name="Message")
        async with page.expect_request("**/picture/**"):
            await field.fill("/raga Yaman")
            await field.press("Enter")
        card = page.get_by_test_id("card")
        picture = card.get_by_role("img", name=ALT)
        # A card arrives with a little movement, also where there is to be as good as none.
        await card.evaluate("() => Promise.all(document.getAnimations().map((one) => one.finished))")
        before = [await element.bounding_box() for element in (card, picture)]
        assert await picture.evaluate("image => image.naturalWidth") == 0
        come.set()
        await picture.evaluate(SEEN)
        after = [await element.bounding_box() for element in (card, picture)]
        assert before == after
        sheet, drawn = after
        assert sheet is not None
        assert drawn is not None
        assert sheet["x"] <= drawn["x"]
        assert drawn["x"] + drawn["width"] <= sheet["x"] + sheet["width"]
        # Its smallest letters, 32 pixels of 1000, then measure more than ten.
        assert drawn["width"] >= 320
        assert abs(drawn["width"] / drawn["height"] - PICTURE_PX[0] / PICTURE_PX[1]) < 0.01


async def test_a_picture_is_read_aloud_and_never_in_the_way_of_the_keys(
    browser: Browser, platform: WebPlatform
) -> None:
    async with opened(browser, platform.url) as page:
        field = page.get_by_role("combobox", name="Message")
        await field.fill("/raga Yaman")
        await field.press("Enter")
        card = page.get_by_test_id("card")
        await expect(card.get_by_role("img", name=ALT)).to_be_visible()
        said = await card.aria_snapshot()
        assert said.index("Avarohana") < said.index(ALT) < said.index("The evening raga") < said.index("Vadi")
        stops = []
        for _ in range(3):
            await page.keyboard.press("Shift+Tab")
            stops.append(await page.evaluate("document.activeElement.textContent"))
        assert stops == ["Generate in it", "Hear it", ""], "from the field back: the buttons, then the heart"


async def test_light_and_dark_differ(browser: Browser, platform: WebPlatform) -> None:
    papers = []
    for scheme in SCHEMES:
        async with opened(browser, platform.url, color_scheme=scheme) as page:
            papers.append(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert papers == ["rgb(251, 247, 240)", "rgb(23, 18, 15)"]


async def test_everything_that_takes_the_focus_has_a_name(
    browser: Browser, platform: WebPlatform, double: WebDouble
) -> None:
    async with opened(browser, platform.url) as page:
        await everything(page, platform, double)
        session = await page.context.new_cdp_session(page)
        tree = await session.send("Accessibility.getFullAXTree")
        nameless = []
        roles = set()
        for node in tree["nodes"]:
            properties = {entry["name"]: entry["value"].get("value") for entry in node.get("properties", ())}
            role = node.get("role", {}).get("value")
            roles.add(role)
            named = node.get("name", {}).get("value") or role in ("RootWebArea", "main", "generic")
            if properties.get("focusable") and not named:
                nameless.append(node)
        assert nameless == []
        assert {
            "log",
            "banner",
            "main",
            "contentinfo",
            "combobox",
            "listbox",
            "option",
            "slider",
            "progressbar",
        } <= roles
        assert {"article", "status", "heading", "list", "link"} <= roles


async def test_the_log_is_polite(browser: Browser, platform: WebPlatform) -> None:
    async with opened(browser, platform.url) as page:
        log = page.get_by_role("log", name="Conversation")
        await expect(log).to_have_attribute("aria-live", "polite")
        for name in ("toasts", "banner"):
            await expect(page.get_by_test_id(name)).to_have_attribute("role", "status")


async def test_the_focus_can_be_seen_wherever_it_goes(
    browser: Browser, platform: WebPlatform, double: WebDouble
) -> None:
    async with opened(browser, platform.url, reduced_motion="reduce") as page:
        await everything(page, platform, double)
        await page.keyboard.press("Escape")
        seen = set()
        for _ in range(60):
            await page.keyboard.press("Tab")
            found = await page.evaluate(
                """() => {
                  const at = document.activeElement;
                  const ringed = (element) => {
                    const style = element ? getComputedStyle(element) : { outlineStyle: "none" };
                    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                  };
                  const seen = at === document.body || ringed(at) || ringed(at.closest("form"));
                  return [at.className || at.id || at.tagName, seen];
                }"""
            )
            seen.add(found[0])
            assert found[1], found[0]
        assert {"heart", "button", "play", "seek", "download", "chip", "line", "send"} <= seen


async def test_who_wants_no_motion_gets_none(
    browser: Browser, platform: WebPlatform, double: WebDouble
) -> None:
    longest = "Math.max(0, ...document.getAnimations().map((one) => one.effect.getComputedTiming().endTime))"
    async with opened(browser, platform.url, reduced_motion="reduce") as page:
        field = page.get_by_role("combobox", name="Message")
        await field.fill("/held")
        await field.press("Enter")
        await page.get_by_role("img", name="Thinking").wait_for()
        assert await page.evaluate(longest) <= 10
        double.held.set()
        await page.get_by_text("At last.").wait_for()


async def test_forced_colors_and_large_text_keep_the_page_usable(
    browser: Browser, platform: WebPlatform, double: WebDouble
) -> None:
    settings: dict[str, Any] = {"forced_colors": "active", "viewport": SCREENS["phone"]}
    async with opened(browser, platform.url, **settings) as page:
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        field = page.get_by_role("combobox", name="Message")
        await field.fill("/raga Yaman")
        await field.press("Enter")
        await expect(page.get_by_role("button", name="Favorite")).to_be_visible()
        assert await page.evaluate(OVERFLOWING) == []
