"""A copy of all that is somebody's, to take away."""

from __future__ import annotations

from handlers.model import Reply, Request
from handlers.ports import House


async def export(house: House, request: Request) -> Reply:
    """Everything that is kept of somebody, in one file, for them alone."""
    copy = await house.copies.make(request.actor)
    if copy is None:
        return Reply(text="I keep nothing of you yet, so there is nothing to export.", private=True)
    return Reply(
        text="All that is yours here: what I keep of you as JSON, and your pieces as audio.",
        download=copy,
        private=True,
    )
