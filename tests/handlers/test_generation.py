"""Asking for pieces, in every way that people do."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from handlers.model import Generation, GenerationId, GenerationRequest, Progress, Reply
from handlers.pieces import show
from tests.handlers.conftest import Say
from tests.handlers.record import Dialogue


def asked(dialogue: Dialogue) -> GenerationRequest:
    """The newest request that reached the backend."""
    return list(dialogue.backend.pieces.values())[-1][1].request


def newest(dialogue: Dialogue) -> Generation:
    return list(dialogue.backend.pieces.values())[-1][1]


def lines(reply: Reply) -> list[str]:
    return [button.line for row in reply.buttons for button in row]


async def test_a_piece_is_queued_and_its_message_stored(say: Say, dialogue: Dialogue) -> None:
    reply = await say("/generate Yaman 30s seed 7", event="e7")
    assert reply.ok
    assert reply.progress == Progress("Next in line", 0.0)
    piece = newest(dialogue)
    assert reply.generation == piece.id
    assert reply.text == "Raga Yaman · Sitar · 30 s · peaceful · seed 7"
    assert lines(reply) == [f"/cancel {piece.id}"]
    delivery = dialogue.backend.pieces[piece.id][2]
    assert delivery is not None
    assert delivery.message == "m-e7"


async def test_the_same_event_makes_one_piece_and_wishes_the_same(say: Say, dialogue: Dialogue) -> None:
    first, second = await say("/generate surprise", event="e1"), await say("/generate surprise", event="e1")
    assert first == second
    assert len(dialogue.backend.pieces) == 1
    await say("/generate surprise", event="e2")
    assert len({piece.request.seed for _, piece, _ in dialogue.backend.pieces.values()}) == 2


WHOLE = GenerationRequest(
    raga="Yaman",
    tradition="Hindustani",
    music_type="instrumental",
    instruments=("sitar",),
    voice=None,
    mood="peaceful",
    theme="evening",
    duration_s=60.0,
    seed=7,
    tempo_bpm=220.0,
    key="D",
)


@pytest.mark.parametrize(
    "line",
    [
        "/generate Yaman 60s sitar drut in D seed 7",
        "/generate yaman 1min SITAR drut key D seed:7",
        "/generate raga:Yaman duration:60 instrument:sitar tempo:drut key:D seed:7",
        "/generate raga:Yaman 60s sitar drut in D seed 7",
        "/generate seed:7 key:D tempo:drut sitar 1:00 Yaman",
        "/generate a 60 seconds piece in raga Yaman, on the sitar, drut laya, in D, seed 7",
        "/generate Yaman sitar 220bpm 60 key D seed 7",
        "/generate Yaman sitar 220 bpm 1m00s in d seed 7 peaceful",
        "/generate mood:peaceful Yaman theme:evening devotion sitar 60s drut in D seed 7",
    ],
)
async def test_wishes_in_plain_words_and_by_name(say: Say, dialogue: Dialogue, line: str) -> None:
    reply = await say(line)
    assert reply.ok, reply.text
    assert replace(asked(dialogue), theme="evening") == WHOLE


async def test_typed_options_read_as_the_same(say: Say, dialogue: Dialogue) -> None:
    options = {
        "raga": "Yaman",
        "duration": 60.0,
        "instrument": "sitar",
        "tempo": "drut",
        "key": "D",
        "seed": 7,
    }
    await say("/generate", **options)
    assert asked(dialogue) == WHOLE


async def test_names_that_hold_words_of_their_own(say: Say, dialogue: Dialogue) -> None:
    for name in ("Yaman Kalyan", "Miyan Malhar", "Darbari Kanada", "Vasanta", "Rageshri"):
        reply = await say(f"/generate {name} 30s bansuri")
        assert reply.ok, reply.text
        assert (asked(dialogue).duration_s, asked(dialogue).instruments) == (30.0, ("bansuri",))
        piece = newest(dialogue)
        await say(f"/cancel {piece.id}")
        assert asked(dialogue).raga.split()[0] == name.split()[0]


async def test_a_manner_of_song_is_sung_unless_somebody_plays(say: Say, dialogue: Dialogue) -> None:
    reply = await say("/generate Bageshri dhrupad 45s seed 2")
    wanted = asked(dialogue)
    assert (wanted.music_type, wanted.style, wanted.instruments) == ("vocal", "dhrupad", ())
    assert wanted.voice is not None
    assert "Dhrupad" in reply.text
    await say("/generate raga:Bageshri style:khyal voice:alto")
    assert (asked(dialogue).style, asked(dialogue).voice) == ("khayal", "alto")
    await say("/generate Bageshri thumri sarangi")
    played = asked(dialogue)
    assert (played.music_type, played.style, played.instruments) == ("instrumental", "thumri", ("sarangi",))
    odd = await say("/generate Bageshri style:opera")
    assert (
        odd.text
        == "The manners of song that I know are khayal, dhrupad, thumri or bhajan. “opera” is none of these."
    )


async def test_another_take_keeps_the_manner(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Bageshri bhajan soprano 30s")
    first = newest(dialogue)
    for command in ("again", "longer", "vary"):
        await say(f"/{command} {first.id}")
        assert (asked(dialogue).style, asked(dialogue).voice) == ("bhajan", "soprano")


async def test_a_voice_and_an_ensemble(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Bageshri female voice 45s")
    assert (asked(dialogue).music_type, asked(dialogue).voice, asked(dialogue).instruments) == (
        "vocal",
        "alto",
        (),
    )
    await say("/generate Bageshri sitar and flute misra chapu")
    assert asked(dialogue).instruments == ("sitar", "bansuri")
    assert asked(dialogue).tala == "Misra Chapu"


async def test_what_is_left_open_is_chosen_well(say: Say, dialogue: Dialogue) -> None:
    await say("/generate mood:melancholic")
    assert asked(dialogue).mood == "melancholic"
    assert asked(dialogue).raga
    await say("/generate Carnatic")
    assert asked(dialogue).tradition == "Carnatic"
    assert asked(dialogue).instruments == ("veena",)
    await say("/generate Mohanam")
    assert (asked(dialogue).raga, asked(dialogue).duration_s) == ("Mohanam", 60.0)
    await say("/generate surprise me")
    assert asked(dialogue).raga


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/generate Yaman duration:0", "from 5 seconds to 10 minutes"),
        ("/generate Yaman duration:-1", "from 5 seconds to 10 minutes"),
        ("/generate Yaman -1", "from 5 seconds to 10 minutes"),
        ("/generate Yaman duration:1e9", "from 5 seconds to 10 minutes"),
        ("/generate Yaman 1e9", "from 5 seconds to 10 minutes"),
        ("/generate Yaman 1e999s", "from 5 seconds to 10 minutes"),
        ("/generate Yaman duration:NaN", "from 5 seconds to 10 minutes"),
        ("/generate Yaman duration:inf", "from 5 seconds to 10 minutes"),
        ("/generate Yaman duration:soon", "from 5 seconds to 10 minutes"),
        ("/generate Yaman 11min", "from 5 seconds to 10 minutes"),
        ("/generate Yaman tempo:9000", "between 30 and 400"),
        ("/generate Yaman tempo:quick-ish", "between 30 and 400"),
        ("/generate Yaman seed:-1", "A seed is a whole number"),
        ("/generate Yaman seed:99999999999999999999", "A seed is a whole number"),
        ("/generate Yaman seed x", "A seed is a whole number"),
        ("/generate Yaman key:H", "The key is the note of Sa"),
        ("/generate Yaman instrument:kazoo", "I play sitar"),
        ("/generate Yaman voice:robot", "The voice is"),
        ("/generate Yaman tala:waltz", "The talas that I can keep"),
        ("/generate Yaman mood:grumpy", "The moods that I know"),
        ("/generate Yaman theme:tax", "The themes that I know"),
        ("/generate Yaman sitar sarod veena santoor bansuri", "At most 4 instruments"),
        ("/generate Yaman volume:11", "I know no “volume:” here"),
        ("/generate asdfgh", "I know no raga named"),
        ("/generate " + "x" * 10_000, "at most 1000 characters"),
    ],
)
async def test_what_cannot_be_made_is_said_kindly(say: Say, dialogue: Dialogue, line: str, says: str) -> None:
    reply = await say(line)
    assert not reply.ok
    assert reply.private
    assert says in reply.text
    assert dialogue.backend.calls == []


@pytest.mark.parametrize("value", [0, -1, 1e9, math.nan, math.inf, True, "x" * 5000, "\x00", "🎵"])
async def test_typed_options_of_the_wrong_kind(say: Say, dialogue: Dialogue, value: object) -> None:
    for name in ("duration", "tempo", "seed", "key", "tala", "mood", "theme", "voice", "style", "instrument"):
        if name == "seed" and value in (0, 1e9) and value is not True:
            continue
        reply = await say("/generate", raga="Yaman", **{name: value})
        assert not reply.ok, (name, value)
        assert len(reply.text) < 400
    assert dialogue.backend.calls == []


async def test_a_misspelt_raga_offers_the_same_wish_again(say: Say, dialogue: Dialogue) -> None:
    reply = await say("/generate malhar 30s drut")
    assert not reply.ok
    name = reply.entries[0].title
    line = reply.entries[0].buttons[0].line
    assert line == f"/generate {name} 30s 220bpm"
    await say(line)
    assert (asked(dialogue).raga, asked(dialogue).tempo_bpm, asked(dialogue).duration_s) == (
        name,
        220.0,
        30.0,
    )


async def test_too_many_at_once(say: Say) -> None:
    for _ in range(5):
        assert (await say("/generate Yaman")).ok
    reply = await say("/generate Yaman")
    assert not reply.ok
    assert "wait" in reply.text


async def test_again_vary_and_longer(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Yaman 30s seed 7 sitar drut in D")
    piece = dialogue.backend.finish(newest(dialogue).id)
    await say(f"/again {piece.id}")
    again = asked(dialogue)
    assert again.seed != 7
    assert replace(again, seed=7, after=None) == piece.request
    assert again.after == piece.id
    await say(f"/vary {piece.id}")
    varied = asked(dialogue)
    assert (varied.raga, varied.key, varied.duration_s) == ("Yaman", "D", 30.0)
    assert varied.instruments != ("sitar",)
    await say(f"/longer {piece.id}")
    assert (asked(dialogue).duration_s, asked(dialogue).seed) == (60.0, 7)


async def test_longer_has_an_end(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Yaman 9min")
    piece = newest(dialogue)
    await say(f"/longer {piece.id}")
    assert asked(dialogue).duration_s == 600.0
    reply = await say(f"/longer {newest(dialogue).id}")
    assert "longest I can make" in reply.text


async def test_a_finished_piece(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Yaman 30s seed 7")
    piece = dialogue.backend.finish(newest(dialogue).id)
    reply = await say(f"/play {piece.id}")
    assert reply.track is not None
    assert (reply.track.title, reply.track.performer) == ("Yaman · Teental", "Sitar")
    assert reply.track.filename == "Yaman - Sitar - seed 7.mp3"
    assert reply.text == "Raga Yaman · Sitar · 30 s · 96 bpm · Teental · peaceful · seed 7"
    assert reply.favorite is not None
    assert not reply.favorite.on
    assert {line.split()[0] for line in lines(reply)} == {
        "/favorite",
        "/download",
        "/share",
        "/addto",
        "/again",
        "/vary",
        "/longer",
    }


async def test_other_people(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Yaman")
    piece = dialogue.backend.finish(newest(dialogue).id)
    for command in ("play", "again", "vary", "longer", "favorite", "remove", "cancel", "download"):
        refused = await say(f"/{command} {piece.id}", who="web:ben", chat="elsewhere")
        assert not refused.ok
        assert refused.private
    assert (await say(f"/play {piece.id}", who="web:ben")).track is not None
    assert not (await say(f"/remove {piece.id}", who="web:ben")).ok
    assert not (await say(f"/remove {piece.id} yes", who="web:ben")).ok
    assert piece.id in dialogue.backend.pieces


@pytest.mark.parametrize("ident", ["", "nonsense", "k1' OR 1=1", "../x", "k" * 200, "क"])
async def test_ids_that_are_none(say: Say, ident: str) -> None:
    for command in ("play", "again", "vary", "longer", "remove"):
        reply = await say(f"/{command} {ident}")
        assert not reply.ok
        assert ident not in reply.text or not ident


async def test_cancel(say: Say, dialogue: Dialogue) -> None:
    nothing = await say("/cancel")
    assert not nothing.ok
    assert nothing.notice == "None of your pieces is being made right now."
    await say("/generate Yaman 30s seed 1")
    await say("/generate Bhairav 30s seed 2")
    stopped = await say("/cancel")
    assert stopped.notice.startswith("Stopped. Raga Bhairav")
    named = await say(f"/cancel {next(iter(dialogue.backend.pieces))}")
    assert named.notice.startswith("Stopped. Raga Yaman")
    shown = show(newest(dialogue))
    assert shown.text.startswith("Stopped: Raga Bhairav")
    assert lines(shown) == [f"/again {newest(dialogue).id}"]


async def test_remove_asks_first(say: Say, dialogue: Dialogue) -> None:
    await say("/generate Yaman")
    piece = dialogue.backend.finish(newest(dialogue).id)
    asks = await say(f"/remove {piece.id}")
    assert asks.private
    assert piece.id in dialogue.backend.pieces
    gone = await say(lines(asks)[0])
    assert gone.ok
    assert gone.replaces
    assert piece.id not in dialogue.backend.pieces


def test_every_state_has_its_message() -> None:
    piece = Generation(
        id=GenerationId("k1"), status="processing", request=WHOLE, created_at_ms=0.0, position=3
    )
    waiting = show(piece).progress
    assert waiting is not None
    assert waiting.stage == "Waiting, 3 before this one"
    running = show(replace(piece, position=None, progress=Progress("melody", 0.4, 12.0))).progress
    assert running == Progress("Playing the melody", 0.4, 12.0)
    invalid = show(replace(piece, status="failed", error_code="invalid", error="A seed is a whole number."))
    assert invalid.text == "A seed is a whole number."
    failed = show(
        replace(piece, status="failed", error_code="failed", error="Traceback (most recent call last)")
    )
    assert "Traceback" not in failed.text
    assert failed.text.startswith("This piece could not be made.")
    lost = show(replace(piece, status="completed"))
    assert lost.track is None
