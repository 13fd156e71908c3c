"""What people say and press, answered: where the answer stands, and who may read it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.platforms import MessageGoneError, Services
from bot.platforms.hearts import heart_line
from bot.platforms.shelf import Shelf
from bot.platforms.telegram import sheet
from bot.platforms.telegram.files import Files
from bot.platforms.telegram.links import link
from bot.platforms.telegram.pictures import Pictures
from bot.platforms.telegram.post import Post, PostError, RefusedError
from bot.platforms.telegram.progress import ProgressEdits
from bot.platforms.telegram.rights import MANAGING, Rights
from bot.platforms.telegram.said import Said
from bot.platforms.telegram.spot import Spot, read_spot
from bot.platforms.telegram.tracks import Tracks
from handlers import COMMANDS
from handlers.errors import RagaBotError, UnavailableError
from handlers.model import BUTTON_LINE_BYTES, Button, MessageRef, Reply, Request

log = logging.getLogger(__name__)

ALERT_UNITS = 200
"""What can flash over a chat."""

_ANSWERED_AT_LAST_S = 2.0
_ASKER_ONLY = frozenset(command.name for command in COMMANDS if command.asker_only)
_PLACEHOLDER = "One moment …"
_NOT_YOURS = "Somebody else is choosing here. /generate begins one of your own."
_PRIVATE = "That is for you alone, so I would say it in our private chat."
_ANONYMOUS = (
    "You speak for the group, so I do not know to whom to write. Press here, and I write to you alone."
)
_SENT_PRIVATELY = "I have written to you in our private chat."
_NO_AUDIO = "I could not bring the audio here just now. Please try again in a moment."


class Dialogue:
    """Asks the handlers, and shows what they answer."""

    def __init__(
        self,
        services: Services,
        post: Post,
        shelf: Shelf,
        edits: ProgressEdits,
        tracks: Tracks,
        pictures: Pictures,
        files: Files,
        rights: Rights,
        username: str,
    ) -> None:
        self._services = services
        self._post = post
        self._shelf = shelf
        self._edits = edits
        self._tracks = tracks
        self._pictures = pictures
        self._files = files
        self._rights = rights
        self._username = username

    async def answer(self, said: Said) -> None:
        """Answer what was said or pressed; whatever happens, a press is answered."""
        if said.query is None:
            await self._answer(said)
            return
        flashed = _Flash(self._post, said.query)
        flashing = asyncio.create_task(flashed.at_last(_ANSWERED_AT_LAST_S))
        try:
            await self._answer(said, flashed)
        finally:
            flashing.cancel()
            await flashed.show()

    async def react(self, said: Said, on: bool) -> None:
        """A heart put on a message or taken off: set, never toggled, and nothing is posted about it."""
        line = await self._shelf.get("heart", said.spot.key)
        if line is not None:
            text = f"{line.partition(' ')[2]} {'on' if on else 'off'}"
            await self._services.respond(_request(replace(said, command="favorite", text=text)))

    async def _answer(self, said: Said, flash: _Flash | None = None) -> None:
        if flash is not None and said.command in _ASKER_ONLY and not said.place.private:
            asker = await self._shelf.get("asker", said.spot.key)
            if asker is not None and asker != said.actor.account:
                await flash.show(_NOT_YOURS, alert=True)
                return
        if said.command in MANAGING:
            try:
                said = await self._rights.looked_up(said)
            except UnavailableError as error:
                await self._show(said, Reply(text=error.message, private=True, ok=False), None, flash)
                return
        waiting: Spot | None = None
        if said.makes:
            if flash is not None:
                await flash.show()
            waiting = await self._placeholder(said)
        reply = await self._services.respond(_request(said, waiting.ref() if waiting is not None else None))
        try:
            await self._show(said, reply, waiting, flash)
        except (RagaBotError, RefusedError, OSError) as error:
            log.warning("An answer could not be shown on Telegram: %s", type(error).__name__)
            failed = Reply(text=_NO_AUDIO, ok=False)
            await self._show(said, failed, waiting, flash)

    async def _placeholder(self, said: Said) -> Spot:
        """The message that will show the progress; for an event that comes again, the one that it had."""
        known = await self._shelf.get("placeholder", said.event)
        if known is not None:
            return read_spot(MessageRef(said.place.platform, said.place.chat, known))
        spot = said.answer_spot
        message = await self._post.send_text(spot, _PLACEHOLDER)
        if said.query is not None:
            spot = replace(spot, request=0)  # to answer the bot's own message would tell nobody
        spot = spot.at(message.message_id)
        await self._shelf.put("placeholder", said.event, spot.ref().message)
        return spot

    async def _show(self, said: Said, reply: Reply, waiting: Spot | None, flash: _Flash | None) -> None:
        if flash is not None and not flash.shown and reply.notice and _only_notice(reply):
            await flash.show(reply.notice)
        elif reply.private and not said.place.private:
            if waiting is not None:
                self._edits.end(waiting)
                await self._post.delete(waiting)
            await self._show_privately(said, reply, flash)
        elif waiting is not None:
            await self._show_in(waiting, reply)
        elif reply.track is not None:
            await self._tracks.play(said.answer_spot, reply)
        elif reply.download is not None:
            await self._files.send(said.answer_spot, reply)
        elif flash is not None and reply.replaces:
            await self._replace(said, reply)
        else:
            await self._say(said.answer_spot, reply, said)

    async def _show_in(self, waiting: Spot, reply: Reply) -> None:
        """The answer takes the place of the message that waits for it."""
        if reply.progress is not None:
            self._edits.first(waiting, reply)
            return
        if reply.track is not None or reply.download is not None:
            self._edits.end(waiting)
            show = self._tracks.play if reply.track is not None else self._files.send
            await show(replace(waiting, message=0), reply)
            await self._post.delete(waiting)
            return
        await self._edits.settled(waiting)
        page = sheet.whole(reply)
        await self._post.edit_text(waiting, page.first, page.keyboard)

    async def _replace(self, said: Said, reply: Reply) -> None:
        """A page turned, a guide's next question; where the old message cannot change, a new one."""
        page = sheet.whole(reply)
        try:
            await self._post.edit_text(said.spot, page.first, page.keyboard)
        except (PostError, MessageGoneError) as error:
            log.debug("A message could not be replaced: %s", error)
            await self._say(replace(said.answer_spot, request=0), reply, said)
        else:
            await self._keep(said.spot, reply, said)

    async def _say(self, spot: Spot, reply: Reply, said: Said) -> None:
        """Post a reply as one message, or as many as it takes; the buttons stand below the last."""
        keyboard, texts = sheet.keyboard(reply), sheet.sheet(reply).pages
        picture = reply.card.picture if reply.card is not None and not reply.replaces else None
        if picture is not None:
            first, *rest = sheet.below_picture(reply).pages
            message = await self._pictures.send(spot, picture, first, None if rest else keyboard)
            if message is not None:
                await self._keep(Spot(message.chat.id, message.message_id), reply, said)
                spot, texts = replace(spot, request=0), tuple(rest)
        for number, text in enumerate(texts, start=1):
            message = await self._post.send_text(spot, text, keyboard if number == len(texts) else None)
            await self._keep(Spot(message.chat.id, message.message_id), reply, said)
            spot = replace(spot, request=0)

    async def _keep(self, spot: Spot, reply: Reply, said: Said) -> None:
        """Remember what a heart on the message stands for, and who may press its buttons."""
        line = heart_line(reply)
        if line is not None:
            await self._shelf.put("heart", spot.key, line)
        await self._rights.keep(spot, said)
        lines = [one.line for menu in reply.menus for one in menu.choices]
        lines += [one.line for row in reply.buttons for one in row]
        if not said.place.private and any(line[1:].split()[0] in _ASKER_ONLY for line in lines):
            await self._shelf.put("asker", spot.key, said.actor.account)

    async def _show_privately(self, said: Said, reply: Reply, flash: _Flash | None) -> None:
        """What only the asker may read, asked for in a group: flashed if it is short, else a direct message."""
        text = reply.text or reply.notice
        if flash is not None and not flash.shown and _only_text(reply) and sheet.units(text) <= ALERT_UNITS:
            await flash.show(text, alert=True)
            return
        if said.anonymous:
            await self._show_anonymous(said, reply)
            return
        direct = Spot(said.user)
        try:
            if reply.track is not None:
                await self._tracks.play(direct, reply)
            elif reply.download is not None:
                await self._files.send(direct, reply)
            else:
                await self._say(direct, reply, replace(said, place=replace(said.place, private=True)))
        except MessageGoneError:
            url = link(self._username, said.line)
            if flash is not None and not flash.shown:
                await flash.show(url=url)
                return
            button = InlineKeyboardMarkup([[InlineKeyboardButton("Open the private chat", url=url)]])
            again = f" Then send /{said.command} here again." if said.command in MANAGING else ""
            await self._post.send_text(said.answer_spot, sheet.html_of(_PRIVATE + again), button)
        else:
            if flash is not None and not flash.shown:
                await flash.show(_SENT_PRIVATELY)

    async def _show_anonymous(self, said: Said, reply: Reply) -> None:
        """Who speaks in the group's name is told in the group; what is longer, to whoever of them presses a button."""
        if _only_text(reply) or not reply.ok:
            await self._say(said.answer_spot, replace(reply, buttons=()), said)
            return
        line = said.line if len(said.line.encode()) <= BUTTON_LINE_BYTES else f"/{said.command}"
        ask = Reply(text=_ANONYMOUS, buttons=((Button("Show it to me", line),),))
        await self._say(said.answer_spot, ask, said)


