"""The chat page as a platform: an HTTP server that starts, shows replies, and stops."""

from __future__ import annotations

import errno
import logging
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from bot.platforms import MessageGoneError, Services
from bot.platforms.proof import Login
from bot.platforms.web.book import Change
from bot.platforms.web.conversation import Conversations
from bot.platforms.web.guard import HostRule, add_headers, checked_by
from bot.platforms.web.message_log import MessageLog
from bot.platforms.web.pictures import CardPictures
from bot.platforms.web.routes import Routes
from bot.platforms.web.signin import SignIn
from bot.platforms.web.visitors import PLATFORM, Visitors
from bot.platforms.web.wire import FRAME_BYTES
from handlers.model import AccountId, MessageRef, Reply

log = logging.getLogger(__name__)

LOG_FILE = "web.sqlite"

_SHUTDOWN_S = 0.5
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - translated, not bound


class AddressError(OSError):
    """The page's address cannot be used; the message is one sentence that says what to do."""


class WebPlatform:
    """Serves the page on ``host`` and ``port`` (0: any free one). ``secret`` signs the cookies.

    The message log is ``state_dir/web.sqlite``. ``allowed_hosts``: names besides ``host`` and localhost by
    which the page may be reached. ``logins``: by whom visitors can sign in; they come back to ``public_url``, the
    address by which people reach the page, which is ``url`` where it is blank.
    """

    name = PLATFORM
    edit_interval_s = 0.25

    def __init__(
        self,
        services: Services,
        host: str,
        port: int,
        state_dir: Path,
        secret: bytes,
        allowed_hosts: Sequence[str] = (),
        *,
        logins: Sequence[Login] = (),
        public_url: str = "",
    ) -> None:
        self._host = host
        self._port = port
        self._log = MessageLog(state_dir / LOG_FILE, self._published)
        self._pictures = CardPictures(services.picture)
        self._conversations = Conversations(services, self._log, self._pictures)
        visitors = Visitors(secret)
        signin = SignIn(services, self._log, visitors, logins, lambda: public_url or self.url)
        self._routes = Routes(services, self._conversations, self._log, self._pictures, visitors, signin)
        self._app = web.Application(
            middlewares=[checked_by(HostRule(host, allowed_hosts))], client_max_size=FRAME_BYTES
        )
        self._app.on_response_prepare.append(add_headers)
        self._routes.add_to(self._app.router)
        self._runner: web.AppRunner | None = None
        self._bound_port = port

    @property
    def url(self) -> str:
        """Where the page is, as a browser on this machine reaches it."""
        host = _EVERYWHERE.get(self._host, self._host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._bound_port}"

    async def start(self) -> str:
        """Begin to serve. Raises AddressError, or LedgerError for a message log that cannot be used."""
        await self._log.open()
        runner = web.AppRunner(self._app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        site = web.TCPSite(runner, self._host or None, self._port)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            await self._log.close()
            raise AddressError(self._why_not(error)) from error
        self._runner = runner
        await self._conversations.start()
        self._bound_port = site.port
        return f"Open {self.url}"

    async def stop(self) -> None:
        """Close every page, finish or put aside what is being answered, and write the log."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        for site in tuple(runner.sites):
            await site.stop()
        # Pages first: they come back by themselves, and what they ask in the meantime waits with them.
        await self._routes.close_pages()
        await self._conversations.stop()
        await runner.cleanup()
        await self._log.close()

    async def edit(self, message: MessageRef, reply: Reply) -> None:
        """Show a new state in a message of the page."""
        picture = await self._pictures.of(reply)
        if not await self._log.edit(AccountId(message.chat), message.message, reply, picture):
            raise MessageGoneError(f"{message.message} is no longer in the page")

    async def deliver(self, message: MessageRef, reply: Reply, *, nonce: str, to: AccountId) -> None:
        """Turn the message into the finished piece, or post it anew where the message has gone."""
        del to  # the page tells whoever has it open
        picture = await self._pictures.of(reply)
        if not await self._log.deliver(AccountId(message.chat), message.message, reply, nonce, picture):
            raise MessageGoneError("the conversation is no longer there")

    async def tell(self, account: AccountId, reply: Reply, *, nonce: str) -> None:
        """One more message in the conversation, whether it is open or not."""
        if not await self._log.deliver(account, "", reply, nonce):
            raise MessageGoneError("the conversation is no longer there")

    async def forget(self, account: AccountId) -> None:
        """Forget the conversation."""
        await self._log.clear(account)

    def _published(self, changes: list[Change]) -> None:
        self._conversations.published(changes)

    def _why_not(self, error: Exception) -> str:
        where = f"{self._host or '*'}:{self._port}"
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.EADDRINUSE:
            return (
                f"The chat page cannot open at {where}, because another program uses that port already: "
                "stop it (a second Raga Bot?), or set WEB_PORT to another port (0 takes any free one)."
            )
        if number in (errno.EACCES, errno.EPERM):
            return f"The chat page may not open at {where}; set WEB_PORT to 1024 or higher."
        return (
            f"The chat page cannot open at {where}; "
            "set WEB_HOST to an address of this machine, such as 127.0.0.1."
        )
