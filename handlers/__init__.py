"""What the bot says: the table of commands, and the calls that platforms make."""

from __future__ import annotations

from collections.abc import Sequence

from handlers import (
    accounts,
    completion,
    corrections,
    dispatch,
    downloads,
    export,
    favorites,
    generation,
    groups,
    hearing,
    help,
    history,
    pages,
    playlists,
    privacy,
    ragas,
    sharing,
    signin,
)
from handlers.command import Command
from handlers.model import Actor, Reply, Request, Suggestion
from handlers.ports import House

__all__ = ["COMMANDS", "choices", "complete", "respond", "sign_in"]


async def _help(house: House, request: Request) -> Reply:
    del house
    return help.show(COMMANDS, request)


COMMANDS: tuple[Command, ...] = (
    Command("raga", "A raga's card: scale, hour, mood, kin", ragas.show, ragas.SHOW_OPTIONS),
    Command("search", "Find ragas by name, tradition, hour or mood", ragas.search, ragas.SEARCH_OPTIONS),
    Command("hear", "Hear a raga's scale, played", hearing.hear, hearing.OPTIONS),
    Command("generate", "Have a piece made for you", generation.generate, generation.OPTIONS, announces=True),
    Command("favorites", "What you keep", favorites.show, favorites.LIST_OPTIONS, private=True),
    Command("history", "What was made for you", history.show, history.OPTIONS, private=True),
    Command(
        "correct",
        "Say what is wrong with a raga's card",
        corrections.correct,
        corrections.OPTIONS,
        private=True,
    ),
    Command("cancel", "Stop the piece that is being made", generation.cancel, private=True),
    Command(
        "playlists", "Your playlists, or a new one", playlists.playlists, playlists.OPTIONS, private=True
    ),
    Command("join", "Join somebody's playlist", playlists.join, playlists.JOIN_OPTIONS, private=True),
    Command("open", "Hear what somebody shares with you", sharing.open_shared, sharing.OPEN_OPTIONS),
    Command(
        "me", "Your accounts, what you prefer, what is left", accounts.me, accounts.ME_OPTIONS, private=True
    ),
    Command("link", "Link another account of yours", accounts.link, accounts.LINK_OPTIONS, private=True),
    Command("unlink", "Take an account out again", accounts.unlink, accounts.UNLINK_OPTIONS, private=True),
    Command("privacy", "What I keep of you, and for how long", privacy.privacy, private=True),
    Command("export", "A copy of everything of yours", export.export, private=True),
    Command("delete", "Delete everything of yours", privacy.delete, private=True),
    Command("help", "What I can do", _help, help.OPTIONS, announces=True),
    Command(
        "settings",
        "How many pieces are made here, how long, in which channels",
        groups.settings,
        groups.SETTINGS_OPTIONS,
        private=True,
        manages=True,
    ),
    Command(
        "block",
        "Let somebody have no pieces made here",
        groups.block,
        groups.BLOCK_OPTIONS,
        private=True,
        manages=True,
    ),
    Command(
        "unblock",
        "Let somebody have pieces made here again",
        groups.unblock,
        groups.UNBLOCK_OPTIONS,
        private=True,
        manages=True,
    ),
    Command(
        "audit",
        "Who changed which setting here",
        groups.audit,
        (pages.PAGE_OPTION,),
        private=True,
        manages=True,
    ),
    Command("guide", "A step of the guided /generate", generation.guide, listed=False, asker_only=True),
    Command("favorite", "Put a heart on it, or take it off", favorites.favorite, listed=False, private=True),
    Command("play", "Hear a piece again", generation.play, generation.PIECE, listed=False),
    Command("again", "Another take of a piece", generation.again, generation.PIECE, listed=False),
    Command("vary", "A piece in another color", generation.vary, generation.PIECE, listed=False),
    Command("longer", "A piece at twice the length", generation.longer, generation.PIECE, listed=False),
    Command(
        "download",
        "A piece as WAV, MIDI, stems and more",
        downloads.download,
        downloads.OPTIONS,
        listed=False,
        private=True,
    ),
    Command("playlist", "One playlist", playlists.playlist, listed=False, private=True),
    Command(
        "addto", "Add a piece to a playlist", playlists.add, generation.PIECE, listed=False, private=True
    ),
    Command("drop", "Take a piece out of a playlist", playlists.drop, listed=False, private=True),
    Command("role", "What a member of a playlist may do", playlists.role, listed=False, private=True),
    Command("expel", "Take a member out of a playlist", playlists.expel, listed=False, private=True),
    Command("share", "Let others hear a piece", sharing.share, generation.PIECE, listed=False, private=True),
    Command(
        "unshare", "Share a piece no longer", sharing.unshare, generation.PIECE, listed=False, private=True
    ),
    Command(
        "rename", "Give a piece a name", sharing.rename, sharing.RENAME_OPTIONS, listed=False, private=True
    ),
    Command(
        "chain",
        "After which pieces one was made",
        sharing.chain,
        generation.PIECE,
        listed=False,
        private=True,
    ),
    Command(
        "remove",
        "Take a piece out of your history",
        generation.remove,
        generation.PIECE,
        listed=False,
        private=True,
    ),
)
"""Every command. A platform registers the listed ones; the others are what buttons send."""

_BY_NAME = {command.name: command for command in COMMANDS}


async def respond(house: House, request: Request) -> Reply:
    """Answer any request; raises nothing but for cancellation."""
    return await dispatch.dispatch(house, _BY_NAME, request)


async def sign_in(house: House, visitor: Actor, proven: Actor) -> Reply:
    """A visitor of the chat page has proven a chat account of theirs; raises nothing but for cancellation."""
    return await dispatch.guarded("A sign-in", signin.sign_in(house, visitor, proven))


def complete(house: House, line: str) -> Sequence[Suggestion]:
    """Suggestions for a line typed so far; instant, no network."""
    return completion.complete(house, COMMANDS, line)


def choices(house: House, command: str, option: str, text: str) -> Sequence[Suggestion]:
    """What an option of a command could be, given what was typed of it; instant, no network."""
    known = _BY_NAME.get(command)
    found = next((one for one in known.options if one.name == option), None) if known is not None else None
    return () if found is None else completion.choices(house, found, text)
