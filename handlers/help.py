"""What the bot can do, made from the table of commands."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.command import Command, Option
from handlers.model import Card, Field, Reply, Request
from handlers.reading import take_apart

OPTIONS = (Option("command", "The command to explain", example="generate"),)

_FOOTER = "Options go by name, as in mood:peaceful, or as plain words: /generate Yaman 60s sitar drut in D."


def show(commands: Sequence[Command], request: Request) -> Reply:
    """All commands, or one with its options."""
    line = take_apart(request, ("command",))
    name = (line.named.get("command") or line.rest).strip().removeprefix("/").casefold()
    command = next((one for one in commands if one.listed and one.name == name), None)
    if command is None:
        # Who looks after a group finds its commands there; elsewhere they would only be refused.
        listed = [one for one in commands if one.listed and (request.place.group or not one.manages)]
        fields = tuple(Field(_usage(one), _described(one)) for one in listed)
        return Reply(card=Card(title="What I can do", fields=fields, footer=_FOOTER))
    fields = tuple(Field(option.name, _explained(option)) for option in command.options)
    examples = " ".join(f"{option.name}:{option.example}" for option in command.options[:3] if option.example)
    return Reply(
        card=Card(
            title=f"/{command.name}",
            description=command.description,
            fields=fields,
            footer=f"Such as: /{command.name} {examples}" if examples else "",
        )
    )


def _described(command: Command) -> str:
    return f"{command.description} (for those who look after it)" if command.manages else command.description


def _usage(command: Command) -> str:
    options = " ".join(f"[{option.name}]" for option in command.options[:4])
    more = " …" if len(command.options) > 4 else ""
    return f"/{command.name} {options}{more}".strip()


def _explained(option: Option) -> str:
    if not option.choices:
        return option.description
    choices = ", ".join(option.choices[:14])
    return f"{option.description}: {choices}{', …' if len(option.choices) > 14 else ''}"
