"""Ragas to be heard."""

from __future__ import annotations

from tests.handlers.conftest import Say
from tests.handlers.record import Dialogue


async def test_a_scale_is_played(say: Say) -> None:
    reply = await say("/hear Yaman")
    assert reply.track is not None
    assert reply.track.title == "Raga Yaman"
    assert reply.text == "Yaman: Ṇ R G M♯ D N Ṡ | Ṡ N D P M♯ G R S"
    assert [one.line for row in reply.buttons for one in row] == [
        "/generate Yaman",
        "/raga Yaman",
        "/favorite raga:h:Yaman",
    ]
    assert reply.favorite is not None
    assert reply.favorite.target.raga == "Yaman"


async def test_in_the_key_that_is_asked_for(say: Say) -> None:
    for line in ("/hear Darbari Kanada key:d", "/hear name:Darbari Kanada key:D"):
        reply = await say(line)
        assert reply.track is not None
        assert reply.track.audio == "scale-Darbari Kanada-D"


async def test_in_the_key_that_somebody_likes_unless_they_say_otherwise(say: Say, dialogue: Dialogue) -> None:
    dialogue.people.likes = {"tonic": "G"}
    for line, key in (("/hear Yaman", "G"), ("/hear Yaman key:D", "D")):
        reply = await say(line)
        assert reply.track is not None
        assert reply.track.audio == f"scale-Yaman-{key}"


async def test_what_cannot_be_heard(say: Say) -> None:
    assert "Which raga" in (await say("/hear")).text
    assert "no raga named" in (await say("/hear asdfgh")).text
    assert not (await say("/hear Yaman key:H")).ok


async def test_the_card_has_it(say: Say) -> None:
    lines = [one.line for row in (await say("/raga Bhairavi tradition:Carnatic")).buttons for one in row]
    assert "/hear Bhairavi Carnatic" in lines
