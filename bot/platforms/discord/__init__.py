"""Discord as a platform: the only room that knows the library of that name."""

import warnings

with warnings.catch_warnings():
    # Before Python 3.13 the library imports the standard library's deprecated audioop, for voices that we do not use.
    warnings.simplefilter("ignore", DeprecationWarning)
    from bot.platforms.discord.platform import DiscordPlatform

__all__ = ["DiscordPlatform"]
