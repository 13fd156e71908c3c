"""The composition root: builds everything, starts it in dependency order, stops it in reverse."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import journal
from bot.backend.identity import IdentityError
from bot.backend.jobs import Jobs
from bot.backend.local import LocalConvexError
from bot.backend.snapshot import seed
from bot.backoff import Backoff
from bot.core import Core, build
from bot.delivery import DeliveryWatcher
from bot.notices import NoticeTeller
from bot.platforms import Platform
from bot.platforms.proof import Login
from bot.platforms.shelf import Shelf
from bot.platforms.terminal import TerminalPlatform, as_text
from bot.platforms.web import WebPlatform
from bot.platforms.web.ledger import LedgerError
from bot.rendering import Renderers
from bot.settings import Settings
from bot.upkeep import begin, end
from bot.worker import Worker, worker_name
from handlers import notices
from handlers.errors import RagaBotError
from handlers.model import AccountId, Actor, MessageRef, Place, Reply, Request
from handlers.pieces import show
from music.catalogue import CatalogueError

if TYPE_CHECKING:
    from bot.platforms.discord import DiscordPlatform
    from bot.platforms.telegram import TelegramPlatform

log = logging.getLogger(__name__)

_STOP_DEADLINE_S = 4.5
"""A person who presses Ctrl-C is promised five seconds."""

_QUIET_REPORT_S = 45.0
"""A worker in the bot's own process shows its progress there; Convex hears of it to renew the lease (90 s)."""

_REMOTE_REPORT_S = 8.0
"""Bots elsewhere see a worker's progress only through Convex, where each report costs two calls."""

_ASK_DEADLINE_S = 1800.0
_TERMINAL_ACCOUNT = AccountId("terminal:owner")


_ALONE = "A worker needs a bot to work for: set CONVEX_URL, or start `raga-bot run` here first."


async def run(settings: Settings) -> int:
    """Everything, until Ctrl-C; returns the exit status."""
    journal.set_up(settings.log_level, settings.secrets())
    stopping = _stop_signal()
    stack = AsyncExitStack()
    try:
        try:
            core = await build(settings, stack)
            failures: list[asyncio.Future[str]] = []
            lines = await _start(core, stack, failures)
        except (LocalConvexError, IdentityError, LedgerError, CatalogueError, OSError) as error:
            print(f"Raga Bot cannot start. {error}", file=sys.stderr)
            return 1
        if not any(failure.done() for failure in failures):
            print(_block(lines), flush=True)
        return await _until(stopping, failures)
    finally:
        await _stop(stack)


async def _until(stopping: asyncio.Event, failures: Sequence[asyncio.Future[str]]) -> int:
    """Wait for Ctrl-C (status 0), or for a platform that cannot go on and says why (status 1)."""
    stopped = asyncio.create_task(stopping.wait())
    waits: list[asyncio.Future[Any]] = [stopped, *failures]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    for failure in failures:
        if failure.done() and not stopping.is_set():
            print(failure.result(), file=sys.stderr)
            return 1
    print("Stopping …", flush=True)
    return 0


async def work(settings: Settings) -> int:
    """Only render, for bots elsewhere, until Ctrl-C."""
    journal.set_up(settings.log_level, settings.secrets())
    stopping = _stop_signal()
    stack = AsyncExitStack()
    try:
        try:
            core = await build(settings, stack, bot_suffix=f"-worker-{os.getpid()}", share=True)
            if not core.shared:
                print(_ALONE, file=sys.stderr)
                return 1
            await _start_live(core, stack)
            line = await _start_worker(core, stack, max(1, settings.workers), _REMOTE_REPORT_S)
        except (LocalConvexError, IdentityError, LedgerError, CatalogueError, OSError) as error:
            print(f"The worker cannot start. {error}", file=sys.stderr)
            return 1
        print(f"Worker {line}, for the {core.where}\nCtrl-C stops it.", flush=True)
        await stopping.wait()
        return 0
    finally:
        await _stop(stack)


async def ask(settings: Settings, line: str, save: Path | None) -> int:
    """One command from the shell, through the same handlers; 0 when it was answered, 1 when not."""
    journal.set_up("WARNING" if settings.log_level == "INFO" else settings.log_level, settings.secrets())
    stopping = _stop_signal()
    stack = AsyncExitStack()
    try:
        # An `ask` has a bot's id of its own: its piece must not be shown by a bot that runs beside it.
        core = await build(settings, stack, bot_suffix=f"-ask-{secrets.token_hex(4)}", share=True)
        terminal = TerminalPlatform(core.services)
        asking = _begin_ask(core, stack, terminal, line)
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait((asking, stopped), return_when=asyncio.FIRST_COMPLETED, timeout=_ASK_DEADLINE_S)
        stopped.cancel()
        if not asking.done():
            asking.cancel()
            print("Stopped before the answer was there.", file=sys.stderr)
            return 1
        return await _tell(terminal, asking.result(), save)
    except (LocalConvexError, IdentityError, CatalogueError, RagaBotError) as error:
        print(f"That did not work. {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"That did not work: {error.strerror or error} ({error.filename or save or ''}).", file=sys.stderr
        )
        return 1
    finally:
        await _stop(stack)


