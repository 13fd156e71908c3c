"""A group in memory, as its port promises it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.community import AuditAction, AuditEntry, Ban, GroupAdmin, GroupSettings, Setting
from handlers.model import AccountId, Allowance, Cursor, Page, Person

NOON_MS = 1_772_625_600_000.0
"""Noon of 4 March 2026, UTC."""


@dataclass
class MemoryGroups:
    """One group's settings, bans and log. ``admins``: who came, with the group that their platform vouched for."""

    settings: dict[str, Setting] = field(default_factory=dict)
    banned: dict[AccountId, Ban] = field(default_factory=dict)
    log: list[AuditEntry] = field(default_factory=list)
    admins: list[GroupAdmin] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def _changes(self, admin: GroupAdmin, key: str) -> bool:
        self.admins.append(admin)
        new = key not in self.keys
        self.keys.add(key)
        return new

    async def show(self, admin: GroupAdmin) -> GroupSettings:
        self.admins.append(admin)
        chats, hour = self.settings.get("allowed_chats"), self.settings.get("per_hour")
        longest = self.settings.get("longest_s")
        of = hour if isinstance(hour, int) else 60
        return GroupSettings(
            chats if isinstance(chats, tuple) else None,
            hour if isinstance(hour, int) else None,
            longest if isinstance(longest, float) else None,
            Allowance(of - 1, of, 3600.0),
            tuple(self.banned.values()),
        )

    async def configure(self, admin: GroupAdmin, changes: Mapping[str, Setting], *, key: str) -> None:
        if self._changes(admin, key):
            self.settings |= changes
            names = {"per_hour": "perHour", "longest_s": "longestS", "allowed_chats": "allowedChats"}
            details = {
                names[name]: float(value) if isinstance(value, int | float) else value
                for name, value in changes.items()
            }
            self._log("configured", admin, None, details)

    async def ban(self, admin: GroupAdmin, account: AccountId, name: str, *, key: str) -> None:
        if self._changes(admin, key) and account not in self.banned:
            self.banned[account] = Ban(f"b{len(self.log):031d}", name, NOON_MS)
            self._log("banned", admin, name, {})

    async def unban(
        self, admin: GroupAdmin, *, account: AccountId | None = None, ban: str | None = None, key: str
    ) -> None:
        if self._changes(admin, key):
            for known, one in tuple(self.banned.items()):
                if known == account or one.id == ban:
                    del self.banned[known]
                    self._log("unbanned", admin, one.name, {})

    async def audit(self, admin: GroupAdmin, cursor: Cursor | None, limit: int) -> Page[AuditEntry]:
        self.admins.append(admin)
        start, found = int(cursor or 0), self.log[::-1]
        more = Cursor(str(start + limit)) if start + limit < len(found) else None
        return Page(tuple(found[start : start + limit]), more)

    def _log(
        self, action: AuditAction, admin: GroupAdmin, whom: str | None, details: Mapping[str, Setting]
    ) -> None:
        by = Person(admin.platform, admin.actor.name)
        self.log.append(AuditEntry(action, by, whom, details, NOON_MS))


@dataclass
class MemoryAnnouncements:
    """What a test announces."""

    words: str | None = None

    def current(self) -> str | None:
        return self.words
