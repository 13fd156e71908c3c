"""Servers and groups over Convex: what their admins set, what the operator sets everywhere, and what a bot has left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from bot.backend.documents import Document, page_of
from bot.backend.gateway import Convex, TokenSource
from bot.backend.identity import Signer
from bot.backend.live import States
from bot.backend.sharing import person_of
from bot.upkeep import end, keep_up
from handlers.community import AuditAction, AuditEntry, Ban, GroupAdmin, GroupSettings, Setting
from handlers.model import AccountId, Allowance, Cursor, Page

CHATS_AT_ONCE = 1000

_NAMES = {"allowed_chats": "allowedChats", "per_hour": "perHour", "longest_s": "longestS"}
_ACTIONS: tuple[AuditAction, ...] = ("configured", "banned", "unbanned", "announced")
_NAMELESS = "somebody without a name"


class ConvexGroups:
    """What is set in a group. Every method raises errors of handlers.errors and nothing else."""

    def __init__(self, convex: Convex, signer: Signer) -> None:
        self._convex = convex
        self._signer = signer

    def _token(self, admin: GroupAdmin) -> TokenSource:
        return partial(self._signer.admin, admin.actor, f"{admin.platform}:{admin.group}")

    async def show(self, admin: GroupAdmin) -> GroupSettings:
        """How it stands."""
        shown = Document(await self._convex.query("groups:show", {"guild": admin.group}, self._token(admin)))
        pieces, per_hour = shown.inner("pieces"), shown.optional_number("perHour")
        return GroupSettings(
            allowed_chats=shown.optional_texts("allowedChats"),
            per_hour=None if per_hour is None else int(per_hour),
            longest_s=shown.optional_number("longestS"),
            pieces=Allowance(int(pieces.number("left")), int(pieces.number("of")), pieces.number("everyS")),
            banned=tuple(_ban(Document(one)) for one in shown.values("banned")),
        )

    async def configure(self, admin: GroupAdmin, changes: Mapping[str, Setting], *, key: str) -> None:
        """Change settings."""
        told = {_NAMES[name]: _convex_value(value) for name, value in changes.items()}
        await self._change("groups:configure", admin, {"changes": told}, key)

    async def ban(self, admin: GroupAdmin, account: AccountId, name: str, *, key: str) -> None:
        """Let somebody have nothing made there."""
        named = {"name": name} if name.strip() else {}
        await self._change("groups:ban", admin, {"account": account, **named}, key)

    async def unban(
        self, admin: GroupAdmin, *, account: AccountId | None = None, ban: str | None = None, key: str
    ) -> None:
        """Lift a ban."""
        which = {"account": account} if account is not None else {"banId": ban}
        await self._change("groups:unban", admin, which, key)

    async def audit(self, admin: GroupAdmin, cursor: Cursor | None, limit: int) -> Page[AuditEntry]:
        """Who changed what, newest first."""
        args = {"guild": admin.group, "paginationOpts": {"numItems": limit, "cursor": cursor}}
        return page_of(Document(await self._convex.query("groups:audit", args, self._token(admin))), _entry)

    async def _change(self, path: str, admin: GroupAdmin, args: Mapping[str, object], key: str) -> None:
        whole = {"guild": admin.group, **args, "idempotencyKey": key}
        await self._convex.mutation(path, whole, self._token(admin))


class Operator:
    """What is done in the bot's own name. Every method raises errors of handlers.errors and nothing else."""

    def __init__(self, convex: Convex, signer: Signer) -> None:
        self._convex = convex
        self._signer = signer

    async def announce(self, text: str | None) -> None:
        """Say something to everybody who speaks with this bot, or take it back."""
        await self._change("groups:announce", {"text": text})

    async def ban(self, account: str) -> None:
        """Let an account have nothing made anywhere."""
        await self._change("groups:banEverywhere", {"account": account})

    async def unban(self, account: str) -> None:
        """Lift such a ban."""
        await self._change("groups:unbanEverywhere", {"account": account})

    async def audit(self, cursor: Cursor | None, limit: int) -> Page[AuditEntry]:
        """Who changed what anywhere, newest first."""
        args = {"paginationOpts": {"numItems": limit, "cursor": cursor}}
        return page_of(Document(await self._convex.query("groups:auditAll", args, self._signer.bot)), _entry)

    async def left(self, platform: str, group: str | None, chats: Sequence[str]) -> None:
        """The bot is out of a group, or of single chats: what is kept of them in Convex goes."""
        for at in range(0, max(len(chats), 1), CHATS_AT_ONCE):
            some = list(chats[at : at + CHATS_AT_ONCE])
            args: dict[str, object] = {"platform": platform, "chats": some}
            last = at + CHATS_AT_ONCE >= len(chats)
            await self._change("groups:left", args | ({"guild": group} if last and group is not None else {}))

    async def moved(self, platform: str, group: str, to: str) -> None:
        """A group goes on under another id."""
        await self._change("groups:moved", {"platform": platform, "from": group, "to": to})

    async def _change(self, path: str, args: Mapping[str, object]) -> None:
        await self._convex.mutation(path, args, self._signer.bot, repeatable=True)


class LiveAnnouncements:
    """What is announced, as the newest live state has it."""

    def __init__(self) -> None:
        self._words: str | None = None
        self._task: asyncio.Task[None] | None = None

    def current(self) -> str | None:
        """The words, as long as they hold."""
        return self._words

    async def start(self, states: States) -> None:
        """Begin to follow; returns at once."""
        self._task = keep_up(lambda: self._follow(states), "The announcements")

    async def stop(self) -> None:
        """Stop to follow."""
        if self._task is not None:
            await end([self._task])
            self._task = None

    async def _follow(self, states: States) -> None:
        async for state in states.states():
            self._words = state.announcement


def _convex_value(value: Setting) -> object:
    if isinstance(value, tuple):
        return list(value)
    return float(value) if isinstance(value, int | float) else value


def _setting(value: object) -> Setting:
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    return value if isinstance(value, str | float) else None


def _ban(document: Document) -> Ban:
    name = document.optional_text("name") or _NAMELESS
    return Ban(document.text("banId"), name, document.number("createdAt"))


def _entry(document: Document) -> AuditEntry:
    return AuditEntry(
        action=document.choice("action", _ACTIONS),
        by=person_of(document.optional_inner("by")),
        whom=document.optional_text("whom"),
        details={name: _setting(value) for name, value in document.record("details").items()},
        created_at_ms=document.number("createdAt"),
        group=document.optional_text("group"),
    )
