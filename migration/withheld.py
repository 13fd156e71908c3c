"""What looks like a secret inside of a row, at any depth: it is taken out before anything is written down.

Whole columns are left to `mapping.is_secret`. This is for what stands in JSON, in a text that holds JSON, or under a
name that says nothing, such as a password's hash in a column called ``note``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from migration import rows
from migration.mapping import is_secret_name
from migration.rows import Row, Value

# What programs write and nobody else: passwords' hashes by the schemes of frameworks, signed tokens, keys of services.
_VALUE = re.compile(
    r"\$(?:2[abxy]?|argon2(?:id|i|d)?|scrypt|bcrypt-sha256|pbkdf2(?:-sha\d+)?|[156]|apr1|y|7)\$\S{8,}"
    r"|(?:bcrypt(?:_sha256)?|argon2)\$\S{20,}"
    r"|pbkdf2(?:_sha\d+|:sha\d+:\d+)\$\S{8,}"
    r"|scrypt(?::\d+){3}\$\S{8,}"
    r"|\{(?:SSHA\d*|SHA\d*|CRYPT|PBKDF2[^}]*)\}\S{8,}"
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"
    r"|(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16}"
    r"|\d{8,10}:AA[\w-]{30,}"  # a Telegram bot
    r"|[\w-]{24,28}\.[\w-]{6}\.[\w-]{27,}"  # a Discord bot
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*",
    re.DOTALL,
)
# Whether a line is worth a look: few are, and those are read and looked through.
_WORTH = re.compile(
    rb"(?i)passw|passphrase|passhash|secret|pwd|token|salt|otp|\bpin\b|credential|jwt|cookie|hashed"
    rb"|(?:api|private|session|auth|encryption|signing|access)_?-?keys?|(?:recovery|backup|reset|verification)_?codes?"
    rb"|\$(?:2[abxy]?|argon|scrypt|bcrypt|pbkdf2|[1567y]|apr1)\$|bcrypt|argon2|pbkdf2|scrypt:|\{S?SHA|\{CRYPT|eyJ|[spr]k[-_]|gh[pousr]_"
    rb"|github_pat|xox|AKIA|:AA|PRIVATE KEY|[\w-]{24}\.[\w-]{6}\.[\w-]{27}"
)
_NAMED = re.compile(r'"([^"\\]{1,60})"\s*:')
_DEEPEST = 64


class Withheld:
    """Takes secrets out of the lines of one table, and counts them by where they stood."""

    def __init__(self, key: Sequence[str]) -> None:
        self.found: Counter[str] = Counter()
        self._key = frozenset(key)

    def clean(self, line: bytes) -> bytes:
        """The line without them; one in which there is none stays as it is, to the byte."""
        if _WORTH.search(line) is None:
            return line
        try:
            row = rows.read(line)
        except (ValueError, RecursionError):
            return line
        cleaned: Row = {}
        for name, value in row.items():
            # A key is what a row is known by; one that is a secret by its name has been left out before.
            cleaned[name] = value if name in self._key else self._without(value, name, 0)
        return line if cleaned == row else rows.write(cleaned).encode()

    def _without(self, value: Value, path: str, depth: int) -> Value:
        if depth > _DEEPEST:
            return value
        if isinstance(value, dict):
            kept = {}
            for name, inner in value.items():
                if is_secret_name(name, inner):
                    self.found[f"{path}.{name}"[:120]] += 1
                else:
                    kept[name] = self._without(inner, f"{path}.{name}", depth + 1)
            return kept
        if isinstance(value, list):
            return [self._without(inner, f"{path}[]", depth + 1) for inner in value]
        if isinstance(value, str):
            return self._text(value, path, depth)
        return value

    def _text(self, text: str, path: str, depth: int) -> Value:
        if _VALUE.fullmatch(text.strip()):
            self.found[path[:120]] += 1
            return None
        if text.lstrip()[:1] in ("{", "["):
            try:
                inner = rows.read_value(text)
            except (ValueError, RecursionError):
                return self._broken(text, path)
            cleaned = self._without(inner, path, depth + 1)
            return text if cleaned == inner else rows.write(cleaned)
        return text

    def _broken(self, text: str, path: str) -> Value:
        """JSON that cannot be read: where it names a secret, none of it is taken along."""
        if any(is_secret_name(name, "") for name in _NAMED.findall(text)):
            self.found[path[:120]] += 1
            return None
        return text
