"""Where each table and column of the old database goes, by one rule that can be shown before anything is moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from migration.inspect import Column, Table
from migration.secrecy import is_secret
from migration.wishes import Only

Role = Literal["users", "ragas", "generations", "favorites", "performances", "labels", "files", "rest"]

ONLY: Mapping[Only, frozenset[Role]] = {
    "ragas": frozenset[Role](("ragas", "performances", "labels", "files")),
    "users": frozenset[Role](("users",)),
    # A piece cannot be without its owner, nor a heart without the raga or piece that it is for.
    "generations": frozenset[Role](("users", "ragas", "generations", "favorites")),
}
"""What is taken along for each part that can be asked for alone."""

# In the order in which rows need one another.
_TABLES: Mapping[Role, tuple[str, ...]] = {
    "labels": (
        *(
            "artists",
            "composers",
            "songs",
            "talas",
            "taals",
            "types",
            "performance_types",
            "raga_map",
            "raga_maps",
        ),
        *(
            "ragas_map",
            "tala_map",
            "talas_map",
            "type_map",
            "types_map",
            "raga_names",
            "tala_names",
            "type_names",
        ),
    ),
    "files": ("audio_samples", "audio_files"),
    "ragas": ("ragas", "raga"),
    "users": ("users", "user", "app_users", "app_user"),
    "generations": ("generations", "music_generations", "generated_music", "generation"),
    "favorites": ("favorites", "favourites", "user_favorites", "user_favourites", "favorite"),
    "performances": ("performances", "performance", "recordings"),
}
_ORDER: tuple[Role, ...] = (*_TABLES, "rest")
_SINGLE: tuple[Role, ...] = ("ragas", "users", "generations", "favorites", "performances")

TARGETS: Mapping[Role, str] = {
    "users": "users",
    "ragas": "oldRagas",
    "generations": "musicGenerations",
    "favorites": "favorites",
    "performances": "recordings",
}

Fields = Mapping[str, tuple[str, ...]]

_FIELDS: Mapping[Role, Fields] = {
    "users": {
        "email": ("email", "email_address", "e_mail", "mail"),
        "name": ("name", "full_name", "display_name", "username", "user_name"),
        "preferences": ("preferences", "settings", "prefs"),
        "createdAt": ("created_at", "created", "date_joined", "registered_at", "joined_at"),
    },
    "ragas": {
        "name": ("name", "raga_name", "title"),
        "tradition": ("tradition", "system", "style"),
        "aliases": ("alternate_names", "alternative_names", "aliases", "other_names"),
        "english": ("english_name",),
        "arohana": ("arohana", "aroha", "arohan", "arohanam"),
        "avarohana": ("avarohana", "avaroha", "avarohan", "avarohanam"),
        "vadi": ("vadi",),
        "samvadi": ("samvadi", "samavadi"),
        "varjya": ("varjya_swaras", "varjya"),
        "pakad": ("pakad",),
        "jati": ("jati", "jaati"),
        "thaat": ("thaat", "that", "thata"),
        "melakarta": ("melakarta_number", "melakarta", "mela"),
        "parent": ("janaka_raga", "parent_raga", "parent"),
        "time": ("time", "time_of_day"),
        "period": ("time_period",),
        "season": ("season", "seasons"),
        "rasa": ("rasa", "rasas"),
        "mood": ("mood", "moods"),
        "description": ("description",),
        "history": ("history",),
    },
    "generations": {
        "owner": ("user_id", "owner_id", "created_by", "user"),
        "request": ("request", "parameters", "params", "config"),
        "ragaId": ("raga_id",),
        "raga": ("raga", "raga_name"),
        "musicType": ("music_type", "musictype", "type", "kind"),
        "instruments": ("instruments", "instrument"),
        "voice": ("voice", "voice_type"),
        "mood": ("mood",),
        "theme": ("theme", "prompt"),
        "duration": ("duration", "duration_s", "duration_seconds", "length"),
        "tempo": ("tempo", "tempo_bpm", "bpm"),
        "key": ("key", "tonic", "musical_key"),
        "tala": ("tala", "taal"),
        "seed": ("seed",),
        "status": ("status", "state"),
        "error": ("error", "error_message"),
        "title": ("title", "name"),
        "file": (
            "file_path",
            "audio_path",
            "audio_file",
            "audio_url",
            "file_url",
            "output_path",
            "path",
            "url",
        ),
        "favorite": ("is_favorite", "is_favourite", "favorite", "favourite", "liked"),
        "createdAt": ("created_at", "created", "timestamp", "date"),
        "completedAt": ("completed_at", "finished_at"),
    },
    "favorites": {
        "owner": ("user_id", "owner_id", "user"),
        "piece": ("generation_id", "music_generation_id", "music_id", "generated_music_id"),
        "ragaId": ("raga_id",),
        "raga": ("raga", "raga_name"),
        "createdAt": ("created_at", "created", "timestamp", "added_at"),
    },
    "performances": {
        "title": ("title", "name"),
        "ragaId": ("raga_id",),
        "artist": ("artist_id",),
        "composer": ("composer_id",),
        "song": ("song_id",),
        "tala": ("tala_id",),
        "kind": ("type_id",),
        "file": ("audio_sample_id",),
        "path": ("file_path", "audio_path", "path"),
        "date": ("date", "performed_at", "performance_date"),
        "location": ("location", "venue", "place"),
        "durationS": ("duration", "duration_s", "duration_seconds"),
        "rating": ("rating",),
        "notes": ("notes", "description"),
    },
    "files": {"file": ("file_path", "path", "audio_path", "url", "filename")},
    "labels": {"label": ("name", "title", "english_name", "label", "english")},
}

LABEL_TABLES: Mapping[str, tuple[str, ...]] = {
    "artist": ("artists",),
    "composer": ("composers",),
    "song": ("songs",),
    "tala": ("talas", "taals", "tala_map", "talas_map", "tala_names"),
    "kind": ("types", "performance_types", "type_map", "types_map", "type_names"),
}
"""Where the names of a performance's ids are found: the first table of these that there is and knows the id."""