async def _tell(terminal: TerminalPlatform, reply: Reply, save: Path | None) -> int:
    print(as_text(reply))
    if save is not None and (reply.track is not None or reply.download is not None):
        print(f"Saved as {await terminal.save(reply, save)}")
    return 0 if reply.ok else 1


def _begin_ask(
    core: Core, stack: AsyncExitStack, terminal: TerminalPlatform, line: str
) -> asyncio.Task[Reply]:
    """Ask one thing; the task ends with the final reply."""
    return asyncio.create_task(_ask(core, stack, terminal, line), name="ask")


async def _ask(core: Core, stack: AsyncExitStack, terminal: TerminalPlatform, line: str) -> Reply:
    text = line.strip()
    name, _, rest = text.removeprefix("/").partition(" ")
    command, rest = (name.casefold(), rest.strip()) if text.startswith("/") else ("", text)
    message = MessageRef(terminal.name, _TERMINAL_ACCOUNT, secrets.token_hex(8))
    final = terminal.expect(message)
    if command in _MAKING:
        await _start_live(core, stack)
        await _start_worker(core, stack, 1)
        await _start_delivery(core, stack, {terminal.name: terminal})
    if command in _STORING:
        await _seeded(core)
    reply = await core.services.respond(
        Request(
            actor=Actor(_TERMINAL_ACCOUNT, "Owner"),
            place=Place(terminal.name, _TERMINAL_ACCOUNT, private=True),
            command=command,
            event=secrets.token_hex(16),
            text=rest,
            answer=message,
        )
    )
    if reply.progress is None:
        return reply
    await terminal.edit(message, reply)
    return await final


_MAKING = frozenset({"generate", "again", "vary", "longer"})
_STORING = frozenset({"favorite"})


def _stop_signal() -> asyncio.Event:
    """Set by the first Ctrl-C or SIGTERM; the second ends the process at once."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopping.is_set():
            os._exit(130)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return stopping


async def _stop(stack: AsyncExitStack) -> None:
    try:
        async with asyncio.timeout(_STOP_DEADLINE_S):
            await stack.aclose()
    except TimeoutError:
        # Whatever is left ends with this process: it watches its parent.
        log.warning("Not everything stopped in time.")


async def _start(core: Core, stack: AsyncExitStack, failures: list[asyncio.Future[str]]) -> Mapping[str, str]:
    """Start the parts; returns the start-up block's lines by name. ``failures``: for platforms that cannot go on."""
    await _start_live(core, stack)
    await core.snapshot.start(core.live)
    stack.push_async_callback(core.snapshot.stop)
    await stack.enter_async_context(_seeding(core))
    await core.sweeper.start()
    stack.push_async_callback(core.sweeper.stop)
    settings = core.settings
    lines = {
        "Convex": core.where,
        "Catalogue": f"{len(core.packaged.ragas)} ragas",
        "Worker": "none here; `raga-bot worker` runs elsewhere",
    }
    if settings.workers:
        lines["Worker"] = await _start_worker(core, stack, settings.workers)
    discord = _discord(core, stack)
    telegram = _telegram(core, stack)
    web = WebPlatform(
        core.services,
        settings.web_host,
        settings.web_port,
        settings.state_dir,
        core.cookie_secret,
        settings.allowed_hosts,
        logins=_logins(settings, discord, telegram),
        public_url=settings.web_public_url,
    )
    platforms: list[Platform] = [web]
    if discord is not None:
        platforms.append(discord)
        failures.append(discord.failed)
    if telegram is not None:
        platforms.append(telegram)
        failures.append(telegram.failed)
    # The watcher goes first, so that nothing that a platform starts is ever without it.
    await _start_delivery(core, stack, {platform.name: platform for platform in platforms})
    lines["Discord"] = _off("Discord")
    lines["Telegram"] = _off("Telegram")
    if discord is not None:
        lines["Discord"] = await discord.start()
    if telegram is not None:
        lines["Telegram"] = await telegram.start()
    lines["Chat page"] = await web.start()
    stack.push_async_callback(web.stop)
    return lines


