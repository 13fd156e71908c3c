"""From SVG to PNG: ThorVG fills the pixels, zlib packs them. Both let other threads run meanwhile."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterable
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from thorvg_python.base import Colorspace, Result
from thorvg_python.canvas.sw import SwCanvas
from thorvg_python.engine import Engine
from thorvg_python.paint.picture import Picture

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COARSE = 8  # levels of a color that soft edges are rounded to: half the bytes, and nobody sees it
_DRAWING = threading.Lock()  # ThorVG keeps what it has loaded in one place for all threads


class RasterError(RuntimeError):
    """ThorVG could not draw. The text says at which step."""


def png(svg: str, width: int, height: int, exact: Iterable[int] = ()) -> bytes:
    """An opaque picture as the bytes of a PNG; levels of color in ``exact`` stay as they are. Raises `RasterError`."""
    return packed(_rounding(frozenset(exact))[pixels(svg, width, height)])


def pixels(svg: str, width: int, height: int) -> NDArray[np.uint8]:
    """The picture as ``(height, width, 3)`` of red, green and blue. Raises `RasterError`."""
    with _DRAWING:
        canvas = SwCanvas(_engine())
        try:
            canvas.set_target(width, height, cs=Colorspace.ABGR8888)
            picture = Picture(_engine())
            _check(picture.load_data(svg.encode(), "svg", None, copy=True), "load_data")
            _check(canvas.add(picture), "add")
            _check(canvas.draw(True), "draw")
            _check(canvas.sync(), "sync")
            if canvas.buffer_arr is None:
                raise RasterError("ThorVG could not draw: there are no pixels.")
            drawn = np.ctypeslib.as_array(canvas.buffer_arr).reshape(height, width).copy()
        finally:
            canvas.destroy()
    return np.stack([drawn & 255, drawn >> 8 & 255, drawn >> 16 & 255], axis=-1).astype(np.uint8)


def packed(picture: NDArray[np.uint8]) -> bytes:
    """``(height, width, 3)`` of red, green and blue as the bytes of a PNG."""
    height, width, _ = picture.shape
    # Each row begins with the number of its filter. None is the best one for flat areas.
    rows = np.zeros((height, 1 + width * 3), np.uint8)
    rows[:, 1:] = picture.reshape(height, width * 3)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 6)
    return _SIGNATURE + b"".join(map(_chunk, (b"IHDR", b"IDAT", b"IEND"), (header, data, b"")))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@lru_cache(maxsize=8)
def _rounding(exact: frozenset[int]) -> NDArray[np.uint8]:
    """The level that each of the 256 becomes."""
    levels = np.arange(256)
    rounded = np.clip(np.round(levels / _COARSE) * _COARSE, 0, 255)
    kept = np.isin(levels, list(exact))
    return np.where(kept, levels, rounded).astype(np.uint8)


@cache
def _engine() -> Engine:
    return Engine(threads=0)


def _check(result: Result, step: str) -> None:
    if result != Result.SUCCESS:
        raise RasterError(f"ThorVG could not draw: {step} said {result.name}.")
