"""A score as a Standard MIDI File: a track for each player with its glides as pitch bends, drone, and tala."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from music.instruments.tanpura import plucks, strings_hz
from music.ornament import curve
from music.request import KEYS
from music.swaras import sargam
from music.tags import midi_key, musical_key, performers, title_of
from music.theory import drone_sa_hz, octave_shift

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from music.score import Note, Score
    from music.swaras import Tradition

DIVISION: Final = 960
"""Ticks in a matra, which is written as a quarter note: 2 ms in the slowest tempo."""

BEND_SEMITONES: Final = 12
"""The range that every channel's bend is set to: no meend goes further, and a step is 0.15 cents."""

DRUM_CHANNEL: Final = 9
"""Channel 10 as people count them, which General MIDI keeps for percussion."""

_DRONE_CHANNEL: Final = 10
"""Two channels: Sa, and the first string, whose just interval needs a bend of its own."""

_BEND_CENTER: Final = 8192
_BEND_GAP_S: Final = 0.01
_BEND_LEAST: Final = 4

PROGRAMS: Final = {
    "sitar": 104,
    "sarod": 105,
    "veena": 104,
    "santoor": 15,
    "bansuri": 73,
    "harmonium": 20,
    "violin": 40,
    "sarangi": 110,
    "guitar": 25,
    "baritone": 53,
    "tenor": 53,
    "alto": 52,
    "soprano": 52,
}
"""The nearest sounds of General MIDI, counted from 0: sitar, banjo, dulcimer, flute, reed organ, fiddle, voices."""

_TANPURA: Final = 104

_DRUM_KEYS: Final = {
    **dict.fromkeys(("Na", "Ta", "Nam"), 60),
    **dict.fromkeys(("Tin", "Tu"), 61),
    **dict.fromkeys(("Ti", "Ra"), 62),
    **dict.fromkeys(("Dha", "Dhin", "Dhi", "Dhom", "Tham"), 63),
    **dict.fromkeys(("Ge", "Thom"), 64),
    **dict.fromkeys(("Ki", "Ka", "Kat"), 75),
}
"""Bongos, congas and claves: the bol itself stands beside each as a text."""

_SHARPS: Final = {0: 0, 7: 1, 2: 2, 9: 3, 4: 4, 11: 5, 6: 6, 1: -5, 8: -4, 3: -3, 10: -2, 5: -1}
"""Sharps (flats: negative) of the major scale on each key."""

Event = tuple[int, int, bytes]
"""Tick, order among the events of one tick, and the message."""


def _length(value: int) -> bytes:
    """A number in groups of seven bits, the last one without the high bit."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | (value & 0x7F))
    return bytes(reversed(groups))


def _meta(kind: int, content: bytes) -> bytes:
    return bytes((0xFF, kind)) + _length(len(content)) + content


def _text(kind: int, text: str) -> bytes:
    return _meta(kind, text.encode())


def _track(events: Iterable[Event], end: int) -> bytes:
    """The chunk of a track: its events in order of time, and its end."""
    body = bytearray()
    last = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        body += _length(tick - last) + message
        last = tick
    body += _length(max(0, end - last)) + _meta(0x2F, b"")
    return b"MTrk" + struct.pack(">I", len(body)) + bytes(body)


class _Clock:
    """Seconds to ticks, by the whole microseconds that a MIDI file has for a quarter note."""

    def __init__(self, tempo_bpm: float) -> None:
        self.matra_us = round(60e6 / tempo_bpm)

    def __call__(self, time_s: float) -> int:
        return max(0, round(time_s * 1e6 / self.matra_us * DIVISION))


def _setup(channel: int, program: int, level: int, pan: int) -> list[Event]:
    """The range of the bend (a registered parameter), the sound, its level and its place."""
    control = 0xB0 | channel
    settings = (
        (101, 0),
        (100, 0),
        (6, BEND_SEMITONES),
        (38, 0),
        (101, 127),
        (100, 127),
        (7, level),
        (10, pan),
    )
    events = [(0, -9, bytes((control, *pair))) for pair in settings]
    return [*events, (0, -8, bytes((0xC0 | channel, program)))]


def _bend(channel: int, semitones: float) -> tuple[int, bytes]:
    """The bend's value, and its message."""
    value = _BEND_CENTER + round(semitones / BEND_SEMITONES * _BEND_CENTER)
    value = min(2 * _BEND_CENTER - 1, max(0, value))
    return value, bytes((0xE0 | channel, value & 0x7F, value >> 7))


