"""What somebody is told in private without having asked: what came of a link, and of a deletion."""

from __future__ import annotations

from dataclasses import replace

from handlers.accounts import PLATFORMS, asked, linked
from handlers.model import Notice, Reply


def reply(notice: Notice) -> Reply:
    """A notice in words, with the buttons that answer it."""
    platform = str(notice.details.get("platform", ""))
    who = f"{notice.details.get('name', 'somebody')} on {PLATFORMS.get(platform, platform)}"
    match notice.kind:
        case "link_asked":
            return asked(str(notice.details.get("linkId", "")), who)
        case "linked":
            return replace(linked(str(notice.details.get("mergeId", "")), who), replaces=False)
        case "link_declined":
            return Reply(text=f"{who} does not want the link, so nothing is linked.", private=True)
        case "link_undone":
            return Reply(
                text=f"{who} has taken the link back. Each account has what was its own again.", private=True
            )
        case "unlinked":
            return Reply(
                text=f"{who} has taken this account out. What was made so far stays there; here you begin anew.",
                private=True,
            )
        case "deleted":
            return Reply(
                text="Everything of yours has been deleted. If you like, begin anew at any time.",
                private=True,
            )
