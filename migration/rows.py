"""Rows as JSON: read without losing a digit, known by a key, and written back the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

Value: TypeAlias = Any
"""A value of JSON; a number is an int or a float where that says the same, else `Digits`."""

Row: TypeAlias = dict[str, Value]

LEVELS = 100
"""JSON that goes deeper is not read but stands as its text: everything that walks through values is recursive."""

_WHOLE_DIGITS = 4000  # Python reads no whole number of more than 4300
_LEFT_WHOLE = Decimal("Infinity")

# From Unicode's private use: a number's digits are put between two of these and taken out again.
_MARK = "\ue0f0raga-bot-number\ue0f1"
_MARKED = re.compile(f'"{_MARK}([-+.0-9eE]+)"')
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{\]},:]', re.DOTALL)


class Digits(Decimal):
    """A number that neither int nor float says exactly; ``str()`` of it is what was written."""

    written: str

    def __new__(cls, written: str) -> Digits:
        """From the digits. One beyond what even a Decimal holds counts as infinite, and is still written the same."""
        try:
            number = super().__new__(cls, written)
        except InvalidOperation:
            number = super().__new__(cls, _LEFT_WHOLE)
        number.written = written
        return number

    def __str__(self) -> str:
        return self.written


def _number(text: str) -> float | Digits:
    number = float(text)
    return number if repr(number) == text else Digits(text)


def _whole(text: str) -> int | Digits:
    return int(text) if len(text) <= _WHOLE_DIGITS else Digits(text)


_decoder = json.JSONDecoder(parse_float=_number, parse_int=_whole)


def read(line: bytes | str) -> Row:
    """A row. A value that is JSON too deep, or with half a character in it, is its JSON as text. Raises ValueError."""
    text = line if isinstance(line, str) else line.decode()
    if _too_deep(text):
        return _piecewise(text)
    row = cast("Row", _decoder.decode(text))
    if _HALF.search(text) is not None:
        try:
            encodable(row)
        except UnicodeEncodeError:
            return _piecewise(text)
    return row


def read_value(text: str) -> Value:
    """A JSON text that stood in a column.

    Raises ValueError, also for what is no JSON but Python takes (NaN), for what is too deep, and for half a character,
    which JSON can write and UTF-8 cannot.
    """
    if _too_deep(text):
        raise ValueError("too deep")
    value = json.loads(text, parse_float=_number, parse_int=_whole, parse_constant=_refused)
    if _HALF.search(text) is not None:
        encodable(value)
    return value


def _refused(name: str) -> Value:
    raise ValueError(name)


def encodable(value: Value) -> None:
    """Raises UnicodeEncodeError (a ValueError) for half a character anywhere in a value."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, list):
        for inner in value:
            encodable(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            name.encode()
            encodable(inner)


def _too_deep(text: str) -> bool:
    # Counting is quick, and nearly always enough.
    if text.count("[") + text.count("{") <= LEVELS:
        return False
    depth = deepest = 0
    for token in _TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
    return deepest > LEVELS


def _piecewise(text: str) -> Row:
    """A row value by value, each that cannot be read as the JSON that it is."""
    row: Row = {}
    depth, start, name = 0, 0, ""
    for token in _TOKENS.finditer(text):
        sign = token[0]
        if depth == 1 and sign in (",", "}") and start:
            row[name] = _member(text[start : token.start()].strip())
            start = 0
        if sign in ("[", "{"):
            depth += 1
        elif sign in ("]", "}"):
            depth -= 1
        elif depth == 1 and sign == ":":
            start = token.end()
        elif depth == 1 and sign[0] == '"' and not start:
            name = str(json.loads(sign))
    return row


def _member(text: str) -> Value:
    if _too_deep(text):
        return text
    value = _decoder.decode(text)
    try:
        encodable(value)
    except UnicodeEncodeError:
        return text
    return value


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value!s}"
    raise TypeError(type(value).__name__)


_encode_sorted = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain, check_circular=False
).encode


def write(value: Value) -> str:
    """JSON with sorted keys, the same for the same value; every number with the digits that it came with."""
    text = _encode_sorted(value)
    return _MARKED.sub(r"\1", text) if _MARK in text else text


def key_of(line: bytes, key: Sequence[str], row: Row | None = None) -> str:
    """What a row is known by: its key's one value as text, several as a JSON list, without a key its content's hash."""
    if not key:
        return f"row:{hashlib.sha256(line).hexdigest()[:24]}"
    values = row if row is not None else read(line)
    return text_of(values[key[0]]) if len(key) == 1 else write([values[name] for name in key])


def text_of(value: Value) -> str:
    """A key's value as text."""
    kind = type(value)
    return value if kind is str else str(value) if kind is int else write(value)


def canonical(document: Mapping[str, object]) -> str:
    """A Convex document as text, the same for equal documents: keys sorted, every number a float."""
    return _encode_sorted(_floats(document))


def _floats(value: object) -> object:
    # By the exact type, and text first: this runs for every value of every row.
    kind = type(value)
    if kind is str:
        return value
    if kind is int:
        return float(cast("int", value))
    if kind is dict:
        return {name: _floats(inner) for name, inner in cast("dict[str, object]", value).items()}
    if kind is list:
        return [_floats(inner) for inner in cast("list[object]", value)]
    return value


def checksum(text: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
