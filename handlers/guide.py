"""The guided `/generate`: one message that changes, one question after another; every step can be left out.

What was chosen so far travels in the buttons' own lines, so that a guide survives restarts and costs nothing to keep:
``/guide sitar.peaceful.60`` holds one short word a choice, none of them ambiguous.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from handlers.errors import InvalidInputError
from handlers.lookup import button
from handlers.model import Button, ButtonRows, Card, Field, Menu, Reply, Request
from handlers.reading import take_apart
from handlers.values import listed
from music.catalogue import Catalogue
from music.choosing import MOODS, THEMES, ragas_for_mood
from music.request import INSTRUMENTS, INSTRUMENTS_MAX, KEYS, STYLES, VOICES

ENSEMBLE = ("sitar", "bansuri", "tabla")
"""The ensemble that is offered as one choice; any two to four can be chosen one by one."""

DURATIONS_S = (30, 60, 90, 120, 180)
TEMPI_BPM = {"vilambit": 45, "madhya": 100, "drut": 220}

MAKE, OFF = "make", "off"
"""What ends a guide: the piece is asked for, or nothing is."""

_STEPS = ("sound", "mood", "theme", "length", "tempo", "key", "done")
_THEME_CODES = {theme: f"t{number}" for number, theme in enumerate(THEMES)}
_MOOD_CODES = {mood: f"m{number}" for number, mood in enumerate(MOODS)}
_INSTRUMENT_CODES = {name: f"i{number}" for number, name in enumerate(INSTRUMENTS)}
_VOICE_CODES = {name: f"v{number}" for number, name in enumerate(VOICES)}
_STYLE_CODES = {name: f"s{number}" for number, name in enumerate(STYLES)}


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen so far; None or empty: left to the bot."""

    instruments: tuple[str, ...] = ()
    voice: str | None = None
    style: str | None = None
    raga: str = ""
    mood: str | None = None
    theme: str | None = None
    duration_s: int | None = None
    tempo_bpm: int | None = None
    key: str | None = None

    def code(self) -> str:
        """All choices in a few letters; ``-`` when nothing is chosen yet."""
        words = [
            *(_INSTRUMENT_CODES[name] for name in self.instruments),
            *([_VOICE_CODES[self.voice]] if self.voice else []),
            *([_STYLE_CODES[self.style]] if self.style else []),
            *([_MOOD_CODES[self.mood]] if self.mood else []),
            *([_THEME_CODES[self.theme]] if self.theme else []),
            *([f"d{self.duration_s}"] if self.duration_s else []),
            *([f"b{self.tempo_bpm}"] if self.tempo_bpm else []),
            *([f"k{self.key}"] if self.key else []),
        ]
        return ".".join(words) or "-"

    def wish(self) -> str:
        """The line of `/generate` that asks for this."""
        words = [
            self.raga or "surprise",
            *self.instruments,
            self.voice or "",
            self.style or "",
            f"{self.duration_s}s" if self.duration_s else "",
            f"{self.tempo_bpm}bpm" if self.tempo_bpm else "",
            f"in {self.key}" if self.key else "",
            self.mood or "",
            self.theme or "",
        ]
        return " ".join(word for word in words if word)


def read_code(text: str) -> Choices:
    """The choices of a code. Raises InvalidInputError for one that no guide wrote."""
    chosen = Choices()
    for word in text.split(".") if text != "-" else ():
        kind, value = word[:1], word[1:]
        if (
            kind == "i"
            and (name := _named(_INSTRUMENT_CODES, word))
            and len(chosen.instruments) < INSTRUMENTS_MAX
        ):
            chosen = replace(chosen, instruments=(*chosen.instruments, name))
        elif kind == "v" and (name := _named(_VOICE_CODES, word)):
            chosen = replace(chosen, voice=name)
        elif kind == "s" and (name := _named(_STYLE_CODES, word)):
            chosen = replace(chosen, style=name)
        elif kind == "m" and (name := _named(_MOOD_CODES, word)):
            chosen = replace(chosen, mood=name)
        elif kind == "t" and (name := _named(_THEME_CODES, word)):
            chosen = replace(chosen, theme=name)
        elif kind == "d" and value in map(str, DURATIONS_S):
            chosen = replace(chosen, duration_s=int(value))
        elif kind == "b" and value in map(str, TEMPI_BPM.values()):
            chosen = replace(chosen, tempo_bpm=int(value))
        elif kind == "k" and value in KEYS:
            chosen = replace(chosen, key=value)
        else:
            raise InvalidInputError("I could not read that choice. /generate begins anew.")
    return chosen


