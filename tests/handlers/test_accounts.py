"""Linking, preferences, privacy and deletion, as dialogues."""

from __future__ import annotations

import pytest

from handlers.model import AccountId, Allowance, LinkedAccount, LinkStep, Notice, Person, Profile, Reply
from handlers.notices import reply as notice_reply
from tests.handlers.conftest import Say
from tests.handlers.record import NOW, Dialogue

NOW_MS = NOW.timestamp() * 1000.0
ASHA = Person("discord", "Asha")
HERE = LinkedAccount("a1", AccountId("web:asha"), "web", "Asha", True)
THERE = LinkedAccount("a2", AccountId("telegram:2"), "telegram", "Ravi", False)


def profile(*accounts: LinkedAccount, undo: tuple[str, float] | None = None) -> Profile:
    """Somebody with these accounts."""
    allowances = (Allowance(17, 20, 3600.0), Allowance(3000, 3600, 86_400.0))
    return Profile(accounts or (HERE,), {}, *allowances, 1, NOW_MS, None, undo)


def lines(reply: Reply) -> list[str]:
    """What the buttons and entries of a reply send."""
    return [one.line for row in (*reply.buttons, *(entry.buttons for entry in reply.entries)) for one in row]


async def test_a_code_is_shown_with_the_way_to_use_it(say: Say) -> None:
    reply = await say("/link")
    assert reply.private
    assert "/link 7K3QD-M9X2B" in reply.text
    assert "https://t.me/ragas?start=link_tokentokentokentoken22" in reply.text
    assert reply.qr == "https://t.me/ragas?start=link_tokentokentokentoken22"


async def test_in_a_group_no_code_is_shown_and_none_is_taken(say: Say, dialogue: Dialogue) -> None:
    for line in ("/link", "/link 7K3QD-M9X2B", "/link yes k1"):
        reply = await say(line, chat="group", private=False)
        assert not reply.ok
        assert reply.private
        assert "our private chat" in reply.text
        assert "7K3QD" not in reply.text
    assert dialogue.people.calls == []


async def test_both_sides_say_yes(say: Say, dialogue: Dialogue) -> None:
    steps = dialogue.people.steps
    steps["7k3qd m9x2b"] = steps["7K3QD-M9X2B"] = LinkStep("ok", ASHA, "k1", NOW_MS + 600_000)
    reply = await say("/link 7K3QD-M9X2B")
    assert reply.text.startswith("Is Asha on Discord you?")
    assert lines(reply) == ["/link yes k1", "/link no k1"]
    assert (await say("/link code:7K3QD-M9X2B")).text == reply.text
    steps["k1"] = LinkStep("waiting", ASHA)
    assert "I wait for the word of Asha on Discord" in (await say("/link yes k1")).text
    steps["k1"] = LinkStep("linked", ASHA, "m1", NOW_MS)
    done = await say("/link yes k1")
    assert "one person here now" in done.text
    assert lines(done) == ["/link undo m1"]
    await say("/link undo m1")
    await say("/link no k1")
    assert dialogue.people.calls[-2:] == [("undo", "m1"), ("decline", "k1")]


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (LinkStep("unknown"), "I know no such code"),
        (LinkStep("own"), "the same person here already"),
        (LinkStep("paused", until_ms=NOW_MS + 170_000), "Please wait 3 minutes"),
    ],
)
async def test_a_code_that_leads_nowhere(say: Say, dialogue: Dialogue, step: LinkStep, says: str) -> None:
    dialogue.people.steps["X"] = step
    reply = await say("/link X")
    assert not reply.ok
    assert reply.private
    assert says in reply.text


async def test_what_is_no_code_at_all(say: Say, dialogue: Dialogue) -> None:
    for line in ("/link " + "x" * 500, "/link yes", "/link yes ../x", "/link undo <b>"):
        assert not (await say(line)).ok
    assert not any(call[0] in ("confirm", "undo") for call in dialogue.people.calls)
    assert (await say("/link yes k9")).text.startswith("This link is over.")


async def test_unlinking_is_asked_first(say: Say, dialogue: Dialogue) -> None:
    assert "only account" in (await say("/unlink")).text
    dialogue.people.profile = profile(HERE)
    assert "only account" in (await say("/unlink")).text
    dialogue.people.profile = profile(HERE, THERE)
    listed = await say("/unlink")
    assert [entry.title for entry in listed.entries] == [
        "Asha on the chat page (this one)",
        "Ravi on Telegram",
    ]
    sure = await say(lines(listed)[1])
    assert lines(sure) == ["/unlink a2 yes", "/me"]
    assert dialogue.people.calls == []
    assert "by itself now" in (await say("/unlink a2 yes")).text
    assert dialogue.people.calls == [("unlink", "a2")]
    assert not (await say("/unlink", chat="group", private=False)).ok
    assert (await say("/unlink a9 yes")).entries == listed.entries  # somebody else's is nobody's


