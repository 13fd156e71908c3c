"""Errors in the catalogue, reported step by step or at once."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import Say
from tests.handlers.record import Dialogue


async def test_from_the_card_to_a_report(say: Say, dialogue: Dialogue) -> None:
    card = await say("/raga Yaman")
    assert "/correct Yaman" in [one.line for row in card.buttons for one in row]
    fields = await say("/correct Yaman")
    assert fields.private
    assert "/correct Yaman vadi" in [one.line for one in fields.menus[0].choices]
    assert len(fields.menus[0].choices) <= 25
    how = await say("/correct Yaman vadi")
    assert "Yaman, vadi: G." in how.text
    done = await say("/correct name:Yaman field:vadi text:N, as my teacher has it", event="e1")
    assert done.ok
    assert done.private
    await say("/correct name:Yaman field:vadi text:N, as my teacher has it", event="e1")
    [(who, report)] = dialogue.corrections.filed.values()
    assert (who, report.raga, report.tradition, report.field) == ("web:asha", "Yaman", "Hindustani", "vadi")
    assert report.text == "N, as my teacher has it"


@pytest.mark.parametrize(
    ("line", "raga", "field", "text"),
    [
        ("/correct yaman samvadi: it is D", "Yaman", "samvadi", "it is D"),
        ("/correct Bhairavi Carnatic time early morning", "Bhairavi", "prahar", "early morning"),
        ("/correct Darbari Kanada avroh S' d n P", "Darbari Kanada", "avarohana", "S' d n P"),
    ],
)
async def test_in_plain_words(
    say: Say, dialogue: Dialogue, line: str, raga: str, field: str, text: str
) -> None:
    assert (await say(line)).ok
    [(_, report)] = dialogue.corrections.filed.values()
    assert (report.raga, report.field, report.text) == (raga, field, text)


async def test_what_cannot_be_reported(say: Say, dialogue: Dialogue) -> None:
    assert "no raga named" in (await say("/correct asdfgh vadi G")).text
    assert "nothing that an entry has" in (await say("/correct name:Yaman field:color text:red")).text
    assert "at most 500" in (await say(f"/correct Yaman vadi {'G ' * 300}")).text
    assert dialogue.corrections.filed == {}


async def test_what_became_of_it(say: Say) -> None:
    assert "reported nothing yet" in (await say("/correct")).text
    await say("/correct Yaman vadi N")
    reply = await say("/correct")
    assert reply.private
    assert reply.entries[0].title == "Yaman: vadi"
    assert reply.entries[0].detail.startswith("not looked at yet · N")
    assert (await say("/correct", who="web:ravi")).entries == ()


async def test_every_field_says_what_stands_there(say: Say) -> None:
    fields = await say("/correct Mayamalavagowla")
    for one in fields.menus[0].choices:
        reply = await say(one.line)
        assert reply.ok
        assert "Send it like this" in reply.text
