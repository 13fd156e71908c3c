"""What is a secret: by the name of a column or of a value in JSON, and by what a value looks like."""

from __future__ import annotations

import binascii
import re
from decimal import Decimal
from functools import lru_cache

from migration.inspect import Column

# Beyond question; then words that may also stand in a name that keeps no secret, such as `max_tokens` or `pin`.
_SECRET = re.compile(
    r"passw|passphrase|passhash|secret|(?:^|_)(?:pwd?|pw_?hash|otp|totp)(?:_|$)", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"token|(?:^|_)(?:salt|pin|pass|credentials?|jwt|cookies?|hashed|bearer|authorization|mfa|2fa|two_?factor|"
    r"(?:api|private|session|auth|secret|encryption|signing|access|master|service|ssh|aws|openai|stripe)_?keys?|"
    r"security_?answers?|(?:recovery|backup|reset|verification)_?codes?)(?:_|$)",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"^(?:boolean|date|time|timestamp|interval)")
_NUMERIC = re.compile(r"^(?:smallint|integer|bigint|numeric|real|double)")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"\W+")

# What programs write and nobody else: passwords' hashes by the schemes of frameworks, signed tokens, keys of services.
_VALUE = re.compile(
    r"\$(?:2[abxy]?|argon2(?:id|i|d)?|scrypt|bcrypt-sha256|pbkdf2(?:-sha\d+)?|[156]|apr1|y|7)\$\S{8,}"
    r"|(?:bcrypt(?:_sha256)?|argon2)\$\S{20,}"
    r"|pbkdf2(?:_sha\d+|:sha\d+:\d+)\$\S{8,}"
    r"|scrypt(?::\d+){3}\$\S{8,}|scrypt\$\S{20,}"
    r"|sha(?:1|256|512)\$[^\s$]+\$[0-9a-fA-F]{32,}"  # older frameworks' salted sums
    r"|\{(?:SSHA\d*|SHA\d*|CRYPT|PBKDF2[^}]*)\}\S{8,}"
    r"|SCRAM-SHA-256\$\S{20,}"
    r"|(?:Bearer\s+)?eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"
    r"|Bearer\s+[\w.~+/=-]{16,}"
    r"|(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}|AIza[\w-]{35}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16}"
    r"|\d{8,10}:AA[\w-]{30,}"  # a Telegram bot
    r"|[\w-]{24,28}\.[\w-]{6}\.[\w-]{27,}"  # a Discord bot
    r"|[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@\S+"  # an address with a password in it
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*",
    re.DOTALL,
)
_BYTES = re.compile(r"\\x(?:[0-9a-f]{2}){12,4000}")

WORDS: tuple[bytes, ...] = (
    *(
        b"pass",
        b"secret",
        b"pw",
        b"token",
        b"salt",
        b"otp",
        b"pin",
        b"credential",
        b"jwt",
        b"cookie",
        b"hashed",
    ),
    *(b"bearer", b"authorization", b"mfa", b"2fa", b"factor", b"key", b"answer", b"code"),
    *(b"$2", b"$arg", b"$scr", b"$bcr", b"$pbk", b"$1$", b"$5$", b"$6$", b"$y$", b"$7$", b"$apr", b"bcrypt"),
    *(
        b"argon2",
        b"pbkdf2",
        b"scrypt",
        b"sha1$",
        b"sha256$",
        b"sha512$",
        b"ssha",
        b"{sha",
        b"{crypt",
        b"scram-",
    ),
    *(b"eyj", b"sk-", b"sk_", b"pk-", b"pk_", b"rk-", b"rk_", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
    *(b"\\u00", b"_pat_", b"glpat-", b"hf_", b"aiza", b"xox", b"akia", b":aa", b"://"),
    # As bytes: "$2", "$a", "$s", "$p", "pbk", "scr", "eyJ".
    *(b"\\x2432", b"\\x2461", b"\\x2473", b"\\x2470", b"\\x70626b", b"\\x736372", b"\\x65794a"),
)
"""In small letters: a line that has none of them, nor `DOTTED`, holds no secret."""

DOTTED = re.compile(rb"\.[\w-]{6}\.[\w-]{27}")
"""What a Discord bot's token has in it."""


@lru_cache(maxsize=4096)
def is_secret(column: Column) -> bool:
    """Whether a column never leaves PostgreSQL. By its name: nobody should have to look at what it holds."""
    if _HARMLESS.match(column.type):
        return False
    name = _plain(column.name)
    if _SECRET.search(name):
        return True
    return bool(_SECRET_TEXT.search(name)) and not _NUMERIC.match(column.type)


def is_secret_name(name: str, value: object) -> bool:
    """The same for a name inside of JSON, such as ``accessToken``; a number or a flag under it counts as harmless."""
    if isinstance(value, bool) or value is None:
        return False
    plain = _plain(name)
    if _SECRET.search(plain):
        return True
    return bool(_SECRET_TEXT.search(plain)) and not isinstance(value, int | float | Decimal)


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return _BETWEEN.sub("_", _HUMP.sub("_", name))


def is_secret_value(text: str) -> bool:
    """Whether a text as a whole is a password's hash, a token or a key, also as bytes."""
    written = text.strip()
    if _BYTES.fullmatch(written):
        written = binascii.unhexlify(written[2:]).decode("latin-1")
    return _VALUE.fullmatch(written) is not None