def _named(codes: dict[str, str], word: str) -> str | None:
    return next((name for name, code in codes.items() if code == word), None)


def step_of(request: Request) -> tuple[str, Choices]:
    """What a guide's button asks for: ``/guide STEP CHOICES [RAGA]``. Raises InvalidInputError."""
    words = take_apart(request, ()).words
    step, code, *raga = (*words, *("", "-")[len(words) :])
    if step not in (*_STEPS, MAKE, OFF):
        raise InvalidInputError("I do not know that step. /generate begins anew.")
    return step, replace(read_code(code), raga=" ".join(raga))


def turn(catalogue: Catalogue, step: str, chosen: Choices) -> Reply:
    """The guide's message after a press."""
    if step == OFF:
        return Reply(text="Another time, then. /generate is here whenever you like.", replaces=True)
    return replace(question(catalogue, step, chosen), replaces=True)


def begin(catalogue: Catalogue) -> Reply:
    """The first question."""
    return question(catalogue, _STEPS[0], Choices())


def question(catalogue: Catalogue, step: str, chosen: Choices) -> Reply:
    """The message of a step: what is chosen so far, the choices, and the ways on, back and out."""
    menus = _MENUS[step](catalogue, chosen) if step in _MENUS else ()
    at = _STEPS.index(step)
    back = _line(_STEPS[at - 1], chosen) if at else ""
    ways = (
        *(button("Back", back) if back else ()),
        *(button("Skip", _line(_STEPS[at + 1], chosen)) if step != "done" else ()),
        Button("Cancel", f"/guide {OFF}"),
    )
    rows: ButtonRows = (button("Make it now", _line("make", chosen)), ways)
    return Reply(
        card=Card(
            title=_TITLES[step],
            description=_TEXTS[step],
            fields=tuple(_summary(chosen)),
        ),
        menus=tuple(menus),
        buttons=tuple(row for row in rows if row),
    )


def _line(step: str, chosen: Choices) -> str:
    return " ".join(filter(None, ("/guide", step, chosen.code(), chosen.raga)))


def _menu(title: str, step: str, choices: list[tuple[str, Choices]]) -> tuple[Menu, ...]:
    buttons = tuple(one for label, chosen in choices for one in button(label, _line(step, chosen)))
    return (Menu(title, buttons),) if buttons else ()


def _sounds(catalogue: Catalogue, chosen: Choices) -> tuple[Menu, ...]:
    del catalogue
    solo = [
        (label, replace(chosen, instruments=(*chosen.instruments, name), voice=None, style=None))
        for name, label in INSTRUMENTS.items()
        if name not in chosen.instruments
    ]
    together = [
        ("An ensemble: sitar, bansuri, tabla", replace(chosen, instruments=ENSEMBLE, voice=None, style=None))
    ]
    voices = [(label, replace(chosen, voice=name, instruments=())) for name, label in VOICES.items()]
    if chosen.instruments:
        # One is chosen: another joins it, or the guide goes on.
        joining = solo if len(chosen.instruments) < INSTRUMENTS_MAX else []
        return (
            *_menu("Let another join", "sound", joining),
            *_menu("Go on", "mood", [("That is all", chosen)]),
        )
    return (
        *_menu("An instrument", "sound", [*solo, *together]),
        *_menu("A voice", "mood", voices),
    )