async def test_me_shows_what_is_known_and_what_is_left(say: Say, dialogue: Dialogue) -> None:
    assert "nothing of you yet" in (await say("/me")).text
    dialogue.people.profile = profile(HERE, THERE, undo=("m1", NOW_MS))
    dialogue.people.likes = {"tonic": "D", "duration": 90.0, "notifications": False}
    reply = await say("/me")
    assert reply.card is not None
    assert {field.name: field.value for field in reply.card.fields} == {
        "Accounts": "Asha on the chat page (this one)\nRavi on Telegram",
        "Sa": "D",
        "Length": "90 seconds",
        "A sound when a piece is ready": "off",
        "Pieces left": "17 of 20 an hour",
        "Music left": "50 of 60 minutes a day",
        "Being made": "1",
    }
    assert lines(reply) == ["/link", "/unlink", "/link undo m1", "/privacy"]
    assert "/me tonic:none" in [one.line for menu in reply.menus for one in menu.choices]


async def test_preferences_are_set_by_name_and_taken_away(say: Say, dialogue: Dialogue) -> None:
    dialogue.people.profile = profile()
    await say(
        "/me tonic:c sharp duration:2min tradition:south instrument:vina place:madras notifications:off language:tamil"
    )
    assert dialogue.people.likes == {
        "tonic": "C#",
        "duration": 120.0,
        "tradition": "Carnatic",
        "instrument": "veena",
        "place": "Chennai",
        "notifications": False,
        "language": "ta",
    }
    await say("/me tonic:none")
    assert "tonic" not in dialogue.people.likes
    for line in (
        "/me tonic:H",
        "/me duration:1s",
        "/me place:Nowhere",
        "/me fast",
        "/me notifications:maybe",
        "/me language:?",
        "/me language:fr",
    ):
        assert not (await say(line)).ok


async def test_a_piece_is_as_its_person_likes_it_unless_they_say_otherwise(
    say: Say, dialogue: Dialogue
) -> None:
    dialogue.people.likes = {"tonic": "D", "duration": 45.0, "instrument": "sarod", "tradition": "Carnatic"}
    await say("/generate Yaman")
    asked = list(dialogue.backend.pieces.values())[-1][1].request
    assert (asked.key, asked.duration_s, asked.instruments, asked.tradition) == (
        "D",
        45.0,
        ("sarod",),
        "Hindustani",
    )
    await say("/generate Yaman alto 30s in C")
    asked = list(dialogue.backend.pieces.values())[-1][1].request
    assert (asked.key, asked.duration_s, asked.voice, asked.instruments) == ("C", 30.0, "alto", ())
    await say("/generate surprise")
    assert list(dialogue.backend.pieces.values())[-1][1].request.tradition == "Carnatic"


async def test_a_group_has_an_allowance_of_its_own(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Yaman", group="group", private=False)
    await say("/generate Yaman")
    assert dialogue.backend.groups == ["group", None]


async def test_deletion_is_asked_twice(say: Say, dialogue: Dialogue) -> None:
    assert "nothing to delete" in (await say("/delete")).text
    dialogue.people.profile = profile(HERE, THERE)
    first = await say("/delete")
    assert "all 2 of your accounts" in first.text
    assert lines(first) == ["/delete sure", "/me"]
    second = await say("/delete sure")
    assert lines(second) == ["/delete sure everything", "/me"]
    assert dialogue.people.calls == []
    assert "being deleted now" in (await say("/delete sure everything")).text
    assert dialogue.people.calls == [("delete", "web:asha")]


async def test_a_copy_is_for_its_person_alone(say: Say) -> None:
    reply = await say("/export")
    assert reply.private
    assert reply.download is not None
    assert reply.download.filename == "raga-bot.zip"
    assert "nothing to export" in (await say("/export", who="web:nobody")).text


async def test_privacy_says_what_is_kept_and_how_long(say: Say) -> None:
    reply = await say("/privacy")
    assert reply.private
    assert reply.card is not None
    assert "90 days" in " ".join(field.value for field in reply.card.fields)
    assert "/delete" in lines(reply)


@pytest.mark.parametrize(
    ("kind", "details", "says", "buttons"),
    [
        ("link_asked", {"linkId": "k1"}, "Is Mira on Telegram you?", ["/link yes k1", "/link no k1"]),
        ("linked", {"mergeId": "m1", "until": 1.0}, "Mira on Telegram are one person", ["/link undo m1"]),
        ("link_declined", {}, "Mira on Telegram does not want", []),
        ("link_undone", {}, "Mira on Telegram has taken the link back", []),
        ("unlinked", {}, "Mira on Telegram has taken this account out", []),
        ("deleted", {}, "Everything of yours has been deleted", []),
    ],
)
def test_a_notice_in_words(kind: str, details: dict[str, str | float], says: str, buttons: list[str]) -> None:
    known = {"platform": "telegram", "name": "Mira", **details}
    reply = notice_reply(Notice("n1", AccountId("discord:1"), "discord", kind, known))  # type: ignore[arg-type] # one of them
    assert says in reply.text
    assert reply.private
    assert not reply.replaces
    assert lines(reply) == buttons
