"""Rows with the oddities that such tables collect over the years."""

from __future__ import annotations

import json
import random
from typing import LiteralString, cast

import psycopg
from psycopg import sql

from music.catalogue import load
from tests.migration.old_database import SECRET, OldDatabase

MEGABYTE = 1_000_000

_TRADITIONS = (
    "Hindustani",
    "hindustani",
    "HINDUSTANI classical",
    "Carnatic",
    "carnatic",
    "South Indian",
    "Persian",
    None,
)
_SCALES: tuple[object, ...] = (
    ["S", "R", "G", "m", "P", "D", "N", "S'"],
    ["Sa", "Re", "Ga", "Ma", "Pa", "Dha", "Ni", "Sa'"],
    "S r g m P d n S'",
    "N, R G M D N S'",
    "S R2 G3 M1 P D2 N3 S'",
    {"swaras": ["S", "R", "G", "P", "D", "S'"]},
    ["S", "R", "H", "P"],
    "s r g m p d n s",
    [],
    None,
)
_TIMES: tuple[object, ...] = (
    ["evening"],
    "Evening, night",
    ["6 PM - 9 PM"],
    ["First prahar of the night"],
    "monsoon nights",
    [],
    None,
)
_MOODS: tuple[object, ...] = (["calm"], ["peaceful", "Devotional"], "sad; heroic", {"a": 1}, None, [])
_DESCRIPTIONS = (
    "A raga of the evening.",
    "शाम का राग 🎶 with “quotes”, a back\\slash,\na line\tand a tab",
    "",
    None,
    "<script>alert('raga')</script> & more",
    "  blanks around  ",
)
_MARKS = ("", "\u0304", "\u0303", "\u0323")


