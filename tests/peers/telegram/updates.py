"""Updates on their way to the bot: by long polls, of which only the newest lives, or to a webhook."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

import aiohttp

from tests.peers.telegram.world import Json, Refusal

USUAL = frozenset({"message", "edited_message", "callback_query", "inline_query", "my_chat_member"})
"""What comes when nothing was asked for: reactions are not among it."""


class Updates:
    """The queue. What the bot did not ask for is never put into it."""

    def __init__(self) -> None:
        self.allowed: frozenset[str] = USUAL
        self.pending: list[object] = []
        self.webhook = ""
        self.webhook_statuses: list[int] = []
        self.proxy_port = 0
        self.conflict = False
        self._secret = ""
        self._next = 5000
        self._arrived = asyncio.Event()
        self._poll = 0
        self._bringing: set[asyncio.Task[None]] = set()

    def put(self, kind: str, content: Json) -> int | None:
        """An update of a kind; its number, or None where the bot does not hear of such."""
        if kind not in self.allowed:
            return None
        return self.put_raw({"update_id": self.take_id(), kind: content})

    def take_id(self) -> int:
        """The number of the next update."""
        self._next += 1
        return self._next

    def put_raw(self, raw: Json) -> int:
        """Any update, also one that makes no sense."""
        if self.webhook:
            task = asyncio.create_task(self._bring(raw))
            self._bringing.add(task)
            task.add_done_callback(self._bringing.discard)
        else:
            self.pending.append(raw)
            self._arrived.set()
        return int(raw["update_id"])

    def set_webhook(self, url: str, secret: str, allowed: list[str] | None) -> None:
        """As setWebhook and deleteWebhook do."""
        self.webhook, self._secret = url, secret
        if allowed is not None:
            self.allowed = frozenset(allowed)

    async def fetch(
        self, offset: int | None, limit: int, timeout_s: int, allowed: list[str] | None
    ) -> list[object]:
        """One long poll. A later one ends it with 409."""
        if self.webhook:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active")
        if allowed is not None:
            self.allowed = frozenset(allowed)
        self._poll += 1
        own = self._poll
        self._arrived.set()  # who polls already wakes, and sees that it is no longer the newest
        if offset is not None:
            self.pending = [one for one in self.pending if _number(one) >= offset]
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            if self.conflict or own != self._poll:
                raise Refusal(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
            if self.pending:
                return self.pending[:limit]
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._arrived.wait()
                    continue
            return []

    def wake(self) -> None:
        """Let those who poll look again."""
        self._arrived.set()

    async def stop(self) -> None:
        """Bring nothing more."""
        for task in self._bringing:
            task.cancel()
        await asyncio.gather(*self._bringing, return_exceptions=True)

    async def _bring(self, raw: Json) -> None:
        address = f"http://127.0.0.1:{self.proxy_port}{urlsplit(self.webhook).path}"
        headers = {"X-Telegram-Bot-Api-Secret-Token": self._secret} if self._secret else {}
        async with aiohttp.ClientSession() as http, http.post(address, json=raw, headers=headers) as answer:
            self.webhook_statuses.append(answer.status)


def _number(raw: object) -> int:
    ident = raw.get("update_id") if isinstance(raw, dict) else None
    return ident if isinstance(ident, int) else 0