FILE_TABLES = _TABLES["files"]
"""Where the audio of a performance is found, likewise."""

_NEEDS: Mapping[Role, tuple[tuple[str, ...], ...]] = {
    # Each line: one of these columns must be there, else the table keeps to the rule for all others.
    "users": (("email", "name"),),
    "ragas": (("name",),),
    "generations": (("owner",),),
    "favorites": (("owner",), ("piece", "ragaId", "raga")),
    "performances": (("title", "ragaId", "artist", "file"),),
    "files": (("file",),),
    "labels": (("label",),),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one table. ``fields`` says which column is read for what."""

    table: Table
    role: Role
    fields: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that leave PostgreSQL."""
        return tuple(column for column in self.table.columns if not is_secret(column))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The columns that do not."""
        return tuple(column.name for column in self.table.columns if is_secret(column))

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of a row's key. A key that is a secret is none: such rows are known by their content."""
        names = {column.name for column in self.columns}
        return self.table.key if set(self.table.key) <= names else ()

    def lines(self) -> list[tuple[str, str]]:
        """Each column of the table with where it goes, in words."""
        places = {column: name for name, column in self.fields.items()}
        target = TARGETS.get(self.role)
        lines = []
        for column in self.table.columns:
            if is_secret(column):
                place = "never leaves PostgreSQL"
            elif target is None:
                place = "legacy"
            elif column.name in places:
                place = f"{target}.{_shown(places[column.name])}"
            else:
                place = "migrated.legacyId" if column.name in self.key else "legacy"
            lines.append((f"{self.table.label}.{column.name} ({column.type})", place))
        return lines


def _shown(name: str) -> str:
    """A field as it is called in Convex, where it is called otherwise there."""
    return {
        "owner": "userId",
        "piece": "generationId",
        "ragaId": "raga",
        "english": "aliases",
        "period": "time, prahar",
        "file": "audioFileId",
        "path": "audioFileId",
        "favorite": "isFavorite",
        "title": "title",
        "request": "request",
    }.get(name, name)


def plans(tables: Iterable[Table], only: Only | None = None) -> tuple[Plan, ...]:
    """What becomes of each table, in the order in which they are read."""
    every = sorted(
        tables,
        # Of "Users" and "users" the plainly written one is what the application used.
        key=lambda table: (
            table.schema != "public",
            table.schema,
            table.name != table.name.casefold(),
            table.name,
        ),
    )
    found: list[Plan] = []
    taken: set[str] = set()
    for table in every:
        plan = _plan(table)
        # Of people, ragas and so on one table; of those that rows refer to by an id one of each name.
        holds = plan.role if plan.role in _SINGLE else table.name.casefold()
        if plan.role != "rest":
            if holds in taken:
                plan = Plan(table, "rest", why=f"another table holds the {holds} already")
            taken.add(holds)
        found.append(plan)
    kept = [plan for plan in found if only is None or plan.role in ONLY[only]]
    return tuple(sorted(kept, key=lambda plan: (_ORDER.index(plan.role), plan.table.label)))


def _plan(table: Table) -> Plan:
    role = next((role for role, names in _TABLES.items() if table.name.casefold() in names), None)
    if role is None:
        return Plan(table, "rest")
    usable = {column.name.casefold(): column.name for column in table.columns if not is_secret(column)}
    fields: dict[str, str] = {}
    for name, spellings in _FIELDS[role].items():
        column = next((usable[spelling] for spelling in spellings if spelling in usable), None)
        if column is not None and column not in fields.values():
            fields[name] = column
    for choices in _NEEDS[role]:
        if not any(choice in fields for choice in choices):
            return Plan(table, "rest", why=f"it has no column such as {', '.join(_FIELDS[role][choices[0]])}")
    if role in _SINGLE and not table.key and role != "favorites":
        return Plan(table, "rest", why="nothing tells its rows apart (no primary key)")
    return Plan(table, role, fields)
