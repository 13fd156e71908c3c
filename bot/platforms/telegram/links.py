"""Addresses that open the private chat and ask for something there, and what they ask for."""

from __future__ import annotations

import base64
import binascii
import re

PAYLOAD_CHARACTERS = 64
"""All that an address may carry, in letters, digits, ``_`` and ``-``."""

OPENED = frozenset({"raga", "search", "help", "favorites", "history", "link", "open", "join"})
"""What an address may ask for: looking things up. Whoever follows a link must not have done something by it; a link of
accounts asks both sides first, what is shared is opened to be heard, and a playlist is left
as easily as it is joined."""

_PLAIN = re.compile(r"[A-Za-z0-9 ]*")
_CODED = "l-"


def payload(line: str) -> str:
    """A command line as an address carries it; only the command where the whole is too long."""
    command, _, text = line.removeprefix("/").partition(" ")
    if _PLAIN.fullmatch(text) and "_" not in command:
        plain = "_".join([command, *text.split()])
        if len(plain) <= PAYLOAD_CHARACTERS:
            return plain
    coded = _CODED + base64.urlsafe_b64encode(line.removeprefix("/").encode()).decode().rstrip("=")
    return coded if len(coded) <= PAYLOAD_CHARACTERS else command[:PAYLOAD_CHARACTERS]


def link(username: str, line: str) -> str:
    """An address that opens the chat with the bot and asks for this."""
    return f"https://t.me/{username}?start={payload(line)}"


def asked_by(text: str) -> tuple[str, str] | None:
    """The command and its text that a payload asks for; None for one that asks for nothing we would do."""
    if text.startswith(_CODED):
        try:
            coded = text[len(_CODED) :]
            line = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
        except (binascii.Error, ValueError):
            return None
    else:
        line = text.replace("_", " ")
    command, _, rest = line.strip().partition(" ")
    command = command.casefold()
    if command == "generate":
        return command, ""  # the guide, which asks before it makes anything
    return (command, rest.strip()) if command in OPENED else None
