"""A real browser for tests of the page, which tells of everything that goes wrong in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, async_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
)
DEADLINE_MS = 15_000.0


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, or the one that CHROMIUM names."""
    found = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    assert found, "these tests need Chromium: install it, or set CHROMIUM to one"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, headless=True, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser,
    url: str,
    *,
    unreachable_is_fine: bool = False,
    refusals_are_fine: bool = False,
    friends: Sequence[str] = (),
    **context: Any,
) -> AsyncIterator[Page]:
    """The page, open and connected. Errors in its console, blocked content and foreign requests fail.

    ``refusals_are_fine``: an answer that refuses is expected. ``friends``: addresses to which the page may lead.
    """
    troubles: list[str] = []
    own = {urlsplit(one).netloc for one in (url, *friends)}
    visit = await browser.new_context(**context)
    visit.set_default_timeout(DEADLINE_MS)
    await visit.add_init_script(
        "addEventListener('securitypolicyviolation', (event) =>"
        " console.error(`blocked by the policy: ${event.violatedDirective} ${event.blockedURI}`));"
    )

    def watch(page: Page) -> None:
        def heard(kind: str, text: str) -> None:
            expected = unreachable_is_fine and ("net::ERR_" in text or "WebSocket" in text)
            expected |= refusals_are_fine and "the server responded with a status of 4" in text
            if kind in ("error", "warning") and not expected:
                troubles.append(f"{kind}: {text}")

        page.on("console", lambda message: heard(message.type, message.text))
        page.on("pageerror", lambda error: troubles.append(f"page error: {error}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda request: (
                troubles.append(f"foreign: {request.url}")
                if urlsplit(request.url).netloc not in own
                else None
            ),
        )

    visit.on("page", watch)
    try:
        page = await visit.new_page()
        await page.goto(url)
        await connected(page)
        yield page
        assert troubles == []
    finally:
        await visit.close()


async def connected(page: Page) -> None:
    """Wait until the page is in touch with the bot."""
    await page.locator('[data-testid="connection"][data-state="open"]').wait_for()
