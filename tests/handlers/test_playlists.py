"""Playlists of several people, as dialogues."""

from __future__ import annotations

import pytest

from handlers.model import BUTTON_LINE_BYTES, Generation, Reply
from tests.handlers.conftest import Say
from tests.handlers.record import Dialogue


def lines(reply: Reply) -> list[str]:
    return [one.line for row in (*reply.buttons, *(entry.buttons for entry in reply.entries)) for one in row]


async def piece(say: Say, dialogue: Dialogue) -> Generation:
    """A finished one of Asha's."""
    await say("/generate Yaman 30s seed 7")
    made = dialogue.backend.finish(list(dialogue.backend.pieces)[-1])
    dialogue.playlists.pieces[made.id] = made
    return made


async def monsoon(say: Say) -> str:
    """A playlist of Asha's; the line that opens it."""
    (opens,) = lines(await say("/playlists Monsoon"))
    return opens


async def test_a_playlist_from_its_name_to_its_end(say: Say, dialogue: Dialogue) -> None:
    assert "no playlist yet" in (await say("/playlists")).text
    made = await piece(say, dialogue)
    assert f"/addto {made.id}" in lines(await say(f"/play {made.id}"))
    assert "no playlist yet" in (await say(f"/addto {made.id}")).text
    opens = await monsoon(say)
    assert lines(await say("/playlists")) == [opens]
    assert "nothing in it yet" in (await say(opens)).text
    (adds,) = lines(await say(f"/addto {made.id}"))
    assert len(adds.encode()) <= BUTTON_LINE_BYTES
    assert "in “Monsoon” now" in (await say(adds)).notice
    shown = await say(opens)
    assert shown.entries[0].title == "Raga Yaman"
    assert "added by Asha on the chat page" in shown.entries[0].detail
    plays, drops = (one.line for one in shown.entries[0].buttons)
    assert plays == f"/play {made.id}"
    assert "out of “Monsoon”" in (await say(drops)).notice
    sure = await say(f"{opens} remove")
    assert lines(sure) == [f"{opens} remove yes", opens]
    assert "is gone" in (await say(f"{opens} remove yes")).text
    assert "no playlist yet" in (await say("/playlists")).text


async def test_others_join_by_a_link_in_the_role_that_it_gives(say: Say, dialogue: Dialogue) -> None:
    opens = await monsoon(say)
    invited = await say(f"{opens} invite listener")
    (token,) = dialogue.playlists.tokens
    assert f"/join {token}" in invited.text
    assert f"start=join_{token}" in invited.text
    joined = await say(f"/join {token}", who="web:ravi")
    assert joined.text == "You belong to “Monsoon” now: to listen to, by Asha on the chat page."
    assert lines(await say(opens, who="web:ravi")) == [f"{opens} members", f"{opens} leave"]
    members = await say(f"{opens} members")
    turned, expelled = (one.line for one in members.entries[1].buttons)
    assert all(len(line.encode()) <= BUTTON_LINE_BYTES for line in (turned, expelled))
    assert "editor" in (await say(turned)).entries[1].detail
    assert lines(await say(f"{opens} members", who="web:ravi")) == [opens]
    assert len((await say(expelled)).entries) == 1
    assert not (await say(opens, who="web:ravi")).ok
    await say(f"/join {token}", who="web:ravi")
    assert "belong to “Monsoon” no more" in (await say(f"{opens} leave", who="web:ravi")).text


@pytest.mark.parametrize("token", ["", "x", "x" * 22, "x" * 23, "<b>", "à" * 22])
async def test_what_leads_to_no_playlist(say: Say, token: str) -> None:
    reply = await say(f"/join {token}")
    assert not reply.ok
    assert reply.text.startswith("That leads to no playlist.")


async def test_what_is_somebody_elses_or_nothing(say: Say, dialogue: Dialogue) -> None:
    opens = await monsoon(say)
    made = await piece(say, dialogue)
    short = opens[-10:]
    for line in (
        opens,
        f"{opens} remove yes",
        f"{opens} invite editor",
        f"/addto {made.id} {short}",
        f"/drop {short} e1",
        f"/role {short} m1 editor",
        f"/expel {short} m1",
    ):
        assert not (await say(line, who="web:mallory")).ok, line
    for line in (
        f"{opens} dance",
        f"{opens} invite owner",
        f"/role {short} m1 king",
        f"/drop {short} ../x",
        "/playlist x",
        "/playlist",
    ):
        assert not (await say(line)).ok, line
    for name in ("x" * 101, "a\x00b"):
        assert not (await say(f"/playlists name:{name}")).ok


async def test_pages_turn(say: Say, dialogue: Dialogue) -> None:
    opens = await monsoon(say)
    for _ in range(7):
        made = await piece(say, dialogue)
        await say(f"/addto {made.id} {opens[-10:]}")
    first = await say(opens)
    assert len(first.entries) == 5
    assert f"{opens} page:2" in lines(first)
    second = await say(f"{opens} page:2")
    assert len(second.entries) == 2
    assert second.replaces
    assert f"{opens} page:1" in lines(second)
