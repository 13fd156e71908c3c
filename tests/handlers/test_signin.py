"""Signing in to the chat page with a chat account that has proven itself elsewhere."""

from __future__ import annotations

import pytest

import handlers
from handlers.errors import TooManyError
from handlers.model import AccountId, Actor, LinkSecret, LinkStep, Person
from tests.handlers.record import NOW, Dialogue

VISITOR = Actor(AccountId("web:1"), "Guest")
ASHA = Actor(AccountId("discord:7"), "Asha")
SECRET = "tokentokentokentoken22"


async def test_the_proven_account_has_said_yes_and_the_visitor_is_asked(dialogue: Dialogue) -> None:
    people = dialogue.people
    people.steps[SECRET] = LinkStep("ok", Person("web", "Guest"), "k1", NOW.timestamp() * 1000.0)
    people.steps["k1"] = LinkStep("waiting", Person("web", "Guest"))
    reply = await handlers.sign_in(dialogue.house, VISITOR, ASHA)
    assert reply.ok
    assert "Welcome, Asha" in reply.text
    assert people.calls == [("redeem", SECRET), ("confirm", "k1")]
    # The secret is the visitor's, and only the proven account says yes: the visitor's own word is still to come.
    assert people.who == [VISITOR.account, ASHA.account, ASHA.account]


@pytest.mark.parametrize(
    ("step", "ok", "says"),
    [
        (LinkStep("own"), True, "signed in already: Asha on Discord"),
        (LinkStep("paused", until_ms=NOW.timestamp() * 1000.0 + 170_000), False, "Please wait 3 minutes"),
        (LinkStep("unknown"), False, "Please sign in again"),
    ],
)
async def test_where_nothing_is_linked_nobody_says_yes(
    dialogue: Dialogue, step: LinkStep, ok: bool, says: str
) -> None:
    dialogue.people.steps[SECRET] = step
    reply = await handlers.sign_in(dialogue.house, VISITOR, ASHA)
    assert reply.ok is ok
    assert says in reply.text
    assert dialogue.people.calls == [("redeem", SECRET)]


async def test_a_refusal_is_told_and_not_raised(dialogue: Dialogue, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(actor: Actor) -> LinkSecret:
        raise TooManyError("You have asked for many link codes within an hour.")

    monkeypatch.setattr(dialogue.people, "show_secret", refuse)
    reply = await handlers.sign_in(dialogue.house, VISITOR, ASHA)
    assert not reply.ok
    assert reply.text == "You have asked for many link codes within an hour."
    assert dialogue.people.calls == []
