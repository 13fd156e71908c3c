"""What may be asked for, and what is said when it may not."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import pytest

from music.instruments.plucked import STRINGS
from music.instruments.sustained import TONES
from music.request import DRUMS, INSTRUMENTS, KEYS, SEED_MAX, TALAS, VOICES, PieceError, PieceRequest
from music.theory import REGISTERS
from music.theory import TALAS as KEPT
from tests.music.ragas import YAMAN

GOOD = PieceRequest(YAMAN)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"duration_s": 4.9}, "5 seconds"),
        ({"duration_s": 600.5}, "10 minutes"),
        ({"duration_s": math.nan}, "lasts"),
        ({"duration_s": True}, "lasts"),
        ({"tempo_bpm": 29.0}, "tempo"),
        ({"tempo_bpm": math.inf}, "tempo"),
        ({"seed": -1}, "seed"),
        ({"seed": SEED_MAX + 1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"key": "H"}, "C#"),
        ({"voice": "bass"}, "tenor"),
        ({"tala": "Dhamar"}, "Teental"),
        ({"style": "qawwali"}, "khayal"),
        ({"instruments": ("kazoo",)}, "sitar"),
        ({"instruments": ("sitar", "sitar")}, "once"),
        ({"instruments": ()}, "instrument"),
        ({"instruments": ("sitar", "sarod", "veena", "violin", "tabla")}, "At most 4"),
    ],
)
def test_out_of_range_is_refused_with_a_sentence(change: dict[str, object], word: str) -> None:
    with pytest.raises(PieceError, match=word) as refused:
        replace(GOOD, **change)  # type: ignore[arg-type]  # wrong values are the point
    assert str(refused.value).endswith(".")


def test_the_ends_of_the_ranges_are_allowed() -> None:
    replace(GOOD, duration_s=5, tempo_bpm=30, seed=0, key="B")
    replace(GOOD, duration_s=600, tempo_bpm=400, seed=SEED_MAX)
    replace(GOOD, instruments=(), voice="alto")


def test_every_name_on_the_list_has_a_sound() -> None:
    assert set(INSTRUMENTS) - set(DRUMS) | set(VOICES) == set(REGISTERS)
    assert set(REGISTERS) == (set(STRINGS) - {"tanpura"}) | set(TONES)
    assert tuple(KEPT) == TALAS
    assert len(KEYS) == 12


def test_a_request_crosses_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(GOOD)) == GOOD  # noqa: S301 - our own bytes
