"""Discord: composition of the parts, start and stop, and what the delivery watcher calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
import discord

from bot.backoff import Backoff
from bot.platforms import MessageGoneError, Services
from bot.platforms.departures import Departures
from bot.platforms.discord import menu
from bot.platforms.discord.answer import Answers
from bot.platforms.discord.client import Client, redirect
from bot.platforms.discord.dialogue import Dialogue
from bot.platforms.discord.hearts import Hearts, means_heart
from bot.platforms.discord.intake import Intake
from bot.platforms.discord.leaving import Leaving
from bot.platforms.discord.login import DiscordLogin
from bot.platforms.discord.pace import Pace
from bot.platforms.discord.post import ClosedError, DeadTokenError, Interaction, Post, PostError
from bot.platforms.discord.reading import reacted, spot_of
from bot.platforms.discord.sheet import Page, whole
from bot.platforms.discord.spot import NAME, Spot, read_spot, user_of
from bot.platforms.discord.tracks import Tracks, nonce_of
from bot.platforms.shelf import Shelf
from bot.upkeep import begin, end
from handlers.model import AccountId, MessageRef, Reply

log = logging.getLogger(__name__)

_FIRST_TRY_S = 10.0
_CLOSE_S = 1.0
_TOKEN_REFUSED = "Discord does not accept DISCORD_TOKEN. Copy it anew from the developer portal, page Bot."  # noqa: S105 - a sentence
_INTENTS_REFUSED = "Discord does not grant this bot what it asks for (close code 4014)."


class DiscordPlatform:
    """One bot on Discord. ``failed`` gets a sentence when it cannot go on: a refused token."""

    name = NAME
    edit_interval_s = 1.3

    def __init__(
        self, services: Services, token: str, shelf: Shelf, *, api_url: str = "", gateway_url: str = ""
    ) -> None:
        redirect(api_url, gateway_url)
        self._token = token
        self._shelf = shelf
        self._hearts = Hearts()
        self._answers = Answers()
        self._pace = Pace(asyncio.get_running_loop().time)
        self._post = Post(self._pace)
        self._tracks = Tracks(services, self._post, shelf, self._answers)
        self._departures = Departures(NAME, shelf, services)
        self._leaving = Leaving(shelf, self._departures)
        self._dialogue = Dialogue(
            services, self._post, shelf, self._answers, self._tracks, self._leaving.speaks_in
        )
        self._client: Client | None = None
        self._run_task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._tails: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._intake = Intake(shelf, self._answer)
        self._connected = asyncio.Event()
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def start(self) -> str:
        """Log in, and begin to hear; where Discord cannot be reached, it is tried again and again beside the rest."""
        await self._departures.start()
        self._run_task = begin(self._run(), "Discord")
        connected = begin(self._wait_connected(), "Discord's first connection")
        await asyncio.wait(
            (connected, self.failed), timeout=_FIRST_TRY_S, return_when=asyncio.FIRST_COMPLETED
        )
        await end([connected])
        if self.failed.done():
            return f"off: {self.failed.result()}"
        client = self._client
        if not self._connected.is_set() or client is None or client.user is None:
            return "connecting; it is tried again and again"
        count = len(client.guilds)
        return f"{client.user.name}, in {count} server{'' if count == 1 else 's'}"

    def login(self, secret: str, api_url: str = "") -> DiscordLogin:
        """Signing in to the chat page with the same application, whose id Discord tells this bot itself."""
        return DiscordLogin(self._application, secret, api_url=api_url)

    def _application(self) -> int | None:
        client = self._client
        return None if client is None else client.application_id

    async def stop(self) -> None:
        """Hear and show nothing more."""
        await self._intake.stop()
        await self._tracks.stop()
        await end(tuple(self._tasks))
        await self._departures.stop()
        if self._run_task is not None:
            await end([self._run_task])
            self._run_task = None

    async def edit(self, message: MessageRef, reply: Reply) -> None:
        """Show a new state. A state of progress that finds no room is left out; its message may even have gone,
        since the piece is posted as a message of its own."""
        spot = read_spot(message)
        page = whole(reply)
        if reply.progress is None:
            self._answers.begin_to_show(spot, last=True)
            async with self._answers.order(spot):
                await self._edit(spot, page)
            return
        order = self._answers.order(spot)
        if order.locked() or not self._pace.progress_may_show(spot.channel):
            return
        async with order:
            if self._answers.begin_to_show(spot):
                with suppress(MessageGoneError):
                    await self._edit(spot, page)

    async def deliver(self, message: MessageRef, reply: Reply, *, nonce: str, to: AccountId) -> None:
        """Post the finished piece as an answer to who asked for it; a reply without audio ends in its message."""
        if reply.track is None:
            await self.edit(message, replace(reply, progress=None))
            return
        await self._tracks.deliver(message, reply, nonce=nonce, to=to)

    async def tell(self, account: AccountId, reply: Reply, *, nonce: str) -> None:
        """A direct message; Discord knows the nonce for some minutes."""
        channel = await self._post.open_direct(user_of(account))
        await self._post.send(channel, whole(reply), nonce=nonce_of(nonce))

    async def forget(self, account: AccountId) -> None:
        """What is kept here are ids of messages, and no account's."""
        del account

    async def _edit(self, spot: Spot, page: Page) -> None:
        """By the channel, else by the token of the interaction, as long as that is taken."""
        answer = self._answers.find(spot)
        if answer is None or not answer.apart:
            try:
                await self._post.edit(spot, page)
            except ClosedError:
                if answer is None or answer.dead:
                    raise
                answer.apart = True
            else:
                return
        try:
            await answer.edit_by_token(page)
        except DeadTokenError:
            raise MessageGoneError("neither the channel nor the token is open") from None

    def connected(self) -> None:
        """A session with the gateway has begun."""
        self._connected.set()
        if (client := self._client) is not None:
            self._begin(self._intake.start(client.interaction), "what was open")

    def told(self, raw: object) -> None:
        """An interaction as it came, which comes as one in a moment."""
        self._intake.told(raw)

    def interacted(self, interaction: Interaction) -> None:
        """Answer it, once."""
        self._intake.take(interaction)

    async def _answer(self, interaction: Interaction) -> None:
        kind = interaction.type
        if kind is discord.InteractionType.autocomplete:
            await self._handled(self._dialogue.suggest(interaction))
        elif kind in (discord.InteractionType.application_command, discord.InteractionType.component):
            await self._handled(self._dialogue.answer(interaction))

    def reacted(self, reaction: discord.RawReactionActionEvent, on: bool) -> None:
        """Hearts, one person's on one message in their order."""
        bot = reaction.member is not None and reaction.member.bot
        if not means_heart(reaction.emoji) or bot or self._post.own(reaction.user_id):
            return
        place = (reaction.message_id, reaction.user_id)
        if on:
            self._hearts.put_on(*place, reaction.emoji.name)
        elif not self._hearts.taken_off(*place, reaction.emoji.name):
            return
        task = self._begin(self._react(reaction, on, self._tails.get(place)), "a heart")
        self._tails[place] = task
        task.add_done_callback(lambda _: self._forget_tail(place, task))

    def present(self, guilds: Sequence[int]) -> None:
        """What the bot was taken out of while it was away, it hears only so."""
        self._begin(self._handled(self._leaving.present_in(guilds)), "servers that are gone")

    def guild_gone(self, guild: int) -> None:
        """The bot was taken out of a server."""
        self._begin(self._handled(self._leaving.guild_gone(guild)), "a server that is gone")

    def chat_gone(self, chat: int) -> None:
        """A channel or a thread was deleted."""
        self._begin(self._handled(self._leaving.chat_gone(chat)), "a chat that is gone")

    def _forget_tail(self, place: tuple[int, int], task: asyncio.Task[None]) -> None:
        if self._tails.get(place) is task:
            del self._tails[place]

    async def _react(
        self, reaction: discord.RawReactionActionEvent, on: bool, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await asyncio.wait((before,))
        line = await self._shelf.get("heart", spot_of(reaction).key)
        if line is not None:
            text = f"{line.partition(' ')[2]} {'on' if on else 'off'}"
            await self._handled(self._dialogue.react(reacted(reaction, text)))

    def _begin(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        task = begin(work, f"discord: {what}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _handled(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except MessageGoneError as error:
            log.info("An answer has no place on Discord any more: %s", error)
        except PostError as error:
            log.warning("An answer could not be given on Discord: %s", error)
        except Exception:
            log.exception("An event of Discord could not be handled.")

    async def _wait_connected(self) -> None:
        await self._connected.wait()

    def _fail(self, sentence: str) -> None:
        if not self.failed.done():
            self.failed.set_result(sentence)

    async def _run(self) -> None:
        """A client until it ends, which it does only for a reason; then another."""
        trouble = Backoff(0.5, 60.0)
        clock = asyncio.get_running_loop().time
        while not self.failed.done():
            client = self._client = Client(self)
            began = clock()
            try:
                await self._serve(client)
                log.warning("The connection to Discord has ended; it is made anew.")
            except discord.LoginFailure:
                self._fail(_TOKEN_REFUSED)
            except discord.PrivilegedIntentsRequired:
                self._fail(_INTENTS_REFUSED)
            except discord.ConnectionClosed as error:
                if error.code == 4004:
                    self._fail(_TOKEN_REFUSED)
                log.warning("Discord has closed the connection: %s", error.code)
            except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
                log.warning("Discord is not reached yet: %s", type(error).__name__)
            except Exception as error:
                # Whatever the library could not read has ended it; with a new session it goes on.
                log.warning("The connection to Discord is made anew: %s", type(error).__name__)
            finally:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_CLOSE_S):
                        await client.close()
            if clock() - began > 60.0:
                trouble.reset()
            if not self.failed.done():
                await asyncio.sleep(trouble.pause_s())

    async def _serve(self, client: Client) -> None:
        await client.login(self._token)
        self._post.use(client)
        publishing = self._begin(self._publish(client), "the commands")
        try:
            await client.connect()
        finally:
            publishing.cancel()

    async def _publish(self, client: Client) -> None:
        trouble = Backoff(1.0, 300.0)
        while True:
            try:
                await menu.publish(client, self._shelf)
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                log.warning("The commands are not on Discord yet: %s", type(error).__name__)
                await asyncio.sleep(trouble.pause_s())
            else:
                return
