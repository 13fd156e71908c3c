"""No log line holds a secret, wherever it came from."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import journal
from bot.backend.identity import Keys, Signer
from bot.journal import RedactingFormatter
from handlers.model import AccountId, Actor

# Made up, in the shapes that Discord and Telegram give.
DISCORD = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789AB"
TELEGRAM = "123456789:AAabcdefghijklmnopqrstuvwxyz-_01234"


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    told = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("bot.x", logging.ERROR, __file__, 1, message, args, told)


@pytest.fixture
def tokens(tmp_path: Path) -> list[str]:
    signer = Signer(Keys.load(tmp_path), "b1", "https://issuer.test")
    person = Actor(AccountId("web:1"), "Mira")
    return [DISCORD, TELEGRAM, signer.user(person), signer.bot(), signer.worker("worker:b1-0")]


def test_tokens_of_every_shape_are_blotted(tokens: list[str]) -> None:
    formatter = RedactingFormatter(())
    for token in tokens:
        for line in (token, f"Bearer {token}", f"https://api.example/bot{token}/getMe?x=1", f"({token!r})"):
            said = formatter.format(record("before %s after", line))
            assert token not in said
            assert token[-20:] not in said
            assert "[secret]" in said
            assert said.endswith("after")


def test_a_set_secret_of_any_shape_is_blotted() -> None:
    formatter = RedactingFormatter(("short", ""))
    said = formatter.format(record("a %s in words and short/paths", "short"))
    assert said.endswith("a [secret] in words and [secret]/paths")


def test_exceptions_are_blotted_with_their_causes(tokens: list[str]) -> None:
    formatter = RedactingFormatter(("hush",))
    for token in [*tokens, "hush"]:
        error = OSError(f"neither {token}")
        error.__cause__ = ValueError(f"no {token}")
        said = formatter.format(record("It failed.", error=error))
        assert "OSError: neither" in said
        assert "ValueError: no" in said
        assert said.count("[secret]") == 2
        assert token not in said


def test_ordinary_lines_stay_as_they_are() -> None:
    formatter = RedactingFormatter(())
    for line in ("k57ahq2rb3m8d9f0x1c4v6n7p8s5t2w1 was made at 12:30:45.", "bot.backend.live 1.2.3", "₹ सा"):
        assert formatter.format(record(line)).endswith(line)


@pytest.fixture
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in journal._CHATTY}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, known in levels.items():
        logging.getLogger(name).setLevel(known)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize(("level", "chatty"), [("DEBUG", "WARNING"), ("INFO", "WARNING"), ("ERROR", "ERROR")])
def test_the_log_goes_to_stderr_without_the_chatter_of_libraries(
    level: str, chatty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.set_up(level, ["hush"])
    logging.getLogger("httpx").info("GET https://api.example/hush")
    logging.getLogger("bot.x").error("said %s", "hush")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("ERROR   bot.x: said [secret]\n")
    assert "GET" not in err
    assert logging.getLogger("httpx").level == logging.getLevelName(chatty)
    assert logging.getLogger().handlers[0].stream is sys.stderr  # type: ignore[attr-defined]  # its kind is known
