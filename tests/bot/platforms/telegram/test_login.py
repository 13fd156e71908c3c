"""The answer of Telegram's login: every check, with answers that are right but for one thing."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.platforms.proof import Begun, DeniedError, ProofError, StaleError
from bot.platforms.telegram.login import FRESH_S, LEEWAY_S, TelegramLogin
from handlers.model import AccountId
from tests.peers.telegram.login import coded, sign
from tests.peers.telegram.world import TOKEN

NOW_S = 1_790_000_000
BEGUN = Begun("s" * 22, "https://raga.example/signin/telegram", "v" * 64)
FIELDS: dict[str, Any] = {
    "id": 6630865352,
    "first_name": "Asha",
    "last_name": "Ṭhākur ॐ",
    "username": "asha",
    "photo_url": "https://t.me/i/userpic/320/x.jpg",
    "auth_date": NOW_S - 2,
}


@pytest.fixture
def login() -> TelegramLogin:
    return TelegramLogin(TOKEN, clock=lambda: float(NOW_S))


async def prove(login: TelegramLogin, value: object) -> tuple[AccountId, str]:
    """Who it is by an answer."""
    actor = await login.prove(BEGUN, {"tgAuthResult": value if isinstance(value, str) else coded(value)})
    return actor.account, actor.name


async def test_a_true_answer_names_the_account(login: TelegramLogin) -> None:
    assert await prove(login, sign(FIELDS)) == ("telegram:6630865352", "Asha Ṭhākur ॐ")


async def test_an_answer_in_standard_base64_with_padding_is_the_same(login: TelegramLogin) -> None:
    text = base64.b64encode(json.dumps(sign(FIELDS), ensure_ascii=False).encode()).decode()
    # The page reads the fragment as a form, in which a plus is a blank.
    assert (await prove(login, text.replace("+", " ")))[0] == "telegram:6630865352"


async def test_fields_that_are_new_are_part_of_what_is_signed(login: TelegramLogin) -> None:
    assert (await prove(login, sign(FIELDS | {"zone": "Chennai"})))[0] == "telegram:6630865352"
    with pytest.raises(ProofError):
        await prove(login, sign(FIELDS) | {"zone": "Chennai"})


@pytest.mark.parametrize("field", sorted(FIELDS))
async def test_a_changed_or_missing_field_breaks_the_signature(login: TelegramLogin, field: str) -> None:
    signed = sign(FIELDS)
    changed = signed[field] + 1 if isinstance(signed[field], int) else f"{signed[field]}x"
    with pytest.raises(ProofError, match="does not come from Telegram"):
        await prove(login, signed | {field: changed})
    with pytest.raises(ProofError, match="does not come from Telegram"):
        await prove(login, {name: value for name, value in signed.items() if name != field})


@pytest.mark.parametrize("how", ["none", "empty", "upper", "cut", "other bot", "unicode", "number"])
async def test_a_forged_hash_is_refused(login: TelegramLogin, how: str) -> None:
    signed = sign(FIELDS)
    forged: dict[str, Any] = {
        "none": dict(FIELDS),
        "empty": signed | {"hash": ""},
        "upper": signed | {"hash": signed["hash"].upper()},
        "cut": signed | {"hash": signed["hash"][:-1]},
        "other bot": sign(FIELDS, "1:another_bots_token"),
        "unicode": signed | {"hash": "é\ud800" * 32},
        "number": signed | {"hash": 0},
    }
    with pytest.raises(ProofError, match="does not come from Telegram"):
        await prove(login, forged[how])


async def test_an_answer_holds_for_five_minutes(login: TelegramLogin) -> None:
    assert FRESH_S == 300
    assert await prove(login, sign(FIELDS | {"auth_date": NOW_S - FRESH_S}))
    with pytest.raises(StaleError, match="older than five minutes"):
        await prove(login, sign(FIELDS | {"auth_date": NOW_S - FRESH_S - 1}))


async def test_an_answer_from_the_future_is_refused_but_for_a_clock_that_is_a_little_off(
    login: TelegramLogin,
) -> None:
    assert await prove(login, sign(FIELDS | {"auth_date": NOW_S + LEEWAY_S}))
    with pytest.raises(ProofError, match="does not come from Telegram"):
        await prove(login, sign(FIELDS | {"auth_date": NOW_S + LEEWAY_S + 1}))


async def test_an_answer_is_taken_once_and_goes_stale_before_it_is_forgotten() -> None:
    now = [float(NOW_S)]
    login = TelegramLogin(TOKEN, clock=lambda: now[0])
    signed = sign(FIELDS | {"auth_date": NOW_S + LEEWAY_S})
    assert await prove(login, signed)
    for later_s in (0, 1, FRESH_S + LEEWAY_S):
        now[0] = float(NOW_S + later_s)
        with pytest.raises(ProofError, match="used already"):
            await prove(login, signed)
    now[0] += 1.0
    with pytest.raises(StaleError):
        await prove(login, signed)


@pytest.mark.parametrize("value", ["", coded(False), coded(None), coded({}), coded("")])
async def test_who_declines_has_no_answer(login: TelegramLogin, value: str) -> None:
    with pytest.raises(DeniedError, match="did not allow it on Telegram"):
        await prove(login, value)


@pytest.mark.parametrize(
    "value",
    [
        "%",
        "e",
        "é",
        coded([1]),
        coded("text"),
        coded(7),
        coded({"id": True}),
        coded({"id": 1.5}),
        coded({"id": None}),
        coded({"id": {"a": 1}}),
        coded({str(number): "x" for number in range(17)}),
        base64.b64encode(b'{"id":NaN}').decode(),
        base64.b64encode(b"[" * 4000).decode(),
        base64.b64encode(b"{" + b"9" * 4400).decode(),
        "A" * 6001,
    ],
)
async def test_what_cannot_be_read_is_refused(login: TelegramLogin, value: str) -> None:
    with pytest.raises(ProofError, match="does not come from Telegram"):
        await prove(login, value)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "0"},
        {"id": -5},
        {"id": "5 "},
        {"id": "٥"},
        {"id": "9" * 20},
        {"auth_date": "now"},
        {"auth_date": -1},
    ],
)
async def test_signed_fields_have_to_make_sense(login: TelegramLogin, fields: dict[str, Any]) -> None:
    with pytest.raises(ProofError, match="does not come from Telegram"):
        await prove(login, sign(FIELDS | fields))


async def test_one_signature_cannot_be_parted_into_other_fields(login: TelegramLogin) -> None:
    # Somebody whose name holds ends of lines would be signed like somebody with another id.
    honest = sign({"auth_date": NOW_S, "first_name": "x\nid=1\njunk=", "id": 666})
    split = {"auth_date": NOW_S, "first_name": "x", "id": "1", "junk": "\nid=666", "hash": honest["hash"]}
    assert sign({name: value for name, value in split.items() if name != "hash"})["hash"] == honest["hash"]
    for value in (honest, split):
        with pytest.raises(ProofError, match="does not come from Telegram"):
            await prove(login, value)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"first_name": "", "last_name": ""}, "asha"),
        ({"first_name": "", "last_name": "", "username": ""}, "Somebody"),
        ({"first_name": "x" * 300}, "x" * 100),
    ],
)
async def test_a_name_is_found_and_bounded(login: TelegramLogin, fields: dict[str, Any], name: str) -> None:
    assert (await prove(login, sign(FIELDS | fields)))[1] == name


def test_the_address_is_that_which_the_widgets_script_opens() -> None:
    address = urlsplit(TelegramLogin(TOKEN).address(BEGUN))
    assert (address.scheme, address.netloc, address.path) == ("https", "oauth.telegram.org", "/auth")
    assert parse_qs(address.query) == {
        "bot_id": [TOKEN.partition(":")[0]],
        "origin": ["https://raga.example"],
        "return_to": [f"{BEGUN.return_to}?state={BEGUN.state}"],
        "request_access": ["write"],
    }
    assert TOKEN.partition(":")[2] not in address.query
    assert BEGUN.verifier not in address.query


async def test_the_clock_is_the_systems() -> None:
    assert await prove(TelegramLogin(TOKEN), sign(FIELDS | {"auth_date": int(time.time())}))
