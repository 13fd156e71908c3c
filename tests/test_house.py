"""The rules of the house: who may import whom, where names live, and that every setting is explained."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("bot", "handlers", "music", "migration")
MUSIC_FOR_HANDLERS = (
    "music.swaras",
    "music.catalogue",
    "music.byswaras",
    "music.choosing",
    "music.places",
    "music.raga",
    "music.request",
)
MUSIC_LIBRARIES = ("numpy", "scipy", "pydub", "pyloudnorm", "imageio_ffmpeg", "rapidfuzz")
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "service", "misc"}


def modules() -> Iterator[tuple[str, Path]]:
    """Every Python module of the product by its dotted name."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield dotted.removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    """Dotted names that a module imports, wherever in it the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def within(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of the packages or inside one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


MODULES = dict(modules())


def test_there_are_modules_to_check() -> None:
    assert {name.split(".", maxsplit=1)[0] for name in MODULES} == set(ROOMS)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_module_imports_only_what_its_room_may(name: str) -> None:
    for imported in imports(MODULES[name]):
        top = imported.split(".", maxsplit=1)[0]
        if top in sys.stdlib_module_names:
            continue
        if name.startswith("handlers"):
            assert top == "handlers" or within(imported, MUSIC_FOR_HANDLERS) or imported == "music", imported
        elif name.startswith("music"):
            assert top == "music" or top in MUSIC_LIBRARIES, imported
        elif name.startswith("migration"):
            may = top in ("migration", "music", "psycopg") or within(
                imported, ("bot.backend", "handlers.errors")
            )
            assert may or imported in ("bot", "handlers"), imported
        if top == "psycopg":
            assert within(name, ("migration",)), f"{name} imports PostgreSQL's client"
        if top == "convex":
            assert within(name, ("bot.backend",)), f"{name} imports the Convex client"
        if top == "discord":
            assert within(name, ("bot.platforms.discord",)), f"{name} imports discord"
        if top == "telegram":
            assert within(name, ("bot.platforms.telegram",)), f"{name} imports telegram"
        if within(imported, ("bot.app",)):
            assert name == "bot.command_line", f"{name} imports bot.app"
        if within(name, ("bot.platforms",)):
            assert not within(imported, ("bot.backend",)), f"{name} is a platform and knows the backend"


def test_no_module_has_a_name_that_says_nothing() -> None:
    for name in MODULES:
        assert not BANNED_NAMES & set(name.split(".")), name


def test_convex_is_no_python_package() -> None:
    assert not (ROOT / "convex" / "__init__.py").exists()


def test_every_setting_is_explained_and_every_explained_one_exists() -> None:
    explained = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert explained == {name.upper() for name in Settings.model_fields}


def test_lock_files_hold_hashes_and_no_download_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text("utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
    text = (ROOT / "package-lock.json").read_text("utf-8")
    assert '"integrity": "sha512-' in text
    assert '"resolved"' not in text
