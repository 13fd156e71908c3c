"""What the engine keeps in memory from piece to piece, and how a long piece finds room."""

from __future__ import annotations

import ctypes
import sys
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_LONG_S: Final = 240.0
"""A longer piece starts with nothing kept: what is made anew costs it a hundredth of its time."""

_forget: Final[list[Callable[[], None]]] = []


def kept(
    maxsize: int,
) -> Callable[[Callable[_Arguments, _Result]], Callable[_Arguments, _Result]]:
    """Keep the last ``maxsize`` results of a function (`functools.lru_cache`), until `make_room` wants the room.

    Nobody may write to a result: it is handed out again.
    """

    def decorate(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        wrapped = lru_cache(maxsize)(function)
        _forget.append(wrapped.cache_clear)
        return cast("Callable[_Arguments, _Result]", wrapped)

    return decorate


def make_room(duration_s: float) -> None:
    """Before a piece of this length: it needs as much memory as in a new process, whatever was made before."""
    if duration_s > _LONG_S:
        for forget in _forget:
            forget()
    give_back()


def give_back() -> None:
    """Return to the system what this process has freed.

    The C library keeps it for later, in pieces that a long line does not fit into: each long piece would stand on
    top of what the one before it has left. Only where that library is glibc (Linux); elsewhere nothing happens.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    # musl has no such function.
    function = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if function is None:
        return None
    function.argtypes, function.restype = (ctypes.c_size_t,), ctypes.c_int
    return cast("Callable[[int], int]", function)
