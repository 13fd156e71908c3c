"""The old database: connecting, one snapshot of it, and its errors in kind words."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from migration.errors import MigrationError

CONNECT_TIMEOUT_S = 10

# Every value as text that says the same, and all that it can, whatever the server's settings are; no rows hidden in
# silence by a policy.
_SETTINGS = (
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET intervalstyle = 'iso_8601'",
    "SET bytea_output = 'hex'",
    "SET extra_float_digits = 3",
    "SET xmloption = 'content'",
    "SET row_security = off",
    # Which of these there are depends on the version.
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', "
    "'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')",
)

_SENTENCES = (
    (
        r"password authentication failed|no password supplied",
        "{place} does not accept this user and password.",
    ),
    (
        r"invalid (port|integer|\w+ value)|sslmode value",
        "A part of the address of {place} is not as it must be: its port, or an option after the question mark.",
    ),
    (r"role .* does not exist", "{place} has no such user."),
    (
        r"database .* does not exist",
        "There is no such database at {place}. Please check the name after the last slash.",
    ),
    (r"translate host name|resolve host|Name or service not known", "I cannot find the host of {place}."),
    (
        r"Connection refused|No such file or directory",
        "Nothing answers at {place}. Is PostgreSQL running there?",
    ),
    (r"timeout expired|timed out|Network is unreachable|No route to host", "{place} does not answer."),
    (r"no pg_hba.conf entry", "{place} does not let this machine in (its pg_hba.conf has no entry for it)."),
    (r"starting up|shutting down", "{place} is just starting or stopping. Please try again in a moment."),
    (r"too many (clients|connections)", "{place} has no connection free. Please try again in a moment."),
    (r"certificate|SSL", "{place} and I cannot agree on an encrypted connection (sslmode)."),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the old database is. ``str()`` of it holds no password."""

    conninfo: str
    user: str
    host: str
    port: str
    database: str

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"postgresql://{user}{self.host}{port}/{self.database}"

    def __repr__(self) -> str:
        return f"Place({self})"


def place_of(url: str) -> Place:
    """Read a PostgreSQL URL, SQLAlchemy's forms of it too. Raises MigrationError."""
    plain = re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", url.strip())
    try:
        parts = conninfo_to_dict(plain)
    except psycopg.ProgrammingError:
        # libpq's own words would quote the URL, password and all.
        raise MigrationError(
            "I cannot read this address. It has the form postgresql://user@host:5432/database; "
            "special characters in it are percent-encoded."
        ) from None
    known = {name: str(value) for name, value in parts.items() if value is not None}
    host = known.get("host") or known.get("hostaddr") or "localhost"
    user = known.get("user", "")
    return Place(plain, user, host, known.get("port", ""), known.get("dbname", user))


@contextlib.contextmanager
def words_for(place: Place) -> Iterator[None]:
    """Turn errors of PostgreSQL into one sentence. Raises MigrationError."""
    try:
        yield
    except (psycopg.errors.CharacterNotInRepertoire, psycopg.errors.UntranslatableCharacter):
        raise MigrationError(
            f"{place} holds text that is no UTF-8, as a database of the encoding SQL_ASCII may. "
            "Please convert it to UTF8 first, with pg_dump and a new database."
        ) from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(
            f"The user at {place} may not read everything: {_told(error, place)}. "
            "Use the owner of the tables, or a superuser."
        ) from None
    except psycopg.OperationalError as error:
        said = str(error)
        for pattern, sentence in _SENTENCES:
            if re.search(pattern, said):
                raise MigrationError(sentence.format(place=place)) from None
        if error.sqlstate is None and "connection" in said:
            raise MigrationError(f"The connection to {place} broke off. Run the command again.") from None
        raise MigrationError(f"{place} says: {_told(error, place)}.") from None
    except psycopg.Error as error:
        raise MigrationError(f"{place} says: {_told(error, place)}.") from None


def _told(error: psycopg.Error, place: Place) -> str:
    """The first line of an error, in which nothing looks like the password."""
    first = str(error.diag.message_primary or error).strip().splitlines()[:1]
    text = " ".join(first).rstrip(".")[:300]
    with contextlib.suppress(psycopg.ProgrammingError):
        password = conninfo_to_dict(place.conninfo).get("password")
        for secret in {str(password or ""), quote(str(password or ""), safe="")} - {""}:
            text = text.replace(secret, "***")
    return text


@contextlib.contextmanager
def snapshot(place: Place) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection that sees the database at one moment, and can change nothing in it. Raises MigrationError."""
    with words_for(place):
        connection = psycopg.connect(
            place.conninfo,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="raga-bot migrate",
            client_encoding="UTF8",
            autocommit=False,
            prepare_threshold=None,  # poolers between us and the server need not know our statements
        )
        with contextlib.closing(connection):
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            for setting in _SETTINGS:
                connection.execute(setting)
            yield connection