class _Flash:
    """The answer to a press, given once."""

    def __init__(self, post: Post, query: str) -> None:
        self._post = post
        self._query = query
        self.shown = False

    async def show(self, text: str | None = None, *, alert: bool = False, url: str | None = None) -> None:
        """Answer the press; a second answer is dropped."""
        if self.shown:
            return
        self.shown = True
        if text is not None and sheet.units(text) > ALERT_UNITS:
            text = f"{text[: ALERT_UNITS // 2 - 1]}…"
        await self._post.quick(
            lambda: self._post.bot.answer_callback_query(self._query, text, show_alert=alert or None, url=url)
        )

    async def at_last(self, after_s: float) -> None:
        """The sign that waits on the button ends, also where the answer takes its time."""
        await asyncio.sleep(after_s)
        await self.show()


def _request(said: Said, answer: MessageRef | None = None) -> Request:
    return Request(
        actor=said.actor,
        place=said.place,
        command=said.command,
        event=said.event,
        text=said.text,
        answer=answer,
        subject=said.subject,
        manages=said.manages,
    )


def _only_text(reply: Reply) -> bool:
    """Whether a short text says it all."""
    return not (
        reply.card
        or reply.progress
        or reply.track
        or reply.download
        or reply.entries
        or reply.menus
        or any(reply.buttons)
    )


def _only_notice(reply: Reply) -> bool:
    return _only_text(reply) and not reply.text
