"""The chat page in a real browser, with scripted handlers: what a person does, with keys, mouse and thumb."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from bot.platforms.web import WebPlatform
from handlers.errors import NotFoundError
from handlers.model import MessageRef
from music.swaras import PITCH_CLASS, Tradition, sargam, semitone
from tests.bot.platforms.web.browser import DEADLINE_MS, chromium, connected, opened
from tests.bot.platforms.web.double import (
    ALT,
    PIECE,
    SECRET,
    SOMEBODY,
    WebDouble,
    finished_reply,
    progress_reply,
    write_audio,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=DEADLINE_MS)

PHONE = {"width": 360, "height": 740}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def audio_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_audio(tmp_path_factory.mktemp("audio") / "piece.mp3")


@pytest.fixture
def double(audio_file: Path) -> WebDouble:
    return WebDouble(audio_file)


@pytest_asyncio.fixture(loop_scope="module")
async def platform(double: WebDouble, tmp_path: Path) -> AsyncIterator[WebPlatform]:
    served = WebPlatform(double.services(), "127.0.0.1", 0, tmp_path, SECRET)
    await served.start()
    yield served
    await served.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, platform: WebPlatform) -> AsyncIterator[Page]:
    async with opened(browser, platform.url, viewport={"width": 1100, "height": 800}) as shown:
        yield shown


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Message")


async def say(page: Page, line: str) -> None:
    await field(page).fill(line)
    await field(page).press("Enter")


async def piece_under_way(page: Page, double: WebDouble) -> MessageRef:
    """Ask for a piece; returns the message that shows its progress."""
    await say(page, "/generate Yaman 30s")
    await page.get_by_test_id("progress").last.wait_for()
    answer = double.requests[-1].answer
    assert answer is not None
    return answer


async def test_a_first_visit(page: Page, double: WebDouble) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text("Raga Bot")
    await expect(page.get_by_role("heading", level=2)).to_be_visible()
    await expect(field(page)).to_be_focused()
    await (
        page.get_by_role("list", name="Examples")
        .get_by_role("button", name="/raga Yaman", exact=True)
        .click()
    )
    card = page.get_by_role("log").get_by_test_id("card")
    await expect(card.get_by_role("heading", name="Yaman")).to_be_visible()
    await expect(page.get_by_test_id("said")).to_have_text(["/raga Yaman"])
    assert [request.command for request in double.requests] == ["raga"]


async def test_a_whole_visit_by_keys_alone(page: Page, double: WebDouble) -> None:
    keys = page.keyboard
    palette = page.get_by_role("listbox", name="Suggestions")
    await keys.type("/")
    await expect(palette.get_by_role("option")).to_have_count(8)
    await expect(field(page)).to_have_attribute("aria-expanded", "true")
    await expect(palette.get_by_role("option", selected=True)).to_contain_text("/raga")

    await keys.press("ArrowDown")
    await keys.press("ArrowDown")
    await expect(palette.get_by_role("option", selected=True)).to_contain_text("/generate")
    active = await field(page).get_attribute("aria-activedescendant")
    await expect(page.locator(f"#{active}")).to_contain_text("/generate")
    await keys.press("ArrowUp")
    await keys.press("ArrowUp")
    await keys.press("Enter")
    await expect(field(page)).to_have_value("/raga ")

    await keys.type("yam")
    await expect(palette.get_by_role("option")).to_have_count(3)
    await keys.press("Escape")
    await expect(palette).to_be_hidden()
    await keys.type("a")
    await expect(palette.get_by_role("option")).to_have_count(2)
    await keys.press("Tab")
    await expect(field(page)).to_have_value("/raga Yaman ")
    await expect(field(page)).to_be_focused()
    await keys.press("Enter")
    await expect(field(page)).to_have_value("")
    await expect(page.get_by_test_id("card")).to_be_visible()

    await keys.press("ArrowUp")
    await expect(field(page)).to_have_value("/raga Yaman")
    await keys.press("ArrowDown")
    await expect(field(page)).to_have_value("")

    heart = page.get_by_role("button", name="Favorite")
    for _ in range(20):
        await keys.press("Shift+Tab")
        if await heart.evaluate("heart => heart === document.activeElement"):
            break
    await keys.press("Enter")
    await expect(heart).to_have_attribute("aria-pressed", "true")
    await expect(heart).to_be_focused()
    await keys.press("Space")
    await expect(heart).to_have_attribute("aria-pressed", "false")
    assert [request.command for request in double.requests] == ["raga", "favorite", "favorite"]


async def test_a_complete_command_is_sent_by_one_enter(page: Page, double: WebDouble) -> None:
    await page.keyboard.type("/help", delay=90)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("reply")).to_contain_text("What I can do")
    assert double.count("help") == 1


async def test_a_slash_typed_anywhere_begins_a_command(page: Page) -> None:
    await page.get_by_role("heading", level=1).click()
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("/")
    await expect(field(page)).to_be_focused()
    await expect(page.get_by_role("option")).to_have_count(8)


async def test_the_mouse_takes_a_suggestion_and_shift_enter_breaks_a_line(
    page: Page, double: WebDouble
) -> None:
    await field(page).press_sequentially("/ra")
    await page.get_by_role("option", name="/raga").click()
    await expect(field(page)).to_have_value("/raga ")
    await expect(field(page)).to_be_focused()
    await page.get_by_role("option", name="Yaman Kalyan").click()
    await expect(field(page)).to_have_value("/raga Yaman Kalyan ")
    await field(page).press("Shift+Enter")
    await expect(field(page)).to_have_value("/raga Yaman Kalyan \n")
    await page.get_by_role("button", name="Send").click()
    await page.get_by_test_id("card").wait_for()
    assert double.requests[-1].text == "Yaman Kalyan"


async def test_a_piece_from_the_first_bar_to_the_player(
    page: Page, platform: WebPlatform, double: WebDouble
) -> None:
    answer = await piece_under_way(page, double)
    bar = page.get_by_role("progressbar")
    await platform.edit(answer, progress_reply(0.42, seconds_left=75.0))
    await expect(page.get_by_test_id("percent")).to_have_text("42 %")
    await expect(page.get_by_test_id("stage")).to_have_text("melody")
    await expect(page.get_by_test_id("time-left")).to_have_text("About 1:15 left")
    element = await bar.element_handle()
    await platform.edit(answer, progress_reply(0.8, "mix", 3.0))
    await expect(page.get_by_test_id("percent")).to_have_text("80 %")
    assert await bar.evaluate("(bar, before) => bar === before && bar.value === 0.8", element)

    await platform.deliver(answer, finished_reply(), nonce="d1", to=SOMEBODY)
    track = page.get_by_test_id("track")
    await expect(track.get_by_role("heading", name="Raga Yaman")).to_be_visible()
    await expect(track.get_by_test_id("parameters")).to_contain_text("C♯ · 96 bpm")
    await expect(page.get_by_role("progressbar")).to_have_count(0)
    await expect(page.get_by_test_id("reply")).to_have_count(1)

    await track.get_by_role("button", name="Play").click()
    await expect(track.get_by_role("button", name="Pause")).to_be_visible()
    await expect(track.get_by_test_id("elapsed")).to_have_text("0:01")
    await track.get_by_role("button", name="Pause").click()
    assert await page.evaluate("document.querySelector('audio').paused")
    await expect(track.get_by_test_id("duration")).to_have_text("0:03")

    seek = track.get_by_role("slider", name="Position")
    await seek.focus()
    await seek.press("End")
    await expect(track.get_by_test_id("elapsed")).to_have_text("0:03")
    await seek.press("ArrowLeft")
    await expect(track.get_by_test_id("elapsed")).to_have_text("0:00")
    await expect(seek).to_have_attribute("aria-valuetext", "0 seconds of 3 seconds")

    async with page.expect_download() as started:
        await track.get_by_role("link", name="Download MP3").click()
    download = await started.value
    assert download.suggested_filename == "Raga Yaman – 7.mp3"
    assert (await download.path()).read_bytes() == double.audio_file.read_bytes()


async def test_the_time_left_runs_on_between_two_reports(
    browser: Browser, platform: WebPlatform, double: WebDouble
) -> None:
    async with opened(browser, platform.url) as page:
        await page.clock.install()
        await page.reload()
        await connected(page)
        answer = await piece_under_way(page, double)
        await platform.edit(answer, progress_reply(0.5, seconds_left=20.0))
        await expect(page.get_by_test_id("time-left")).to_have_text("About 0:20 left")
        await page.clock.run_for(5_000)
        await expect(page.get_by_test_id("time-left")).to_have_text("About 0:15 left")
        await expect(page.get_by_test_id("percent")).to_have_text("50 %")
        await page.clock.run_for(15_000)
        await expect(page.get_by_test_id("time-left")).to_have_text("Almost there")


async def test_only_one_piece_plays_at_a_time(page: Page, platform: WebPlatform, double: WebDouble) -> None:
    await platform.deliver(await piece_under_way(page, double), finished_reply(), nonce="d1", to=SOMEBODY)
    await page.get_by_test_id("player").wait_for()
    await say(page, "/play k57")
    await expect(page.get_by_test_id("player")).to_have_count(2)
    await page.get_by_role("button", name="Play").first.click()
    await expect(page.get_by_role("button", name="Pause")).to_have_count(1)
    await page.get_by_role("button", name="Play").click()
    players = page.get_by_test_id("player")
    await expect(players.first.get_by_role("button", name="Play")).to_be_visible()
    await expect(players.last.get_by_role("button", name="Pause")).to_be_visible()


async def test_hearts_stay_in_step_in_every_message_and_tab(
    page: Page, platform: WebPlatform, double: WebDouble
) -> None:
    await platform.deliver(await piece_under_way(page, double), finished_reply(), nonce="d1", to=SOMEBODY)
    await say(page, "/play k57")
    hearts = page.get_by_role("button", name="Favorite")
    await expect(hearts).to_have_count(2)
    other = await page.context.new_page()
    await other.goto(platform.url)
    await connected(other)
    await hearts.first.click()
    for shown in (page, other):
        await expect(shown.get_by_role("button", name="Favorite", pressed=True)).to_have_count(2)
    await expect(page.get_by_test_id("toasts")).to_contain_text("among your favorites")
    await other.reload()
    await connected(other)
    await expect(other.get_by_role("button", name="Favorite", pressed=True)).to_have_count(2)
    await other.get_by_role("button", name="Favorite").last.click()
    await expect(page.get_by_role("button", name="Favorite", pressed=False)).to_have_count(2)


async def test_a_double_click_sends_once(page: Page, double: WebDouble) -> None:
    await say(page, "/raga Yaman")
    button = page.get_by_role("button", name="Generate in it")
    await button.dblclick()
    await page.get_by_test_id("progress").wait_for()
    await expect(button).not_to_have_attribute("aria-busy", "true")
    assert double.count("generate") == 1


async def test_a_raga_is_heard_from_its_card(page: Page, double: WebDouble) -> None:
    await say(page, "/raga Yaman")
    await page.get_by_test_id("reply").get_by_role("button", name="Hear it").click()
    heard = page.get_by_test_id("reply").last
    track = heard.get_by_test_id("track")
    await expect(track.get_by_role("heading", name="Raga Yaman")).to_be_visible()
    await expect(track.get_by_test_id("parameters")).to_have_text("Yaman: Ṇ R G M♯ D N Ṡ | Ṡ N D P M♯ G R S")
    await expect(heard.get_by_role("group", name="Actions").get_by_role("button")).to_have_text(
        ["", "Generate in it", "Its card"]
    )
    await track.get_by_role("button", name="Play").click()
    await expect(track.get_by_test_id("elapsed")).to_have_text("0:03")
    await expect(track.get_by_role("button", name="Play")).to_be_visible()
    async with page.expect_download() as started:
        await track.get_by_role("link", name="Download MP3").click()
    download = await started.value
    assert download.suggested_filename == "Yaman - arohana and avarohana.mp3"
    assert (await download.path()).read_bytes() == double.audio_file.read_bytes()
    await heard.get_by_role("button", name="Favorite").click()
    await expect(page.get_by_role("button", name="Favorite", pressed=True)).to_have_count(2)


async def test_a_picture_that_does_not_come_leaves_a_whole_card(
    browser: Browser, platform: WebPlatform
) -> None:
    async with opened(browser, platform.url, unreachable_is_fine=True) as page:
        await page.route("**/picture/**", lambda route: route.abort())
        await say(page, "/raga Yaman")
        card = page.get_by_test_id("card")
        await expect(card.locator("svg.scale")).to_be_visible()
        await expect(card.get_by_test_id("picture")).to_have_count(0)
        await expect(card).to_contain_text("The evening raga")
        await page.unroute("**/picture/**")
        await page.reload()
        await connected(page)
        await expect(card.get_by_role("img", name=ALT)).to_be_visible()
        await expect(card.locator("svg.scale")).to_have_count(0)


async def test_an_old_card_shows_its_raga_as_it_is_today(page: Page, double: WebDouble) -> None:
    await say(page, "/raga Yaman")
    image = page.get_by_test_id("card").get_by_role("img", name=ALT)
    await expect(image).to_be_visible()
    double.edition = 2
    await say(page, "/raga Yaman")
    await expect(image).to_have_count(2)
    before, after = [await image.nth(n).get_attribute("src") for n in (0, 1)]
    assert before != after
    assert await page.evaluate(
        """async ([before, after]) => {
          const bytes = async (url) => {
            const answer = await fetch(url, { cache: "reload" });
            return new Uint8Array(await answer.arrayBuffer()).join();
          };
          return (await bytes(before)) === (await bytes(after));
        }""",
        [before, after],
    )


async def test_a_pressed_button_shows_it_until_the_answer(page: Page, double: WebDouble) -> None:
    await say(page, "/held")
    await expect(page.get_by_role("img", name="Thinking")).to_be_visible()
    double.held.set()
    await expect(page.get_by_test_id("reply")).to_have_text("At last.")


async def test_lists_turn_their_page_in_place(page: Page) -> None:
    await say(page, "/history")
    entries = page.get_by_test_id("entries")
    await expect(entries.get_by_role("listitem")).to_have_count(3)
    await expect(page.get_by_test_id("private")).to_be_visible()
    await expect(
        entries.get_by_role("group", name="Raga Bhairavi").get_by_role("button", name="Play")
    ).to_be_visible()
    older = page.get_by_role("button", name="Older")
    await older.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Newer")).to_be_visible()
    await expect(page.get_by_test_id("reply")).to_have_count(1)
    assert await page.evaluate("document.activeElement.closest('[data-testid=reply]') !== null"), (
        "the focus is not lost"
    )


async def test_markup_is_shown_and_not_obeyed(page: Page) -> None:
    await say(page, "/markup <img src=x onerror=alert(0)>")
    reply = page.get_by_test_id("reply")
    await expect(reply).to_contain_text("<img src=x onerror=alert(1)> & <b>bold</b>")
    await expect(reply.get_by_role("heading")).to_have_text("<script>alert(2)</script>")
    await expect(page.get_by_test_id("said")).to_contain_text("<img src=x")
    assert await page.locator("#log img, #log b, #log script").count() == 0


async def test_a_reload_keeps_everything(page: Page, double: WebDouble) -> None:
    await say(page, "/raga Yaman")
    await page.get_by_test_id("card").wait_for()
    await say(page, "/history")
    await page.get_by_test_id("entries").wait_for()
    before = await page.get_by_role("log").inner_text()
    await page.reload()
    await connected(page)
    await expect(page.get_by_test_id("reply")).to_have_count(2)
    assert await page.get_by_role("log").inner_text() == before
    await expect(page.get_by_role("button", name="Older")).to_be_in_viewport()
    await field(page).press("ArrowUp")
    await expect(field(page)).to_have_value("/history")
    assert len(double.requests) == 2


async def test_the_page_comes_back_by_itself_and_loses_nothing(
    browser: Browser, platform: WebPlatform, double: WebDouble, tmp_path: Path
) -> None:
    port = int(platform.url.rpartition(":")[2])
    async with opened(browser, platform.url, unreachable_is_fine=True) as page:
        answer = await piece_under_way(page, double)
        await platform.stop()
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "waiting")
        await expect(page.get_by_test_id("banner")).to_contain_text("reconnecting")
        await say(page, "/raga Yaman")
        await expect(page.get_by_test_id("said")).to_have_count(2)
        again = WebPlatform(double.services(), "127.0.0.1", port, tmp_path, SECRET)
        await again.start()
        try:
            await again.deliver(answer, finished_reply(), nonce="d1", to=SOMEBODY)
            await connected(page)
            await expect(page.get_by_test_id("banner")).to_be_empty()
            await expect(page.get_by_test_id("card")).to_be_visible()
            await expect(page.get_by_test_id("track")).to_have_count(1)
            await expect(page.get_by_test_id("said")).to_have_text(["/generate Yaman 30s", "/raga Yaman"])
            await expect(page.get_by_test_id("reply")).to_have_count(2)
        finally:
            await again.stop()
    assert (double.count("raga"), double.count("generate")) == (1, 1)


async def test_a_line_that_was_too_much_can_be_sent_again(
    browser: Browser, platform: WebPlatform, double: WebDouble
) -> None:
    async with opened(browser, platform.url) as page:
        for _ in range(17):
            await say(page, "/held")
        await expect(page.get_by_test_id("toasts")).to_contain_text("still busy")
        double.held.set()
        await expect(page.get_by_text("At last.")).to_have_count(16)
        await page.get_by_role("button", name="Send again").click()
        await expect(page.get_by_text("At last.")).to_have_count(17)
        await expect(page.get_by_test_id("said")).to_have_count(17)


async def test_the_conversation_can_be_cleared(page: Page) -> None:
    await say(page, "/raga Yaman")
    await page.get_by_test_id("card").wait_for()
    await page.get_by_role("button", name="Clear").click()
    await page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    await expect(page.get_by_test_id("card")).to_be_visible()
    await page.get_by_role("button", name="Clear").click()
    await page.get_by_role("dialog").get_by_role("button", name="Clear it").click()
    await expect(page.get_by_test_id("reply")).to_have_count(0)
    await expect(page.get_by_role("button", name="Clear")).to_be_hidden()
    await page.reload()
    await connected(page)
    await expect(page.get_by_test_id("reply")).to_have_count(0)


async def test_a_piece_that_is_done_elsewhere_in_the_conversation_is_told(
    page: Page, platform: WebPlatform, double: WebDouble
) -> None:
    answer = await piece_under_way(page, double)
    for _ in range(3):
        await say(page, "/raga Yaman")
    await expect(page.get_by_test_id("card")).to_have_count(3)
    await expect(page.get_by_test_id("progress")).not_to_be_in_viewport()
    await platform.deliver(answer, finished_reply(), nonce="d1", to=SOMEBODY)
    await expect(page.get_by_test_id("toasts")).to_contain_text("Raga Yaman is ready.")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_test_id("player")).to_be_in_viewport()
    await page.get_by_role("button", name="Newest messages").click()
    await expect(page.get_by_test_id("card").last).to_be_in_viewport()


async def test_three_hundred_messages(page: Page, platform: WebPlatform, double: WebDouble) -> None:
    account = None
    await say(page, "/help")
    await page.get_by_test_id("reply").wait_for()
    account = double.requests[0].actor.account
    double.owners[PIECE] = account
    gone = MessageRef("web", account, "0" * 16)
    await asyncio.gather(
        *(
            platform.deliver(gone, finished_reply(title=f"Piece {n}"), nonce=f"n{n}", to=SOMEBODY)
            for n in range(320)
        )
    )
    await expect(page.get_by_test_id("player")).to_have_count(300)
    await expect(page.get_by_role("heading", name="Piece 319", exact=True)).to_be_in_viewport()
    await page.reload()
    await connected(page)
    await expect(page.get_by_test_id("player")).to_have_count(300)
    await expect(page.get_by_role("heading", name="Piece 319", exact=True)).to_be_in_viewport()
    await say(page, "/raga Yaman")
    await expect(page.get_by_test_id("card")).to_be_in_viewport()


async def test_a_tall_answer_is_read_from_its_beginning(browser: Browser, platform: WebPlatform) -> None:
    async with opened(browser, platform.url, viewport=PHONE) as page:
        await say(page, "/help")
        await page.get_by_test_id("reply").wait_for()
        await say(page, "/raga Yaman")
        card = page.get_by_test_id("card")
        await expect(card.get_by_role("heading")).to_be_in_viewport()
        await expect(page.get_by_test_id("said").last).to_be_in_viewport()


async def test_a_heart_does_not_stop_the_music(page: Page, platform: WebPlatform, double: WebDouble) -> None:
    await platform.deliver(await piece_under_way(page, double), finished_reply(), nonce="d1", to=SOMEBODY)
    await page.get_by_role("button", name="Play").click()
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await page.get_by_role("button", name="Favorite").click()
    await expect(page.get_by_role("button", name="Favorite", pressed=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await expect(page.get_by_test_id("elapsed")).to_have_text("0:02")


async def test_messages_of_another_day_say_so(
    browser: Browser, platform: WebPlatform, double: WebDouble
) -> None:
    async with opened(browser, platform.url) as page:
        await say(page, "/help")
        await page.get_by_test_id("reply").wait_for()
        await expect(page.locator("[data-day]")).to_have_count(0)
        await page.clock.set_system_time(time.time() + 2 * 24 * 3600)
        await page.reload()
        await connected(page)
        await expect(page.locator("[data-day]")).to_have_count(1)
        await expect(page.get_by_test_id("said")).not_to_have_attribute("data-day", "Today")


async def test_a_command_named_in_an_answer_can_be_begun(page: Page, double: WebDouble) -> None:
    await say(page, "/nonsense")
    await page.get_by_test_id("reply").get_by_role("button", name="/help").click()
    await expect(field(page)).to_have_value("/help ")
    await expect(field(page)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("reply")).to_have_count(2)
    await page.get_by_test_id("reply").last.get_by_role("button", name="/raga").click()
    await expect(page.get_by_role("listbox", name="Suggestions").get_by_role("option")).to_have_count(3)
    assert [request.command for request in double.requests] == ["nonsense", "help"]


async def test_the_line_of_a_scale_reads_every_swara_as_the_engine_does(
    page: Page, double: WebDouble
) -> None:
    traditions: tuple[Tradition, ...] = ("Hindustani", "Carnatic")
    tokens = [name + mark for mark in ("", "'", ",", "''") for name in PITCH_CLASS]
    for tradition in traditions:
        line = " ".join(sargam(token, tradition) for token in tokens)
        heights = await page.evaluate(
            "async (line) => (await import('/static/scale.js')).semitones(line)",
            line,
        )
        assert heights == [semitone(token) for token in tokens]
    unreadable = await page.evaluate("async () => (await import('/static/scale.js')).semitones('S R X P')")
    assert unreadable is None
    double.undrawable = NotFoundError()
    await say(page, "/raga Yaman")
    await expect(page.locator("svg.scale circle")).to_have_count(15)
    await expect(page.locator("svg.scale circle.strong")).to_have_count(5)


async def test_fast_keys_never_take_what_belongs_to_an_earlier_line(
    browser: Browser, platform: WebPlatform, double: WebDouble
) -> None:
    async with opened(browser, platform.url) as page:
        await page.keyboard.type("/")
        await expect(page.get_by_role("option")).to_have_count(8)
        await page.evaluate(
            """() => {
              const line = document.querySelector("#line");
              line.value = "/hel";
              line.dispatchEvent(new Event("input"));
              line.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", cancelable: true }));
            }"""
        )
        await expect(field(page)).to_have_value("/help ")
        await field(page).fill("/raga ")
        await expect(page.get_by_role("option")).to_have_count(3)
        await page.evaluate(
            """() => {
              const line = document.querySelector("#line");
              line.value = "/raga kaly";
              line.dispatchEvent(new Event("input"));
              line.dispatchEvent(new KeyboardEvent("keydown", { key: "Tab", cancelable: true }));
            }"""
        )
        await expect(field(page)).to_have_value("/raga Yaman Kalyan ")
        await field(page).fill("/raga ")
        await expect(page.get_by_role("option")).to_have_count(3)
        await page.keyboard.press("ArrowDown")
        await page.evaluate(
            """() => {
              const line = document.querySelector("#line");
              line.value = "/raga Bhairav";
              line.dispatchEvent(new Event("input"));
              line.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", cancelable: true }));
            }"""
        )
        await expect(page.get_by_test_id("said")).to_have_text(["/raga Bhairav"])
    assert double.requests[-1].text == "Bhairav"


async def test_a_name_of_two_words_is_completed_as_one(page: Page) -> None:
    await page.keyboard.type("/raga yaman k")
    await expect(page.get_by_role("option")).to_have_text(["Yaman KalyanHindustani"])
    await page.keyboard.press("Tab")
    await expect(field(page)).to_have_value("/raga Yaman Kalyan ")
