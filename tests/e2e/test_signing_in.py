"""Signing in to the page with Discord and with Telegram, in a real browser: the same person from then on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.bot.platforms.web.browser import DEADLINE_MS, chromium, connected, opened
from tests.bot_process import BotProcess
from tests.peers.discord.oauth import CLIENT_SECRET
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.people import Person as DiscordPerson
from tests.peers.discord.world import TOKEN as DISCORD_TOKEN
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.people import Person as TelegramPerson
from tests.peers.telegram.world import TOKEN

expect.set_options(timeout=DEADLINE_MS)
QUESTION = "become one person here: favorites"


@pytest.fixture
def further(telegram_peer: TelegramPeer) -> dict[str, str]:
    """Both are set up, and no piece is made."""
    return {
        "WORKERS": "0",
        "DISCORD_CLIENT_SECRET": CLIENT_SECRET,
        "TELEGRAM_LOGIN": "true",
        "TELEGRAM_LOGIN_URL": f"{telegram_peer.url}/login",
    }


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A real one."""
    async with chromium() as launched:
        yield launched


@pytest.fixture
async def asha(discord_peer: DiscordPeer, bot: BotProcess) -> DiscordPerson:
    """Somebody who keeps Desh on Discord, and whose browser is signed in there."""
    discord_peer.oauth.redirects = {f"{bot.url}/signin/discord"}
    person = discord_peer.oauth.person = discord_peer.person("Asha")
    await discord_peer.ready()
    asked = await person.command("raga", name="Desh")
    await discord_peer.until(lambda: asked.text, "the card")
    kept = await person.press(person.direct.from_bot[-1], "Favorite")
    await discord_peer.until(lambda: kept.text or person.direct.from_bot[-1].history[1:], "the heart")
    return person


@pytest.fixture
async def ashu(telegram_peer: TelegramPeer, bot: BotProcess) -> TelegramPerson:
    """Somebody who keeps Marwa on Telegram, and whose browser is signed in there."""
    telegram_peer.login.domain = "127.0.0.1"
    person = telegram_peer.login.person = telegram_peer.person("Ashu")
    person.say("/raga Marwa")
    card = await telegram_peer.message(person.chat, lambda one: "Marwa" in one.text)
    pressed = person.press(card, "♥")
    await telegram_peer.until(lambda: pressed.answer is not None, "the heart")
    return person


async def go(page: Page, provider: str, said: str) -> None:
    """Sign in by the page's own button, and decide there."""
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_role("button", name=f"With {provider}").click()
    await expect(page).to_have_title(provider)
    await page.get_by_role("button", name=said).click()
    await connected(page)


async def say(page: Page, line: str) -> Locator:
    """Say a line; its answer."""
    before = await page.get_by_test_id("reply").count()
    field = page.get_by_role("combobox", name="Message")
    await field.fill(line)
    await field.press("Enter")
    await expect(page.get_by_test_id("reply")).to_have_count(before + 1)
    return page.get_by_test_id("reply").last


async def become(page: Page, bot: BotProcess, provider: str, said: str, who: str) -> None:
    """Sign in, say yes to the question, and be one person."""
    await go(page, provider, said)
    question = page.get_by_test_id("reply").filter(has_text=QUESTION)
    await expect(question).to_contain_text(f"Is {who} on {provider} you?")
    # Neither a code nor a state stands in the address, nor behind the browser's back button.
    assert page.url == f"{bot.url}/"
    await question.get_by_role("button", name="Yes, that is me").click()
    await expect(page.get_by_test_id("reply").filter(has_text="one person here now")).to_contain_text(
        f"this account and {who} on {provider}"
    )


async def keeps(page: Page, raga: str) -> None:
    """The favorites of this page's visitor, as far as they matter here."""
    await expect(await say(page, "/favorites")).to_contain_text(raga)


def told(text: str) -> bool:
    """Whether this is the word to an account that a link is done."""
    return "one person here now" in text and "Guest on the chat page" in text


async def test_with_discord_from_any_browser(
    browser: Browser, bot: BotProcess, discord_peer: DiscordPeer, asha: DiscordPerson
) -> None:
    friends = [discord_peer.url]
    async with opened(browser, bot.url, friends=friends) as page:
        assert "Desh" not in (await (await say(page, "/favorites")).inner_text())
        await become(page, bot, "Discord", "Authorize", "Asha")
        await keeps(page, "Desh")
        await discord_peer.until(
            lambda: any(told(one.text) for one in asha.direct.from_bot), "the word there"
        )
        # The same again is said kindly, and asks nothing.
        await go(page, "Discord", "Authorize")
        await expect(page.get_by_test_id("toasts")).to_contain_text(
            "You are signed in already: Asha on Discord"
        )
        await expect(page.get_by_test_id("reply").filter(has_text=QUESTION)).to_have_count(0)
    async with opened(browser, bot.url, friends=friends) as elsewhere:
        await become(elsewhere, bot, "Discord", "Authorize", "Asha")
        await keeps(elsewhere, "Desh")
        # It can be taken back at once, by the page too.
        await elsewhere.get_by_role("button", name="Take it back").last.click()
        await expect(elsewhere.get_by_test_id("reply").filter(has_text="It is taken back")).to_have_count(1)
        assert "Desh" not in (await (await say(elsewhere, "/favorites")).inner_text())
    assert len(discord_peer.oauth.tokens) == 3
    assert all(grant.revoked for grant in discord_peer.oauth.tokens.values())
    secrets = [CLIENT_SECRET, *discord_peer.oauth.tokens, *discord_peer.oauth.codes]
    assert not any(secret in line for line in bot.log for secret in secrets)


