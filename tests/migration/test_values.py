"""Old values: what they become, and what is no value of its kind."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration import rows, values
from migration.inspect import Column
from migration.secrecy import is_secret


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("2024-01-02T03:04:05+00:00", 1704164645000),
        ("2024-01-02T03:04:05.678901+00:00", 1704164645678),
        ("2024-01-02T08:34:05+05:30", 1704164645000),
        ("2024-01-02 03:04:05", 1704164645000),
        ("2024-01-02T03:04:05+00", 1704164645000),
        ("2024-01-02", 1704153600000),
        ("1969-12-31T23:59:59.5", -500),
        ("1969-12-31T23:59:59.9995", -1),
        (1704164645, 1704164645000),
        (1704164645678, 1704164645678),
        ("infinity", None),
        ("0044-03-15T00:00:00 BC", None),
        ("12024-01-01T00:00:00", None),
        ("yesterday", None),
        (None, None),
        (True, None),
        ({}, None),
    ],
)
def test_points_in_time(written: object, ms: int | None) -> None:
    assert values.milliseconds(written) == ms


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=st.just(UTC)))
def test_every_point_in_time_is_within_a_millisecond(moment: datetime) -> None:
    ms = values.milliseconds(moment.isoformat())
    assert ms is not None
    assert 0 <= (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000 - ms < 1.01


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        (["a", " b ", "", None, 3], ["a", "b", "3"]),
        ("a, b;c|d\ne", ["a", "b", "c", "d", "e"]),
        ('["a", "b"]', ["a", "b"]),
        ({"values": ["a"]}, ["a"]),
        ([{"name": "a"}], ["a"]),
        (None, []),
        ("", []),
        ('["a", "b"', None),
        ('["\\ud800"]', None),
        ({"en": "a"}, None),
        ([["a"]], None),
        (7, None),
    ],
)
def test_lists_of_texts(written: object, texts: list[str] | None) -> None:
    assert values.texts(written) == texts


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("Evening", ("evening", None)),
        ("LATE  NIGHT", ("midnight", None)),
        ("6 PM - 9 PM", ("evening", 5)),
        ("18-21", ("evening", 5)),
        ("9-12 am", None),
        ("9 am to 12 pm", ("late morning", 2)),
        ("3 to 6 am", ("dawn", 8)),
        ("9 pm - 12 am", ("night", 6)),
        ("First prahar of the night", ("evening", 5)),
        ("2nd prahar of day", ("late morning", 2)),
        ("prahar 5", ("evening", 5)),
        ("5 pm - 7 pm", None),
        ("when it rains", None),
    ],
)
def test_times_of_day(written: str, time: tuple[str, int | None] | None) -> None:
    assert values.time_named(written) == time


def test_words_of_the_catalogue_are_found_and_others_stay() -> None:
    assert values.named("mood", " Calm ") == "peaceful"
    assert values.named("season", "Varsha") == "monsoon"
    assert values.named("rasa", "Veer") == "vira"
    assert values.named("mood", "Like Tuesday") == "like tuesday"
    assert [values.tradition(word) for word in ("HINDUSTANI", "south indian music", "Persian", None)] == [
        "Hindustani",
        "Carnatic",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("written", "email"),
    [
        (" Asha@Example.ORG ", "asha@example.org"),
        ("ASHA+ragas@mail.example.co.in", "asha+ragas@mail.example.co.in"),
        ("a@b@c", None),
        ("no address", None),
        ("a b@example.org", None),
        (f"{'a' * 250}@example.org", None),
        ("", None),
        (None, None),
    ],
)
def test_email_addresses(written: object, email: str | None) -> None:
    assert values.email(written) == email


def test_numbers_flags_and_dates() -> None:
    assert [values.number(one) for one in (5, "2.5", "NaN", "Infinity", True, "x", None)] == [
        5.0,
        2.5,
        *[None] * 5,
    ]
    assert [values.flag(one) for one in (True, 0, "Yes", "f", "maybe", None)] == [
        True,
        False,
        True,
        False,
        None,
        None,
    ]
    assert [
        values.date(one)
        for one in ("1975-03-08", "1975-03", "1975", "1975-03-08T20:00", "8.3.1975", "1975-13")
    ] == [
        "1975-03-08",
        "1975-03",
        "1975",
        "1975-03-08",
        None,
        None,
    ]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), json_values, max_size=5))
def test_a_row_is_written_as_it_was_read(row: dict[str, object]) -> None:
    text = json.dumps(row, ensure_ascii=False)
    assert json.loads(rows.write(rows.read(text))) == row


@pytest.mark.parametrize(
    "digits",
    [
        *("1.10", "123456789012345678.123456789012", "0.000000", "12345678901234567890", "1.5"),
        *("0.00000000000010", "1E-7", "1e+300", "1E400", "1E999999999999999999999", "-0.0", "7" * 5000),
    ],
)
def test_no_digit_of_a_number_is_lost(digits: str) -> None:
    assert rows.write(rows.read(f'{{"a":{digits}}}')) == f'{{"a":{digits}}}'


def test_numbers_beyond_all_bounds_are_no_numbers_of_a_field() -> None:
    for digits in ("1E400", "1E999999999999999999999", "7" * 5000):
        number = rows.read_value(digits)
        assert values.number(number) is None
        assert values.text(number) == digits


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("2024-01-02T03:04:05.678+00:00", True),
        ("2024-01-02T03:04:05.678000+00:00", True),
        ("2024-01-02 03:04:05", True),
        ("2024-01-02T03:04:05.6789+00:00", False),
        ("2024-01-02T08:34:05+05:30", False),
        ("2024-01-02", False),
        ("1704164645678", False),
        (1704164645678, False),
    ],
)
def test_a_moment_is_exact_where_its_field_says_all(written: object, exact: bool) -> None:
    assert values.exact_milliseconds(written) is exact


def test_a_key_is_a_text_whatever_it_is_made_of() -> None:
    line = b'{"id":7,"day":"2024-01-01","x":1.10}'
    assert rows.key_of(line, ["id"]) == "7"
    assert rows.key_of(line, ["day"]) == "2024-01-01"
    assert rows.key_of(line, ["day", "id"]) == '["2024-01-01",7]'
    assert rows.key_of(line, []).startswith("row:")


@pytest.mark.parametrize(
    ("name", "type_", "secret"),
    [
        ("password_hash", "text", True),
        ("Password", "bytea", True),
        ("hashed_password", "character varying", True),
        ("pwd", "text", True),
        ("client_secret", "text", True),
        ("reset_token", "text", True),
        ("api_key", "text", True),
        ("session_key", "text", True),
        ("totp", "text", True),
        ("salt", "bytea", True),
        ("recovery_codes", "text[]", True),
        ("tokens", "jsonb", True),
        ("password_changed_at", "timestamp with time zone", False),
        ("has_password", "boolean", False),
        ("max_tokens", "integer", False),
        ("pin", "integer", False),
        ("compass", "text", False),
        ("key", "text", False),
        ("hash", "text", False),
        ("name", "text", False),
    ],
)
def test_what_looks_like_a_secret_is_one(name: str, type_: str, secret: bool) -> None:
    assert is_secret(Column(name, type_)) is secret
