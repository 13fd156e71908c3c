"""Logging: to stderr, without secrets, and without the chatter of libraries."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

_TOKEN_SHAPES = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"  # a JWT
    r"|(?<!\d)\d{6,12}:[\w-]{30,}"  # a Telegram bot token; in an address it comes right after the word "bot"
    r"|\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}\b"  # a Discord bot token
)
_CHATTY = ("httpx", "httpcore", "aiohttp.access", "discord", "telegram", "convex")


class RedactingFormatter(logging.Formatter):
    """Blots out everything that looks like a token, in messages and in tracebacks alike."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """The finished line, blotted."""
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "[secret]")
        return _TOKEN_SHAPES.sub("[secret]", line)


def set_up(level: str, secrets: Sequence[str]) -> None:
    """Send this process' log to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        # At INFO some of them write addresses, and a Telegram address holds the token.
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
