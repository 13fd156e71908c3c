"""Telegram: from an update to the first call that answers it, beside a bare echo bot of the same library."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path

from telegram import Update
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters

from benchmarks.report import Figure, first_calls
from tests.bot_process import BotProcess
from tests.peers.telegram.peer import TelegramPeer
from tests.peers.telegram.world import TOKEN

_QUESTIONS = 150
_WARM_UP = 10
_GAP_S = 0.06
"""Between two questions: more than 25 a second our bot would hold back by itself."""


async def _asked(peer: TelegramPeer) -> list[float]:
    """Milliseconds from each update to the call that answers it."""
    times: list[float] = []
    for number in range(_WARM_UP + _QUESTIONS):
        person = peer.person(f"Person {number}")
        began = peer.clock.now()
        person.say("/raga Yaman")
        await peer.until(partial(peer.count, "sendMessage", person.ident))
        times.append((peer.calls[-1].at_s - began) * 1000.0)
        await asyncio.sleep(_GAP_S)
    return times[_WARM_UP:]


async def _echo(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    if update.message is not None and update.message.text:
        await update.message.reply_text(update.message.text)


async def _bare() -> list[float]:
    peer = TelegramPeer()
    await peer.start()
    app = ApplicationBuilder().token(TOKEN).base_url(f"{peer.url}/bot").build()
    app.add_handler(MessageHandler(filters.TEXT, _echo))
    try:
        async with app:
            assert app.updater is not None
            await app.start()
            await app.updater.start_polling(bootstrap_retries=0)
            times = await _asked(peer)
            await app.updater.stop()
            await app.stop()
    finally:
        await peer.stop()
    return times


async def _ours() -> list[float]:
    peer = TelegramPeer()
    await peer.start()
    with tempfile.TemporaryDirectory() as folder:
        bot = BotProcess(Path(folder), TELEGRAM_TOKEN=TOKEN, TELEGRAM_API_URL=peer.url, WORKERS="0")
        await bot.start()
        try:
            await bot.until_logged("The catalogue is in Convex")
            return await _asked(peer)
        finally:
            await bot.stop()
            await peer.stop()


async def measure() -> list[Figure]:
    """p50 and p99, and their ratio to the bare bot's."""
    bare, ours = await _bare(), await _ours()
    return first_calls("Telegram", ours, "python-telegram-bot", bare)
