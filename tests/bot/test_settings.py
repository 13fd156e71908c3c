"""Settings from the environment and from .env."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, read_settings


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_nothing_is_required(tmp_path: Path) -> None:
    settings = read_settings()
    assert settings.convex_url == ""
    assert settings.state_dir == (tmp_path / ".state").resolve()
    assert (settings.web_host, settings.web_port, settings.convex_port) == ("127.0.0.1", 8080, 3210)
    assert settings.workers == max(1, (os.cpu_count() or 2) - 1)
    assert settings.log_level == "INFO"
    assert settings.secrets() == ()
    assert settings.allowed_hosts == ()


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_line_means_as_usual(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    usual = read_settings()
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), blank)
    assert read_settings() == usual


def test_the_example_file_means_as_usual(tmp_path: Path) -> None:
    usual = read_settings()
    example = Path(__file__).resolve().parents[2] / ".env.example"
    (tmp_path / ".env").write_text(example.read_text("utf-8"), "utf-8")
    assert read_settings() == usual


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(
        "# a comment\nWEB_PORT=9000\nWORKERS=3\nDISCORD_TOKEN='from the file'\nSOMETHING_ELSE=1\n", "utf-8"
    )
    monkeypatch.setenv("WEB_PORT", "9001")
    settings = read_settings()
    assert (settings.web_port, settings.workers) == (9001, 3)
    assert settings.discord_token.get_secret_value() == "from the file"


def test_values_are_tidied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVEX_URL", " https://happy-otter-123.convex.cloud/ ")
    monkeypatch.setenv("LOG_LEVEL", " debug ")
    monkeypatch.setenv("WEB_ALLOWED_HOSTS", "raga.example, www.raga.example ,")
    monkeypatch.setenv("STATE_DIR", "~/raga")
    settings = read_settings()
    assert settings.convex_url == "https://happy-otter-123.convex.cloud"
    assert settings.log_level == "DEBUG"
    assert settings.allowed_hosts == ("raga.example", "www.raga.example")
    assert settings.state_dir == (Path.home() / "raga").resolve()


def test_secrets_are_listed_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hush-1")
    monkeypatch.setenv("TELEGRAM_TOKEN", "hush-2")
    settings = read_settings()
    assert settings.secrets() == ("hush-1", "hush-2")
    assert "hush" not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEB_PORT", "eighty"),
        ("WEB_PORT", "70000"),
        ("CONVEX_PORT", "-1"),
        ("WORKERS", "65"),
        ("WORKERS", "1.5"),
        ("CONVEX_URL", "happy-otter-123.convex.cloud"),
        ("DISCORD_API_URL", "file:///etc/passwd"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_bad_value_is_named_alone(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    first, *others = str(caught.value).splitlines()
    assert first.startswith(f"{name}: ")
    assert others == ["Mend it in .env or in the environment; .env.example explains each."]


def test_all_bad_values_are_named_at_once_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "eighty")
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    monkeypatch.setenv("TELEGRAM_TOKEN", "hush")
    with pytest.raises(SettingsError) as caught:
        read_settings()
    names = {line.partition(":")[0] for line in str(caught.value).splitlines()[:-1]}
    assert names == {"WEB_PORT", "LOG_LEVEL"}
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "taken", "host"),
    [
        ("https://Raga.Example/", "https://raga.example", "raga.example"),
        (" http://127.0.0.1:8080 ", "http://127.0.0.1:8080", "127.0.0.1"),
        ("https://raga.example:443", "https://raga.example", "raga.example"),
        ("https://[::1]:8443", "https://[::1]:8443", "::1"),
    ],
)
def test_the_public_address_is_an_origin_whose_host_is_allowed(
    monkeypatch: pytest.MonkeyPatch, given: str, taken: str, host: str
) -> None:
    monkeypatch.setenv("WEB_PUBLIC_URL", given)
    monkeypatch.setenv("WEB_ALLOWED_HOSTS", "other.example")
    settings = read_settings()
    assert settings.web_public_url == taken
    assert settings.allowed_hosts == ("other.example", host)


@pytest.mark.parametrize(
    "given",
    [
        "raga.example",
        "ws://raga.example",
        "https://",
        "https://raga.example/page",
        "https://raga.example?x=1",
        "https://raga.example#x",
        "https://me@raga.example",
        "https://raga.example:port",
    ],
)
def test_what_is_no_origin_is_no_public_address(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("WEB_PUBLIC_URL", given)
    with pytest.raises(SettingsError, match="WEB_PUBLIC_URL: "):
        read_settings()


def test_the_client_secret_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_CLIENT_SECRET", "hush")
    settings = read_settings()
    assert settings.secrets() == ("hush",)
    assert "hush" not in repr(settings)
