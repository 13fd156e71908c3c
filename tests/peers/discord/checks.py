"""What Discord does not take in a message or a command: counts, lengths, and ids that are not unique."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.peers.discord.world import Json, Refusal

MESSAGE_KEYS = {
    "content", "embeds", "components", "attachments", "allowed_mentions", "flags", "message_reference",
    "nonce", "enforce_nonce", "tts",
}  # fmt: skip
_EMBED_KEYS = {"title", "description", "fields", "footer", "color", "type", "flags", "image"}
_COMMAND_KEYS = {
    "name", "name_localizations", "description", "description_localizations", "type", "options",
    "contexts", "integration_types", "default_member_permissions",
}  # fmt: skip
_OPTION_KEYS = {
    "name", "description", "type", "required", "autocomplete", "min_value", "choices", "channel_types",
}  # fmt: skip
_LOCALES = {"hi", "en-US", "en-GB", "de", "fr", "ja", "es-ES"}
_NAME = re.compile(r"[-_'\w\u0900-\u097f]{1,32}")


def invalid(why: str) -> Refusal:
    """The answer to a form that is not taken."""
    return Refusal(400, 50035, f"Invalid Form Body: {why}")


def _need(holds: object, why: str) -> None:
    if not holds:
        raise invalid(why)


def message(body: Mapping[str, Any], *, files: int, changes: bool = False) -> None:
    """A message that is sent or changed. Raises Refusal."""
    _need(not set(body) - MESSAGE_KEYS, f"unknown {set(body) - MESSAGE_KEYS}")
    content, embeds = body.get("content") or "", body.get("embeds") or ()
    _need(len(content) <= 2000, "content is longer than 2000")
    _need(len(embeds) <= 10, "more than 10 embeds")
    for embed in embeds:
        _embed(embed)
    _need(sum(len(text) for one in embeds for text in _texts(one)) <= 6000, "embeds are longer than 6000")
    _components(body.get("components") or ())
    _need(len(str(body.get("nonce", ""))) <= 25, "nonce is longer than 25")
    forwards = (body.get("message_reference") or {}).get("type") == 1
    if forwards:
        _need(not (content or embeds or files or body.get("components")), "a forward holds nothing else")
    if not changes and not (content or embeds or files or forwards):
        raise Refusal(400, 50006, "Cannot send an empty message")
    listed = [one for one in body.get("attachments") or () if "filename" in one]
    _need(files == len(listed), "files and attachments differ")
    _need(all(len(one.get("description") or "") <= 1024 for one in listed), "alt text is longer than 1024")
    shown = [embed["image"]["url"] for embed in embeds if "image" in embed]
    sent = {f"attachment://{one['filename']}" for one in listed}
    _need(sent.issuperset(shown), "an embed shows what was not sent")


def _embed(embed: Json) -> None:
    _need(not set(embed) - _EMBED_KEYS, f"unknown {set(embed) - _EMBED_KEYS} in an embed")
    _need(len(embed.get("title", "")) <= 256, "title is longer than 256")
    _need(len(embed.get("description", "")) <= 4096, "description is longer than 4096")
    _need(len(embed.get("footer", {}).get("text", "")) <= 2048, "footer is longer than 2048")
    fields = embed.get("fields", ())
    _need(len(fields) <= 25, "more than 25 fields")
    for one in fields:
        _need(0 < len(one["name"]) <= 256, "a field's name")
        _need(0 < len(one["value"]) <= 1024, "a field's value")


def _texts(embed: Json) -> Iterator[str]:
    yield embed.get("title", "")
    yield embed.get("description", "")
    yield embed.get("footer", {}).get("text", "")
    for one in embed.get("fields", ()):
        yield one["name"]
        yield one["value"]


def _components(rows: Sequence[Json]) -> None:
    _need(len(rows) <= 5, "more than 5 rows")
    seen: set[str] = set()
    for row in rows:
        _need(row["type"] == 1, "a component outside of a row")
        items = row["components"]
        _need(0 < len(items) <= 5, "a row with more than 5 buttons, or none")
        _need(len(items) == 1 or all(one["type"] == 2 for one in items), "a menu with others in its row")
        for one in items:
            ident = one.get("custom_id", "")
            _need(0 < len(ident) <= 100, "custom_id")
            _need(ident not in seen, f"custom_id {ident!r} twice")
            seen.add(ident)
            if one["type"] == 2:
                _need(0 < len(one.get("label", "")) <= 80, "label")
            else:
                _menu(one)


def _menu(menu: Json) -> None:
    _need(menu["type"] == 3, "a component of an unknown kind")
    _need(len(menu.get("placeholder", "")) <= 150, "placeholder is longer than 150")
    options = menu["options"]
    _need(0 < len(options) <= 25, "more than 25 options, or none")
    _need(len({one["value"] for one in options}) == len(options), "an option's value twice")
    for one in options:
        _need(0 < len(one["label"]) <= 100, "an option's label")
        _need(0 < len(one["value"]) <= 100, "an option's value")


def commands(listed: Sequence[Json]) -> None:
    """What is told of the slash commands. Raises Refusal."""
    _need(len({one["name"] for one in listed}) == len(listed) <= 100, "a command twice, or more than 100")
    for one in listed:
        _need(not set(one) - _COMMAND_KEYS, f"unknown {set(one) - _COMMAND_KEYS} in a command")
        _named(one)
        for locale, name in one["name_localizations"].items():
            _need(locale in _LOCALES, f"locale {locale}")
            _need(_NAME.fullmatch(name) and name == name.lower(), f"name {name}")
        for locale, text in one["description_localizations"].items():
            _need(locale in _LOCALES and 0 < len(text) <= 100, f"description in {locale}")
        _need(set(one["contexts"]) <= {0, 1, 2}, "contexts")
        _need(set(one["integration_types"]) <= {0, 1}, "integration_types")
        _need(str(one.get("default_member_permissions", "0")).isdigit(), "default_member_permissions")
        _need(len(one["options"]) <= 25, "more than 25 options")
        for option in one["options"]:
            _need(not set(option) - _OPTION_KEYS, f"unknown {set(option) - _OPTION_KEYS} in an option")
            _named(option)
            _need(option["type"] in (3, 4, 6, 7, 10), "an option's type")
            _need(option["type"] == 7 or "channel_types" not in option, "channel_types of no channel")
            _need(option["type"] in (3, 4, 10) or not option.get("autocomplete"), "autocomplete of a menu")
            _need(len(option.get("choices", ())) <= 25, "more than 25 choices")
            _need(not (option.get("autocomplete") and option.get("choices")), "autocomplete with choices")


def _named(one: Json) -> None:
    name = one["name"]
    _need(_NAME.fullmatch(name) and name == name.lower(), f"name {name}")
    _need(0 < len(one["description"]) <= 100, f"description of {name}")


def choices(listed: Sequence[Json]) -> None:
    """What autocomplete offers. Raises Refusal."""
    _need(len(listed) <= 25, "more than 25 choices")
    for one in listed:
        _need(0 < len(one["name"]) <= 100, "a choice's name")
        _need(0 < len(str(one["value"])) <= 100, "a choice's value")
