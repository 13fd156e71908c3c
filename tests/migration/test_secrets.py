"""Nothing secret leaves PostgreSQL: not in a column, not in JSON however deep, not under a harmless name."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from migration import rows
from migration.command import migrate
from migration.secrecy import is_secret_name, is_secret_value
from migration.wishes import Wishes
from migration.withheld import Withheld
from tests.migration.home import ISSUER, Home
from tests.migration.old_database import OldDatabase

BCRYPT = "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZcV1mT9x6g6tqJ0m1Q0l2m3n4o5p6q"


SECRETS = (
    "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZcV1mT9x6g6tqJ0m1Q0l2m3n4o5p6q",
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b27FA",
    "pbkdf2_sha256$600000$salt$aGFzaGhhc2hoYXNo",
    "pbkdf2:sha256:600000$salt$0123456789abcdef0123",
    "scrypt:32768:8:1$salt$0123456789abcdef0123",
    "$6$rounds=5000$usesomesillystri$KqJWpanXZHKq2BOB43TSaYhEWsQ1Lr5QNyPCDH",
    "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhc2hhIn0.c2lnbmF0dXJl",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "AKIAIOSFODNN7EXAMPLE",
)
HARMLESS = (
    "$2 a song",
    "sk-8 raga",
    "the token of love",
    "{curly}",
    "eyJ is how it begins",
    "S R2 G3 P",
    "{broken: json",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_left_out_wherever_it_stands(secret: str) -> None:
    withheld = Withheld(("id",))
    row = {
        "id": 7,
        "note": secret,
        "doc": {"deep": [{"er": secret}], "kept": 1.50, "accessToken": "anything", "max_tokens": 5},
        "text": rows.write({"user": {"passwordHash": "x", "city": "Pune"}}),
        "words": f"She wrote {secret} on the wall.",
    }
    line = withheld.clean(rows.write(row).encode())
    assert rows.read(line) == {
        "id": 7,
        "note": None,
        "doc": {"deep": [{"er": None}], "kept": 1.5, "max_tokens": 5},
        "text": '{"user":{"city":"Pune"}}',
        "words": row["words"],  # what a person wrote stays as it is
    }
    assert dict(withheld.found) == {
        "note": 1,
        "doc.deep[].er": 1,
        "doc.accessToken": 1,
        "text.user.passwordHash": 1,
    }


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_reminds_of_a_secret_stays_to_the_byte(text: str) -> None:
    withheld = Withheld(("id",))
    line = json.dumps({"id": 1, "token_count": 3, "z": text, "a": {"pinned": True, "secret": None}}).encode()
    assert withheld.clean(line) == line
    assert not withheld.found


def test_broken_json_that_names_a_secret_is_left_out_as_a_whole() -> None:
    withheld = Withheld(())
    assert rows.read(withheld.clean(json.dumps({"a": '{"password": "hunter2", '}).encode())) == {"a": None}
    deep = json.dumps({"a": "[" * 5000}).encode()
    assert withheld.clean(deep) == deep


def clean(value: object, name: str = "a") -> rows.Row:
    """A row of one column without its secrets."""
    return rows.read(Withheld((), (name,)).clean(json.dumps({name: value}, ensure_ascii=False).encode()))


def nested(value: object, levels: int) -> object:
    """A value so deep in lists and objects."""
    for level in range(levels):
        value = [value] if level % 2 else {"x": value}
    return value


@pytest.mark.parametrize("levels", [1, 30, 90])
def test_a_secret_is_found_at_any_depth(levels: int) -> None:
    deep = clean(nested({"password": "hunter2", "city": "Pune"}, levels))
    assert deep == {"a": nested({"city": "Pune"}, levels)}
    assert clean(nested(BCRYPT, levels)) == {"a": nested(None, levels)}


@pytest.mark.parametrize("levels", [150, 3000])
def test_json_too_deep_to_be_read_is_left_out_where_it_names_or_holds_a_secret(levels: int) -> None:
    opening, closing = '{"x":[' * levels, "]}" * levels
    for inner in ('{"password":"hunter2"}', f'"{BCRYPT}"'):
        line = f'{{"a":{opening}{inner}{closing},"b":1.10}}'.encode()
        assert Withheld((), ("a", "b")).clean(line) == b'{"a":null,"b":1.10}'
    line = f'{{"a":{opening}"raga"{closing}}}'.encode()
    assert Withheld((), ("a",)).clean(line) == line


@pytest.mark.parametrize(
    "text",
    [
        '{"user": {"api_key": "x"}}',
        json.dumps(json.dumps({"deep": json.dumps({"password": "x"})})),
        "{'password': 'x', 'city': 'Pune'}",  # as Python shows an object
        '{"password" => "x"}',
        "{password: x, city: Pune}",
        '["ok", "' + BCRYPT + '"',
        r'{"pass\u0077ord": "x"}',
        r'{"password": "x", "half": "\ud800"}',
    ],
)
def test_a_text_that_holds_json_is_looked_through(text: str) -> None:
    kept = str(clean(text)["a"])
    assert not any(secret in kept for secret in ("x", BCRYPT))


@pytest.mark.parametrize(
    "text",
    ['"The token of love", she said: pin: 5', "[Alap] then: key: D", "passion and opinion", '{"key": "D"}'],
)
def test_words_of_people_stay(text: str) -> None:
    assert clean(text) == {"a": text}


@pytest.mark.parametrize(
    "value",
    [
        "\\x" + BCRYPT.encode().hex(),
        "postgresql://me:hunter2@db.example/old",
        "redis://:hunter2@cache.example/0",
        "Bearer 0123456789abcdef0123456789abcdef",
        "glpat-0123456789abcdefghij",
        "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$aGFzaGhhc2g=:aGFzaGhhc2g=",
        "sha1$salt$0123456789abcdef0123456789abcdef01234567",
    ],
)
def test_more_shapes_of_secrets(value: str) -> None:
    assert is_secret_value(value)
    assert clean(value) == {"a": None}
    assert clean([{"b": [value]}]) == {"a": [{"b": [None]}]}


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("userApiKey", "x", True),
        ("otp", 123456, True),
        ("max_tokens", 5, False),
        ("Authorization", "x", True),
        ("session-key", "x", True),
        ("securityAnswer", "x", True),
        ("pinned", "x", False),
        ("passage", "x", False),
        ("tonic_key", "D", False),
        ("password", None, False),
    ],
)
def test_names_in_json(name: str, value: object, secret: bool) -> None:
    assert is_secret_name(name, value) is secret


def test_a_name_that_is_a_secret_is_left_out_with_what_it_names() -> None:
    withheld = Withheld((), ("a",))
    assert rows.read(withheld.clean(json.dumps({"a": {BCRYPT: 1, "b": 2}}).encode())) == {"a": {"b": 2}}
    assert dict(withheld.found) == {"a.*": 1}


def test_names_that_are_data_are_not_all_listed() -> None:
    withheld = Withheld((), ("a",))
    for person in range(3000):
        withheld.clean(json.dumps({"a": {f"p{person}": {"token": "x"}}}).encode())
    assert len(withheld.found) == 501
    assert withheld.found["a and below"] == 2500


def test_a_key_that_is_a_secret_has_another_word_in_its_place() -> None:
    withheld = Withheld(("id",), ("id", "note"))
    first, again, other = (
        rows.read(withheld.clean(json.dumps({"id": key, "note": "n"}).encode()))
        for key in (BCRYPT, BCRYPT, "7")
    )
    assert first == again
    assert BCRYPT not in str(first)
    assert other == {"id": "7", "note": "n"}


def test_rows_that_are_equal_without_their_secrets_stay_as_many(old: OldDatabase, convex: Home) -> None:
    old.execute("CREATE TABLE sign_ins (doc JSONB, place TEXT)")
    for password, place in (("a", "Pune"), ("b", "Goa"), ("c", "Pune"), ("d", "Pune")):
        old.execute("INSERT INTO sign_ins VALUES (%s, %s)", json.dumps({"password": password}), place)
    wishes = Wishes(old.uri, convex.state_dir, ISSUER, convex.url, source="old")
    assert migrate(wishes) == 0
    kept = [one["json"] for one in convex.documents()["legacy"] if one["table"] == "sign_ins"]
    assert sorted(kept) == ['{"doc":{},"place":"Goa"}', *['{"doc":{},"place":"Pune"}'] * 3]


def test_no_secret_is_in_convex_nor_in_any_file_nor_said(
    old: OldDatabase,
    convex: Home,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    old.execute(
        'ALTER TABLE users ADD profile JSONB, ADD notes TEXT, ADD "apiKey" TEXT, ADD raw JSON, ADD key_ids TEXT[]'
    )
    old.execute(
        "INSERT INTO users "
        '(id, email, password_hash, reset_token, profile, notes, "apiKey", raw, key_ids, preferences) '
        "VALUES (1, 'asha@example.org', %s, %s, %s, %s, %s, %s, %s, %s)",
        *(
            "hidden-1",
            "hidden-2",
            json.dumps({"auth": [{"password": "hidden-3"}], "city": "Pune"}),
            BCRYPT,
            "hidden-4",
        ),
        *(
            '{"secret": "hidden-5", "secret": "hidden-6"}',
            [BCRYPT, "plain"],
            '{"apiToken": "hidden-7", "tonic": "D"}',
        ),
    )
    old.execute("INSERT INTO sessions (user_id, session_key, csrf_token) VALUES (1, 'hidden-8', 'hidden-9')")
    wishes = Wishes(
        old.uri,
        convex.state_dir,
        ISSUER,
        convex.url,
        source="old",
        report=tmp_path / "r.html",
        dump=tmp_path / "dump",
    )
    assert migrate(wishes) == 0

    out, err = capsys.readouterr()
    files = [path for folder in (tmp_path, convex.state_dir) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    said = [out, err, caplog.text, json.dumps(convex.documents())]
    for text in [*said, *(path.read_bytes().decode("latin-1") for path in files if path.suffix != ".zip")]:
        assert "hidden-" not in text
        assert BCRYPT[7:] not in text
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert {(one["table"], one["path"]) for one in report["withheld"]} == {
        ("users", "profile.auth[].password"),
        ("users", "notes"),
        ("users", "raw.secret"),
        ("users", "key_ids[]"),
        ("users", "preferences.apiToken"),
    }
    assert {(one["table"], one["column"]) for one in report["secretColumns"]} == {
        ("users", "password_hash"),
        ("users", "reset_token"),
        ("users", "apiKey"),
        ("sessions", "session_key"),
        ("sessions", "csrf_token"),
    }
    assert convex.documents()["users"][0]["preferences"] == {"tonic": "D"}
