"""How a visitor of the chat page proves that an account on another platform is theirs: what all providers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from handlers.model import Actor

ANSWER_DEADLINE_S = 15.0
"""A person waits for a provider so long, and then is told that it is out of reach."""


_NAME_CHARACTERS = 100


def shown_name(*names: object) -> str:
    """The first name that there is, as far as it is text that can be shown."""
    for name in names:
        text = str(name or "").encode("utf-8", "ignore").decode().strip()
        if text:
            return text[:_NAME_CHARACTERS]
    return "Somebody"


class ProofError(Exception):
    """That answer is not valid, so nothing has changed. Please sign in again.

    The docstring's first line is the sentence to show.
    """

    code = "not_proven"

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or (type(self).__doc__ or "").partition("\n")[0])


class DeniedError(ProofError):
    """You did not allow it there, so nothing has changed. If you would like to after all, please sign in again."""

    code = "denied"


class StaleError(ProofError):
    """That answer is older than five minutes, so nothing has changed. Please sign in again."""

    code = "stale"


class OutOfReachError(ProofError):
    """I cannot reach it right now, so nothing has changed. Please try again in a minute."""

    code = "out_of_reach"


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that a visitor has begun.

    ``state``: 128 random bits that come back with the answer. ``return_to``: the address of ours to which it comes.
    ``verifier``: a secret of this sign-in alone, which never leaves the bot but for the provider (PKCE, RFC 7636).
    """

    state: str
    return_to: str
    verifier: str


class Login(Protocol):
    """A provider. It keeps no token and no answer."""

    name: str
    """In our own addresses, and before the colon of its accounts."""

    def address(self, begun: Begun) -> str:
        """Where the visitor says yes. Raises ProofError."""

    async def prove(self, begun: Begun, answer: Mapping[str, str]) -> Actor:
        """Whose account it is, by what came back in the return address. Raises ProofError."""
