"""Pictures of cards: uploaded once, sent again by the name that Telegram gave the file."""

from __future__ import annotations

import asyncio
import logging

from telegram import InlineKeyboardMarkup, InputFile, Message

from bot.platforms import MessageGoneError, Services
from bot.platforms.shelf import Shelf
from bot.platforms.telegram.post import Post, RefusedError
from bot.platforms.telegram.spot import Spot
from handlers.errors import RagaBotError
from handlers.model import Picture

log = logging.getLogger(__name__)


class Pictures:
    """Posts photos. Their alternative text has no place on Telegram: the words stand below them."""

    def __init__(self, services: Services, post: Post, shelf: Shelf) -> None:
        self._services = services
        self._post = post
        self._shelf = shelf

    async def send(
        self, spot: Spot, picture: Picture, text: str, keyboard: InlineKeyboardMarkup | None
    ) -> Message | None:
        """Post a picture with a caption; None where it cannot be had, or not be posted there, and words have to do.

        Raises what ``Post`` raises, but for refusals, and OSError.
        """
        try:
            # Telegram looks like this to who has changed nothing.
            drawn = await self._services.picture(picture, "light")
            name = drawn.path.name
            known = await self._shelf.get("picture", name)
            if known is not None:
                try:
                    return await self._post.send_photo(spot, known, text, keyboard)
                except RefusedError as error:
                    log.info("A picture is uploaded anew: %s", error)
                    await self._shelf.forget("picture", name)
            upload = InputFile(await asyncio.to_thread(drawn.path.read_bytes), filename=name)
            message = await self._post.send_photo(spot, upload, text, keyboard)
        except (RagaBotError, OSError, RefusedError, MessageGoneError) as error:
            # A group may take words and no photos; where it takes nothing, the words will find out.
            log.info("A card goes without its picture: %s %s", type(error).__name__, error)
            return None
        if message.photo:
            await self._shelf.put("picture", name, message.photo[-1].file_id)  # the largest of its sizes
        return message