class _Strike(NamedTuple):
    """A key that is to sound."""

    start_s: float
    end_s: float
    channel: int
    key: int
    velocity: float


def _sounding(clock: _Clock, strikes: Iterable[_Strike]) -> list[Event]:
    """The beginnings and ends of keys. A key that is struck while it sounds ends first: it cannot sound twice."""
    events: list[Event] = []
    following: dict[tuple[int, int], int] = {}
    for strike in sorted(strikes, reverse=True):
        begin = clock(strike.start_s)
        place = (strike.channel, strike.key)
        end = min(max(begin + 1, clock(strike.end_s)), following.get(place, 1 << 60))
        if end <= begin:
            continue
        following[place] = begin
        loud = min(127, max(1, round(127 * strike.velocity)))
        # An end comes before what begins in the same tick.
        events.append((begin, 2, bytes((0x90 | strike.channel, strike.key, loud))))
        events.append((end, 0, bytes((0x80 | strike.channel, strike.key, 0))))
    return events


def _bends(clock: _Clock, channel: int, note: Note, base: float, key: int, end_s: float) -> list[Event]:
    """The pitch of a note as bends: one at its beginning, more where an ornament moves it."""
    count = max(1, int((end_s - note.onset_s) / _BEND_GAP_S))
    times = np.arange(count if note.ornament else 1, dtype=np.float64) * _BEND_GAP_S
    pitch = curve(note, times)
    events: list[Event] = []
    last: int | None = None
    for time, cents in zip(times, pitch, strict=True):
        value, message = _bend(channel, base + float(cents) / 100.0 - key)
        if last is None or abs(value - last) >= _BEND_LEAST:
            events.append((clock(note.onset_s + float(time)), 1, message))
            last = value
    return events


def _player(score: Score, player: int, channel: int, clock: _Clock) -> list[Event]:
    """One player's notes; each ends where the player's next one begins, at the latest."""
    name = score.players[player]
    octaves = octave_shift(name, score.tonic_hz) if player else 0
    base = midi_key(score.tonic_hz) + 12.0 * octaves
    count = len(score.players)
    pan = 64 if count == 1 else round(64 + 22 * (2 * player / (count - 1) - 1))
    events = _setup(channel, PROGRAMS[name], 100, pan)
    events.append((0, -10, _text(0x03, performers((name,)))))
    tradition: Tradition = "Carnatic" if score.tradition == "Carnatic" else "Hindustani"
    notes: Sequence[Note] = [note for note in score.notes if note.player == player]
    ends = [following.onset_s for _, following in pairwise(notes)] + [score.duration_s]
    strikes: list[_Strike] = []
    for note, next_s in zip(notes, ends, strict=True):
        end_s = min(note.onset_s + note.duration_s, next_s)
        key = min(127, max(0, round(base + note.cents / 100.0)))
        events += _bends(clock, channel, note, base, key, end_s)
        strikes.append(_Strike(note.onset_s, end_s, channel, key, note.velocity))
        events.append((clock(note.onset_s), 3, _text(0x05, sargam(note.swara, tradition))))
    return [*events, *_sounding(clock, strikes)]


