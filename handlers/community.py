"""Servers and groups as those who look after them see them, and the port by which they set things there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from handlers.model import AccountId, Actor, Allowance, Cursor, Page, Person

AuditAction = Literal["configured", "banned", "unbanned", "announced"]

Setting = str | float | tuple[str, ...] | None
"""A value of a setting; None takes it back."""


@dataclass(frozen=True, slots=True)
class GroupAdmin:
    """Somebody of whom the platform has said, for the very event that is answered, that they look after a group.

    ``group``: the platform's own id of it.
    """

    actor: Actor
    platform: str
    group: str


@dataclass(frozen=True, slots=True)
class Ban:
    """Somebody who may have nothing made in a group; ``name`` as it was when they were banned."""

    id: str
    name: str
    created_at_ms: float


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What is set in a group (None: nothing), what is left of its allowance, and who is banned there, 100 at most."""

    allowed_chats: tuple[str, ...] | None
    per_hour: int | None
    longest_s: float | None
    pieces: Allowance
    banned: tuple[Ban, ...]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. ``by``: None for the operator, and for somebody who is gone. ``group``: for the operator only."""

    action: AuditAction
    by: Person | None
    whom: str | None
    details: Mapping[str, Setting]
    created_at_ms: float
    group: str | None = None


class Groups(Protocol):
    """What is set in a group. Every method raises errors of handlers.errors and nothing else."""

    async def show(self, admin: GroupAdmin) -> GroupSettings:
        """How it stands."""

    async def configure(self, admin: GroupAdmin, changes: Mapping[str, Setting], *, key: str) -> None:
        """Change ``allowed_chats``, ``per_hour``, ``longest_s``; what is not named stays.

        A replayed key changes nothing.
        """

    async def ban(self, admin: GroupAdmin, account: AccountId, name: str, *, key: str) -> None:
        """Let somebody have nothing made there; again is harmless."""

    async def unban(
        self, admin: GroupAdmin, *, account: AccountId | None = None, ban: str | None = None, key: str
    ) -> None:
        """Lift a ban, by the account or by its id; one that is not there is lifted already."""

    async def audit(self, admin: GroupAdmin, cursor: Cursor | None, limit: int) -> Page[AuditEntry]:
        """Who changed what, newest first."""


class Announcements(Protocol):
    """What the operator wants everybody to read."""

    def current(self) -> str | None:
        """The words, as long as they hold; asks nobody."""
