"""The signing key and the tokens made with it."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import jwt
import pytest

from bot.backend.identity import AUDIENCE, LIFETIME_S, RENEWAL_S, IdentityError, Keys, Signer, bot_id
from handlers.model import AccountId, Actor

ISSUER = "https://raga-bot.localhost"
MIRA = Actor(AccountId("discord:123"), "Mira")


def public_key(keys: Keys) -> Any:
    head, _, body = keys.jwks_data_uri().partition(";base64,")
    assert head == "data:application/json"
    [key] = json.loads(base64.b64decode(body))["keys"]
    assert key["kid"] == keys.kid
    assert "d" not in key
    return jwt.PyJWK(key).key


def claims(keys: Keys, token: str) -> dict[str, Any]:
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": keys.kid, "typ": "JWT"}
    return jwt.decode(
        token, public_key(keys), algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    first = Keys.load(state)
    assert (state / "signing_key.pem").stat().st_mode & 0o777 == 0o600
    assert Keys.load(state).kid == first.kid
    assert [path.name for path in state.iterdir()] == ["signing_key.pem"]


def test_the_kid_is_the_thumbprint_of_rfc_7638(tmp_path: Path) -> None:
    keys = Keys.load(tmp_path)
    assert len(base64.urlsafe_b64decode(keys.kid + "=")) == 32
    assert Keys.load(tmp_path / "other").kid != keys.kid


def _load(folder: str, start: Any, found: Any) -> None:
    start.wait(30)
    keys = Keys.load(Path(folder))
    found.put((keys.kid, bot_id(Path(folder))))


def test_two_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, found = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_load, args=(str(tmp_path), start, found)) for _ in range(3)]
    for process in processes:
        process.start()
    answers = {found.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(30)
        process.close()
    found.close()
    found.join_thread()
    assert len(answers) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bot_id", "signing_key.pem"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_key_that_others_can_read_becomes_private_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Keys.load(tmp_path)
    path = tmp_path / "signing_key.pem"
    path.chmod(0o644)
    Keys.load(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "private again" in caplog.text


@pytest.mark.parametrize(
    "content", ["", "garbage", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_broken_key_is_explained(tmp_path: Path, content: str) -> None:
    path = tmp_path / "signing_key.pem"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(IdentityError, match="Move it away"):
        Keys.load(tmp_path)
    assert path.read_text() == content


def test_a_folder_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IdentityError, match="check its folder"):
        Keys.load(tmp_path / "file" / "state")
    with pytest.raises(IdentityError, match="check its folder"):
        bot_id(tmp_path / "file" / "state")


def test_the_bot_keeps_its_id(tmp_path: Path) -> None:
    name = bot_id(tmp_path)
    assert name == bot_id(tmp_path)
    assert name != bot_id(tmp_path / "other")
    (tmp_path / "bot_id").write_text("not an id\n")
    with pytest.raises(IdentityError, match="does not hold an id"):
        bot_id(tmp_path)


def test_each_role_has_its_claims(tmp_path: Path) -> None:
    keys = Keys.load(tmp_path)
    signer = Signer(keys, "b1", ISSUER, now=lambda: 1_000_000.5)
    times = {"iss": ISSUER, "aud": AUDIENCE, "iat": 1_000_000, "exp": 1_000_600}
    assert claims(keys, signer.user(MIRA)) == times | {
        "sub": "discord:123", "role": "user", "name": "Mira", "bot": "b1",
    }  # fmt: skip
    assert claims(keys, signer.curator(MIRA)) == times | {
        "sub": "discord:123", "role": "user", "name": "Mira", "bot": "b1", "curator": True,
    }  # fmt: skip
    assert "curator" not in claims(keys, signer.user(MIRA))
    assert claims(keys, signer.bot()) == times | {
        "sub": "bot:b1", "role": "bot", "name": "Raga Bot", "bot": "b1",
    }  # fmt: skip
    assert claims(keys, signer.worker("worker:b1-0")) == times | {
        "sub": "worker:b1-0", "role": "worker", "name": "worker:b1-0",
    }  # fmt: skip


def test_who_looks_after_a_group_does_for_a_moment_and_there_alone(tmp_path: Path) -> None:
    keys = Keys.load(tmp_path)
    now = 1_000_000.0
    signer = Signer(keys, "b1", ISSUER, now=lambda: now)
    first = claims(keys, signer.admin(MIRA, "discord:42"))
    assert first == claims(keys, signer.user(MIRA)) | {"admin": "discord:42", "exp": 1_000_030}
    now += 1  # nothing of it is kept for the next call
    assert claims(keys, signer.admin(MIRA, "discord:43"))["iat"] == 1_000_001
    assert "admin" not in claims(keys, signer.user(MIRA))


def test_no_account_can_pose_as_another_role(tmp_path: Path) -> None:
    keys = Keys.load(tmp_path)
    signer = Signer(keys, "b1", ISSUER)
    posing = signer.user(Actor(AccountId("worker:b1-0"), "worker:b1-0"))
    assert claims(keys, posing)["role"] == "user"
    assert posing != signer.worker("worker:b1-0")


def test_a_token_is_reused_while_it_is_fresh(tmp_path: Path) -> None:
    now = 1_000_000.0
    signer = Signer(Keys.load(tmp_path), "b1", ISSUER, now=lambda: now)
    first = signer.user(MIRA)
    assert signer.user(MIRA, fresh=True) != first
    first = signer.user(MIRA)
    now += LIFETIME_S - RENEWAL_S - 1
    assert signer.user(MIRA) == first
    now += 2
    second = signer.user(MIRA)
    assert second != first
    now -= 10 * LIFETIME_S  # the machine's clock was wrong, and has been set
    assert signer.user(MIRA) not in {first, second}


def test_the_cache_of_tokens_is_bounded_and_keeps_the_recent(tmp_path: Path) -> None:
    signer = Signer(Keys.load(tmp_path), "b1", ISSUER)
    mine = signer.bot()
    for number in range(1100):
        signer.user(Actor(AccountId(f"web:{number}"), "Visitor"))
        if number % 500 == 0:
            assert signer.bot() == mine
    assert len(signer._tokens) == 1024
    assert signer.bot() == mine


def test_secrets_for_other_purposes_are_the_same_at_every_start(tmp_path: Path) -> None:
    secret = Keys.load(tmp_path).derive("web cookie")
    assert len(secret) == 32
    assert Keys.load(tmp_path).derive("web cookie") == secret
    assert Keys.load(tmp_path).derive("another purpose") != secret
    assert Keys.load(tmp_path / "other").derive("web cookie") != secret
