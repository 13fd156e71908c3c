"""The table, the error boundary, help, plain words, and completion."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import handlers
from handlers.command import Command
from handlers.errors import UnavailableError
from tests.handlers.conftest import Say
from tests.handlers.record import Dialogue

LISTED = (
    *("raga", "search", "hear", "generate", "favorites", "history", "correct", "cancel"),
    *("playlists", "join", "open", "me", "link", "unlink", "privacy", "export", "delete", "help"),
)
MANAGING = ("settings", "block", "unblock", "audit")


def test_the_table_fits_every_platform() -> None:
    names = [command.name for command in handlers.COMMANDS]
    assert len(set(names)) == len(names)
    assert tuple(command.name for command in handlers.COMMANDS if command.listed) == LISTED + MANAGING
    for command in handlers.COMMANDS:
        assert command.name.isascii()
        assert command.name.islower()
        assert 1 <= len(command.description) <= 100
        assert len(command.options) <= 25
        for option in command.options:
            assert option.name.isascii()
            assert option.name.islower()
            assert 1 <= len(option.description) <= 100


async def test_help_is_made_from_the_table(say: Say) -> None:
    reply = await say("/help")
    assert reply.card is not None
    assert [field.name.split()[0] for field in reply.card.fields] == [f"/{name}" for name in LISTED]
    one = await say("/help generate")
    assert one.card is not None
    assert one.card.title == "/generate"
    assert "mood" in [field.name for field in one.card.fields]
    assert (await say("/help nonsense")).card == reply.card
    among_others = (await say("/help", private=False, group="g1")).card
    assert among_others is not None
    assert [field.name.split()[0] for field in among_others.fields] == [
        f"/{name}" for name in LISTED + MANAGING
    ]
    assert among_others.fields[-1].value.endswith("(for those who look after it)")


async def test_what_is_announced_is_told_where_it_matters(say: Say, dialogue: Dialogue) -> None:
    before = await say("/help")
    dialogue.announcements.words = "Back at noon."
    assert (await say("/help")).text == "Back at noon."
    assert (await say("/help")).card == before.card
    assert (await say("/generate")).text.endswith("Back at noon.")
    begun = await say("/generate Yaman 30s")
    assert begun.text.startswith("Raga Yaman")
    assert begun.text.endswith("\n\nBack at noon.")
    piece = list(dialogue.backend.pieces)[-1]
    for line in ("/raga Yaman", "/history", "/generate duration:1h", f"/cancel {piece}"):
        assert "noon" not in (await say(line)).text, line
    dialogue.announcements.words = None
    assert (await say("/help")).text == ""


async def test_an_unknown_command(say: Say) -> None:
    assert (await say("/genrate Yaman")).text == "I know no command /genrate. Did you mean /generate?"
    assert (await say("/qqq")).text == "I know no command /qqq. /help shows what I can do."


async def test_plain_words(say: Say) -> None:
    card = (await say("Yaman")).card
    assert card is not None
    assert card.title == "Yaman"
    assert "I answer to commands" in (await say("hello there, how are you?")).text


async def test_an_unexpected_error_leaks_nothing(
    say: Say, dialogue: Dialogue, caplog: pytest.LogCaptureFixture
) -> None:
    dialogue.backend.broken = KeyError("secret detail")
    with caplog.at_level(logging.ERROR):
        reply = await say("/history")
    assert not reply.ok
    assert reply.private
    assert "secret" not in reply.text
    reference = reply.text.split("noted it as ")[1].split(".")[0]
    assert reference in caplog.text
    assert "secret detail" in caplog.text


async def test_an_expected_error_is_its_sentence(say: Say, dialogue: Dialogue) -> None:
    dialogue.backend.broken = UnavailableError()
    reply = await say("/history")
    assert reply.text == "My memory is out of reach right now. Nothing is lost; please try again in a minute."


async def test_no_answer_takes_for_ever(
    say: Say, dialogue: Dialogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialogue.backend.held = asyncio.Event()
    monkeypatch.setattr(handlers.dispatch, "DEADLINE_S", 0.01)
    reply = await say("/history")
    assert "out of reach" in reply.text


def values(dialogue: Dialogue, line: str) -> list[str]:
    return [suggestion.value for suggestion in handlers.complete(dialogue.house, line)]


def test_completion(dialogue: Dialogue) -> None:
    assert values(dialogue, "/") == [f"/{name}" for name in LISTED]
    assert values(dialogue, "/g") == ["/generate"]
    assert values(dialogue, "/raga ya")[0] == "Yaman"
    assert values(dialogue, "/raga yaman k")[0] == "Yaman Kalyan"
    assert "Bhairavi Carnatic" in values(dialogue, "/raga bhairavi")
    assert len(values(dialogue, "/raga ")) == 25
    assert len(set(values(dialogue, "/raga b"))) == 25
    assert values(dialogue, "/generate Yaman si")[0] == "sitar"
    assert "mood:" in values(dialogue, "/generate Yaman ")
    assert "mood:" not in values(dialogue, "/generate mood:peaceful ")
    assert values(dialogue, "/generate Yaman mood:me")[0] == "melancholic"
    assert values(dialogue, "/generate theme:evening d") == ["evening devotion"]
    assert values(dialogue, "/generate raga:malk")[0] == "Malkauns"
    assert values(dialogue, "/nonsense x") == []
    assert values(dialogue, "Yaman") == []


@given(st.text(max_size=60))
def test_completion_takes_anything(text: str) -> None:
    house = Dialogue().house
    for line in (text, f"/{text}", f"/generate {text}", f"/raga {text}", f"/search mood:{text}"):
        found = handlers.complete(house, line)
        assert len(found) <= 25
        assert all(len(one.value) <= 100 and one.label for one in found)


@given(
    st.sampled_from([command.name for command in handlers.COMMANDS]),
    st.text(max_size=80),
    st.dictionaries(
        st.sampled_from(("raga", "name", "duration", "seed", "page", "mood", "piece", "text")),
        st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.booleans()),
        max_size=3,
    ),
)
async def test_no_input_breaks_a_command(
    command: str, text: str, options: dict[str, str | float | bool]
) -> None:
    dialogue = Dialogue()
    reply = await handlers.respond(
        dialogue.house, replace(dialogue.request(f"/{command} {text}"), options=options)
    )
    assert "noted it as" not in reply.text


def test_a_command_says_how_its_options_are_called() -> None:
    generate: Command = next(command for command in handlers.COMMANDS if command.name == "generate")
    assert generate.option_names[:3] == ("raga", "mood", "theme")
