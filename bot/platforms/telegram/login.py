"""Signing in with Telegram: the login widget's answer, signed with the bot's token.

What is signed and how is Telegram's documentation of the widget, section "Checking authorization"
(https://core.telegram.org/widgets/login-legacy). The widget's script is not used, since the page runs no script but
its own: the person goes to the address that the script would open, and the answer comes back as the fragment
``tgAuthResult`` (JSON in base64url), which is what the script reads.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from bot.platforms.proof import Begun, DeniedError, ProofError, StaleError, shown_name
from bot.platforms.telegram.spot import NAME, account
from handlers.model import Actor

_ADDRESS = "https://oauth.telegram.org"

FRESH_S = 300
"""An answer holds for so long after Telegram gave it."""

LEEWAY_S = 30
"""Telegram's clock may be so far ahead of ours."""

_ANSWER_CHARACTERS = 6000
_FIELDS = 16
_ID = re.compile(r"[1-9][0-9]{0,18}")
_DATE = re.compile(r"[1-9][0-9]{0,11}")
_TO_STANDARD = str.maketrans("-_ ", "+/+")
_NOT_VALID = "That answer does not come from Telegram as it is, so nothing has changed. Please sign in again."
_STALE = "Telegram's answer is older than five minutes, so nothing has changed. Please sign in again."


class TelegramLogin:
    """``token``: the bot's own. ``address``: another server than Telegram's own, as in the settings.

    ``clock`` gives seconds since 1970.
    """

    name = NAME

    def __init__(self, token: str, *, address: str = "", clock: Callable[[], float] = time.time) -> None:
        self._bot = token.partition(":")[0]
        self._key = hashlib.sha256(token.encode()).digest()
        self._address = address or _ADDRESS
        self._clock = clock
        self._taken: dict[str, float] = {}

    def address(self, begun: Begun) -> str:
        """Where the visitor says yes, and allows the bot to write, so that it can tell of the link there too."""
        parts = urlsplit(begun.return_to)
        query = {
            "bot_id": self._bot,
            "origin": f"{parts.scheme}://{parts.netloc}",
            "return_to": f"{begun.return_to}?{urlencode({'state': begun.state})}",
            "request_access": "write",
        }
        return f"{self._address}/auth?{urlencode(query)}"

    async def prove(self, begun: Begun, answer: Mapping[str, str]) -> Actor:
        """Check what Telegram has signed. Raises ProofError."""
        del begun  # its state has been looked at: Telegram has no code to exchange
        fields = _read(answer.get("tgAuthResult", ""))
        given = fields.pop("hash", "")
        lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
        signed = hmac.new(self._key, lines.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signed.encode(), given.encode("utf-8", "surrogatepass")):
            raise ProofError(_NOT_VALID)
        ident, date = fields.get("id", ""), fields.get("auth_date", "")
        if not (_ID.fullmatch(ident) and _DATE.fullmatch(date)):
            raise ProofError(_NOT_VALID)
        self._take(signed, int(date))
        name = f"{fields.get('first_name', '')} {fields.get('last_name', '')}"
        return Actor(account(int(ident)), shown_name(name.strip(), fields.get("username")))

    def _take(self, signed: str, date: int) -> None:
        """Each answer once, and only while it is fresh; after that its age alone keeps it out."""
        now = self._clock()
        if date > now + LEEWAY_S:
            raise ProofError(_NOT_VALID)
        if date < now - FRESH_S:
            raise StaleError(_STALE)
        self._taken = {one: until for one, until in self._taken.items() if until >= now}
        if signed in self._taken:
            raise ProofError("That answer of Telegram's has been used already. Please sign in again.")
        self._taken[signed] = date + FRESH_S


def _read(coded: str) -> dict[str, str]:
    """The fields as they were signed. Raises DeniedError where somebody said no, ProofError."""
    if len(coded) > _ANSWER_CHARACTERS:
        raise ProofError(_NOT_VALID)
    try:
        plain = coded.translate(_TO_STANDARD).rstrip("=")
        value = json.loads(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True) or b"false")
    except (binascii.Error, ValueError, RecursionError):
        raise ProofError(_NOT_VALID) from None
    if not value:
        raise DeniedError("You did not allow it on Telegram, so nothing has changed.")
    if not isinstance(value, dict) or len(value) > _FIELDS:
        raise ProofError(_NOT_VALID)
    fields = {}
    for name, one in value.items():
        # A number is signed as it is written; True is one to Python.
        if isinstance(one, bool) or not isinstance(one, str | int):
            raise ProofError(_NOT_VALID)
        fields[name] = str(one)
    # The signed text is lines: with a line's end in a field, one signature would fit two ways to part it into fields.
    if any("\n" in text for text in (*fields, *fields.values())):
        raise ProofError(_NOT_VALID)
    return fields
