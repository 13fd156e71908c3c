"""What the operator does for everybody, from the command line: announcements, bans everywhere, the audit log."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime

from bot.core import Core
from bot.curation import with_core
from bot.settings import Settings
from handlers.accounts import named
from handlers.community import AuditEntry
from handlers.groups import done

_PAGE = 100
_ACCOUNT = re.compile(r"(discord|telegram):-?\d{1,20}|web:[0-9a-zA-Z_-]{1,100}")
_NO_ACCOUNT = (
    "That is no account. Name it with its platform, such as discord:123456789012345678 or telegram:1234567; "
    "it is the id that the platform has of somebody, not their name."
)


async def announce(settings: Settings, text: str | None) -> int:
    """Say something to everybody who speaks with this bot; None takes it back."""

    async def work(core: Core) -> int:
        await core.operator.announce(text)
        print("It is taken back." if text is None else "It is told with /help and whenever a piece is begun.")
        return 0

    # A bot's announcement is its own, so this speaks as the bot itself.
    return await with_core(settings, work, bot_suffix="")


async def ban(settings: Settings, account: str, *, lift: bool) -> int:
    """Let an account have nothing made or shared anywhere, or again."""
    if not _ACCOUNT.fullmatch(account):
        print(_NO_ACCOUNT, file=sys.stderr)
        return 1

    async def work(core: Core) -> int:
        await (core.operator.unban(account) if lift else core.operator.ban(account))
        print(f"{account} {'may have pieces made again' if lift else 'can have no pieces made anywhere'}.")
        return 0

    return await with_core(settings, work)


async def audit(settings: Settings, most: int) -> int:
    """Print who changed what anywhere, the newest first."""

    async def work(core: Core) -> int:
        count, cursor = 0, None
        while count < most:
            page = await core.operator.audit(cursor, min(_PAGE, most - count))
            for entry in page.items:
                print(_line(entry))
            count, cursor = count + len(page.items), page.next
            if cursor is None:
                break
        print(f"{count} change{'' if count == 1 else 's'}.", file=sys.stderr)
        return 0

    return await with_core(settings, work)


def _line(entry: AuditEntry) -> str:
    at = datetime.fromtimestamp(entry.created_at_ms / 1000.0, UTC)
    by = "the operator, or somebody who is gone" if entry.by is None else named(entry.by)
    return " | ".join((f"{at:%Y-%m-%d %H:%M} UTC", entry.group or "everywhere", by, done(entry, {})))