async def test_with_telegram(
    browser: Browser, bot: BotProcess, telegram_peer: TelegramPeer, ashu: TelegramPerson
) -> None:
    async with opened(browser, bot.url, friends=[telegram_peer.url]) as page:
        await become(page, bot, "Telegram", "Accept", "Ashu")
        await keeps(page, "Marwa")
        await telegram_peer.message(ashu.chat, lambda one: told(one.text))
        await go(page, "Telegram", "Accept")
        await expect(page.get_by_test_id("toasts")).to_contain_text(
            "You are signed in already: Ashu on Telegram"
        )


async def test_all_three_become_one(
    browser: Browser,
    bot: BotProcess,
    discord_peer: DiscordPeer,
    telegram_peer: TelegramPeer,
    asha: DiscordPerson,
    ashu: TelegramPerson,
) -> None:
    async with opened(browser, bot.url, friends=[discord_peer.url, telegram_peer.url]) as page:
        await become(page, bot, "Discord", "Authorize", "Asha")
        await go(page, "Telegram", "Accept")
        question = page.get_by_test_id("reply").filter(has_text="Is Ashu on Telegram you?")
        await question.get_by_role("button", name="Yes, that is me").click()
        done = page.get_by_test_id("reply").filter(has_text="this account and Ashu on Telegram")
        await expect(done).to_have_count(1)
        await keeps(page, "Desh")
        await keeps(page, "Marwa")
    ashu.say("/favorites")
    both = await telegram_peer.message(ashu.chat, lambda one: "Desh" in one.text)
    assert "Marwa" in both.text


async def test_what_is_not_allowed_or_not_wanted_changes_nothing(
    browser: Browser,
    bot: BotProcess,
    discord_peer: DiscordPeer,
    telegram_peer: TelegramPeer,
    asha: DiscordPerson,
    ashu: TelegramPerson,
) -> None:
    friends = [discord_peer.url, telegram_peer.url]
    async with opened(browser, bot.url, friends=friends, refusals_are_fine=True) as page:
        for provider, no in (("Discord", "Cancel"), ("Telegram", "Decline")):
            await go(page, provider, no)
            dialog = page.get_by_role("dialog", name="Sign in")
            await expect(dialog.get_by_role("alert")).to_contain_text(f"You did not allow it on {provider}")
            assert page.url == f"{bot.url}/"
            await dialog.get_by_role("button", name="Not now").click()
            await expect(dialog).to_be_hidden()
        await go(page, "Discord", "Authorize")
        question = page.get_by_test_id("reply").filter(has_text=QUESTION)
        await question.get_by_role("button", name="No", exact=True).click()
        await expect(page.get_by_test_id("reply").filter(has_text="nothing is linked")).to_have_count(1)
        favorites = await say(page, "/favorites")
        assert "Desh" not in await favorites.inner_text()


async def test_an_answer_that_another_browser_began_signs_nobody_in(
    browser: Browser, bot: BotProcess, discord_peer: DiscordPeer, telegram_peer: TelegramPeer,
    asha: DiscordPerson, ashu: TelegramPerson,
) -> None:  # fmt: skip
    friends = [discord_peer.url, telegram_peer.url]
    for provider, yes in (("Discord", "Authorize"), ("Telegram", "Accept")):
        async with opened(browser, bot.url, friends=friends, unreachable_is_fine=True) as thief:
            # The thief says yes with their own account, and keeps the answer back.
            await thief.add_init_script(
                "if (location.pathname.startsWith('/signin/')) sessionStorage.setItem('kept', location.href)"
            )
            await thief.route("**/api/signin/*/finish", lambda route: route.abort())
            await go(thief, provider, yes)
            # To the page it is as if the bot were out of reach, and it says so.
            out_of_reach = thief.get_by_role("dialog", name="Sign in").get_by_role("alert")
            await expect(out_of_reach).to_contain_text("The bot is out of reach")
            kept = await thief.evaluate("sessionStorage.getItem('kept')")
            assert kept.startswith(f"{bot.url}/signin/{provider.lower()}?")
        async with opened(browser, bot.url, friends=friends, refusals_are_fine=True) as victim:
            await victim.goto(kept)
            await connected(victim)
            dialog = victim.get_by_role("dialog", name="Sign in")
            await expect(dialog.get_by_role("alert")).to_contain_text("the browser in which it was begun")
            assert victim.url == f"{bot.url}/"
            await expect(victim.get_by_test_id("reply")).to_have_count(0)


@pytest.mark.parametrize(
    "settings",
    [
        {"DISCORD_CLIENT_SECRET": CLIENT_SECRET, "TELEGRAM_LOGIN": "true"},  # the platforms are off
        {"TELEGRAM_TOKEN": TOKEN, "DISCORD_TOKEN": DISCORD_TOKEN},  # signing in is not set up
    ],
)
async def test_where_it_is_not_set_up_there_is_no_sign_in(
    browser: Browser,
    state_dir: Path,
    discord_peer: DiscordPeer,
    telegram_peer: TelegramPeer,
    settings: dict[str, str],
) -> None:
    bare = BotProcess(
        state_dir,
        DISCORD_API_URL=discord_peer.url,
        DISCORD_GATEWAY_URL=discord_peer.gateway_url,
        TELEGRAM_API_URL=telegram_peer.url,
        **settings,
    )
    await bare.start()
    try:
        async with opened(browser, bare.url) as page:
            await expect(page.get_by_role("button", name="Clear")).to_be_hidden()
            await expect(page.get_by_role("button", name="Sign in")).to_be_hidden()
            for provider in ("discord", "telegram"):
                assert (await page.request.get(f"{bare.url}/signin/{provider}")).status == 404
                assert (await page.request.post(f"{bare.url}/api/signin/{provider}")).status == 404
    finally:
        assert await bare.stop() == 0
