"""Telegram as a platform: the only room that knows the library of that name."""

from bot.platforms.telegram.platform import TelegramPlatform

__all__ = ["TelegramPlatform"]
