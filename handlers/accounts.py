"""One person, several accounts: linking them, parting them, and what a person prefers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from handlers import values
from handlers.command import Option
from handlers.errors import InvalidInputError
from handlers.hour import PLACE, place
from handlers.locales import LANGUAGES
from handlers.lookup import button
from handlers.model import (
    Allowance,
    Card,
    Entry,
    Field,
    LinkedAccount,
    LinkStep,
    Menu,
    Person,
    Preferences,
    Profile,
    Reply,
    Request,
)
from handlers.ports import House
from handlers.reading import take_apart
from handlers.values import shown
from music.request import INSTRUMENTS, KEYS, VOICES

PLATFORMS = {
    "discord": "Discord",
    "telegram": "Telegram",
    "web": "the chat page",
    "oidc": "the web front end",
}

CODE = Option("code", "The code that the other account shows", example="7K3QD-M9X2B")
LINK_OPTIONS = (CODE,)
UNLINK_OPTIONS = (Option("account", "Which account; without one, a list to choose from"),)

_NONE = "none"
"""Said of a preference to have none any more."""

_GROUP = "That is between the two of us: whoever sees a link code can use it. Please send me /link in our private chat."
_UNKNOWN = (
    "I know no such code. It holds for five minutes and once; /link in the other chat shows a new one. "
    "Please look closely: it has ten letters and digits."
)
_OWN = "Both accounts are the same person here already, so there is nothing to link."
_ENDED = "This link is over. /link in either chat begins a new one."


def named(person: Person | None) -> str:
    """Somebody else in words, such as ``Asha on Discord``."""
    if person is None:
        return "the other account"
    return f"{person.name} on {PLATFORMS.get(person.platform, person.platform)}"


async def link(house: House, request: Request) -> Reply:
    """Show a code by which another account is linked; with a code, redeem it; then the words of both sides."""
    if not request.place.private:
        return Reply(text=_GROUP, private=True, ok=False)
    line = take_apart(request, ("code",))
    code = (line.named.get("code") or line.rest).strip()
    words = code.split()
    if len(words) == 2 and words[0] in _STEPS:
        return await _STEPS[words[0]](house, request, words[1])
    if code:
        return await _redeemed(house, request, code)
    secret = await house.people.show_secret(request.actor)
    address = house.doors.address(f"/link {secret.token}")
    telegram = "" if address is None else f"\nOn Telegram you can simply open {address}"
    return Reply(
        text=(
            "This links another account of yours with this one, so that favorites and history are the same in both.\n\n"
            f"In the other chat, send me: /link {secret.code}{telegram}\n\n"
            "It holds for five minutes and once. Show it to nobody else."
        ),
        private=True,
        qr=address or "",
    )


async def _redeemed(house: House, request: Request, code: str) -> Reply:
    if len(code) > 64:
        raise InvalidInputError(_UNKNOWN)
    step = await house.people.redeem(request.actor, code)
    match step.status:
        case "ok":
            return asked(step.id, named(step.other))
        case "own":
            return Reply(text=_OWN, private=True, ok=False)
        case "paused":
            return Reply(text=paused(house, step), private=True, ok=False)
        case _:
            return Reply(text=_UNKNOWN, private=True, ok=False)


def asked(link_id: str, who: str) -> Reply:
    """The question to one side whether it means the other."""
    return Reply(
        text=(
            f"Is {who} you? Then this account and that one become one person here: favorites, history and "
            "preferences of both are put together. You can take it back within a day."
        ),
        buttons=((*button("Yes, that is me", f"/link yes {link_id}"), *button("No", f"/link no {link_id}")),),
        private=True,
    )


def paused(house: House, step: LinkStep) -> str:
    """What somebody is told who has named too many wrong codes."""
    left_s = step.until_ms / 1000.0 - house.clock.now().timestamp()
    minutes = max(1, round(left_s / 60.0))
    wait = f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"Those were several codes that I do not know. Please wait {wait}, and try again."


async def _yes(house: House, request: Request, link_id: str) -> Reply:
    step = await house.people.confirm(request.actor, _ident(link_id))
    match step.status:
        case "waiting":
            text = (
                f"Good. Now I wait for the word of {named(step.other)}, for ten minutes; I have asked there."
            )
            return Reply(text=text, private=True, replaces=True)
        case "linked":
            return linked(step.id, named(step.other))
        case _:
            return Reply(text=_ENDED, private=True, replaces=True, ok=False)


def linked(merge_id: str, who: str) -> Reply:
    """What both sides are told once they are one."""
    return Reply(
        text=(
            f"Done: this account and {who} are one person here now. /favorites and /history show what is of both. "
            "If that was a mistake, it can be taken back within 24 hours."
        ),
        buttons=(button("Take it back", f"/link undo {merge_id}"),),
        private=True,
        replaces=True,
    )


async def _no(house: House, request: Request, link_id: str) -> Reply:
    await house.people.decline(request.actor, _ident(link_id))
    return Reply(text="Then nothing is linked.", private=True, replaces=True)


async def _undo(house: House, request: Request, merge_id: str) -> Reply:
    await house.people.undo(request.actor, _ident(merge_id))
    return Reply(
        text="It is taken back: both accounts are by themselves again, each with what was its own.",
        private=True,
        replaces=True,
    )


_STEPS: dict[str, Callable[[House, Request, str], Awaitable[Reply]]] = {"yes": _yes, "no": _no, "undo": _undo}


def _ident(text: str) -> str:
    if not (text.isascii() and text.isalnum() and len(text) <= 64):
        raise InvalidInputError(_ENDED)
    return text


async def unlink(house: House, request: Request) -> Reply:
    """Take an account out: a list, a question, then it is done."""
    if not request.place.private:
        return Reply(text="Please send me /unlink in our private chat.", private=True, ok=False)
    profile = await house.people.me(request.actor)
    accounts = () if profile is None else profile.accounts
    if len(accounts) < 2:
        return Reply(text="This is your only account here. /link links another one.", private=True)
    words = take_apart(request, ("account",)).words
    chosen = next((one for one in accounts if words and one.id == words[0]), None)
    if chosen is None:
        return Reply(
            text="Which account shall be by itself again? What it has made stays here.",
            entries=tuple(
                Entry(_account(one), buttons=button("Unlink", f"/unlink {one.id}")) for one in accounts
            ),
            private=True,
            replaces=bool(words),
        )
    if "yes" not in words[1:]:
        return Reply(
            text=f"Unlink {_account(chosen)}? It begins anew with its next command; what was made so far stays here.",
            buttons=((*button("Yes, unlink it", f"/unlink {chosen.id} yes"), *button("Keep it", "/me")),),
            private=True,
            replaces=True,
        )
    left = await house.people.unlink(request.actor, chosen.id, key=f"unlink:{request.event}")
    more = "" if left == 1 else f", {left} accounts are left"
    return Reply(text=f"{_account(chosen)} is by itself now{more}.", private=True, replaces=True)


def _account(account: LinkedAccount) -> str:
    where = PLATFORMS.get(account.platform, account.platform)
    here = " (this one)" if account.current else ""
    return f"{account.name or 'Somebody'} on {where}{here}"


def _flag(text: str) -> bool:
    return values.switch(text)


def _instrument(text: str) -> str:
    return values.instruments(text)[0]


def _language(text: str) -> str:
    plain = text.strip().casefold()
    for code, language in LANGUAGES.items():
        if plain in (code, language.name.casefold()):
            return code
    known = values.listed([f"{code} ({language.name})" for code, language in LANGUAGES.items()])
    raise InvalidInputError(f"I do not write “{shown(text)}”. The languages are {known}.")


_SETTINGS: Mapping[str, tuple[str, Callable[[str], str | float | bool]]] = {
    "tonic": ("Sa", values.key),
    "tradition": ("Tradition", values.tradition),
    "duration": ("Length", values.duration_s),
    "instrument": ("Instrument", _instrument),
    "voice": ("Voice", values.voice),
    "place": ("Place", lambda text: place(text).name),
    "language": ("Language", _language),
    "notifications": ("A sound when a piece is ready", _flag),
}
"""What can be preferred: the name to show, and how a value is read."""

ME_OPTIONS = (
    Option("tonic", "The note of Sa that you like", "choice", (*KEYS, _NONE), "D"),
    Option("tradition", "Hindustani or Carnatic", "choice", ("Hindustani", "Carnatic", _NONE), "Carnatic"),
    Option(
        "duration", "How long your pieces are", "choice", ("30s", "60s", "90s", "2min", "3min", _NONE), "90s"
    ),
    Option("instrument", "Who plays for you", "choice", (*INSTRUMENTS, _NONE), "veena"),
    Option("voice", "Who sings for you", "choice", (*VOICES, _NONE), "alto"),
    Option("place", PLACE.description, PLACE.kind, PLACE.choices, "Chennai"),
    Option("language", "The script of raga names", "choice", (*LANGUAGES, _NONE), "hi"),
    Option("notifications", "A sound when your piece is ready", "choice", ("on", "off"), "off"),
)


async def me(house: House, request: Request) -> Reply:
    """What is kept of somebody, and what they prefer; options change that."""
    line = take_apart(request, tuple(_SETTINGS))
    if line.words:
        raise InvalidInputError(
            "A preference goes by its name, as in /me tonic:D duration:90s; none takes it away again."
        )
    changes: dict[str, str | float | bool | None] = {}
    for name, text in line.named.items():
        plain = text.strip()
        changes[name] = None if plain.casefold() == _NONE else _SETTINGS[name][1](plain)
    if changes:
        await house.people.prefer(request.actor, changes)
    profile = await house.people.me(request.actor)
    if profile is None:
        return Reply(
            text="I keep nothing of you yet. Once you have something made or keep a raga, it stands here.",
            private=True,
        )
    return _card(profile, replaces=bool(changes))


def _card(profile: Profile, *, replaces: bool) -> Reply:
    preferences = profile.preferences
    fields = [
        Field("Accounts", "\n".join(_account(one) for one in profile.accounts)),
        *(
            Field(label, _value(name, preferences[name]))
            for name, (label, _) in _SETTINGS.items()
            if name in preferences
        ),
        Field("Pieces left", _left(profile.pieces, "an hour")),
        Field("Music left", _music(profile.seconds)),
    ]
    if profile.running:
        fields.append(Field("Being made", str(profile.running)))
    undo = () if profile.undo is None else button("Take the last link back", f"/link undo {profile.undo[0]}")
    rows = (
        (
            *button("Link an account", "/link"),
            *(button("Unlink", "/unlink") if len(profile.accounts) > 1 else ()),
        ),
        (*undo, *button("What I keep", "/privacy")),
    )
    since = datetime.fromtimestamp(profile.created_at_ms / 1000.0, UTC)
    return Reply(
        card=Card(
            title="You, here",
            subtitle=f"since {since:%B} {since.year}",
            fields=tuple(fields),
            footer="Change a preference as in /me tonic:D place:Chennai; none takes it away.",
        ),
        menus=(
            _menu("Sa", "tonic", KEYS, preferences),
            _menu(
                "The length of your pieces", "duration", ("30s", "60s", "90s", "2min", "3min"), preferences
            ),
            _menu("The tradition", "tradition", ("Hindustani", "Carnatic"), preferences),
        ),
        buttons=tuple(row for row in rows if row),
        private=True,
        replaces=replaces,
    )


def _menu(title: str, name: str, choices: tuple[str, ...], preferences: Preferences) -> Menu:
    lines = [(choice, f"/me {name}:{choice}") for choice in choices]
    if name in preferences:
        lines.append(("No preference", f"/me {name}:{_NONE}"))
    return Menu(title, tuple(one for label, line in lines for one in button(label, line)))


def _value(name: str, value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float | int):
        return f"{value:g} seconds"
    if name == "language" and value in LANGUAGES:
        return LANGUAGES[value].name
    return {**INSTRUMENTS, **VOICES}.get(value, value) if name in ("instrument", "voice") else value


def _left(allowance: Allowance, span: str) -> str:
    return f"{allowance.left} of {allowance.of} {span}"


def _music(allowance: Allowance) -> str:
    return f"{allowance.left // 60} of {allowance.of // 60} minutes a day"