def _discord(core: Core, stack: AsyncExitStack) -> DiscordPlatform | None:
    settings = core.settings
    token = settings.discord_token.get_secret_value()
    if not token:
        return None
    from bot.platforms.discord import DiscordPlatform  # its library takes a third of a second to load

    shelf = Shelf(settings.state_dir / "discord.sqlite3")
    stack.push_async_callback(shelf.close)
    platform = DiscordPlatform(
        core.services,
        token,
        shelf,
        api_url=settings.discord_api_url,
        gateway_url=settings.discord_gateway_url,
    )
    # It is stopped after the watcher, which may be in the middle of a delivery.
    stack.push_async_callback(platform.stop)
    return platform


def _telegram(core: Core, stack: AsyncExitStack) -> TelegramPlatform | None:
    settings = core.settings
    token = settings.telegram_token.get_secret_value()
    if not token:
        return None
    from bot.platforms.telegram import TelegramPlatform  # its library takes a third of a second to load

    shelf = Shelf(settings.state_dir / "telegram.sqlite3")
    stack.push_async_callback(shelf.close)
    platform = TelegramPlatform(
        core.services,
        token,
        shelf,
        api_url=settings.telegram_api_url,
        webhook_url=settings.telegram_webhook_url,
        webhook_secret=settings.telegram_webhook_secret.get_secret_value(),
        webhook_port=settings.telegram_webhook_port,
    )
    # It is stopped after the watcher, which may be in the middle of a delivery.
    stack.push_async_callback(platform.stop)
    core.doors.add(platform.address)
    return platform


def _logins(
    settings: Settings, discord: DiscordPlatform | None, telegram: TelegramPlatform | None
) -> list[Login]:
    """By whom visitors of the page can sign in: platforms that run here, where signing in is set up."""
    logins: list[Login] = []
    secret = settings.discord_client_secret.get_secret_value()
    if discord is not None and secret:
        logins.append(discord.login(secret, settings.discord_api_url))
    if telegram is not None and settings.telegram_login:
        logins.append(telegram.login(settings.telegram_login_url))
    return logins


def _off(name: str) -> str:
    return f"off, set {name.upper()}_TOKEN in .env"


async def _start_live(core: Core, stack: AsyncExitStack) -> None:
    await core.live.start()
    stack.push_async_callback(core.live.stop)
    await core.announcements.start(core.live)
    stack.push_async_callback(core.announcements.stop)


async def _start_worker(
    core: Core, stack: AsyncExitStack, size: int, first_report_s: float = _QUIET_REPORT_S
) -> str:
    name = stack.enter_context(worker_name(core.settings.state_dir, core.bot))
    worker = Worker(
        Jobs(core.convex, core.signer, name),
        Renderers(size),
        core.live,
        core.snapshot.catalogue,
        core.board,
        core.audio,
        first_report_s=first_report_s,
    )
    await worker.start()
    stack.push_async_callback(worker.stop)
    return f"ready, {size} piece{'s' if size > 1 else ''} at a time"


async def _start_delivery(core: Core, stack: AsyncExitStack, platforms: Mapping[str, Platform]) -> None:
    watcher = DeliveryWatcher(
        core.live, core.record.delivered, platforms, core.board, core.audio, show, core.people.silent
    )
    await watcher.start()
    stack.push_async_callback(watcher.stop)

    async def forget(account: AccountId) -> None:
        await core.people.forget(account)
        core.sweeper.wake()

    teller = NoticeTeller(core.live, core.record.told, forget, platforms, notices.reply)
    await teller.start()
    stack.push_async_callback(teller.stop)


@asynccontextmanager
async def _seeding(core: Core) -> AsyncIterator[None]:
    """Bring the catalogue into Convex beside everything else; lookups do not wait for it."""
    task = begin(_seeded(core), "The seeding of the catalogue")
    try:
        yield
    finally:
        await end([task])


async def _seeded(core: Core) -> None:
    trouble = Backoff(1.0, 60.0)
    while True:
        try:
            counts = await seed(core.convex, core.signer.bot, core.packaged)
        except RagaBotError as error:
            log.warning("The catalogue is not in Convex yet: %s", error.code)
            await asyncio.sleep(trouble.pause_s())
        else:
            if counts.published:
                log.info("The catalogue is in Convex: %d added, %d changed.", counts.added, counts.changed)
            return


def _block(lines: Mapping[str, str]) -> str:
    width = max(map(len, lines))
    rows: Sequence[str] = [f"  {name:<{width}}  {line}" for name, line in lines.items()]
    return "\n".join(["", "Raga Bot is ready.", *rows, "Ctrl-C stops everything.", ""])
