"""The main job, whole: the real bot as a process, the local Convex deployment, the engine, and a real browser."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.bot.platforms.web.browser import DEADLINE_MS, chromium, connected, opened
from tests.bot_process import BotProcess, children_of

expect.set_options(timeout=DEADLINE_MS)

PIECE_DEADLINE_MS = 60_000.0
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SCREEN = {"width": 1000, "height": 1340}

WATCH_PROGRESS = """() => {
  window.progressSeen = [];
  const note = () => {
    for (const view of document.querySelectorAll('[data-testid="progress"]')) {
      const part = (id) => view.querySelector(`[data-testid="${id}"]`)?.textContent;
      const state = `${part("stage")} ${part("percent")}`;
      if (window.progressSeen.at(-1) !== state) window.progressSeen.push(state);
    }
  };
  new MutationObserver(note).observe(document.getElementById("log"), {
    subtree: true, childList: true, characterData: true, attributes: true,
  });
}"""

PLAY = """async (audio) => {
  await audio.play();
  await new Promise((resolve, reject) => {
    audio.addEventListener("timeupdate", () => audio.currentTime > 0 && resolve());
    audio.addEventListener("error", () => reject(new Error(`media error ${audio.error?.code}`)));
  });
  audio.pause();
  return audio.duration;
}"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


async def say(page: Page, line: str) -> None:
    field = page.get_by_role("combobox", name="Message")
    await field.fill(line)
    await field.press("Enter")


def newest(page: Page) -> Locator:
    return page.get_by_test_id("reply").last


async def picture(page: Page, name: str) -> None:
    """Keep a screenshot where PICTURES names a folder: `make pictures` makes those of the README so."""
    folder = os.environ.get("PICTURES")
    if folder:
        toast = page.get_by_test_id("toasts").get_by_role("button")
        for _ in range(await toast.count()):
            await toast.first.click()
        await page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")


async def test_look_up_have_made_hear_keep_and_find_again(browser: Browser, tmp_path: Path) -> None:
    bot = BotProcess(tmp_path)
    await bot.start()
    state: dict[str, object]
    try:
        async with opened(browser, bot.url, viewport=SCREEN) as page:
            await page.evaluate(WATCH_PROGRESS)
            await say(page, "/raga Yaman")
            card = page.get_by_test_id("card")
            await expect(card.get_by_role("heading", name="Yaman")).to_be_visible()
            await expect(card).to_contain_text("Ṇ R G M♯ D N Ṡ")

            await say(page, "/generate raga:Yaman duration:30 seed:7")
            await expect(page.get_by_test_id("progress")).to_be_visible()
            await page.get_by_role("progressbar").first.wait_for()
            await page.wait_for_function("() => window.progressSeen.length >= 3", timeout=PIECE_DEADLINE_MS)
            await picture(page, "page-progress")
            track = page.get_by_test_id("track")
            await expect(track).to_be_visible(timeout=PIECE_DEADLINE_MS)
            seen = await page.evaluate("window.progressSeen")
            assert len(set(seen)) >= 3, seen
            percents = [int(state.split()[-2]) for state in seen]
            assert percents == sorted(percents)

            duration_s = await track.locator("audio").evaluate(PLAY)
            assert abs(duration_s - 30.0) <= 0.5
            await expect(track.get_by_test_id("duration")).to_have_text("0:30")

            drawn = track.get_by_test_id("cover")
            await drawn.scroll_into_view_if_needed()
            await page.wait_for_function(
                "(image) => image.naturalWidth === 1000", arg=await drawn.element_handle()
            )
            assert "as a line of pitch over its swaras" in (await drawn.get_attribute("alt") or "")

            heart = newest(page).get_by_test_id("heart")
            await heart.click()
            await expect(heart).to_have_attribute("aria-pressed", "true")
            await picture(page, "page-light")

            await newest(page).get_by_role("button", name="Download").click()
            for kind, head in (("MIDI", b"MThd"), ("WAV", b"RIFF")):
                await page.get_by_test_id("menu").last.get_by_role("button", name=kind).click()
                file = page.get_by_test_id("file").last
                await expect(file).to_have_text(
                    f"Yaman - Sitar - seed 7.{'mid' if kind == 'MIDI' else 'wav'}"
                )
                async with page.expect_download() as started:
                    await file.click()
                saved = await (await started.value).path()
                assert saved.read_bytes()[:4] == head
            state = dict(await page.context.storage_state())
    finally:
        assert await bot.stop() == 0
    assert children_of(tmp_path) == []
    assert [line for line in bot.log if "ERROR" in line or "Traceback" in line] == []

    again = BotProcess(tmp_path, WEB_PORT=bot.url.rsplit(":", 1)[1])
    await again.start()
    try:
        async with opened(
            browser, again.url, viewport=SCREEN, storage_state=state, color_scheme="dark"
        ) as page:
            await expect(page.get_by_test_id("track")).to_be_visible()
            await say(page, "/favorites")
            entries = page.get_by_test_id("entries")
            await expect(entries.last.get_by_role("listitem")).to_have_count(1)
            await expect(entries.last).to_contain_text("Raga Yaman")
            await say(page, "/history")
            await expect(entries).to_have_count(2)
            await expect(entries.last).to_contain_text("seed 7")
            await picture(page, "page-dark")
            await entries.last.get_by_role("button", name="Play").click()
            tracks = page.get_by_test_id("track")
            await expect(tracks).to_have_count(2)
            assert abs(await tracks.last.locator("audio").evaluate(PLAY) - 30.0) <= 0.5
            await expect(newest(page).get_by_test_id("heart")).to_have_attribute("aria-pressed", "true")
    finally:
        assert await again.stop() == 0
    assert children_of(tmp_path) == []


