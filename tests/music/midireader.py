"""A small reader of Standard MIDI Files, which knows no more than the format's specification."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sounding:
    """A note as a synthesizer plays it: its bends are (seconds, semitones) while it sounds."""

    channel: int
    key: int
    velocity: int
    start_s: float
    end_s: float
    bends: tuple[tuple[float, float], ...]

    @property
    def pitch(self) -> float:
        """The key with its first bend."""
        return self.key + self.bends[0][1]


@dataclass(slots=True)
class Read:
    """What a file says."""

    format: int
    division: int
    tracks: list[str] = field(default_factory=list)
    notes: list[Sounding] = field(default_factory=list)
    texts: list[tuple[int, float, str]] = field(default_factory=list)
    programs: dict[int, int] = field(default_factory=dict)
    tempo_us: int = 500_000
    key: tuple[int, int] | None = None
    measure: tuple[int, float] | None = None
    end_s: float = 0.0


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def _events(data: bytes) -> list[tuple[int, int, bytes]]:
    """Tick, status (255: a meta event, whose kind is the first byte), and the content of every event of a track."""
    found = []
    at = tick = 0
    while at < len(data):
        delta, at = _number(data, at)
        tick += delta
        status = data[at]
        assert status & 0x80, "this writer uses no running status"
        at += 1
        if status == 0xFF:
            kind = data[at : at + 1]
            length, at = _number(data, at + 1)
            found.append((tick, status, kind + data[at : at + length]))
        else:
            length = 1 if status & 0xF0 in (0xC0, 0xD0) else 2
            found.append((tick, status, data[at : at + length]))
        at += length
    assert found[-1][1:] == (0xFF, b"/"), "a track ends with its end"
    return found


def read(data: bytes) -> Read:
    """The file's notes with their bends, as one tempo throughout has them."""
    assert data[:4] == b"MThd"
    size, kind, count, division = struct.unpack(">IHHH", data[4:14])
    assert size == 6
    found = Read(kind, division)
    at, tracks = 14, []
    while at < len(data):
        assert data[at : at + 4] == b"MTrk"
        (length,) = struct.unpack(">I", data[at + 4 : at + 8])
        tracks.append(_events(data[at + 8 : at + 8 + length]))
        at += 8 + length
    assert len(tracks) == count
    for tick, status, content in tracks[0]:
        if (status, content[0]) == (0xFF, 0x51):
            assert tick == 0
            found.tempo_us = int.from_bytes(content[1:], "big")
    second = found.tempo_us / 1e6 / division
    for number, track in enumerate(tracks):
        found.tracks.append("")
        _perform(found, number, track, second)
    return found


def _perform(found: Read, number: int, track: list[tuple[int, int, bytes]], second: float) -> None:
    ranges: dict[int, int] = {}
    parameter: dict[int, tuple[int, int]] = {}
    bend: dict[int, float] = {}
    open_notes: dict[tuple[int, int], tuple[int, int, list[tuple[float, float]]]] = {}
    for tick, status, content in track:
        channel, time_s = status & 0x0F, tick * second
        found.end_s = max(found.end_s, time_s)
        match status & 0xF0:
            case 0x90 if content[1]:
                assert (channel, content[0]) not in open_notes, "a key sounds once at a time"
                open_notes[channel, content[0]] = (tick, content[1], [(time_s, bend.get(channel, 0.0))])
            case 0x80 | 0x90:
                begun, velocity, bends = open_notes.pop((channel, content[0]))
                found.notes.append(
                    Sounding(channel, content[0], velocity, begun * second, time_s, tuple(bends))
                )
            case 0xB0:
                high, low = parameter.get(channel, (127, 127))
                if content[0] == 101:
                    parameter[channel] = (content[1], low)
                elif content[0] == 100:
                    parameter[channel] = (high, content[1])
                elif content[0] == 6 and (high, low) == (0, 0):
                    ranges[channel] = content[1]
            case 0xC0:
                found.programs[channel] = content[0]
            case 0xE0:
                value = (content[1] << 7 | content[0]) - 8192
                bend[channel] = value / 8192.0 * ranges.get(channel, 2)
                for (other, _), (_, _, bends) in open_notes.items():
                    if other == channel:
                        bends.append((time_s, bend[channel]))
            case 0xF0:
                _meta(found, number, time_s, content)
    assert not open_notes, "every note ends"


def _meta(found: Read, number: int, time_s: float, content: bytes) -> None:
    match content[0]:
        case 0x03:
            found.tracks[number] = content[1:].decode()
        case 0x01 | 0x05 | 0x06:
            found.texts.append((content[0], time_s, content[1:].decode()))
        case 0x58:
            found.measure = (content[1], time_s)
        case 0x59:
            sharps, minor = struct.unpack(">bB", content[1:])
            found.key = (sharps, minor)
