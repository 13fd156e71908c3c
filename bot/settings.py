"""Settings from the environment and .env; every one is explained in .env.example."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from music.places import CITIES, city_named

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class SettingsError(Exception):
    """The settings cannot be used; the message names each and says what it takes."""


def _trimmed_url(url: str) -> str:
    url = url.strip().rstrip("/")
    if url and not url.startswith(("http://", "https://", "ws://", "wss://")):
        raise ValueError("must begin with http:// or https://")
    return url


def _origin(url: str) -> str:
    url = _trimmed_url(url)
    if not url:
        return url
    parts = urlsplit(url)
    rest = (parts.path, parts.query, parts.fragment, parts.username)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(rest):
        raise ValueError("must be an address without a path, such as https://raga.example.org")
    # Browsers leave a scheme's own port out.
    own = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if parts.port in (None, own) else f":{parts.port}")


Origin = Annotated[str, AfterValidator(_origin)]
"""A scheme, a host and perhaps a port, as a browser names a page's origin; blank means the default."""

Url = Annotated[str, AfterValidator(_trimmed_url)]
"""A web address without a slash at its end; blank means the default."""


def _known_city(name: str) -> str:
    if name and city_named(name) is None:
        raise ValueError(f"is none of the cities that are known: {', '.join(city.name for city in CITIES)}")
    return name


City = Annotated[str, AfterValidator(_known_city)]
"""The name of a city; blank means none."""

Port = Annotated[int, Field(ge=0, le=65535)]
"""A TCP port; 0 lets the system pick a free one."""


class Settings(BaseSettings):
    """What the bot can be told. A blank token means that the platform is off."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore")

    convex_url: Url = ""
    convex_port: Port = 3210
    state_dir: Path = Path(".state")
    web_host: str = "127.0.0.1"
    web_port: Port = 8080
    web_allowed_hosts: str = ""
    web_public_url: Origin = ""
    place: City = ""
    workers: int = Field(default_factory=lambda: max(1, (os.cpu_count() or 2) - 1), ge=0, le=64)
    discord_token: SecretStr = SecretStr("")
    discord_client_secret: SecretStr = SecretStr("")
    discord_api_url: Url = ""
    discord_gateway_url: Url = ""
    telegram_token: SecretStr = SecretStr("")
    telegram_login: bool = False
    telegram_login_url: Url = ""
    telegram_api_url: Url = ""
    telegram_webhook_url: Url = ""
    telegram_webhook_secret: SecretStr = SecretStr("")
    telegram_webhook_port: Port = 8081
    jwt_issuer: Url = "https://raga-bot.localhost"
    log_level: LogLevel = "INFO"

    @field_validator("*", mode="before")
    @classmethod
    def _blank_is_unset(cls, value: Any, info: Any) -> Any:
        # A line such as `WEB_PORT=` in .env means "as usual", not "an empty port".
        if isinstance(value, str) and not value.strip():
            return cls.model_fields[info.field_name].get_default(call_default_factory=True)
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("state_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """The further host names that the page may be reached by."""
        public = urlsplit(self.web_public_url).hostname or ""
        return tuple(host.strip() for host in (*self.web_allowed_hosts.split(","), public) if host.strip())

    def secrets(self) -> tuple[str, ...]:
        """Every value that no log line may hold."""
        secrets = (
            self.discord_token,
            self.discord_client_secret,
            self.telegram_token,
            self.telegram_webhook_secret,
        )
        return tuple(secret.get_secret_value() for secret in secrets if secret.get_secret_value())


def read_settings() -> Settings:
    """Settings from the environment and .env. Raises SettingsError with a line for each bad one."""
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
            lines.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
        lines.append("Mend it in .env or in the environment; .env.example explains each.")
        raise SettingsError("\n".join(lines)) from None
