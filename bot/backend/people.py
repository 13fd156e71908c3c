"""Who people are, over Convex; what they prefer is remembered here too, so that no command has to ask for it first."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from bot.backend.documents import Document
from bot.backend.gateway import Convex, TokenSource
from bot.backend.identity import Signer
from bot.platforms.shelf import Shelf
from handlers.model import (
    AccountId,
    Actor,
    Allowance,
    LinkedAccount,
    LinkSecret,
    LinkStatus,
    LinkStep,
    Person,
    Preferences,
    Profile,
)

log = logging.getLogger(__name__)

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: nothing that is read for something else."""

_CODE_LETTERS = 10  # 50 bits
_TOKEN_BYTES = 16
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})
_PAGE = 100
_KIND = "preferences"
_STEPS: tuple[LinkStatus, ...] = ("ok", "own", "unknown", "paused", "waiting", "linked", "ended")


def _spoken(secret: str) -> str:
    """A code as it was meant: without dashes and blanks, in capitals; a token as it is."""
    bare = re.sub(r"[\s-]", "", secret).upper().translate(_MISREAD)
    return bare if len(bare) == _CODE_LETTERS else secret.strip()


def _hash(secret: str) -> str:
    return hashlib.sha256(_spoken(secret).encode()).hexdigest()


class ConvexPeople:
    """Every method raises errors of handlers.errors and nothing else."""

    def __init__(self, convex: Convex, signer: Signer, shelf: Shelf) -> None:
        self._convex = convex
        self._signer = signer
        self._shelf = shelf

    def _token(self, actor: Actor) -> TokenSource:
        return partial(self._signer.user, actor)

    async def me(self, actor: Actor) -> Profile | None:
        """What is kept of the actor."""
        answer = await self._convex.query("accounts:me", {}, self._token(actor))
        profile = None if answer is None else _profile(Document(answer))
        for account in () if profile is None else profile.accounts:
            await self._remember(account.account, profile.preferences if profile else {})
        return profile

    async def preferences(self, actor: Actor) -> Preferences:
        """As they were when they were last seen here."""
        try:
            known = await self._shelf.get(_KIND, actor.account)
        except OSError as error:
            log.warning("What people prefer could not be read: %s", error)
            known = None
        return {} if known is None else Document({"all": json.loads(known)}).settings("all")

    async def silent(self, account: AccountId) -> bool:
        """Whether an account does not want to be called to a piece that is ready."""
        return (await self.preferences(Actor(account, ""))).get("notifications") is False

    async def prefer(self, actor: Actor, changes: Mapping[str, str | float | bool | None]) -> Preferences:
        """Set what the actor prefers, for all their accounts."""
        args = {"changes": {name: _number(value) for name, value in changes.items()}}
        after = await self._convex.mutation(
            "accounts:setPreferences", args, self._token(actor), repeatable=True
        )
        await self.me(actor)  # the other accounts prefer the same
        return Document({"all": after}).settings("all")

    async def show_secret(self, actor: Actor) -> LinkSecret:
        """Two secrets of one link's worth: a code to be typed, and a token for an address."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        for secret, kind in ((letters, "code"), (token, "link")):
            args = {"hash": _hash(secret), "kind": kind}
            await self._convex.mutation("links:begin", args, self._token(actor), repeatable=True)
        return LinkSecret(f"{letters[:5]}-{letters[5:]}", token)

    async def redeem(self, actor: Actor, secret: str) -> LinkStep:
        """Name a secret that another account shows."""
        args = {"hash": _hash(secret)}
        # Not sent again: a wrong one would count twice.
        return _step(await self._convex.mutation("links:redeem", args, self._token(actor)))

    async def confirm(self, actor: Actor, link: str) -> LinkStep:
        """The actor means it."""
        step = _step(
            await self._convex.mutation(
                "links:confirm", {"linkId": link}, self._token(actor), repeatable=True
            )
        )
        if step.status == "linked":
            await self.me(actor)
        return step

    async def decline(self, actor: Actor, link: str) -> None:
        """The actor does not want it."""
        await self._convex.mutation("links:decline", {"linkId": link}, self._token(actor), repeatable=True)

    async def undo(self, actor: Actor, merge: str) -> None:
        """Take a link back."""
        await self._convex.mutation("links:undo", {"mergeId": merge}, self._token(actor), repeatable=True)
        await self.me(actor)

    async def unlink(self, actor: Actor, account: str, *, key: str) -> int:
        """Take one of the actor's accounts out."""
        args = {"id": account, "idempotencyKey": key}
        left = await self._convex.mutation("accounts:unlink", args, self._token(actor), repeatable=True)
        return int(Document(left).number("left"))

    async def delete(self, actor: Actor) -> bool:
        """Begin to delete everything of the actor's."""
        begun = await self._convex.mutation("privacy:deleteMe", {}, self._token(actor), repeatable=True)
        await self.forget(actor.account)
        return Document(begun).flag("deleting")

    async def kept(self, actor: Actor, section: str) -> AsyncIterator[dict[str, Any]]:
        """What is kept of the actor in a section of Convex, row by row. Raises errors of handlers.errors."""
        cursor: str | None = None
        while True:
            args = {"section": section, "paginationOpts": {"numItems": _PAGE, "cursor": cursor}}
            answer = await self._convex.query("privacy:page", args, self._token(actor))
            page = Document(answer)
            for row in page.values("page"):
                if isinstance(row, dict):
                    yield row
            if page.flag("isDone"):
                return
            cursor = page.text("continueCursor")

    async def forget(self, account: AccountId) -> None:
        """Forget what an account prefers."""
        try:
            await self._shelf.forget(_KIND, account)
        except OSError as error:
            log.warning("What somebody prefers could not be forgotten: %s", error)

    async def _remember(self, account: AccountId, preferences: Preferences) -> None:
        try:
            await self._shelf.put(_KIND, account, json.dumps(dict(preferences)))
        except OSError as error:
            log.warning("What somebody prefers could not be noted: %s", error)


def _number(value: str | float | bool | None) -> str | float | bool | None:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _allowance(document: Document) -> Allowance:
    return Allowance(int(document.number("left")), int(document.number("of")), document.number("everyS"))


def _profile(document: Document) -> Profile:
    user, quota, undo = document.inner("user"), document.inner("quota"), document.optional_inner("undo")
    accounts = [Document(value) for value in document.values("accounts")]
    return Profile(
        accounts=tuple(
            LinkedAccount(
                id=one.text("id"),
                account=AccountId(one.text("account")),
                platform=one.text("platform"),
                name=one.optional_text("name") or "",
                current=one.flag("current"),
            )
            for one in accounts
        ),
        preferences=user.settings("preferences"),
        pieces=_allowance(quota.inner("pieces")),
        seconds=_allowance(quota.inner("seconds")),
        running=int(quota.number("running")),
        created_at_ms=user.number("createdAt"),
        email=user.optional_text("email"),
        undo=None if undo is None else (undo.text("mergeId"), undo.number("until")),
    )


def _step(value: object) -> LinkStep:
    document = Document(value)
    other = document.optional_inner("other")
    until = document.optional_number("until") or document.optional_number("undoUntil")
    return LinkStep(
        status=document.choice("status", _STEPS),
        other=None if other is None else Person(other.text("platform"), other.text("name")),
        id=document.optional_text("linkId") or document.optional_text("mergeId") or "",
        until_ms=until or document.optional_number("expiresAt") or 0.0,
    )
