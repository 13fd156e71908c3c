"""What looks like a secret inside of a row, at any depth: it is taken out before anything is written down.

Whole columns are left to `secrecy.is_secret`. This is for what stands in JSON, in a text that holds JSON, or under a
name that says nothing, such as a password's hash in a column called ``note``.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from migration import rows
from migration.rows import Row, Value
from migration.secrecy import DOTTED, WORDS, is_secret_name, is_secret_value

# A name of JSON and a text of it, also where it is written as Python or Ruby show an object.
_NAMED = re.compile(r"""["']([^"'\\]{1,60})["']\s*(?::|=)""")
_NAMED_PLAINLY = re.compile(r"[{,]\s*(\w{1,60})\s*(?::|=)")
_QUOTED = re.compile(r"""["']([^"'\\]{8,4000})["']""")
_PATH_LETTERS = 120
_PATHS = 500


class Withheld:
    """Takes secrets out of the lines of one table, and counts them by where they stood."""

    def __init__(self, key: Sequence[str], columns: Sequence[str] = ()) -> None:
        """``columns`` are those that every line names: that a word stands in one of their names means nothing."""
        self.found: Counter[str] = Counter()
        self._key = frozenset(key)
        names = [column.lower().encode() for column in columns]
        self._words = [(word, sum(name.count(word) for name in names)) for word in WORDS]

    def clean(self, line: bytes) -> bytes:
        """The line without them; one in which there is none stays as it is, to the byte."""
        # Few lines are worth a look; to tell by counting words is ten times as quick as any pattern.
        small = line.lower()
        if DOTTED.search(line) is None and all(small.count(word) <= usual for word, usual in self._words):
            return line
        row = rows.read(line)
        cleaned: Row = {}
        for name, value in row.items():
            # Rows are told apart by their keys, so that one which is a secret has another word in its place.
            cleaned[name] = (
                self._key_without(value, name) if name in self._key else self._without(value, name)
            )
        return line if cleaned == row else rows.write(cleaned).encode()

    def _key_without(self, value: Value, path: str) -> Value:
        if not isinstance(value, str) or not is_secret_value(value):
            return value
        self._note(path)
        return f"withheld:{hashlib.sha256(value.encode()).hexdigest()[:24]}"

    def _note(self, path: str) -> None:
        name = path[:_PATH_LETTERS]
        if name not in self.found and len(self.found) >= _PATHS:
            # Names that are data, such as one for each person: where it stood is said by its column alone.
            name = f"{re.split(r'[.[]', name, maxsplit=1)[0]} and below"
        self.found[name] += 1

    def _without(self, value: Value, path: str) -> Value:
        if isinstance(value, dict):
            kept = {}
            for name, inner in value.items():
                if is_secret_value(name):
                    self._note(f"{path}.*")
                elif is_secret_name(name, inner):
                    self._note(f"{path}.{name}")
                else:
                    kept[name] = self._without(inner, f"{path}.{name}")
            return kept
        if isinstance(value, list):
            return [self._without(inner, f"{path}[]") for inner in value]
        if isinstance(value, str):
            return self._text(value, path)
        return value

    def _text(self, text: str, path: str) -> Value:
        if is_secret_value(text):
            self._note(path)
            return None
        if text.lstrip()[:1] not in ("{", "[", '"'):
            return text
        try:
            inner = rows.read_value(text)
            # JSON within JSON within JSON may go deeper than any of them.
            cleaned = self._without(inner, path)
        except (ValueError, RecursionError):
            return self._broken(text, path)
        return text if cleaned == inner else rows.write(cleaned)

    def _broken(self, text: str, path: str) -> Value:
        """JSON that cannot be read: where it names a secret or holds one, none of it is taken along."""
        if text.lstrip()[0] == '"':
            return text  # words that begin with a quotation
        names = [*_NAMED.findall(text), *_NAMED_PLAINLY.findall(text)]
        if any(is_secret_name(name, "") for name in names) or any(
            map(is_secret_value, _QUOTED.findall(text))
        ):
            self._note(path)
            return None
        return text
