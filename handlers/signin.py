"""Signing in to the chat page: a chat account that has proven itself elsewhere is linked with the visitor's own."""

from __future__ import annotations

from handlers.accounts import PLATFORMS, paused
from handlers.model import Actor, Reply
from handlers.ports import House


async def sign_in(house: House, visitor: Actor, proven: Actor) -> Reply:
    """Say for ``proven`` that it means to be one with ``visitor``; the visitor is asked in the conversation.

    The word of the proven account is that somebody has just signed in with it. Nothing is linked before the visitor
    has pressed Yes below the question, which names the account and comes as a notice.
    """
    platform = proven.account.partition(":")[0]
    who = f"{proven.name} on {PLATFORMS.get(platform, platform)}"
    secret = await house.people.show_secret(visitor)
    step = await house.people.redeem(proven, secret.token)
    match step.status:
        case "ok":
            await house.people.confirm(proven, step.id)
            return Reply(
                text=f"Welcome, {proven.name}. One word more, here in the conversation: is that you?"
            )
        case "own":
            return Reply(text=f"You are signed in already: {who} and this browser are one person here.")
        case "paused":
            return Reply(text=paused(house, step), ok=False)
        case _:
            return Reply(text="That took too long, so nothing has changed. Please sign in again.", ok=False)
