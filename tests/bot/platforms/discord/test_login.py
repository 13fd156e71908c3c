"""Signing in with Discord, against a strict authorization server over real sockets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.platforms.discord.login import DiscordLogin
from bot.platforms.proof import Begun, DeniedError, OutOfReachError, ProofError
from handlers.model import AccountId
from tests.peers.discord.oauth import CLIENT_SECRET, CODE_S
from tests.peers.discord.peer import DiscordPeer
from tests.peers.discord.world import BOT_ID

BEGUN = Begun("s" * 22, "https://raga.example/signin/discord", "v" * 64)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 64).digest()).decode().rstrip("=")


@pytest.fixture
async def peer() -> AsyncIterator[DiscordPeer]:
    """Discord, with Asha signed in there."""
    server = DiscordPeer()
    await server.start()
    server.oauth.person = server.person("Asha")
    yield server
    await server.stop()


@pytest.fixture
def login(peer: DiscordPeer) -> DiscordLogin:
    return DiscordLogin(lambda: BOT_ID, CLIENT_SECRET, api_url=peer.url)


def code_of(peer: DiscordPeer) -> str:
    """What Asha's yes brings back."""
    return peer.oauth.grant(BEGUN.return_to, CHALLENGE)


async def test_a_code_tells_who_it_is_and_the_token_is_given_back(
    peer: DiscordPeer, login: DiscordLogin
) -> None:
    assert peer.oauth.person is not None
    actor = await login.prove(BEGUN, {"code": code_of(peer), "iss": peer.url})
    assert (actor.account, actor.name) == (AccountId(peer.oauth.person.account), "Asha")
    assert [grant.revoked for grant in peer.oauth.tokens.values()] == [True]
    assert peer.problems == peer.oauth.refusals == []


def test_the_address_asks_for_no_more_than_who_it_is() -> None:
    address = urlsplit(DiscordLogin(lambda: BOT_ID, CLIENT_SECRET).address(BEGUN))
    assert (address.scheme, address.netloc, address.path) == ("https", "discord.com", "/api/oauth2/authorize")
    assert parse_qs(address.query) == {
        "response_type": ["code"],
        "client_id": [str(BOT_ID)],
        "scope": ["identify"],
        "state": [BEGUN.state],
        "redirect_uri": [BEGUN.return_to],
        "code_challenge": [CHALLENGE],
        "code_challenge_method": ["S256"],
    }
    assert CLIENT_SECRET not in address.query
    assert BEGUN.verifier not in address.query


@pytest.mark.parametrize(
    ("api_url", "root"),
    [
        ("https://proxy.example", "https://proxy.example/api"),
        ("https://proxy.example/api/v10", "https://proxy.example/api"),
        ("https://proxy.example/discord/api", "https://proxy.example/discord/api"),
    ],
)
def test_another_server_is_asked_where_the_settings_name_one(api_url: str, root: str) -> None:
    login = DiscordLogin(lambda: BOT_ID, CLIENT_SECRET, api_url=api_url)
    assert login.address(BEGUN).startswith(f"{root}/oauth2/authorize?")


async def test_a_code_is_good_once(peer: DiscordPeer, login: DiscordLogin) -> None:
    code = code_of(peer)
    await login.prove(BEGUN, {"code": code})
    with pytest.raises(ProofError, match="does not know that sign-in"):
        await login.prove(BEGUN, {"code": code})
    assert len(peer.oauth.tokens) == 1


@pytest.mark.parametrize(
    "begun",
    [replace(BEGUN, verifier="w" * 64), replace(BEGUN, return_to="https://raga.example/signin/other")],
)
async def test_a_code_of_another_sign_in_brings_nothing(
    peer: DiscordPeer, login: DiscordLogin, begun: Begun
) -> None:
    with pytest.raises(ProofError, match="does not know that sign-in"):
        await login.prove(begun, {"code": code_of(peer)})
    assert peer.oauth.tokens == {}


async def test_an_expired_code_brings_nothing(peer: DiscordPeer, login: DiscordLogin) -> None:
    code = code_of(peer)
    peer.clock.advance(CODE_S + 1.0)
    with pytest.raises(ProofError, match="does not know that sign-in"):
        await login.prove(BEGUN, {"code": code})


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"code": ""},
        {"code": "a b"},
        {"code": "é"},
        {"code": "a" * 513},
        {"error": "server_error"},
        {"error": "invalid_scope", "code": "good"},
        {"code": "good", "iss": "https://evil.example"},
    ],
)
async def test_what_is_no_answer_is_not_asked_after(
    peer: DiscordPeer, login: DiscordLogin, answer: dict[str, str]
) -> None:
    good = code_of(peer)
    sent = {name: good if value == "good" else value for name, value in answer.items()}
    with pytest.raises(ProofError, match="does not know that sign-in"):
        await login.prove(BEGUN, sent)
    assert not peer.oauth.codes[good].used
    assert peer.oauth.refusals == []


async def test_who_says_no_is_told_so(login: DiscordLogin) -> None:
    with pytest.raises(DeniedError, match="did not allow it on Discord"):
        await login.prove(BEGUN, {"error": "access_denied", "error_description": "denied"})


async def test_a_token_of_another_scope_is_given_back_unused(peer: DiscordPeer, login: DiscordLogin) -> None:
    peer.oauth.scope = "email"
    with pytest.raises(ProofError):
        await login.prove(BEGUN, {"code": code_of(peer)})
    assert [grant.revoked for grant in peer.oauth.tokens.values()] == [True]


async def test_a_wrong_client_secret_is_named_in_the_log_and_not_shown(
    peer: DiscordPeer, caplog: pytest.LogCaptureFixture
) -> None:
    login = DiscordLogin(lambda: BOT_ID, "not-the-secret-at-all", api_url=peer.url)
    code = code_of(peer)
    with caplog.at_level(logging.DEBUG), pytest.raises(ProofError, match="does not know that sign-in"):
        await login.prove(BEGUN, {"code": code})
    assert "DISCORD_CLIENT_SECRET is not this application's" in caplog.text
    assert "not-the-secret-at-all" not in caplog.text
    assert code not in caplog.text


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_at_discord_is_told_as_such(
    peer: DiscordPeer, login: DiscordLogin, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    peer.oauth.trouble = status
    code = code_of(peer)
    with caplog.at_level(logging.DEBUG), pytest.raises(OutOfReachError, match="cannot reach Discord"):
        await login.prove(BEGUN, {"code": code})
    assert code not in caplog.text


async def test_nobody_at_the_address_is_trouble_too(peer: DiscordPeer, login: DiscordLogin) -> None:
    code = code_of(peer)
    await peer.stop()
    with pytest.raises(OutOfReachError, match="cannot reach Discord"):
        await login.prove(BEGUN, {"code": code})


async def test_a_discord_that_does_not_answer_is_not_waited_for_without_end(
    peer: DiscordPeer, login: DiscordLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.discord.login.ANSWER_DEADLINE_S", 0.1)
    held = peer.oauth.held = asyncio.Event()
    try:
        with pytest.raises(OutOfReachError, match="cannot reach Discord"):
            await login.prove(BEGUN, {"code": code_of(peer)})
    finally:
        held.set()


def test_before_discord_has_told_the_applications_id_nobody_is_sent_there() -> None:
    with pytest.raises(OutOfReachError, match="cannot reach Discord"):
        DiscordLogin(lambda: None, CLIENT_SECRET).address(BEGUN)
