"""What people ask, press and choose, answered: where the answer stands, and who may read it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import discord

from bot.platforms import Services
from bot.platforms.discord.answer import Answer, Answers
from bot.platforms.discord.files import Files
from bot.platforms.discord.post import Interaction, Post, RefusedError
from bot.platforms.discord.reading import Said, asker_of, said_in, typing_in
from bot.platforms.discord.sheet import Page, Upload, pages, whole
from bot.platforms.discord.spot import Spot
from bot.platforms.discord.tracks import Tracks
from bot.platforms.hearts import heart_line
from bot.platforms.shelf import Shelf
from handlers.errors import RagaBotError
from handlers.model import MessageRef, Place, Reply, Suggestion

log = logging.getLogger(__name__)

CHOICES_MAX = 25
CHOICE_CHARACTERS = 100
_PLACEHOLDER = Page("One moment …")
_NOT_YOURS = Reply(text="Somebody else is choosing here. /generate begins one of your own.", private=True)
_OLD = Reply(text="I no longer know that button. /help shows what I can do.", private=True, ok=False)
_NO_AUDIO = Reply(text="I could not bring the audio here just now. Please try again in a moment.", ok=False)


class Dialogue:
    """Asks the handlers, and shows what they answer."""

    def __init__(
        self,
        services: Services,
        post: Post,
        shelf: Shelf,
        answers: Answers,
        tracks: Tracks,
        speaks_in: Callable[[Place], Awaitable[None]],
    ) -> None:
        self._services = services
        self._post = post
        self._shelf = shelf
        self._answers = answers
        self._tracks = tracks
        self._speaks_in = speaks_in
        self._files = Files(services)

    async def suggest(self, interaction: Interaction) -> None:
        """What could be meant by what is typed so far."""
        typing = typing_in(interaction)
        found = (
            self._services.choices(typing.command, typing.option, typing.text[:CHOICE_CHARACTERS])
            if typing is not None
            else ()
        )
        choices = [
            discord.app_commands.Choice(name=_label(one), value=one.value)
            for one in found
            if len(one.value) <= CHOICE_CHARACTERS
        ]
        await self._post.call(lambda: interaction.response.autocomplete(choices[:CHOICES_MAX]))

    async def answer(self, interaction: Interaction) -> None:
        """Answer a command, a press or a choice."""
        said = said_in(interaction)
        channel = interaction.channel_id
        if channel is None:
            return
        private = said is not None and said.place.private
        answer = Answer(self._post, interaction, channel, private_place=private)
        try:
            await self._give(interaction, said, answer)
        finally:
            if said is not None and not answer.apart:
                await self._speaks_in(said.place)

    async def _give(self, interaction: Interaction, said: Said | None, answer: Answer) -> None:
        pressed = interaction.type is discord.InteractionType.component
        if said is None:
            if pressed:
                await answer.change()
                await self._add(answer, _OLD, None)
        elif not pressed:
            await answer.begin(hidden=said.hidden)
            await self._answer_in(said, answer)
        elif said.asker_only and asker_of(interaction) not in (None, interaction.user.id):
            await answer.change()
            await self._add(answer, _NOT_YOURS, said)
        elif said.makes and not said.ends_guide:
            await answer.begin(hidden=False)
            await self._answer_in(said, answer)
        elif said.takes_long:
            await answer.begin(hidden=said.hidden)
            await self._answer_in(said, answer)
        else:
            await answer.change()
            await self._answer_beside(said, answer)

    async def react(self, said: Said) -> None:
        """A heart put on a message or taken off: set, never toggled, and nothing is posted about it."""
        await self._services.respond(said.request())

    async def _answer_in(self, said: Said, answer: Answer) -> None:
        """Answer in the new message that was promised."""
        if said.makes and answer.spot is None:
            await answer.show(_PLACEHOLDER)
        reply = await self._services.respond(said.request(self._ref(said, answer)))
        if reply.private and not answer.hidden and not said.place.private:
            await answer.drop()
            await self._add(answer, reply, said)
        elif reply.track is not None or reply.download is not None:
            await answer.drop()
            await self._play(answer, reply, said)
        else:
            await self._put(answer, reply)

    async def _answer_beside(self, said: Said, answer: Answer) -> None:
        """Answer a press: in the message that it was pressed in, or beside it."""
        reply = await self._services.respond(said.request(self._ref(said, answer) if said.makes else None))
        if reply.replaces or (said.makes and reply.progress is not None):
            await self._put(answer, reply)
        elif reply.track is not None or reply.download is not None:
            await self._play(answer, reply, said)
        else:
            await self._add(answer, reply, said)

    def _ref(self, said: Said, answer: Answer) -> MessageRef | None:
        if not said.makes or answer.spot is None:
            return None
        self._answers.keep(answer.spot, answer)
        return answer.spot.ref()

    async def _put(self, answer: Answer, reply: Reply) -> None:
        """The reply where the answer stands, unless the delivery has shown something newer there."""
        if reply.progress is not None:
            spot = answer.spot
            if spot is None:
                await answer.show(whole(reply))
                return
            async with self._answers.order(spot):
                if self._answers.untouched(spot):
                    await answer.show(whole(reply))
            return
        image = await self._image(reply)
        first, *more = (whole(reply, image),) if reply.replaces else pages(reply, image)
        await answer.show(first)
        await self._keep(answer.message, answer, reply)
        for page in more:
            await self._keep(await answer.add(page, hidden=answer.hidden), answer, reply)

    async def _add(self, answer: Answer, reply: Reply, said: Said | None) -> None:
        """The reply as a message of its own; what is short and the asker's alone flashes."""
        hidden = reply.private and not answer.private_place
        only_notice = bool(reply.notice) and not (reply.text or reply.card or reply.entries)
        for page in pages(reply, await self._image(reply)):
            message = await answer.add(page, hidden=hidden or only_notice)
            if not hidden and said is not None:
                await self._keep(message, answer, reply)

    async def _image(self, reply: Reply) -> Upload | None:
        """The picture of a card; without one where it cannot be had."""
        picture = reply.card.picture if reply.card is not None else None
        if picture is None:
            return None
        try:
            # Most people have Discord in the dark.
            drawn = await self._services.picture(picture, "dark")
            return Upload(await asyncio.to_thread(drawn.path.read_bytes), "scale.png", drawn.alt)
        except (RagaBotError, OSError) as error:
            log.info("A card goes without its picture: %s", type(error).__name__)
            return None

    async def _play(self, answer: Answer, reply: Reply, said: Said) -> None:
        try:
            if reply.download is not None:
                await self._files.send(answer, reply, hidden=said.hidden)
            else:
                await self._tracks.play(answer, reply)
        except (RagaBotError, RefusedError, OSError) as error:
            log.warning("A piece could not be shown on Discord: %s", type(error).__name__)
            await self._add(answer, _NO_AUDIO, said)

    async def _keep(self, message: int | None, answer: Answer, reply: Reply) -> None:
        """Remember what a heart on the message stands for."""
        line = heart_line(reply)
        if message is not None and line is not None:
            await self._shelf.put("heart", Spot(answer.channel, message).key, line)


def _label(one: Suggestion) -> str:
    label = f"{one.label} · {one.detail}" if one.detail and one.detail != one.label else one.label
    return label[:CHOICE_CHARACTERS] or "…"