def _moods(catalogue: Catalogue, chosen: Choices) -> tuple[Menu, ...]:
    moods = [
        (f"{mood.capitalize()}: {', '.join(raga.name for raga in ragas_for_mood(catalogue, mood)[:3])}", mood)
        for mood in MOODS
    ]
    menu = _menu("The mood", "theme", [(label, replace(chosen, mood=mood, raga="")) for label, mood in moods])
    ragas = ragas_for_mood(catalogue, chosen.mood)[:10] if chosen.mood else []
    styles = [(label, replace(chosen, style=name)) for name, label in STYLES.items()] if chosen.voice else []
    return (
        *menu,
        *_menu("The manner of song", "mood", [one for one in styles if one[1] != chosen]),
        *_menu("A raga for it", "theme", [(raga.name, replace(chosen, raga=raga.name)) for raga in ragas]),
    )


def _themes(catalogue: Catalogue, chosen: Choices) -> tuple[Menu, ...]:
    themes = _menu(
        "The theme", "length", [(name.capitalize(), replace(chosen, theme=name)) for name in THEMES]
    )
    ragas = ragas_for_mood(catalogue, chosen.mood)[:10] if chosen.mood else []
    own = _menu(
        "A raga of this mood", "theme", [(raga.name, replace(chosen, raga=raga.name)) for raga in ragas]
    )
    return (*themes, *own)


def _lengths(catalogue: Catalogue, chosen: Choices) -> tuple[Menu, ...]:
    del catalogue
    lengths = [(f"{seconds} seconds", replace(chosen, duration_s=seconds)) for seconds in DURATIONS_S]
    return _menu("The length", "tempo", lengths)


def _tempi(catalogue: Catalogue, chosen: Choices) -> tuple[Menu, ...]:
    del catalogue
    tempi = [
        (f"{name.capitalize()}, {bpm} matras a minute", replace(chosen, tempo_bpm=bpm))
        for name, bpm in TEMPI_BPM.items()
    ]
    return _menu("The tempo", "key", tempi)


def _keys(catalogue: Catalogue, chosen: Choices) -> tuple[Menu, ...]:
    del catalogue
    return _menu("The note of Sa", "done", [(key, replace(chosen, key=key)) for key in KEYS])


_MENUS: dict[str, Callable[[Catalogue, Choices], tuple[Menu, ...]]] = {
    "sound": _sounds,
    "mood": _moods,
    "theme": _themes,
    "length": _lengths,
    "tempo": _tempi,
    "key": _keys,
}
_TITLES = {
    "sound": "Who shall play, or sing?",
    "mood": "What mood shall it have?",
    "theme": "What is it for?",
    "length": "How long shall it be?",
    "tempo": "How fast?",
    "key": "Where shall Sa stand?",
    "done": "Shall I begin?",
}
_TEXTS = {
    "sound": f"One instrument, two to {INSTRUMENTS_MAX} together, or a voice.",
    "mood": "Each mood has ragas that suit it; a voice has its manners of song.",
    "theme": "The theme shapes raga, tempo and form.",
    "length": "Five seconds to ten minutes by /generate; these are offered here.",
    "tempo": "Vilambit is slow, madhya goes at ease, drut is fast.",
    "key": "Skip it, and Sa stands where the player usually has it.",
    "done": "Everything that was skipped, I choose.",
}


def _summary(chosen: Choices) -> list[Field]:
    names = [INSTRUMENTS[name] for name in chosen.instruments]
    fields = (
        ("Players", listed(names).replace(" or ", " and ") if names else ""),
        ("Voice", VOICES[chosen.voice] if chosen.voice else ""),
        ("Manner", STYLES[chosen.style] if chosen.style else ""),
        ("Raga", chosen.raga),
        ("Mood", (chosen.mood or "").capitalize()),
        ("Theme", (chosen.theme or "").capitalize()),
        ("Length", f"{chosen.duration_s} seconds" if chosen.duration_s else ""),
        ("Tempo", f"{chosen.tempo_bpm} matras a minute" if chosen.tempo_bpm else ""),
        ("Sa", chosen.key or ""),
    )
    return [Field(name, value) for name, value in fields if value]