async def test_a_raga_is_seen_and_heard(browser: Browser, state_dir: Path) -> None:
    bot = BotProcess(state_dir)
    await bot.start()
    try:
        for scheme in SCHEMES:
            async with opened(browser, bot.url, viewport=SCREEN, color_scheme=scheme) as page:
                await say(page, "/raga Sahana")
                await page.get_by_role("img", name="Sahana").evaluate("image => image.decode()")
                # Had it to be drawn first, the card did not wait for the words that go with it.
                await say(page, "/raga Sahana")
                await expect(page.get_by_test_id("card")).to_have_count(2)
                card = page.get_by_test_id("card").last
                image = card.get_by_role("img", name="Raga Sahana")
                await expect(image).to_have_attribute(
                    "alt", re.compile(r"avarohana \(crooked, vakra\): .*Ri 2")
                )
                await image.evaluate("image => image.decode()")
                size, room = await image.evaluate(
                    "image => [[image.naturalWidth, image.naturalHeight],"
                    " ['width', 'height'].map((side) => Number(image.getAttribute(side)))]"
                )
                assert size == room
                assert min(size) >= 900
                assert f"/{scheme}.png" in await image.evaluate("image => image.currentSrc")
                await expect(card.locator("svg.scale")).to_have_count(0)

                await newest(page).get_by_role("button", name="Hear it").click()
                track = page.get_by_test_id("track")
                await expect(track).to_contain_text("Sahana", timeout=PIECE_DEADLINE_MS)
                assert 9.0 <= await track.locator("audio").evaluate(PLAY) <= 16.0
                await expect(newest(page).get_by_role("button", name="Another take")).to_have_count(0)
                async with page.expect_download() as started:
                    await track.get_by_role("link", name="Download MP3").click()
                download = await started.value
                assert download.suggested_filename == "Sahana - arohana and avarohana.mp3"
                assert (await download.path()).stat().st_size > 50_000
    finally:
        assert await bot.stop() == 0
    assert children_of(state_dir) == []
    assert [line for line in bot.log if "ERROR" in line or "Traceback" in line] == []


async def test_the_guide_in_the_page(browser: Browser, state_dir: Path) -> None:
    bot = BotProcess(state_dir)
    await bot.start()
    try:
        async with opened(browser, bot.url, viewport=SCREEN) as page:
            await say(page, "/generate")
            guide = page.get_by_test_id("reply").first
            await expect(guide.get_by_role("heading", name="Who shall play, or sing?")).to_be_visible()
            for choice in ("Bansuri", "That is all"):
                await guide.get_by_test_id("menu").get_by_role("button", name=choice, exact=True).click()
            await expect(guide.get_by_role("heading", name="What mood shall it have?")).to_be_visible()
            await guide.get_by_test_id("menu").get_by_role("button", name="Joyful").click()
            # Every step has these buttons, and each press stands for what was chosen when it was drawn.
            await expect(guide.get_by_test_id("card")).to_contain_text("Joyful")
            await guide.get_by_role("button", name="Skip").click()
            await guide.get_by_role("button", name="30 seconds").click()
            await expect(guide.get_by_test_id("card")).to_contain_text("30 seconds")
            await guide.get_by_role("button", name="Make it now").click()
            track = page.get_by_test_id("track")
            await expect(track).to_be_visible(timeout=PIECE_DEADLINE_MS)
            await expect(track).to_contain_text("Bansuri · 30 s")
            await expect(track).to_contain_text("joyful")
            await expect(page.get_by_test_id("reply")).to_have_count(2)
    finally:
        assert await bot.stop() == 0


async def test_bad_input_in_the_page_is_answered_and_the_bot_lives_on(
    browser: Browser, state_dir: Path
) -> None:
    bot = BotProcess(state_dir)
    await bot.start()
    try:
        async with opened(browser, bot.url, viewport=SCREEN) as page:
            for line, says in (
                ("/raga asdfgh", "I know no raga named"),
                ("/generate Yaman duration:0", "5 seconds to 10 minutes"),
                ("/generate Yaman duration:1e9", "5 seconds to 10 minutes"),
                ("/generate Yaman duration:NaN", "5 seconds to 10 minutes"),
                ("/generate Yaman seed:-1", "A seed is a whole number"),
                ("/raga " + "x" * 1500, "at most 1000 characters"),
                ("/nonsense", "I know no command"),
            ):
                await say(page, line)
                await expect(newest(page)).to_contain_text(says)
            await say(page, "/raga Desh")
            await expect(page.get_by_test_id("card").get_by_role("heading", name="Desh")).to_be_visible()
            await connected(page)
    finally:
        assert await bot.stop() == 0
    assert [line for line in bot.log if "ERROR" in line or "Traceback" in line] == []