def _drone(score: Score, clock: _Clock) -> list[Event]:
    """The tanpura's strings and the strokes on the chikari."""
    first, same = _DRONE_CHANNEL, _DRONE_CHANNEL + 1
    events: list[Event] = [(0, -10, _text(0x03, "Tanpura"))]
    keys: list[int] = []
    for string, hz in enumerate(strings_hz(score)):
        exact = midi_key(hz)
        keys.append(round(exact))
        channel = same if string else first
        if string in (0, 1):
            events += _setup(channel, _TANPURA, 62, 64)
            events.append((0, -7, _bend(channel, exact - keys[-1])[1]))
    strikes: list[_Strike] = []
    for pluck in plucks(score):
        if 0.0 <= pluck.onset_s < score.duration_s:
            channel = same if pluck.string else first
            end_s = min(score.duration_s, pluck.onset_s + 4.0)
            strikes.append(_Strike(pluck.onset_s, end_s, channel, keys[pluck.string], 0.6 * pluck.touch))
    sa = round(midi_key(2.0 * drone_sa_hz(score.tonic_hz)))
    for onset_s in score.chikari:
        for key in (sa, sa + 12):
            strikes.append(_Strike(onset_s, min(score.duration_s, onset_s + 0.5), same, key, 0.4))
    return [*events, *_sounding(clock, strikes)]


def _drums(score: Score, clock: _Clock) -> list[Event]:
    """The strokes, each with its bol beside it."""
    events: list[Event] = [
        (0, -10, _text(0x03, score.tala)),
        (0, -9, bytes((0xB0 | DRUM_CHANNEL, 7, 96))),
    ]
    strikes: list[_Strike] = []
    for stroke in score.strokes:
        end_s = min(score.duration_s, stroke.onset_s + 0.1)
        key = _DRUM_KEYS.get(stroke.bol, 63)
        strikes.append(_Strike(stroke.onset_s, end_s, DRUM_CHANNEL, key, stroke.velocity))
        events.append((clock(stroke.onset_s), 3, _text(0x05, stroke.bol)))
    return [*events, *_sounding(clock, strikes)]


def _conductor(score: Score, clock: _Clock, title: str) -> list[Event]:
    """Title, tempo, Sa as the key (minor where only the komal Ga is heard), the tala's measure, the sections."""
    tonic, minor = musical_key(score)
    sharps = _SHARPS[(tonic + 3) % 12 if minor else tonic]
    events: list[Event] = [
        (0, -10, _text(0x03, title)),
        (0, -9, _text(0x01, f"Raga {score.raga}, Sa = {KEYS[tonic]} ({score.tonic_hz:.2f} Hz)")),
        (0, -8, _meta(0x51, clock.matra_us.to_bytes(3, "big"))),
        (0, -7, _meta(0x59, struct.pack(">bB", sharps, minor))),
    ]
    if len(score.sams) > 1:
        matras = round((score.sams[1] - score.sams[0]) / score.matra_s)
        # The measure counts from the first sam; what comes before is free, or a pickup.
        events.append((clock(score.sams[0]), -6, _meta(0x58, bytes((matras, 2, 24, 8)))))
    events += [(clock(part.start_s), -5, _text(0x06, part.name)) for part in score.sections]
    return events


def midi(score: Score, title: str = "") -> bytes:
    """The score as a MIDI file of format 1: what is heard, to the cent, on any synthesizer that bends.

    Tracks: tempo, key, measure and sections; one a player, with the sargam as lyrics; the drone; the drums on
    channel 10 with their bols as lyrics. A bend's range is `BEND_SEMITONES`. Equal scores give equal bytes.
    """
    clock = _Clock(score.tempo_bpm)
    tracks = [_conductor(score, clock, title or title_of(score))]
    tracks += [_player(score, player, player, clock) for player in range(len(score.players))]
    tracks.append(_drone(score, clock))
    if score.strokes:
        tracks.append(_drums(score, clock))
    end = clock(score.duration_s)
    head = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), DIVISION)
    return head + b"".join(_track(events, end) for events in tracks)
