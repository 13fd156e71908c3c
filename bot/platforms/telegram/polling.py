"""Asking Telegram for updates, again and again; the end of it when somebody else does so with our token."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from telegram import Bot
from telegram.error import Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError

from bot.backoff import Backoff
from bot.platforms.telegram.intake import Intake
from bot.platforms.telegram.post import seconds
from bot.platforms.telegram.reading import ALLOWED_UPDATES

log = logging.getLogger(__name__)

SECOND_POLLER = (
    "Telegram: another process fetches messages with the same TELEGRAM_TOKEN. "
    "Stop it, or give this one a token of its own."
)
TOKEN_REFUSED = (
    "Telegram does not accept TELEGRAM_TOKEN. Get the right one from @BotFather and put it into .env."  # noqa: S105 - a sentence about it
)

LONG_POLL_S = 25
CONFLICTS_MAX = 5
_CONFLICT_PAUSE_S = 1.0

# Spelt so, the library hands the updates over as they came; read all at once, a bad one would take the others along.
_GET_UPDATES = "getupdates"


class Polling:
    """A loop of long polls. A refused token or a second poller is told to ``failed``, and ends it."""

    def __init__(self, bot: Bot, intake: Intake, failed: Callable[[str], None]) -> None:
        self._bot = bot
        self._intake = intake
        self._failed = failed
        self._offset: int | None = None

    async def run(self) -> None:
        """Poll until the token is refused or another poller stays."""
        trouble, conflicts = Backoff(0.5, 30.0), 0
        while True:
            try:
                batch = await self._fetch(LONG_POLL_S)
            except (InvalidToken, EndPointNotFound):
                self._failed(TOKEN_REFUSED)
                return
            except Conflict:
                # After a restart the poll of the process before may hang on for a moment.
                conflicts += 1
                if conflicts >= CONFLICTS_MAX:
                    self._failed(SECOND_POLLER)
                    return
                await asyncio.sleep(_CONFLICT_PAUSE_S)
                continue
            except RetryAfter as error:
                await asyncio.sleep(seconds(error))
                continue
            except TelegramError as error:
                log.warning("Telegram gives no updates for now: %s", type(error).__name__)
                await asyncio.sleep(trouble.pause_s())
                continue
            trouble.reset()
            conflicts = 0
            for raw in batch:
                self._intake.take(raw)
            if batch:
                await self._intake.remember()
                await self._intake.room()

    async def confirm(self) -> None:
        """Tell Telegram what has arrived, so that it does not come again at the next start."""
        if self._offset is not None:
            with contextlib.suppress(TelegramError, TimeoutError):
                async with asyncio.timeout(0.5):
                    await self._fetch(0, limit=1, advance=False)

    async def _fetch(self, long_poll_s: int, *, limit: int = 100, advance: bool = True) -> list[object]:
        asked: dict[str, object] = {
            "timeout": long_poll_s,
            "limit": limit,
            "allowed_updates": list(ALLOWED_UPDATES),
        }
        if self._offset is not None:
            asked["offset"] = self._offset
        answer = await self._bot.do_api_request(
            _GET_UPDATES, api_kwargs=asked, read_timeout=long_poll_s + 10.0
        )
        batch: list[object] = answer if isinstance(answer, list) else []
        idents = [
            raw["update_id"] for raw in batch if isinstance(raw, dict) and type(raw.get("update_id")) is int
        ]
        if idents and advance:
            self._offset = max(idents) + 1
        elif batch and advance:
            log.warning("Telegram sent updates without a number; they are passed over.")
            await asyncio.sleep(1.0)
        return batch
