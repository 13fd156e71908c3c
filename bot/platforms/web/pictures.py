"""The pictures of cards: what the page is told of them, and their bytes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from bot.platforms import Drawn, Theme
from bot.platforms.web.guard import refusal
from bot.platforms.web.wire import PictureJson
from handlers.errors import NotFoundError, RagaBotError
from handlers.model import Picture, Reply

log = logging.getLogger(__name__)

ADDRESS = "/picture/{tradition:Hindustani|Carnatic}/{name}/{theme:light|dark}.png"
"""Where the pictures are. What follows as ``?v=`` is the version that the page was told of."""

_THEMES: dict[str, Theme] = {"light": "light", "dark": "dark"}
_NAME_CHARACTERS = 100
_PATIENCE_S = 2.0  # the card itself is at hand, and is worth more than its picture
_USUAL_PX = (1000, 970)
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_YEAR_S = 365 * 24 * 3600


class CardPictures:
    """Finds the pictures of cards for the page.

    An address names the raga, and holds the version of its picture besides. Whatever the version, it shows the
    picture of today: a card that is old in the log, or comes from an older bot, never points nowhere. Only the
    address with today's version is kept by browsers without asking again.
    """

    def __init__(self, picture: Callable[[Picture, Theme], Awaitable[Drawn]]) -> None:
        self._picture = picture
        self._size = _USUAL_PX

    async def of(self, reply: Reply) -> PictureJson | None:
        """The picture of a reply's card; None where there is none, or it cannot be had.

        One that is still being drawn is promised without its version and its words.
        """
        picture = reply.card.picture if reply.card else None
        if picture is None:
            return None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                light, dark = await asyncio.gather(
                    self._picture(picture, "light"), self._picture(picture, "dark")
                )
                self._size = await asyncio.to_thread(_size, light.path)
        except TimeoutError:
            return self._json(picture, "", "", f"The scale of {picture.raga}, drawn as a wheel.")
        except RagaBotError as error:
            log.info("A card goes without its picture: %s", error.message)
        except Exception:
            # The card says everything in words as well: no fault in drawing may cost it.
            log.exception("A card goes without its picture.")
        else:
            return self._json(picture, f"?v={_version(light)}", f"?v={_version(dark)}", light.alt)
        return None

    async def serve(self, request: web.Request) -> web.Response:
        """A picture as PNG. The route has checked tradition and theme."""
        name = request.match_info["name"]
        if len(name) > _NAME_CHARACTERS or not name.isprintable():
            raise web.HTTPNotFound
        picture = Picture(name, request.match_info["tradition"])
        try:
            drawn = await self._picture(picture, _THEMES[request.match_info["theme"]])
            version = _version(drawn)
            current = request.query.get("v") == version
            headers = {
                "ETag": f'"{version}"',
                "Cache-Control": f"public, max-age={_YEAR_S}, immutable" if current else "no-cache",
            }
            if any(tag.value in (version, "*") for tag in request.if_none_match or ()):
                return web.Response(status=304, headers=headers)
            body = await asyncio.to_thread(drawn.path.read_bytes)
        except NotFoundError:
            return refusal(
                404, NotFoundError.code, "I know no raga of that name, so I have no picture of it."
            )
        except (RagaBotError, OSError) as error:
            log.warning("A picture could not be shown: %s", str(error) or type(error).__name__)
            return refusal(503, "unavailable", "I cannot draw that right now. Please try again in a minute.")
        return web.Response(body=body, content_type="image/png", headers=headers)

    def _json(self, picture: Picture, light: str, dark: str, alt: str) -> PictureJson:
        folder = f"/picture/{quote(picture.tradition, safe='')}/{quote(picture.raga, safe='')}"
        width, height = self._size
        return {
            "light": f"{folder}/light.png{light}",
            "dark": f"{folder}/dark.png{dark}",
            "alt": alt,
            "width": width,
            "height": height,
        }


def _version(drawn: Drawn) -> str:
    """Changes when the picture does, as the file's name."""
    return hashlib.sha256(drawn.path.name.encode()).hexdigest()[:16]


def _size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG in pixels. Raises OSError, ValueError."""
    with path.open("rb") as file:
        head = file.read(24)
    if len(head) < 24 or not head.startswith(_PNG):
        raise ValueError(f"{path.name} is no PNG")
    width, height = struct.unpack(">II", head[16:])
    return width, height
