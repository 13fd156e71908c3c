"""Looks at everything that running needs: one line each, and how to mend what is not well."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable

import httpx

from bot.backend.gateway import Convex, http_client
from bot.backend.identity import IdentityError, Keys, Signer, bot_id
from bot.backend.local import LocalConvex, LocalConvexError, environment
from bot.core import running
from bot.settings import Settings
from handlers.errors import NotAuthenticatedError, NotFoundError, RagaBotError, UnavailableError
from music.catalogue import CatalogueError, load

DISCORD_API = "https://discord.com/api/v10"
TELEGRAM_API = "https://api.telegram.org"
_DEADLINE_S = 30.0


class _Ill(Exception):  # noqa: N818 - a finding, not a fault of the program
    """What is wrong, and how to mend it."""


async def examine(settings: Settings) -> int:
    """Print a line for each part; returns 0 when all are well, 1 otherwise."""
    checks: tuple[tuple[str, Callable[[Settings], Awaitable[str]]], ...] = (
        ("State folder", _state),
        ("Signing key", _key),
        ("Catalogue", _catalogue),
        ("ffmpeg", _ffmpeg),
        ("Convex", _convex),
        ("Chat page", _page),
        ("Discord", _discord),
        ("Telegram", _telegram),
    )
    ill = 0
    for name, check in checks:
        try:
            async with asyncio.timeout(_DEADLINE_S):
                line, mark = await check(settings), "ok  "
        except _Ill as finding:
            line, mark, ill = str(finding), "MEND", ill + 1
        except TimeoutError:
            line, mark, ill = f"no answer within {_DEADLINE_S:.0f} s", "MEND", ill + 1
        print(f"{mark}  {name}: {line}", flush=True)
    return 1 if ill else 0


async def _state(settings: Settings) -> str:
    folder = settings.state_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _Ill(
            f"{folder} cannot be written ({error.strerror}). Set STATE_DIR to a folder of yours."
        ) from None
    return f"{folder} can be written"


async def _key(settings: Settings) -> str:
    try:
        keys = Keys.load(settings.state_dir)
    except IdentityError as error:
        raise _Ill(str(error)) from None
    return f"ES256, key {keys.kid[:8]}…, private to this account"


async def _catalogue(settings: Settings) -> str:
    del settings
    try:
        catalogue = load()
    except (CatalogueError, OSError) as error:
        raise _Ill(str(error)) from None
    return f"{len(catalogue.ragas)} ragas, version {catalogue.version}"


async def _ffmpeg(settings: Settings) -> str:
    del settings
    import imageio_ffmpeg

    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
        process = await asyncio.create_subprocess_exec(
            program,
            "-hide_banner",
            "-encoders",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        encoders, _ = await process.communicate()
    except (OSError, RuntimeError):
        raise _Ill(
            "there is none that runs. Run `make setup` again, or set IMAGEIO_FFMPEG_EXE to one."
        ) from None
    missing = [name for name in ("libmp3lame", "libopus") if name.encode() not in encoders]
    if missing:
        raise _Ill(
            f"it cannot write {' and '.join(missing)}. Unset IMAGEIO_FFMPEG_EXE to use the packaged one."
        )
    return "writes MP3 and Opus"


async def _convex(settings: Settings) -> str:
    try:
        keys = Keys.load(settings.state_dir)
        signer = Signer(keys, bot_id(settings.state_dir), settings.jwt_issuer)
    except IdentityError as error:
        raise _Ill(str(error)) from None
    if settings.convex_url:
        await _asked(settings.convex_url, signer, settings, keys)
        return f"{settings.convex_url} knows this bot"
    url = await running(settings, signer)
    if url is not None:
        await _asked(url, signer, settings, keys)
        return f"the local deployment at {url} is running"
    local = LocalConvex(settings.state_dir, 0, environment(settings.jwt_issuer, keys.jwks_data_uri()))
    try:
        await _asked(await local.start(), signer, settings, keys)
    except LocalConvexError as error:
        raise _Ill(str(error)) from None
    finally:
        await local.stop()
    return "the local deployment starts"


async def _asked(url: str, signer: Signer, settings: Settings, keys: Keys) -> None:
    """One question that only the bot may ask; its refusal tells what is not set up."""
    async with http_client(url) as http:
        try:
            await Convex(url, http).query("deliveries:watch", {}, signer.bot)
        except (NotAuthenticatedError, NotFoundError):
            raise _Ill(
                f"{url} does not know this bot's key. Run:\n"
                f"      npx convex env set RAGA_JWT_ISSUER {settings.jwt_issuer}\n"
                f"      npx convex env set RAGA_JWT_JWKS '{keys.jwks_data_uri()}'"
            ) from None
        except UnavailableError:
            raise _Ill(f"{url} does not answer. Check CONVEX_URL and the network.") from None
        except RagaBotError:
            raise _Ill(f"{url} answers, but not with our functions. Run: npx convex deploy") from None


async def _page(settings: Settings) -> str:
    where = f"{settings.web_host}:{settings.web_port}"
    family = socket.AF_INET6 if ":" in settings.web_host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.web_host, settings.web_port))
        except OSError as error:
            raise _Ill(
                f"{where} cannot be used ({os.strerror(error.errno or 0)}): a Raga Bot that runs already, "
                "or set WEB_PORT to another port."
            ) from None
    return f"{where} is free"


async def _discord(settings: Settings) -> str:
    token = settings.discord_token.get_secret_value()
    if not token:
        return "off (DISCORD_TOKEN is blank)"
    base = settings.discord_api_url or DISCORD_API
    name = await _who(f"{base}/users/@me", "DISCORD_TOKEN", {"Authorization": f"Bot {token}"}, "username")
    return f"the token belongs to {name}"


async def _telegram(settings: Settings) -> str:
    token = settings.telegram_token.get_secret_value()
    if not token:
        return "off (TELEGRAM_TOKEN is blank)"
    base = settings.telegram_api_url or TELEGRAM_API
    name = await _who(f"{base}/bot{token}/getMe", "TELEGRAM_TOKEN", {}, "username")
    return f"the token belongs to {name}"


async def _who(url: str, setting: str, headers: dict[str, str], field: str) -> str:
    try:
        async with httpx.AsyncClient(timeout=10.0) as http:
            answer = await http.get(url, headers=headers)
            body = answer.json() if answer.status_code == 200 else {}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        raise _Ill(f"its server cannot be reached; {setting} was not checked.") from None
    known = body.get("result", body) if isinstance(body, dict) else {}
    name = known.get(field) if isinstance(known, dict) else None
    if answer.status_code in (401, 403, 404):
        raise _Ill(f"{setting} is refused. Copy it once more from where the bot was made.")
    if not isinstance(name, str):
        raise _Ill(f"its server answered with status {answer.status_code}; {setting} was not checked.")
    return name
