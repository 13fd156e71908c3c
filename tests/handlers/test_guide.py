"""The guided /generate: every step, every way out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import InvalidInputError
from handlers.guide import DURATIONS_S, TEMPI_BPM, Choices, question, read_code
from handlers.model import BUTTON_LINE_BYTES, Reply
from music.choosing import MOODS, THEMES
from music.request import INSTRUMENTS, KEYS, VOICES
from tests.handlers.conftest import Say
from tests.handlers.record import CATALOGUE, Dialogue


def press(reply: Reply, label: str) -> str:
    """The line of the choice or button whose label begins so."""
    found = [
        button.line
        for group in (*[menu.choices for menu in reply.menus], *reply.buttons)
        for button in group
        if button.label.startswith(label)
    ]
    assert len(found) >= 1, label
    return found[0]


async def test_a_guide_from_the_first_question_to_the_piece(say: Say, dialogue: Dialogue) -> None:
    reply = await say("/generate")
    assert reply.card is not None
    assert reply.card.title == "Who shall play, or sing?"
    for label in (
        "Sitar",
        "Bansuri",
        "That is all",
        "Peaceful",
        "Evening devotion",
        "30 seconds",
        "Drut",
        "D",
    ):
        reply = await say(press(reply, label))
        assert reply.replaces
    assert reply.card is not None
    assert reply.card.title == "Shall I begin?"
    assert {field.name: field.value for field in reply.card.fields} == {
        "Players": "Sitar and Bansuri",
        "Mood": "Peaceful",
        "Theme": "Evening devotion",
        "Length": "30 seconds",
        "Tempo": "220 matras a minute",
        "Sa": "D",
    }
    assert dialogue.backend.calls == []
    made = await say(press(reply, "Make it now"))
    assert made.progress is not None
    asked = next(iter(dialogue.backend.pieces.values()))[1].request
    assert (asked.instruments, asked.mood, asked.theme) == (
        ("sitar", "bansuri"),
        "peaceful",
        "evening devotion",
    )
    assert (asked.duration_s, asked.tempo_bpm, asked.key) == (30.0, 220.0, "D")


async def test_a_voice_has_manners_of_song_and_an_instrument_has_none(say: Say, dialogue: Dialogue) -> None:
    reply = await say(press(await say("/generate"), "Soprano"))
    assert [menu.title for menu in reply.menus] == ["The mood", "The manner of song"]
    reply = await say(press(reply, "Dhrupad"))
    assert reply.card is not None
    assert ("Manner", "Dhrupad") in [(field.name, field.value) for field in reply.card.fields]
    offered = [
        one.label for menu in reply.menus if menu.title == "The manner of song" for one in menu.choices
    ]
    assert offered == ["Khayal", "Thumri", "Bhajan"]  # another one may be chosen instead
    await say(press(reply, "Make it now"))
    asked = next(iter(dialogue.backend.pieces.values()))[1].request
    assert (asked.voice, asked.style, asked.music_type) == ("soprano", "dhrupad", "vocal")
    played = await say(press(await say(press(await say("/generate"), "Sitar")), "That is all"))
    assert "The manner of song" not in [menu.title for menu in played.menus]


async def test_a_voice_a_raga_and_back(say: Say, dialogue: Dialogue) -> None:
    reply = await say(press(await say("/generate"), "Alto"))
    reply = await say(press(reply, "Melancholic"))
    reply = await say(press(reply, "Darbari Kanada"))
    assert reply.card is not None
    assert ("Raga", "Darbari Kanada") in [(field.name, field.value) for field in reply.card.fields]
    back = await say(press(reply, "Back"))
    assert back.card is not None
    assert back.card.title == "What mood shall it have?"
    await say(press(reply, "Make it now"))
    asked = next(iter(dialogue.backend.pieces.values()))[1].request
    assert (asked.raga, asked.voice, asked.mood) == ("Darbari Kanada", "alto", "melancholic")


async def test_every_step_can_be_skipped(say: Say, dialogue: Dialogue) -> None:
    reply = await say("/generate")
    for _ in range(6):
        reply = await say(press(reply, "Skip"))
    await say(press(reply, "Make it now"))
    assert len(dialogue.backend.pieces) == 1


async def test_cancel_ends_it(say: Say, dialogue: Dialogue) -> None:
    reply = await say(press(await say("/generate"), "Cancel"))
    assert reply.replaces
    assert not reply.buttons
    assert dialogue.backend.calls == []


@pytest.mark.parametrize(
    "line", ["/guide", "/guide sound zzz", "/guide nonsense -", "/guide mood i99", "/guide key d7"]
)
async def test_lines_that_no_guide_wrote(say: Say, line: str) -> None:
    reply = await say(line)
    assert not reply.ok
    assert "/generate begins anew" in reply.text


CHOICES = st.builds(
    Choices,
    instruments=st.lists(st.sampled_from(sorted(INSTRUMENTS)), max_size=4, unique=True).map(tuple),
    voice=st.sampled_from([None, *VOICES]),
    mood=st.sampled_from([None, *MOODS]),
    theme=st.sampled_from([None, *THEMES]),
    duration_s=st.sampled_from([None, *DURATIONS_S]),
    tempo_bpm=st.sampled_from([None, *TEMPI_BPM.values()]),
    key=st.sampled_from([None, *KEYS]),
)


@given(CHOICES, st.sampled_from(("sound", "mood", "theme", "length", "tempo", "key", "done")))
def test_choices_survive_their_code_and_fit_a_button(chosen: Choices, step: str) -> None:
    assert read_code(chosen.code()) == chosen
    reply = question(CATALOGUE, step, chosen)
    assert len(reply.menus) <= 4
    for menu in reply.menus:
        assert 1 <= len(menu.choices) <= 25
        assert all(
            len(one.label) <= 100 and len(one.line.encode()) <= BUTTON_LINE_BYTES for one in menu.choices
        )
    assert [one.label for one in reply.buttons[0]] == ["Make it now"]


@given(st.text(max_size=40))
def test_any_other_code_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInputError, match="begins anew"):
        read_code(f"x{text}")
