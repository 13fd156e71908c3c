"""A PostgreSQL with the tables of the older application."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

SCHEMA: LiteralString = """
CREATE TYPE mood_kind AS ENUM ('calm', 'bright');
CREATE TABLE ragas (
  id SERIAL PRIMARY KEY, name VARCHAR(100), alternate_names JSONB, tradition VARCHAR(50), arohana JSONB,
  avarohana JSONB, characteristic_phrases JSONB, vadi VARCHAR(20), samvadi VARCHAR(20), varjya_swaras JSONB,
  jati VARCHAR(50), time JSONB, season JSONB, rasa JSONB, mood JSONB, description TEXT, history TEXT,
  notable_compositions JSONB, audio_features JSONB, pitch_distribution JSONB, tonic_frequency FLOAT,
  aroha_patterns JSONB, avaroha_patterns JSONB, pakad TEXT, practice_exercises JSONB, thaat VARCHAR(50),
  time_period VARCHAR(50), regional_style JSONB, melakarta_number INT, carnatic_equivalent TEXT,
  hindustani_equivalent TEXT, janaka_raga VARCHAR(100), janya_ragas JSONB, chakra TEXT, icon TEXT,
  melakarta_name VARCHAR(100), stats JSONB, info TEXT, songs JSON, keyboard JSONB, popularity NUMERIC(30, 12),
  cover BYTEA, tags TEXT[], grid INT[][], seen_at TIMESTAMPTZ, span INT4RANGE, gap INTERVAL, kind mood_kind);
CREATE TABLE users (
  id SERIAL PRIMARY KEY, email VARCHAR(255) UNIQUE, name TEXT, password_hash TEXT NOT NULL, reset_token TEXT,
  preferences TEXT, created_at TIMESTAMPTZ, balance NUMERIC, is_admin BOOLEAN, max_tokens INT);
CREATE TABLE artists (id SERIAL PRIMARY KEY, name TEXT, stats JSON, poster TEXT, info TEXT, languages JSON);
CREATE TABLE composers (id SERIAL PRIMARY KEY, name TEXT);
CREATE TABLE songs (id SERIAL PRIMARY KEY, title TEXT);
CREATE TABLE talas (id SERIAL PRIMARY KEY, name TEXT, beats INT);
CREATE TABLE types (id SERIAL PRIMARY KEY, name TEXT);
CREATE TABLE raga_map (id INT PRIMARY KEY, english_name TEXT);
CREATE TABLE audio_samples (id SERIAL PRIMARY KEY, file_path TEXT);
CREATE TABLE generations (
  id UUID PRIMARY KEY, user_id INT, raga_id INT, music_type TEXT, instruments JSONB, mood TEXT, theme TEXT,
  duration NUMERIC(8, 2), tempo INT, status TEXT, file_path TEXT, is_favorite BOOLEAN, error_message TEXT, title TEXT,
  created_at TIMESTAMP, completed_at TIMESTAMPTZ, engine JSONB);
CREATE TABLE favorites (
  user_id INT, raga_id INT, generation_id UUID, created_at TIMESTAMPTZ DEFAULT '2023-04-05T06:07:08Z');
CREATE TABLE performances (
  id SERIAL PRIMARY KEY, title TEXT, date TEXT, location TEXT, artist_id INT, raga_id INT, composer_id INT, type_id INT,
  tala_id INT, song_id INT, audio_sample_id INT, duration FLOAT, rating FLOAT, notes TEXT);
CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);
CREATE TABLE plays (raga TEXT, at DATE);
CREATE SCHEMA stats;
CREATE TABLE stats.daily (day DATE, region TEXT, hits BIGINT, PRIMARY KEY (day, region));
CREATE TABLE sessions (id SERIAL PRIMARY KEY, user_id INT, session_key TEXT, csrf_token TEXT, agent TEXT);
"""

_TEMPLATE = "old_schema"

SECRET = "$2b$12$never-leaves-postgresql"


@dataclass(slots=True)
class OldDatabase:
    """One database of its own on the tests' server."""

    uri: str
    name: str
    audio: Path
    user: str = "postgres"

    def execute(self, query: LiteralString, *values: object) -> list[tuple[object, ...]]:
        """Run one statement, and give what it finds."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []


def _prepare(connection: psycopg.Connection[tuple[object, ...]], server: str) -> None:
    """Make the database of which all others are copies, once a server."""
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_TEMPLATE,)).fetchone()
    if known is None:
        query = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
        connection.execute(query.format(sql.Identifier(_TEMPLATE)))
        with psycopg.connect(make_conninfo(server, dbname=_TEMPLATE), autocommit=True) as there:
            there.execute(SCHEMA)


@contextlib.contextmanager
def old_database(server: str, folder: Path) -> Iterator[OldDatabase]:
    """An empty database with the old schema."""
    name = f"old_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        _prepare(connection, server)
        # A copy of files is several times as quick as the schema made anew, or as a copy by way of the log.
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        connection.execute(query.format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
    audio = folder / "audio"
    audio.mkdir(parents=True, exist_ok=True)
    old = OldDatabase(make_conninfo(server, dbname=name), name, audio)
    try:
        yield old
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
