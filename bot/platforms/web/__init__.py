"""The chat page in the browser, the platform that needs no account anywhere."""

from bot.platforms.web.platform import AddressError, WebPlatform

__all__ = ["AddressError", "WebPlatform"]
