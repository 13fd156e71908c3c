"""Ways into a private chat with the bot, as the platforms that run here offer them."""

from __future__ import annotations

from collections.abc import Callable

Address = Callable[[str], str | None]
"""Takes a command line; an address that says it in a private chat, or None as long as there is none."""


class OpenDoors:
    """Asks the platforms one after another."""

    def __init__(self) -> None:
        self._addresses: list[Address] = []

    def add(self, address: Address) -> None:
        """One more platform that has addresses."""
        self._addresses.append(address)

    def address(self, line: str) -> str | None:
        """The first address that there is."""
        return next((found for address in self._addresses if (found := address(line)) is not None), None)
