"""Sharing, opening, renaming, and what was made after what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.model import AccountId, Actor, Ancestor, Generation, GenerationId, Person, Reply
from tests.handlers.conftest import Say
from tests.handlers.record import Dialogue


async def piece(say: Say, dialogue: Dialogue) -> Generation:
    """A finished one of Asha's."""
    await say("/generate Yaman 30s seed 7")
    made = dialogue.backend.finish(next(iter(dialogue.backend.pieces)))
    dialogue.sharing.pieces[made.id] = (Actor(AccountId("web:asha"), "Asha"), made)
    return made


def lines(reply: Reply) -> list[str]:
    return [one.line for row in (*reply.buttons, *(entry.buttons for entry in reply.entries)) for one in row]


async def test_what_is_shared_is_opened_by_whoever_has_the_token(say: Say, dialogue: Dialogue) -> None:
    made = await piece(say, dialogue)
    assert f"/share {made.id}" in lines(await say(f"/play {made.id}"))
    shared = await say(f"/share {made.id}")
    assert shared.private
    (token,) = dialogue.sharing.shared
    assert f"/open {token}" in shared.text
    assert f"https://t.me/ragas?start=open_{token}" in shared.text
    assert lines(shared) == [f"/unshare {made.id}"]
    opened = await say(f"/open {token}", who="web:ravi", chat="elsewhere")
    assert opened.track is not None
    assert opened.text.endswith("Shared by Asha on Discord")
    assert not any(line.startswith("/share") for line in lines(opened))  # it is not Ravi's to share
    assert "Shared by" not in (await say(f"/open {token}")).text
    await say(f"/unshare {made.id}")
    gone = await say(f"/open {token}", who="web:ravi", chat="elsewhere")
    assert not gone.ok
    assert gone.private
    assert gone.text.startswith("Nothing is shared under that.")


@pytest.mark.parametrize(
    "token",
    ["", "x", "x" * 65, "x" * 21, "x" * 23, "../../../etc/passwd0", "<script>alert(1)</script>", "à" * 22],
)
async def test_what_is_no_token(say: Say, token: str) -> None:
    reply = await say(f"/open {token}")
    assert not reply.ok
    assert reply.text.startswith("Nothing is shared under that.")


async def test_only_the_owner_shares_and_renames(say: Say, dialogue: Dialogue) -> None:
    made = await piece(say, dialogue)
    for command in ("share", "unshare", "rename"):
        reply = await say(f"/{command} {made.id} title:Mine", who="web:mallory", chat="elsewhere")
        assert not reply.ok
    assert dialogue.sharing.shared == {}
    assert dialogue.sharing.titles == {}


async def test_a_piece_gets_a_name(say: Say, dialogue: Dialogue) -> None:
    made = await piece(say, dialogue)
    assert f"/rename {made.id} title:" in (await say(f"/rename {made.id}")).text
    await say(f"/rename {made.id} title:Rain over the ghats")
    assert dialogue.sharing.titles == {made.id: "Rain over the ghats"}
    await say(f"/rename {made.id} Evening walk")
    assert dialogue.sharing.titles == {made.id: "Evening walk"}
    for title in ("x" * 101, "a\x00b"):
        assert not (await say(f"/rename {made.id} title:{title}")).ok
    owner, known, delivery = dialogue.backend.pieces[made.id]
    dialogue.backend.pieces[made.id] = (owner, replace(known, title="Evening walk"), delivery)
    track = (await say(f"/play {made.id}")).track
    assert track is not None
    assert track.title == "Evening walk"
    assert (await say("/history")).entries[0].title == "Evening walk"


async def test_what_it_was_made_after(say: Say, dialogue: Dialogue) -> None:
    made = await piece(say, dialogue)
    assert "after no other piece" in (await say(f"/chain {made.id}")).text
    first = GenerationId("k1")
    dialogue.sharing.ancestors = (
        Ancestor("Yaman", None, True, made.id),
        Ancestor("Yaman II", Person("telegram", "Ravi"), False, None),
        Ancestor("Yaman III", None, False, first),
    )
    reply = await say(f"/chain {made.id}")
    assert [(one.title, one.detail) for one in reply.entries] == [
        ("Yaman", "yours"),
        ("Yaman II", "by Ravi on Telegram"),
        ("Yaman III", ""),
    ]
    assert lines(reply) == [f"/play {made.id}", "/play k1"]
