"""Pieces to take away."""

from __future__ import annotations

import pytest

from handlers.downloads import KINDS
from handlers.model import Generation
from tests.handlers.conftest import Say
from tests.handlers.record import Dialogue


async def piece(say: Say, dialogue: Dialogue, *, done: bool = True) -> Generation:
    """One that somebody asked for."""
    await say("/generate Yaman 30s seed 7")
    made = next(iter(dialogue.backend.pieces.values()))[1]
    return dialogue.backend.finish(made.id) if done else made


async def test_every_form_is_offered_and_every_one_can_be_had(say: Say, dialogue: Dialogue) -> None:
    made = await piece(say, dialogue)
    reply = await say(f"/download {made.id}")
    assert reply.private
    assert reply.card is not None
    assert [one.label for menu in reply.menus for one in menu.choices] == [
        label for label, _ in KINDS.values()
    ]
    for menu in reply.menus:
        for choice in menu.choices:
            file = (await say(choice.line)).download
            assert file is not None
            assert choice.line == f"/download {made.id} {file.kind}"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("MIDI", "midi"),
        ("mid", "midi"),
        ("format:wave", "wav"),
        ("ogg", "opus"),
        ("voice", "opus"),
        ("format:Stems", "stems"),
        ("zip", "stems"),
        ("png", "picture"),
        (".flac", "flac"),
        ("MP3", "mp3"),
    ],
)
async def test_a_form_by_its_other_names(say: Say, dialogue: Dialogue, line: str, kind: str) -> None:
    made = await piece(say, dialogue)
    file = (await say(f"/download {made.id} {line}")).download
    assert file is not None
    assert file.kind == kind
    named = await say(f"/download piece:{made.id} format:{line.removeprefix('format:')}")
    assert named.download == file


async def test_what_cannot_be_had(say: Say, dialogue: Dialogue) -> None:
    made = await piece(say, dialogue, done=False)
    early = await say(f"/download {made.id} wav")
    assert not early.ok
    assert early.text.startswith("This piece is not there yet.")
    dialogue.backend.finish(made.id)
    odd = await say(f"/download {made.id} cassette")
    assert not odd.ok
    assert odd.text == (
        "A piece can be had as MP3, Opus, WAV, FLAC, MIDI, Stems or Picture. “cassette” is none of these."
    )
    foreign = await say(f"/download {made.id} wav", who="web:ravi", chat="elsewhere")
    assert not foreign.ok
    assert foreign.download is None
    assert not (await say("/download")).ok