def fill(old: OldDatabase, rows: int, *, seed: int = 7, megabytes: int = 2, files: int = 6) -> int:
    """About so many rows over all tables, a third each of ragas, users and generations. Returns how many they are."""
    random_ = random.Random(seed)  # noqa: S311 - odd data, no secret
    known = [raga.name for raga in load().ragas]
    third = max(1, rows // 3)
    with psycopg.connect(old.uri) as connection:
        _labels(connection)
        _files(connection, old, files)
        _ragas(connection, random_, known, third, megabytes)
        _users(connection, random_, third)
        _generations(connection, random_, third, files)
        _rest(connection, random_, third)
        connection.execute("ANALYZE")
        return _count(connection)


def _count(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    tables = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    total = 0
    for schema, table in tables:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(str(schema), str(table)))
        found = connection.execute(query).fetchone()
        assert found is not None
        total += cast("int", found[0])
    return total


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _labels(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    for table, column in (
        ("artists", "name"),
        ("composers", "name"),
        ("songs", "title"),
        ("talas", "name"),
        ("types", "name"),
    ):
        query = sql.SQL("INSERT INTO {} ({}) SELECT %s || n FROM generate_series(1, 5) n").format(
            sql.Identifier(table), sql.Identifier(column)
        )
        connection.execute(query, (f"{table[:-1]} ",))
    # The same name twice in one object: only as text is nothing of it lost.
    connection.execute("""UPDATE artists SET stats = '{"a": 1, "a":  2}' WHERE id = 1""")
    connection.execute("INSERT INTO raga_map VALUES (1, 'Evening light')")
    connection.execute("INSERT INTO alembic_version VALUES ('3f2a')")
    connection.execute(
        "INSERT INTO stats.daily VALUES ('2024-01-01', 'Goa', 9007199254740993), ('2024-01-01', 'Pune', 0)"
    )
    connection.execute(
        "INSERT INTO plays VALUES ('Yaman', '2024-01-01'), ('Yaman', '2024-01-01'), ('Todi', NULL)"
    )
    connection.execute(
        "INSERT INTO sessions (user_id, session_key, csrf_token, agent) VALUES (1, %s, %s, 'lynx')",
        (SECRET, SECRET),
    )


def _files(connection: psycopg.Connection[tuple[object, ...]], old: OldDatabase, files: int) -> None:
    for number in range(1, files + 1):
        (old.audio / f"{number}.mp3").write_bytes(f"ID3 piece {number}".encode() * 50)
        connection.execute("INSERT INTO audio_samples (file_path) VALUES (%s)", (f"{number}.mp3",))
    outside = ("gone.mp3", "../../etc/passwd", "https://old.example.org/a.mp3", None)
    connection.cursor().executemany(
        "INSERT INTO audio_samples (file_path) VALUES (%s)", [(path,) for path in outside]
    )


def _name(random_: random.Random, known: list[str], number: int) -> str | None:
    kind = random_.random()
    name = random_.choice(known)
    if kind < 0.35:
        return name
    if kind < 0.45:
        return random_.choice((name.upper(), name.lower(), f"Raag {name}", f" {name} "))
    if kind < 0.52:
        place = name.find("a")
        return name if place < 0 else name[: place + 1] + random_.choice(_MARKS) + name[place + 1 :]
    if kind < 0.56:
        return name.replace("a", "aa", 1) + random_.choice(("", "x"))
    if kind < 0.57:
        return None
    return f"Composed {number} of {name}" if kind < 0.98 else f"राग {number} 🎵"


def _ragas(
    connection: psycopg.Connection[tuple[object, ...]],
    random_: random.Random,
    known: list[str],
    count: int,
    megabytes: int,
) -> None:
    columns: LiteralString = (
        "name, alternate_names, tradition, arohana, avarohana, vadi, samvadi, varjya_swaras, time, season, rasa, mood, "
        "description, audio_features, tonic_frequency, pakad, thaat, time_period, melakarta_number, songs, "
        "popularity, cover, tags, grid, seen_at, span, gap, kind, stats"
    )
    with connection.cursor().copy(f"COPY ragas ({columns}) FROM STDIN") as copy:
        for number in range(count):
            plain = random_.random() < 0.6
            description = random_.choice(_DESCRIPTIONS)
            if number < megabytes:
                description = "ल" * (MEGABYTE // 2) + "🎶" * 10
            copy.write_row(
                (
                    _name(random_, known, number),
                    _json(random_.choice((["Iman", "Kalyan"], "Iman, Kalyan", None, [], {"en": "x"}))),
                    random_.choice(_TRADITIONS[:2] if plain else _TRADITIONS),
                    _json(random_.choice(_SCALES[:2] if plain else _SCALES)),
                    _json(random_.choice(_SCALES[:2] if plain else _SCALES)),
                    random_.choice(("Ga", "G", "g", "Gandhar", "xyz", None)),
                    random_.choice(("Ni", "N", None)),
                    _json(random_.choice((["Re", "Pa"], [], None))),
                    _json(random_.choice(_TIMES)),
                    _json(random_.choice((["monsoon"], "Rainy", None))),
                    _json(random_.choice((["shanta"], ["Shringar", "karuna"], None))),
                    _json(random_.choice(_MOODS)),
                    description,
                    _json(random_.choice((None, {"mfcc": [1.5, -2.25, 1e300], "n": 12345678901234567890}))),
                    random_.choice((None, 261.625565, float("nan"), float("inf"), -0.0)),
                    random_.choice((None, "N, R G; M D N S'", "lost in ink")),
                    random_.choice((None, "Kalyan")),
                    random_.choice((None, "Evening", "18-21")),
                    random_.choice((None, 65, 0, 72)),
                    random_.choice((None, '{"x": 1, "x": 2}', "[]", '"bare"')),
                    random_.choice((None, "1.100000000000", "123456789012345678.123456789012")),
                    random_.choice((None, b"\x00\xff\xfe bytes")),
                    random_.choice((None, [], ["a", "b,c", 'd"e', None])),
                    random_.choice((None, [[1, 2], [3, 4]])),
                    random_.choice((None, "2024-02-29T23:59:59.123456+05:30", "infinity", "0044-03-15 BC")),
                    random_.choice((None, "[1,5)", "empty")),
                    random_.choice((None, "1 year 2 mons 3 days 04:05:06.7")),
                    random_.choice((None, "calm")),
                    _json(random_.choice((None, "bare", 7, {"$bad": 1, "_x": None, "ключ": "🎶"}))),
                )
            )


def _users(connection: psycopg.Connection[tuple[object, ...]], random_: random.Random, count: int) -> None:
    columns: LiteralString = (
        "email, name, password_hash, reset_token, preferences, created_at, balance, is_admin, max_tokens"
    )
    with connection.cursor().copy(f"COPY users ({columns}) FROM STDIN") as copy:
        for number in range(count):
            email: str | None = f"listener{number}@example.org"
            if number % 50 == 7:
                email = f"Listener{number}@Example.ORG"
            elif number % 50 == 8:
                # Of the row before, in other letters.
                email = f"LISTENER{number - 1}@example.org"
            elif number % 50 == 9:
                email = random_.choice((None, f"no address {number}", f"a{number}@b@c"))
            copy.write_row(
                (
                    email,
                    random_.choice((f"Asha {number}", "Łukasz 🎻", "", None, "n" * 300)),
                    SECRET,
                    random_.choice((None, SECRET)),
                    random_.choice(
                        (
                            None,
                            '{"tonic": "D", "length": 60, "loud": true}',
                            '{"broken',
                            '{"a": {"b": 1}, "": 2}',
                            "[1]",
                        )
                    ),
                    random_.choice(
                        (None, "2021-06-01T10:20:30+00", "2021-06-01T10:20:30.123456+00", "infinity")
                    ),
                    random_.choice((None, "NaN", "12.340")),
                    random_.choice((None, True, False)),
                    random_.choice((None, 4096)),
                )
            )


def _generations(
    connection: psycopg.Connection[tuple[object, ...]], random_: random.Random, count: int, files: int
) -> None:
    columns: LiteralString = (
        "id, user_id, raga_id, music_type, instruments, mood, theme, duration, tempo, status, file_path, is_favorite, "
        "error_message, title, created_at, completed_at, engine"
    )
    with connection.cursor().copy(f"COPY generations ({columns}) FROM STDIN") as copy:
        for number in range(count):
            file = (
                f"{number % files + 1}.mp3"
                if files and number < 3 * files
                else random_.choice((None, "lost.mp3"))
            )
            copy.write_row(
                (
                    uuid_of(number),
                    random_.choice((None, count + 99)) if number % 97 == 5 else random_.randint(1, count),
                    random_.choice((None, random_.randint(1, count), count + 50)),
                    random_.choice(("instrumental", "vocal", "Vocals", None)),
                    _json(random_.choice((["sitar"], "sitar, tabla", None, [1]))),
                    random_.choice(("calm", None, "m" * 100)),
                    random_.choice(("evening", None)),
                    random_.choice(("30.00", "12.50", None, "NaN")),
                    random_.choice((60, None, -1)),
                    random_.choice(("completed", "failed", "pending", None)),
                    file,
                    random_.choice((True, False, None)),
                    random_.choice((None, "out of memory")),
                    random_.choice((None, f"Evening {number}", "t" * 700)),
                    random_.choice((None, "2022-03-04T05:06:07", "2022-03-04T05:06:07.890123")),
                    random_.choice((None, "2022-03-04T05:07:07+02:00")),
                    _json(random_.choice((None, {"v": 1.10}))),
                )
            )


def _rest(connection: psycopg.Connection[tuple[object, ...]], random_: random.Random, third: int) -> None:
    count = max(3, third // 10)
    with connection.cursor().copy("COPY favorites (user_id, raga_id, generation_id) FROM STDIN") as copy:
        for _ in range(count):
            raga = random_.choice((None, random_.randint(1, third + 1)))
            piece = uuid_of(random_.randrange(third)) if raga is None else None
            copy.write_row((random_.randint(1, third + 1), raga, piece))
    columns: LiteralString = (
        "title, date, location, artist_id, raga_id, composer_id, type_id, tala_id, song_id, audio_sample_id, "
        "duration, rating, notes"
    )
    with connection.cursor().copy(f"COPY performances ({columns}) FROM STDIN") as copy:
        for number in range(count):
            copy.write_row(
                (
                    random_.choice((f"Concert {number}", None)),
                    random_.choice(("1975-03-08", "1975", "8.3.1975", "1975-03-08T20:00:00", None)),
                    random_.choice(("Pune", "दिल्ली", None)),
                    *(random_.choice((None, 1, 5, 77)) for _ in range(1)),
                    random_.randint(1, third),
                    *(random_.choice((None, 1, 2, 88)) for _ in range(4)),
                    random_.choice((None, 1, 2, 7, 8, 9, 10, 99)),
                    random_.choice((None, 1234.5, float("inf"))),
                    random_.choice((None, 4.5)),
                    random_.choice((None, "live", "x" * 70_000 if number < 2 else "short")),
                )
            )


def uuid_of(number: int) -> str:
    """The id of a generation."""
    return f"{number:08x}-0000-4000-8000-{number * 2654435761 % 2**48:012x}"


def multiply(old: OldDatabase, factor: int) -> int:
    """Many more rows of the same kinds, made by PostgreSQL itself. Returns how many there are then."""
    with psycopg.connect(old.uri) as connection:
        highest = connection.execute("SELECT max(id) FROM users").fetchone()
        assert highest is not None
        third = int(str(highest[0]))
        for table in ("ragas", "users", "generations"):
            columns = [
                str(name)
                for (name,) in connection.execute(
                    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
                    (table,),
                )
            ]
            # A row of a megabyte is odd enough once.
            once = "" if table != "ragas" else "AND (description IS NULL OR length(description) < 100000)"
            values = [
                {
                    "id": "gen_random_uuid()" if table == "generations" else f"id + {third} * n",
                    "user_id": f"(user_id + {third} * n)",
                    "email": "n || '.' || email",
                }.get(name, f'"{name}"')
                for name in columns
            ]
            names = ", ".join(f'"{name}"' for name in columns)
            query = (
                f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} "  # noqa: S608 - our own names
                f"FROM {table} CROSS JOIN generate_series(1, {factor - 1}) n WHERE true {once}"
            )
            connection.execute(query)
        connection.execute("ANALYZE")
        return _count(connection)
