"""The command line: every way to start Raga Bot, and the tools around it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from bot.bar import Bar
from bot.settings import Settings, SettingsError, read_settings
from migration.wishes import add_arguments, wishes_of

Action = Callable[[argparse.Namespace, Settings], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0 done, 1 not done, 2 misread)."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    action: Action = options.action
    try:
        return action(options, settings)
    except BrokenPipeError:
        # The reader of our output has gone (`raga-bot catalogue export | head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raga-bot", description="A chat bot for lovers of Indian classical music.", allow_abbrev=False
    )
    commands = parser.add_subparsers(metavar="command")
    parser.set_defaults(action=_run)

    commands.add_parser("run", help="start everything (the default)").set_defaults(action=_run)
    commands.add_parser("worker", help="only render pieces, for a bot that runs elsewhere").set_defaults(
        action=_worker
    )
    commands.add_parser("doctor", help="check settings, Convex, ffmpeg and tokens").set_defaults(
        action=_doctor
    )

    ask = commands.add_parser("ask", help="ask one thing and wait for the whole answer")
    ask.add_argument("line", metavar="COMMAND", help='such as "/raga Yaman" or "/generate Yaman 30s seed 7"')
    ask.add_argument("--save", metavar="DIR", type=Path, help="put the audio there")
    ask.set_defaults(action=_ask)

    _add_catalogue(commands)
    _add_operations(commands)

    migrate = commands.add_parser(
        "migrate", help="move the older application's data from PostgreSQL to Convex"
    )
    add_arguments(migrate)
    migrate.set_defaults(action=_migrate)

    render = commands.add_parser("render", help="compose and render one piece, without Convex")
    render.add_argument("--raga", required=True, metavar="NAME")
    render.add_argument("--duration", type=float, default=60.0, metavar="S")
    render.add_argument("--seed", type=int, default=0, metavar="N")
    render.add_argument("--tempo", type=float, metavar="BPM")
    render.add_argument("--key", metavar="KEY", help="such as C# or D")
    render.add_argument("--instrument", metavar="NAME")
    render.add_argument("--voice", metavar="NAME")
    render.add_argument("--tala", metavar="NAME")
    render.add_argument("--out", required=True, type=Path, metavar="DIR")
    render.set_defaults(action=_render)

    convex = commands.add_parser("convex", help="only the local Convex deployment")
    convex.add_argument(
        "--functions", type=Path, metavar="DIR", help="the functions to serve (ours by default)"
    )
    convex.add_argument("--port", type=int, metavar="P", help="0 picks a free one")
    convex.add_argument("--state", type=Path, metavar="DIR", help="where it keeps its data")
    convex.set_defaults(action=_convex)
    return parser


def _add_catalogue(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    catalogue = commands.add_parser("catalogue", help="the ragas that come with the bot")
    what = catalogue.add_subparsers(metavar="what", required=True)
    what.add_parser("export", help="print them as a JSON array").set_defaults(action=_export)
    sync = what.add_parser("sync", help="bring them into Convex: what is new and what has changed")
    sync.add_argument("--remove", action="store_true", help="also take away what only Convex has")
    sync.set_defaults(action=_sync)
    filed = what.add_parser("corrections", help="the errors that people have reported")
    filed.add_argument("--status", choices=("open", "accepted", "declined"), default="open")
    filed.add_argument(
        "--toml", action="store_true", help="what was accepted, as lines for the catalogue's files"
    )
    filed.set_defaults(action=_corrections)
    for name, said in (("accept", "take a correction in"), ("decline", "leave the entry as it is")):
        decision = what.add_parser(name, help=said)
        decision.add_argument("id", metavar="ID")
        decision.add_argument("--note", metavar="TEXT", help="said to the person who reported it")
        if name == "accept":
            decision.add_argument(
                "--value", metavar="TEXT", help="what the entry is to say, if other than proposed"
            )
        decision.set_defaults(action=_decide, accept=name == "accept", value=None)


def _add_operations(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    announce = commands.add_parser(
        "announce", help="tell everybody something, such as that there is maintenance"
    )
    words = announce.add_mutually_exclusive_group(required=True)
    words.add_argument(
        "text", nargs="?", metavar="TEXT", help="told with /help and whenever a piece is begun"
    )
    words.add_argument("--off", action="store_true", help="take it back")
    announce.set_defaults(action=_announce)
    for name, said in (
        ("ban", "let an account have nothing made or shared anywhere"),
        ("unban", "lift such a ban"),
    ):
        ban = commands.add_parser(name, help=said)
        ban.add_argument("account", metavar="ACCOUNT", help="such as discord:123456789012345678")
        ban.set_defaults(action=_ban, lift=name == "unban")
    audit = commands.add_parser(
        "audit", help="who changed which setting of a server or group, or of everything"
    )
    audit.add_argument("--last", type=int, default=50, metavar="N", help="how many changes (50)")
    audit.set_defaults(action=_audit)


def _run(options: argparse.Namespace, settings: Settings) -> int:
    from bot import app

    del options
    return asyncio.run(app.run(settings))


def _worker(options: argparse.Namespace, settings: Settings) -> int:
    from bot import app

    del options
    return asyncio.run(app.work(settings))


def _ask(options: argparse.Namespace, settings: Settings) -> int:
    from bot import app

    return asyncio.run(app.ask(settings, options.line, options.save))


def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    from bot import doctor

    del options
    return asyncio.run(doctor.examine(settings))


def _export(options: argparse.Namespace, settings: Settings) -> int:
    from music.catalogue import load

    del options, settings
    json.dump([raga.to_export() for raga in load().ragas], sys.stdout, ensure_ascii=False, indent=1)
    print()
    return 0


def _sync(options: argparse.Namespace, settings: Settings) -> int:
    from bot import curation

    return asyncio.run(curation.sync(settings, remove_strays=options.remove))


def _corrections(options: argparse.Namespace, settings: Settings) -> int:
    from bot import curation

    return asyncio.run(curation.corrections(settings, options.status, as_toml=options.toml))


def _decide(options: argparse.Namespace, settings: Settings) -> int:
    from bot import curation

    deciding = curation.decide(
        settings, options.id, accept=options.accept, value=options.value, note=options.note
    )
    return asyncio.run(deciding)


def _announce(options: argparse.Namespace, settings: Settings) -> int:
    from bot import operations

    return asyncio.run(operations.announce(settings, None if options.off else options.text))


def _ban(options: argparse.Namespace, settings: Settings) -> int:
    from bot import operations

    return asyncio.run(operations.ban(settings, options.account, lift=options.lift))


def _audit(options: argparse.Namespace, settings: Settings) -> int:
    from bot import operations

    return asyncio.run(operations.audit(settings, options.last))


def _render(options: argparse.Namespace, settings: Settings) -> int:
    from music.catalogue import load
    from music.encode import EncodeError
    from music.request import PieceError, PieceRequest
    from music.stems import write_stems

    del settings
    match = load().find(options.raga)
    if match.raga is None:
        nearest = ", ".join(raga.name for raga in match.others)
        hint = f" Did you mean {nearest}?" if nearest else ""
        print(f"I know no raga of that name.{hint}", file=sys.stderr)
        return 1
    try:
        request = PieceRequest(
            raga=match.raga,
            duration_s=options.duration,
            seed=options.seed,
            tempo_bpm=options.tempo,
            key=options.key,
            instruments=(options.instrument,)
            if options.instrument
            else (() if options.voice else ("sitar",)),
            voice=options.voice,
            tala=options.tala,
        )
        with Bar() as bar:
            write_stems(request, options.out, lambda stage, fraction: bar.show(fraction, stage))
    except (PieceError, EncodeError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"I could not write to {options.out}: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"{match.raga.name}, {options.duration:g} s, seed {options.seed}: {options.out}")
    return 0


def _migrate(options: argparse.Namespace, settings: Settings) -> int:
    from migration.command import migrate

    return migrate(wishes_of(options, settings.state_dir, settings.jwt_issuer, settings.convex_url))


def _convex(options: argparse.Namespace, settings: Settings) -> int:
    from bot.backend import local
    from bot.backend.identity import IdentityError, Keys

    functions = (options.functions or local.FUNCTIONS).resolve()
    port = settings.convex_port if options.port is None else options.port
    state = options.state or local.state_folder(settings.state_dir, functions)
    try:
        command = local.command(functions, port, state)
        keys = Keys.load(settings.state_dir)
    except (local.LocalConvexError, IdentityError) as error:
        print(error, file=sys.stderr)
        return 1
    return _become(command, local.environment(settings.jwt_issuer, keys.jwks_data_uri()))


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Let another program take this process over, so that Ctrl-C and exit status are its own."""
    sys.stdout.flush()
    os.execve(command[0], command, environment)  # noqa: S606 - a program of ours, without a shell
