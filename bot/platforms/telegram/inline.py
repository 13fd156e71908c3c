"""``@bot yaman`` in any chat: cards of ragas, and the asker's own finished pieces."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResult,
    InlineQueryResultArticle,
    InlineQueryResultCachedAudio,
    InputTextMessageContent,
)
from telegram.constants import ParseMode

from bot.platforms import Services
from bot.platforms.telegram import sheet
from bot.platforms.telegram.links import link
from bot.platforms.telegram.post import Post
from bot.platforms.telegram.reading import actor_of
from bot.platforms.telegram.spot import NAME
from bot.platforms.telegram.tracks import Tracks
from handlers.errors import RagaBotError
from handlers.model import AccountId, Actor, Entry, GenerationId, Place, Request

RESULTS_MAX = 50
CARDS_MAX = 20
CACHED_S = 60
"""So long Telegram may give the same answer to the same person again, and we the same list of their pieces."""

_REMEMBERED = 1024


class Inline:
    """Answers inline queries. A card comes from memory; a person's pieces are read once a minute at most."""

    def __init__(self, services: Services, post: Post, tracks: Tracks, username: str) -> None:
        self._services = services
        self._post = post
        self._tracks = tracks
        self._username = username
        self._pieces: OrderedDict[AccountId, tuple[float, tuple[Entry, ...]]] = OrderedDict()

    async def answer(self, query: InlineQuery, event: str) -> None:
        """Answer with what the words typed so far could mean."""
        actor = actor_of(query.from_user)
        place = Place(NAME, str(query.from_user.id), private=True)
        words = " ".join(query.query.split())[:100]
        found: list[InlineQueryResult] = [
            *await self._own(actor, place, words, event),
            *await self._cards(actor, place, words, event),
        ]
        await self._post.quick(
            lambda: self._post.bot.answer_inline_query(
                query.id, found[:RESULTS_MAX], cache_time=CACHED_S, is_personal=True, next_offset=""
            )
        )

    async def _cards(self, actor: Actor, place: Place, words: str, event: str) -> list[InlineQueryResult]:
        results: list[InlineQueryResult] = []
        for number, choice in enumerate(self._services.choices("raga", "name", words)[:CARDS_MAX]):
            reply = await self._services.respond(
                Request(actor, place, "raga", f"{event}:{number}", text=choice.value)
            )
            if reply.card is None:
                continue
            url = link(self._username, f"/raga {choice.value}")
            results.append(
                InlineQueryResultArticle(
                    id=f"raga-{number}",
                    title=choice.label,
                    description=choice.detail,
                    input_message_content=InputTextMessageContent(
                        sheet.whole(reply).first, parse_mode=ParseMode.HTML
                    ),
                    reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("Hear it, keep it", url=url)]]),
                )
            )
        return results

    async def _own(self, actor: Actor, place: Place, words: str, event: str) -> list[InlineQueryResult]:
        """Finished pieces of the asker's that Telegram has already, found by words of their titles."""
        asked = words.casefold().split()
        entries = [
            entry
            for entry in await self._history(actor, place, event)
            if all(word in f"{entry.title} {entry.detail}".casefold() for word in asked)
        ]
        results: list[InlineQueryResult] = []
        for entry in entries:
            ident = next(
                (one.line.split()[1] for one in entry.buttons if one.line.startswith("/play ")), None
            )
            if ident is None or any(one.line.startswith("/cancel") for one in entry.buttons):
                continue
            try:
                audio = await self._services.playable(actor, place, GenerationId(ident))
            except RagaBotError:
                continue
            known = await self._tracks.known_as(audio)
            if known is not None:
                detail = sheet.html_of(f"{entry.title} · {entry.detail}")
                results.append(
                    InlineQueryResultCachedAudio(
                        f"piece-{ident}"[:64], known, caption=detail[:1000], parse_mode=ParseMode.HTML
                    )
                )
        return results

    async def _history(self, actor: Actor, place: Place, event: str) -> tuple[Entry, ...]:
        at, entries = self._pieces.get(actor.account, (float("-inf"), ()))
        if time.monotonic() - at > CACHED_S:
            try:
                async with asyncio.timeout(3.0):
                    reply = await self._services.respond(Request(actor, place, "history", f"{event}:own"))
            except TimeoutError:
                return ()
            entries = reply.entries
            self._pieces[actor.account] = (time.monotonic(), entries)
            self._pieces.move_to_end(actor.account)
            while len(self._pieces) > _REMEMBERED:
                self._pieces.popitem(last=False)
        return entries
