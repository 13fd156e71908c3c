"""Turning the pages of a long list by their number, which fits into a button and can be typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from handlers import values
from handlers.command import Option
from handlers.lookup import button
from handlers.model import ButtonRows, Cursor, Entry, Page, Reply, Request
from handlers.reading import take_apart

Item = TypeVar("Item")

SIZE = 5
"""So many entries stand on one page."""

PAGE_OPTION = Option("page", "The page of the list", "number", example="2")

_FETCHED = 100
"""So many entries come in one call at most."""


def page_of(request: Request) -> tuple[int, bool]:
    """The number of the page asked for, and whether one was asked for."""
    line = take_apart(request, ("page",), {"page": values.page})
    number = line.read("page", values.page)
    return number or 1, number is not None


class Pages(Generic[Item]):
    """A list that is read from its beginning, in one call for every hundred entries."""

    def __init__(self, fetch: Callable[[Cursor | None, int], Awaitable[Page[Item]]]) -> None:
        self._fetch = fetch

    async def nth(self, number: int) -> tuple[tuple[Item, ...], bool]:
        """The entries of a page, and whether more come after it."""
        skip = SIZE * (number - 1)
        wanted = SIZE + 1
        items: list[Item] = []
        cursor: Cursor | None = None
        while True:
            page = await self._fetch(cursor, min(_FETCHED, skip + wanted - len(items)))
            items += page.items
            cursor = page.next
            if skip >= len(items):
                skip, items = skip - len(items), []
            if cursor is None or len(items) >= skip + wanted:
                shown = items[skip : skip + SIZE]
                return tuple(shown), len(items) > skip + SIZE


async def listed(
    request: Request,
    title: str,
    empty: str,
    fetch: Callable[[Cursor | None, int], Awaitable[Page[Item]]],
    entry: Callable[[Item], Entry],
) -> Reply:
    """The page of a list that a request asks for, for the asker alone; ``empty`` is said when there is nothing."""
    number, asked = page_of(request)
    items, more = await Pages(fetch).nth(number)
    command = f"/{request.command}"
    if not items:
        beyond = f"There is nothing on that page. {command} begins at the newest."
        return Reply(text=empty if number == 1 else beyond, private=True)
    return Reply(
        text=title + (f", page {number}" if number > 1 else ""),
        entries=tuple(entry(item) for item in items),
        buttons=_turns(command, number, more),
        private=True,
        replaces=asked,
    )


def _turns(command: str, number: int, more: bool) -> ButtonRows:
    """The buttons that turn the page."""
    row = (
        *(button("Newer", f"{command} page:{number - 1}") if number > 1 else ()),
        *(button("Older", f"{command} page:{number + 1}") if more else ()),
    )
    return (row,) if row else ()
