"""Who the bot says is calling: short-lived ES256 tokens, signed with a key that never leaves the state folder."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import logging
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handlers.model import Actor

log = logging.getLogger(__name__)

AUDIENCE = "raga-bot"
LIFETIME_S = 600.0
ADMIN_LIFETIME_S = 30.0
"""A call and its repeats take no longer (gateway.DEADLINE_S), nor should what was looked up for it hold longer."""

RENEWAL_S = 120.0
"""A token is signed anew when less than this is left of it."""

_KEY_FILE = "signing_key.pem"
_BOT_FILE = "bot_id"
_REMEMBERED_TOKENS = 1024
_COORDINATE_BYTES = 32  # P-256


class IdentityError(Exception):
    """The signing key cannot be used; the message says in words what to do."""


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _create_once(path: Path, content: bytes) -> bytes:
    """Put a private file there unless there is one; returns what stands there in the end.

    The file appears whole or not at all, and of two processes that try at once both get the content of
    the one that came first. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the name is taken; a rename would overwrite the other process' key.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path.read_bytes()


class Keys:
    """The bot's signing key (P-256). Its public half is what a Convex deployment is told."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        numbers = private_key.public_key().public_numbers()
        self._public = {
            "crv": "P-256",
            "kty": "EC",
            "x": _base64url(numbers.x.to_bytes(_COORDINATE_BYTES, "big")),
            "y": _base64url(numbers.y.to_bytes(_COORDINATE_BYTES, "big")),
        }
        # RFC 7638: the hash of the required members, in alphabetic order, without white space.
        canonical = json.dumps(self._public, sort_keys=True, separators=(",", ":")).encode()
        self.kid = _base64url(hashlib.sha256(canonical).digest())

    @classmethod
    def load(cls, state_dir: Path) -> Keys:
        """Read ``signing_key.pem``, made at the first start. Raises IdentityError."""
        path = state_dir / _KEY_FILE
        try:
            content = path.read_bytes() if path.exists() else _create_once(path, _new_key())
            _keep_private(path)
        except OSError as error:
            raise IdentityError(
                f"I cannot read or write {path}: {error.strerror}. Please check its folder."
            ) from None
        try:
            key = serialization.load_pem_private_key(content, password=None)
        except ValueError:
            key = None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise IdentityError(
                f"{path} does not hold a P-256 key. Move it away, and a new one is made at the next start."
            )
        return cls(key)

    def jwks_data_uri(self) -> str:
        """The public key as a ``data:`` URI, for RAGA_JWT_JWKS."""
        keys = {"keys": [{**self._public, "kid": self.kid, "use": "sig", "alg": "ES256"}]}
        encoded = base64.b64encode(json.dumps(keys, separators=(",", ":")).encode()).decode("ascii")
        return f"data:application/json;base64,{encoded}"

    def sign(self, claims: dict[str, object]) -> str:
        """A JWT."""
        return jwt.encode(claims, self._private_key, algorithm="ES256", headers={"kid": self.kid})

    def derive(self, purpose: str) -> bytes:
        """32 secret bytes for another purpose, the same at every start (HKDF-SHA256, RFC 5869)."""
        secret = self._private_key.private_numbers().private_value.to_bytes(_COORDINATE_BYTES, "big")
        return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(secret)


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _keep_private(path: Path) -> None:
    if os.name != "posix" or path.stat().st_mode & 0o077 == 0:
        return
    try:
        path.chmod(0o600)
    except OSError:
        raise IdentityError(
            f"Others on this machine can read {path}, which signs for every user. Please run: chmod 600 {path}"
        ) from None
    log.warning(
        "%s could be read by others; it is private again. If they may have read it, move it away.", path
    )


def bot_id(state_dir: Path) -> str:
    """This bot's own id, made at the first start; deliveries are kept under it. Raises IdentityError."""
    path = state_dir / _BOT_FILE
    try:
        content = path.read_bytes() if path.exists() else _create_once(path, secrets.token_hex(8).encode())
    except OSError as error:
        raise IdentityError(
            f"I cannot read or write {path}: {error.strerror}. Please check its folder."
        ) from None
    name = content.decode("ascii", "replace").strip()
    if not name.isalnum():
        raise IdentityError(
            f"{path} does not hold an id. Move it away, and a new one is made at the next start."
        )
    return name


class Signer:
    """Signs for one bot: for its users, for itself, for its workers. Tokens are reused while they are fresh."""

    def __init__(self, keys: Keys, bot: str, issuer: str, now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._bot = bot
        self._issuer = issuer
        self._now = now
        self._tokens: OrderedDict[tuple[str, str, str], tuple[float, str]] = OrderedDict()

    def user(self, actor: Actor, *, fresh: bool = False) -> str:
        """The token of a chat account that speaks through this bot."""
        return self._token("user", actor.account, actor.name, fresh=fresh)

    def curator(self, actor: Actor, *, fresh: bool = False) -> str:
        """The same for a person whom the operator has named curator of the catalogue."""
        return self._token("curator", actor.account, actor.name, fresh=fresh)

    def admin(self, actor: Actor, group: str, *, fresh: bool = False) -> str:
        """The same for one who looks after a group, such as ``discord:42``, as was looked up just now: for one call,
        and never given again."""
        del fresh
        claims = self._claims("user", actor.account, actor.name, self._now() + ADMIN_LIFETIME_S)
        return self._keys.sign(claims | {"admin": group})

    def bot(self, *, fresh: bool = False) -> str:
        """The bot's own token."""
        return self._token("bot", f"bot:{self._bot}", "Raga Bot", fresh=fresh)

    def worker(self, name: str, *, fresh: bool = False) -> str:
        """The token of one of this bot's workers; ``name`` is the whole subject, such as ``worker:1f…-0``."""
        return self._token("worker", name, name, fresh=fresh)

    def _token(self, role: str, subject: str, name: str, *, fresh: bool) -> str:
        now = self._now()
        known = (role, subject, name)
        expires, token = self._tokens.get(known, (0.0, ""))
        # A clock that was set back makes a token of the future: that is no fresher than an old one.
        if fresh or not RENEWAL_S < expires - now <= LIFETIME_S:
            expires = now + LIFETIME_S
            token = self._keys.sign(self._claims(role, subject, name, expires))
            self._tokens[known] = (expires, token)
        self._tokens.move_to_end(known)
        while len(self._tokens) > _REMEMBERED_TOKENS:
            self._tokens.popitem(last=False)
        return token

    def _claims(self, role: str, subject: str, name: str, expires: float) -> dict[str, object]:
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": int(self._now()),
            "exp": int(expires),
            "role": "user" if role == "curator" else role,
            "name": name,
        }
        if role == "curator":
            claims["curator"] = True
        if role != "worker":
            claims["bot"] = self._bot
        return claims
