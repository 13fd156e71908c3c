"""A player's notes, one after the other, as samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from music.instruments import plucked, sustained
from music.instruments.wavetable import (
    SAMPLE_RATE_HZ,
    control_times,
    fade,
    gliding_phase,
    path,
    read,
    read_still,
    steady_phase,
)
from music.ornament import curve
from music.swaras import base

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from music.instruments.wavetable import Table
    from music.score import Note, Score

    Report = Callable[[float], None]

_JOINED_S: Final = 0.03
"""Notes of one player that follow each other within this time are one breath, one bow, one string."""


_RINGS_FROM_S: Final = 0.5
"""A string is damped in a shorter gap, as in a tihai."""

_DAMPED: Final = 0.17
"""A string rings into the next note for at most this part of its own length."""

_SYLLABLE_S: Final = 0.5
"""A shorter note is sung with its sargam syllable, a longer one opens to aakar."""

_VOWEL_S: Final = 0.06
"""So fast one vowel becomes the next."""


def _brightness(velocity: float) -> float:
    """Velocities share few tables: soft, middle and strong ones."""
    return min(1.0, max(0.4, round(velocity * 5.0) / 5.0))


def _hz(cents: NDArray[np.float64], tonic_hz: float) -> NDArray[np.float64]:
    return np.asarray(tonic_hz * np.exp2(cents / 1200.0))


def _place(line: NDArray[np.float32], sound: NDArray[np.float32], at: int) -> None:
    end = min(len(line), at + len(sound))
    if end > at:
        line[at:end] += sound[: end - at]


def _pluck(line: NDArray[np.float32], name: str, note: Note, tonic_hz: float, gap_s: float) -> None:
    """Adds one plucked note; where ``gap_s`` follows without a note, the string rings on into it."""
    string = plucked.STRINGS[name]
    along = plucked.string_path(name)
    ring_s = min(gap_s, 3.0) if gap_s > _RINGS_FROM_S else 0.0
    # In a run the hand damps each string sooner, or it would cover the beginning of the next.
    damped_s = min(string.release_s, _DAMPED * note.duration_s)
    release = int(max(damped_s, 0.8 * ring_s) * SAMPLE_RATE_HZ)
    count = min(len(along.row), int((note.duration_s + 0.2 * ring_s) * SAMPLE_RATE_HZ) + release)
    hz = tonic_hz * 2.0 ** (note.cents / 1200.0)
    source = plucked.string_table(name, round(hz, 4), _brightness(note.velocity))
    if note.ornament and string.bends:
        phase = gliding_phase(_hz(curve(note, control_times(count)), tonic_hz), count)
    else:
        phase = steady_phase(hz, count)
    sound = read(source, phase, along)
    rise = min(count, 66)
    sound[:rise] *= fade(rise)
    fall = min(count, release)
    sound[count - fall :] *= fade(fall)[::-1]
    noise = plucked.attack(name)[:count]
    sound[: len(noise)] += noise
    sound *= np.float32(note.velocity)
    _place(line, sound, round(note.onset_s * SAMPLE_RATE_HZ))


def _vowels(note: Note, last: Note | None) -> tuple[int, int]:
    """The frames of the last syllable's vowel and of this one's."""
    # Long notes open to aakar; only short ones keep the vowel of their syllable.
    vowel = sustained.SYLLABLE_VOWELS[base(note.swara)[0]]
    target = vowel if note.duration_s < _SYLLABLE_S else sustained.VOWEL_A
    if last is None or last.duration_s >= _SYLLABLE_S:
        return target, target
    return sustained.SYLLABLE_VOWELS[base(last.swara)[0]], target


def _sung(source: Table, phase: NDArray[np.uint32], vowels: tuple[int, int]) -> NDArray[np.float32]:
    """A voice that goes from one vowel to another within 60 ms and stays there; the shape of ``phase``."""
    before, target = vowels
    if before == target:
        return read_still(source, phase, target)
    turning = min(len(phase), int(_VOWEL_S * SAMPLE_RATE_HZ))
    glide = np.arange(turning, dtype=np.float32) / np.float32(_VOWEL_S * SAMPLE_RATE_HZ)
    sound = np.empty(len(phase), dtype=np.float32)
    along = path(np.float32(before) + np.float32(target - before) * glide, source.frames)
    sound[:turning] = read(source, phase[:turning], along)
    sound[turning:] = read_still(source, phase[turning:], target)
    return sound


def _sound(
    line: NDArray[np.float32],
    name: str,
    note: Note,
    tonic_hz: float,
    last: Note | None,
    joins: bool,
    start: int,
) -> int:
    """Adds one blown, bowed or sung note; returns the phase at its end, where the next one goes on."""
    tone = sustained.TONES[name]
    joined = last is not None
    # In a run the notes must not melt into each other.
    crossing_s = min(0.022, 0.09 * note.duration_s)
    rise_s = crossing_s if joined else min(tone.attack_s, 0.3 * note.duration_s)
    fall_s = crossing_s if joins else tone.release_s
    length = int(note.duration_s * SAMPLE_RATE_HZ)
    if not joins:
        # A breath before the next phrase.
        length -= int(min(0.25 * note.duration_s, 0.12) * SAMPLE_RATE_HZ)
    count = length + int(fall_s * SAMPLE_RATE_HZ)
    hz = tonic_hz * 2.0 ** (note.cents / 1200.0)
    source = sustained.tone_table(name, round(hz, 4), _brightness(note.velocity))
    moving = (note.ornament and tone.bends) or tone.vibrato_cents or tone.drift_cents
    vowels = _vowels(note, last) if tone.vowels else (0, 0)
    sound = np.zeros(count, dtype=np.float32)
    end = start
    for reed, level in tone.reeds:
        if moving:
            time = control_times(count)
            from_cents = last.cents if last is not None and tone.bends else None
            pitch = curve(note, time, vibrato_cents=tone.vibrato_cents, from_cents=from_cents)
            if tone.drift_cents:
                seat = note.onset_s * 1.37
                pitch += (
                    tone.drift_cents * np.sin(2.0 * np.pi * (0.9 * time + seat)) * np.sin(1.1 * time + seat)
                )
            phase = gliding_phase(_hz(pitch + reed, tonic_hz), count, start)
        else:
            phase = steady_phase(hz * 2.0 ** (reed / 1200.0), count, start)
        reeded = _sung(source, phase, vowels)
        reeded *= np.float32(level)
        sound += reeded
        end = int(phase[min(length, count - 1)])
    if tone.breath:
        noise = sustained.breath(name, round(tonic_hz, 4))
        at = int(note.onset_s * 8000.0) % (len(noise) // 2)
        near = noise[at : at + count] if at + count <= len(noise) else np.resize(noise[at:], count)
        sound += near * np.float32(tone.breath)
    rise = min(count // 2, int(rise_s * SAMPLE_RATE_HZ))
    fall = min(count // 2, int(fall_s * SAMPLE_RATE_HZ))
    sound[:rise] *= fade(rise)
    sound[count - fall :] *= fade(fall)[::-1]
    if tone.vowels and note.duration_s < _SYLLABLE_S:
        opening, noise = sustained.consonant(base(note.swara)[0])
        sound[: len(opening)] *= opening[:count]
        sound[: len(noise)] += noise[:count]
    if note.duration_s > 0.6:
        # Long notes swell and give way again.
        swell = np.sin(np.linspace(0.08 * np.pi, 0.95 * np.pi, count, dtype=np.float32))
        swell *= np.float32(0.14)
        swell += np.float32(0.86)
        sound *= swell
    sound *= np.float32(note.velocity)
    _place(line, sound, round(note.onset_s * SAMPLE_RATE_HZ))
    return end


def render_line(score: Score, player: int, octaves: int, report: Report) -> NDArray[np.float32]:
    """One player's line, transposed by whole octaves; mono float32, (duration x rate,).

    ``report`` is called with the fraction done.
    """
    name = score.players[player]
    notes: Sequence[Note] = [note for note in score.notes if note.player == player]
    line = np.zeros(round(score.duration_s * SAMPLE_RATE_HZ), dtype=np.float32)
    tonic_hz = score.tonic_hz * 2.0**octaves
    phase = 0
    last: Note | None = None
    for number, note in enumerate(notes):
        following_s = notes[number + 1].onset_s if number + 1 < len(notes) else score.duration_s
        gap_s = following_s - note.onset_s - note.duration_s
        if name in plucked.STRINGS:
            _pluck(line, name, note, tonic_hz, gap_s)
        else:
            joins = number + 1 < len(notes) and gap_s < _JOINED_S
            phase = _sound(line, name, note, tonic_hz, last, joins, phase)
            last = note if joins else None
        if number % 64 == 63:
            report((number + 1) / len(notes))
    report(1.0)
    return line
