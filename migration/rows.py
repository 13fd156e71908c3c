"""Rows as JSON: read without losing a digit, known by a key, and written back the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias, cast

Value: TypeAlias = Any
"""A value of JSON; a number with a point is a float where that says the same, else a Decimal."""

Row: TypeAlias = dict[str, Value]

# From Unicode's private use: a number's digits are put between two of these and taken out again.
_MARK = "\ue0f0raga-bot-number\ue0f1"
_MARKED = re.compile(f'"{_MARK}([-+.0-9eE]+)"')


def _number(text: str) -> float | Decimal:
    number = float(text)
    return number if repr(number) == text else Decimal(text)


_decode = json.JSONDecoder(parse_float=_number).decode


def read(line: bytes | str) -> Row:
    """A row. Raises ValueError."""
    return cast("Row", _decode(line if isinstance(line, str) else line.decode()))


def read_value(text: str) -> Value:
    """A JSON text that stood in a column. Raises ValueError, also for what is no JSON but Python takes (NaN)."""
    return json.loads(text, parse_float=_number, parse_constant=_refused)


def _refused(name: str) -> Value:
    raise ValueError(name)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value}"
    raise TypeError(type(value).__name__)


def write(value: Value) -> str:
    """JSON with sorted keys, the same for the same value; every number with the digits that it came with."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
    return _MARKED.sub(r"\1", text) if _MARK in text else text


def key_of(line: bytes, key: Sequence[str], row: Row | None = None) -> str:
    """What a row is known by: its key's one value as text, several as a JSON list, without a key its content's hash."""
    if not key:
        return f"row:{hashlib.sha256(line).hexdigest()[:24]}"
    values = row if row is not None else read(line)
    return text_of(values[key[0]]) if len(key) == 1 else write([values[name] for name in key])


def text_of(value: Value) -> str:
    """A key's value as text."""
    return value if isinstance(value, str) else write(value)


def canonical(document: Mapping[str, object]) -> str:
    """A Convex document as text, the same for equal documents: keys sorted, every number a float."""
    return json.dumps(_floats(document), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


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
