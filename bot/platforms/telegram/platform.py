"""Telegram: composition of the parts, start and stop, and what the delivery watcher calls."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from dataclasses import replace
from urllib.parse import urlsplit

from telegram import Bot, Update
from telegram.error import BadRequest, InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from bot.backoff import Backoff
from bot.platforms import Services
from bot.platforms.departures import Departures
from bot.platforms.shelf import Shelf
from bot.platforms.telegram import hearts, menu, sheet, webhook
from bot.platforms.telegram.dialogue import Dialogue
from bot.platforms.telegram.files import Files
from bot.platforms.telegram.inline import Inline
from bot.platforms.telegram.intake import Intake
from bot.platforms.telegram.leaving import Gone, left
from bot.platforms.telegram.links import link
from bot.platforms.telegram.login import TelegramLogin
from bot.platforms.telegram.pace import Pace
from bot.platforms.telegram.pictures import Pictures
from bot.platforms.telegram.polling import TOKEN_REFUSED, Polling
from bot.platforms.telegram.post import Post, PostError
from bot.platforms.telegram.progress import ProgressEdits
from bot.platforms.telegram.reading import ALLOWED_UPDATES, reacted, said_in
from bot.platforms.telegram.rights import Rights
from bot.platforms.telegram.spot import NAME, Spot, read_spot, user_of
from bot.platforms.telegram.tracks import Tracks
from bot.upkeep import begin, end
from handlers.model import AccountId, MessageRef, Reply

log = logging.getLogger(__name__)

_ADDRESS = "https://api.telegram.org"
_CONNECTIONS = 128
_FIRST_TRY_S = 10.0
_CHOICES_BELOW = "The choices are just below."


class TelegramPlatform:
    """One bot on Telegram. ``failed`` gets a sentence when it cannot go on: a refused token, a second poller."""

    name = NAME
    edit_interval_s = 1.2

    def __init__(
        self,
        services: Services,
        token: str,
        shelf: Shelf,
        *,
        api_url: str = "",
        webhook_url: str = "",
        webhook_secret: str = "",
        webhook_port: int = 0,
    ) -> None:
        # The library warns at every pause that it is asked for, until one has opted into its coming type of lengths.
        os.environ.setdefault("PTB_TIMEDELTA", "true")
        # Nor need it log what a proxy says in place of Telegram: the call fails, and that is told here.
        logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)
        self._services = services
        self._shelf = shelf
        self._webhook_url = webhook_url
        self._webhook_secret = webhook_secret or secrets.token_urlsafe(32)
        self._webhook_port = webhook_port
        self._requests = [HTTPXRequest(1), HTTPXRequest(_CONNECTIONS, read_timeout=10.0, pool_timeout=10.0)]
        address = api_url or _ADDRESS
        self._bot = Bot(
            token,
            base_url=f"{address}/bot",
            base_file_url=f"{address}/file/bot",
            get_updates_request=self._requests[0],
            request=self._requests[1],
        )
        self._post = Post(self._bot, Pace(asyncio.get_running_loop().time))
        self._edits = ProgressEdits(self._post)
        self._tracks = Tracks(services, self._post, shelf, self._edits)
        self._departures = Departures(NAME, shelf, services)
        self._intake = Intake(self._bot, shelf, self._handle)
        self._polling = Polling(self._bot, self._intake, self._fail)
        self._webhook = webhook.Webhook(self._intake, self._webhook_secret)
        self._tasks: list[asyncio.Task[None]] = []
        self._connected = asyncio.Event()
        self._username = ""
        self._dialogue: Dialogue | None = None
        self._inline: Inline | None = None
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def start(self) -> str:
        """Log in, and begin to hear; where Telegram cannot be reached, it is tried again and again beside the rest."""
        await self._departures.start()
        self._tasks.append(begin(self._run(), "Telegram"))
        connected = begin(self._wait_connected(), "Telegram's first connection")
        await asyncio.wait(
            (connected, self.failed), timeout=_FIRST_TRY_S, return_when=asyncio.FIRST_COMPLETED
        )
        await end([connected])
        if self.failed.done():
            return f"off: {self.failed.result()}"
        if not self._connected.is_set():
            return "not reached yet; it is tried again and again"
        return f"@{self._username}, {'by webhook' if self._webhook_url else 'by polling'}"

    def login(self, address: str = "") -> TelegramLogin:
        """Signing in to the chat page with the same bot."""
        return TelegramLogin(self._bot.token, address=address)

    async def stop(self) -> None:
        """Hear and show nothing more."""
        await end(self._tasks)
        await self._webhook.stop()
        await self._intake.stop()
        await self._departures.stop()
        await self._edits.stop()
        await self._polling.confirm()
        for request in self._requests:
            await request.shutdown()

    async def edit(self, message: MessageRef, reply: Reply) -> None:
        """Show a new state; progress is taken in at once and shown at the chat's pace."""
        spot = read_spot(message)
        if reply.progress is not None:
            self._edits.offer(spot, reply)
            return
        await self._edits.settled(spot)
        page = sheet.whole(reply)
        await self._post.edit_text(spot, page.first, page.keyboard)

    async def deliver(self, message: MessageRef, reply: Reply, *, nonce: str, to: AccountId) -> None:
        """Post the finished piece as an answer to who asked for it; a reply without audio ends in its message."""
        if reply.track is None:
            await self.edit(message, replace(reply, progress=None))
            return
        await self._tracks.deliver(message, reply, nonce=nonce, to=to)

    def _fail(self, sentence: str) -> None:
        if not self.failed.done():
            self.failed.set_result(sentence)

    async def _wait_connected(self) -> None:
        await self._connected.wait()

    async def _run(self) -> None:
        trouble = Backoff(0.5, 30.0)
        while not self._connected.is_set():
            try:
                await self._connect()
            except InvalidToken:
                self._fail(TOKEN_REFUSED)
                return
            except BadRequest as error:
                self._fail(f"Telegram does not take this webhook: {error.message}.")
                return
            except TelegramError as error:
                log.warning("Telegram is not reached yet: %s", type(error).__name__)
                await asyncio.sleep(trouble.pause_s())
            except OSError as error:
                self._fail(f"TELEGRAM_WEBHOOK_PORT {self._webhook_port} cannot be used: {error.strerror}.")
                return
        self._tasks.append(begin(self._publish(), "The commands on Telegram"))
        if not self._webhook_url:
            await self._polling.run()

    async def tell(self, account: AccountId, reply: Reply, *, nonce: str) -> None:
        """A message in the private chat. Telegram has no key against doubles, so it is noted that one was sent."""
        if await self._shelf.get("told", nonce) is None:
            page = sheet.whole(reply)
            await self._post.send_text(Spot(user_of(account)), page.first, page.keyboard)
            await self._shelf.put("told", nonce, "yes")

    async def forget(self, account: AccountId) -> None:
        """What is kept here are ids of messages, and no account's."""
        del account

    def address(self, line: str) -> str | None:
        """An address that opens the private chat and says this line."""
        return link(self._username, line) if self._username else None

    async def _connect(self) -> None:
        me = await self._bot.get_me()
        self._username = me.username or ""
        post = self._post
        pictures = Pictures(self._services, post, self._shelf)
        files = Files(self._services, post, self._shelf)
        self._dialogue = Dialogue(
            self._services,
            post,
            self._shelf,
            self._edits,
            self._tracks,
            pictures,
            files,
            Rights(post, self._shelf),
            self._username,
        )
        self._inline = Inline(self._services, post, self._tracks, self._username)
        await self._intake.start()
        if self._webhook_url:
            await self._webhook.stop()
            await self._webhook.start(self._webhook_port)
            await self._bot.set_webhook(
                self._public_url(), allowed_updates=list(ALLOWED_UPDATES), secret_token=self._webhook_secret
            )
        else:
            await self._bot.delete_webhook()
        self._connected.set()

    def _public_url(self) -> str:
        """The address that Telegram is told; one without a path gets ours."""
        path = urlsplit(self._webhook_url).path
        return self._webhook_url if path.strip("/") else self._webhook_url.rstrip("/") + webhook.PATH

    async def _publish(self) -> None:
        trouble = Backoff(1.0, 300.0)
        while True:
            try:
                await menu.publish(self._bot, self._shelf)
            except (TelegramError, OSError) as error:
                log.warning("The commands are not on Telegram yet: %s", type(error).__name__)
                await asyncio.sleep(trouble.pause_s())
            else:
                return

    async def _note(self, gone: Gone) -> None:
        if gone.to is not None:
            await self._departures.moved(gone.chat, gone.to)
        else:
            await self._departures.left(gone.chat if gone.group else None, (gone.chat,))

    async def _handle(self, update: Update) -> None:
        if self._dialogue is None or self._inline is None:
            raise PostError("not connected yet")
        event = str(update.update_id)
        if (gone := await left(update, self._post)) is not None:
            await self._note(gone)
        elif update.inline_query is not None:
            await self._inline.answer(update.inline_query, event)
        elif update.message_reaction is not None:
            reaction = update.message_reaction
            said = reacted(reaction, event)
            on = hearts.change(reaction.old_reaction, reaction.new_reaction)
            if said is not None and on is not None:
                await self._dialogue.react(said, on)
        elif (said := said_in(update, self._username)) is not None:
            await self._dialogue.answer(said)
        elif (query := update.callback_query) is not None:
            text = _CHOICES_BELOW if query.data == sheet.HEADING else None
            await self._post.quick(lambda: self._bot.answer_callback_query(query.id, text))
