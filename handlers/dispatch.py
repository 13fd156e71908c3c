"""From a request to a reply: finds the command, and is the only place where errors end."""

from __future__ import annotations

import asyncio
import difflib
import logging
import secrets
from collections.abc import Awaitable, Mapping

from handlers import ragas
from handlers.announcing import announced
from handlers.command import Command
from handlers.errors import RagaBotError, UnavailableError
from handlers.model import Reply, Request
from handlers.ports import House
from handlers.values import shown

log = logging.getLogger(__name__)

DEADLINE_S = 30.0
"""No answer takes longer; what takes longer shows progress in a message of its own."""

_NAME_CHARACTERS = 100


async def dispatch(house: House, commands: Mapping[str, Command], request: Request) -> Reply:
    """Answer a request. Never raises but for cancellation."""
    return await guarded(f"/{request.command}", _answered(house, commands, request))


async def _answered(house: House, commands: Mapping[str, Command], request: Request) -> Reply:
    command = commands.get(request.command)
    if command is not None:
        return _with_news(house, command, await command.run(house, request))
    return _no_command(request, commands) if request.command else await _said(house, request)


async def guarded(what: str, answer: Awaitable[Reply]) -> Reply:
    """An answer within its deadline; whatever goes wrong with it becomes one. ``what``: its name in the log."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await answer
    except RagaBotError as error:
        log.debug("%s was refused: %s", what, error.code)
        return Reply(text=error.message, private=True, ok=False)
    except TimeoutError:
        log.warning("%s was not answered in time.", what)
        return Reply(text=UnavailableError().message, private=True, ok=False)
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("%s failed; reference %s", what, reference)
        return Reply(
            text=f"Something went wrong here, and I have noted it as {reference}. Please try again in a moment.",
            private=True,
            ok=False,
        )


def _with_news(house: House, command: Command, reply: Reply) -> Reply:
    """What is announced goes with the start of a piece, and with what is read to find one's way."""
    tells = command.announces or reply.progress is not None
    return announced(reply, house.announcements.current()) if tells and reply.ok else reply


def _no_command(request: Request, commands: Mapping[str, Command]) -> Reply:
    names = [name for name, command in commands.items() if command.listed]
    near = difflib.get_close_matches(request.command[:_NAME_CHARACTERS], names, n=1)
    hint = f"Did you mean /{near[0]}?" if near else "/help shows what I can do."
    return Reply(text=f"I know no command /{shown(request.command)}. {hint}", private=True, ok=False)


async def _said(house: House, request: Request) -> Reply:
    """Plain words: the name of a raga asks for its card, anything else for a hint."""
    text = request.text
    if len(text) <= _NAME_CHARACTERS:
        catalogue = house.ragas.catalogue()
        match = catalogue.find(text)
        if match.raga is not None and match.kind == "exact":
            return ragas.card(catalogue, match.raga, match=match)
    return Reply(
        text="I answer to commands: /raga Yaman shows a raga, /generate makes a piece, /help shows everything.",
        private=True,
        ok=False,
    )
