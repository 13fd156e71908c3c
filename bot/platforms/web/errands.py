"""Sign-ins that visitors have begun: each is its visitor's alone, can be ended once, and soon counts no more."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bot.platforms.proof import Begun
from handlers.model import AccountId

OPEN_S = 600.0
"""A sign-in has to be finished within so long."""

MOST_OF_ONE = 10
MOST = 600
"""So many are begun within that time, by one visitor and by all: each may cost calls to a provider."""


class TooManyBegunError(Exception):
    """So many sign-ins have been begun that no more are for now."""


@dataclass(slots=True)
class _Errand:
    visitor: AccountId
    provider: str
    begun: Begun
    until_s: float
    ended: bool = False


class Errands:
    """Kept in memory: after a restart a visitor begins anew. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # By the state's hash: how long a look-up takes tells nothing of a state that is there.
        self._errands: OrderedDict[bytes, _Errand] = OrderedDict()

    def begin(self, visitor: AccountId, provider: str, return_to: str) -> Begun:
        """A new one. Raises TooManyBegunError."""
        now = self._clock()
        while self._errands and next(iter(self._errands.values())).until_s <= now:
            self._errands.popitem(last=False)
        of_one = sum(one.visitor == visitor for one in self._errands.values())
        if of_one >= MOST_OF_ONE or len(self._errands) >= MOST:
            raise TooManyBegunError
        begun = Begun(secrets.token_urlsafe(16), return_to, secrets.token_urlsafe(48))
        self._errands[_key(begun.state)] = _Errand(visitor, provider, begun, now + OPEN_S)
        return begun

    def end(self, visitor: AccountId, provider: str, state: str) -> Begun | None:
        """The sign-in of this state, once; None where there is none of this visitor with this provider.

        A state that somebody else brings is ended too: whoever shows it, it is a secret no more.
        """
        errand = self._errands.get(_key(state))
        if errand is None or errand.ended:
            return None
        errand.ended = True
        fits = errand.visitor == visitor and errand.provider == provider
        return errand.begun if fits and errand.until_s > self._clock() else None


def _key(state: str) -> bytes:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).digest()
