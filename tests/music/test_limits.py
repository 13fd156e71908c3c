"""Anything that may be asked for comes out whole: durations, tempi, keys, instruments, talas, voices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from music.compose import compose
from music.loudness import hop_energy, integrated_lufs, true_peaks
from music.midi import midi
from music.mix import CEILING_DBTP
from music.piece import mixed
from music.progress import Progress
from music.request import DRUMS, INSTRUMENTS, KEYS, SEED_MAX, STYLES, TALAS, VOICES, PieceRequest
from music.theory import key_hz
from tests.music.meters import RATE_HZ, SYLLABLE_S, clicks, dbtp, lufs
from tests.music.midireader import read
from tests.music.ragas import ALL
from tests.music.rendered import render

MELODIC = tuple(name for name in INSTRUMENTS if name not in DRUMS)
SINGERS = tuple(VOICES)

LISTS = st.lists(st.sampled_from(sorted(INSTRUMENTS)), min_size=1, max_size=4, unique=True).map(tuple)


def requests(longest_s: float) -> st.SearchStrategy[PieceRequest]:
    """Anything that may be asked for, up to a length."""
    return st.builds(
        PieceRequest,
        raga=st.sampled_from(ALL),
        duration_s=st.floats(5.0, longest_s),
        seed=st.integers(0, SEED_MAX),
        tempo_bpm=st.none() | st.floats(30.0, 400.0),
        key=st.none() | st.sampled_from(KEYS),
        instruments=LISTS,
        voice=st.none() | st.sampled_from(sorted(VOICES)),
        tala=st.none() | st.sampled_from(TALAS),
        style=st.none() | st.sampled_from(sorted(STYLES)),
    )


def check(request: PieceRequest) -> None:
    """Renders a piece and holds its sound against what was promised."""
    score, mix, lines = render(request)
    assert score.duration_s == pytest.approx(request.duration_s)
    assert mix.dtype == np.float32
    assert mix.shape == (round(request.duration_s * RATE_HZ), 2)
    assert np.isfinite(mix).all()
    assert dbtp(mix.astype(np.float64)) <= CEILING_DBTP + 0.2
    assert lufs(mix.astype(np.float64)) == pytest.approx(-16.0, abs=0.6)
    assert np.abs(mix[0]).max() < 0.01
    assert np.abs(mix[-1]).max() < 0.01
    for line in (lines.melody, lines.drone, lines.percussion):
        assert np.isfinite(line).all()
        assert np.abs(line).max() > 0.01
    struck = [stroke.onset_s for stroke in score.strokes]
    near_s = SYLLABLE_S if request.voice else 0.03
    assert not clicks(lines.melody, [note.onset_s for note in score.notes], near_s)
    assert not clicks(lines.drone, score.chikari)
    assert not clicks(lines.percussion, struck)


# Each row moves every list on by one, so that all names of all lists come up.
SWEEP = [
    PieceRequest(
        ALL[number % len(ALL)],
        5.0 + 0.37 * number,
        seed=number,
        tempo_bpm=(30.0, 400.0, 61.7, 151.0, 240.0)[number % 5],
        key=KEYS[number % len(KEYS)],
        instruments=(MELODIC[number % len(MELODIC)], *((DRUMS[number // 3 % 2],) if number % 3 == 0 else ())),
        voice=SINGERS[number // 2 % len(SINGERS)] if number % 2 else None,
        tala=TALAS[number % len(TALAS)],
    )
    for number in range(2 * len(KEYS))
]


def test_the_sweep_leaves_out_no_name() -> None:
    assert {name for request in SWEEP for name in request.instruments} == set(INSTRUMENTS)
    assert {request.voice for request in SWEEP} == {None, *VOICES}
    assert {request.tala for request in SWEEP} == set(TALAS)
    assert {request.key for request in SWEEP} == set(KEYS)


@pytest.mark.parametrize("request_", SWEEP, ids=lambda request: f"{request.instruments[0]}-{request.tala}")
def test_every_name_on_every_list_sounds(request_: PieceRequest) -> None:
    check(request_)


@pytest.mark.parametrize(
    "names", [("tabla",), ("mridangam",), DRUMS, MELODIC[:4], (*MELODIC[4:7], "mridangam")]
)
def test_drums_alone_and_ensembles_sound(names: tuple[str, ...]) -> None:
    check(PieceRequest(ALL[0], 9.0, seed=5, instruments=names))


@given(request=requests(12.0))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_anything_that_may_be_asked_for_sounds(request: PieceRequest) -> None:
    check(request)


@given(request=requests(600.0))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_piece_of_any_length_keeps_to_its_time(request: PieceRequest) -> None:
    score = compose(request)
    assert abs(score.duration_s - request.duration_s) <= 0.5
    starts = [note.onset_s for note in score.notes]
    assert starts == sorted(starts)
    assert min(starts) >= 0.0
    assert all(note.duration_s > 0.0 for note in score.notes)
    assert max(note.onset_s + note.duration_s for note in score.notes) <= score.duration_s + 1e-6
    assert all(0.0 <= stroke.onset_s < score.duration_s for stroke in score.strokes)
    for one, other in pairwise(score.sams):
        assert other > one
    if request.key is not None:
        octaves = np.log2(score.tonic_hz / key_hz(request.key, 4))
        assert octaves == pytest.approx(round(octaves), abs=1e-9)
    # Its MIDI says the same.
    assert read(midi(score)).end_s == pytest.approx(score.duration_s, abs=0.01)


def test_the_longest_piece_is_as_loud_as_the_others() -> None:
    score = compose(PieceRequest(ALL[0], 600.0, seed=1, instruments=("harmonium",)))
    progress = Progress(lambda _stage, _fraction: None)
    mix = mixed(ALL[0], score, progress, drums_lead=False)
    assert mix.shape == (600 * RATE_HZ, 2)
    # By the engine's own meters, which another test holds against independent ones on shorter pieces.
    assert integrated_lufs(hop_energy(mix)) == pytest.approx(-16.0, abs=0.6)
    ceiling = 10.0 ** ((CEILING_DBTP + 0.2) / 20.0)
    assert max(true_peaks(mix[:, side], 64, 0.7).max() for side in (0, 1)) <= ceiling
