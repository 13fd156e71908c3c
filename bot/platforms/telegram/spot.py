"""Where a message of ours stands, and whose it answers: what ``MessageRef.message`` holds, opaque to others."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers.model import AccountId, MessageRef

NAME = "telegram"


@dataclass(frozen=True, slots=True)
class Spot:
    """A message in a chat. ``request``: the person's message that it answers; ``thread``: the forum's topic."""

    chat: int
    message: int = 0
    request: int = 0
    thread: int = 0

    def ref(self) -> MessageRef:
        """As others keep it."""
        return MessageRef(NAME, str(self.chat), f"{self.message}/{self.request}/{self.thread}")

    def at(self, message: int) -> Spot:
        """Another message in the same place."""
        return replace(self, message=message)

    @property
    def key(self) -> str:
        """By which the shelf knows the message."""
        return f"{self.chat}/{self.message}"


def read_spot(ref: MessageRef) -> Spot:
    """Back from what others kept. Raises ValueError."""
    message, _, rest = ref.message.partition("/")
    request, _, thread = rest.partition("/")
    return Spot(int(ref.chat), int(message), int(request or 0), int(thread or 0))


def account(user: int) -> AccountId:
    """The account of a person."""
    return AccountId(f"{NAME}:{user}")


def user_of(to: AccountId) -> int:
    """The person of an account, who is also the chat in which they are alone with the bot. Raises ValueError."""
    return int(to.removeprefix(f"{NAME}:"))
