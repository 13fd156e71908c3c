"""Where a message of ours stands: what ``MessageRef`` holds of it."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.model import AccountId, MessageRef

NAME = "discord"


@dataclass(frozen=True, slots=True)
class Spot:
    """A message in a channel."""

    channel: int
    message: int

    def ref(self) -> MessageRef:
        """As others keep it."""
        return MessageRef(NAME, str(self.channel), str(self.message))

    @property
    def key(self) -> str:
        """By which the shelf knows the message."""
        return f"{self.channel}/{self.message}"


def read_spot(ref: MessageRef) -> Spot:
    """Back from what others kept. Raises ValueError."""
    return Spot(int(ref.chat), int(ref.message))


def read_key(key: str) -> Spot:
    """Back from the shelf. Raises ValueError."""
    channel, _, message = key.partition("/")
    return Spot(int(channel), int(message))


def account(user: int) -> AccountId:
    """The account of a person."""
    return AccountId(f"{NAME}:{user}")


def user_of(to: AccountId) -> int:
    """The person of an account. Raises ValueError."""
    return int(to.removeprefix(f"{NAME}:"))
