"""Plucked and struck strings: sitar, sarod, veena, santoor, guitar, and the tanpura's strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from music.instruments.wavetable import (
    SAMPLE_RATE_HZ,
    Path,
    Table,
    harmonics,
    path,
    resonances,
    table,
)
from music.memory import kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

Peaks = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class PluckedString:
    """How a string is plucked, rings and buzzes.

    ``pluck_at`` is the place on the string (0 to 0.5), ``slope`` how fast the plucked shape's harmonics
    fall. ``ring_s`` is the loop's T60 at 220 Hz; it shortens with the square root of the pitch. ``blend`` is
    the loop filter's weight of the previous sample (Jaffe and Smith's S, 0 to 0.5). ``jivari`` is the level
    of the band of overtones that the flat bridge feeds; it descends from ``band_top`` above ``band_low``.
    """

    pluck_at: float
    slope: float
    ring_s: float
    blend: float
    jivari: float = 0.0
    band_low: float = 3.0
    band_top: float = 26.0
    band_rate: float = 0.9
    band_width: float = 3.5
    body: Peaks = ()
    body_floor: float = 1.0
    noise: float = 0.02
    length_s: float = 8.0
    frames: int = 40
    release_s: float = 0.02
    bends: bool = True
    most_harmonics: int = 64


STRINGS: Final[dict[str, PluckedString]] = {
    "sitar": PluckedString(
        pluck_at=0.11,
        slope=0.9,
        ring_s=4.2,
        blend=0.16,
        jivari=0.5,
        band_top=22.0,
        band_rate=1.6,
        body=((270.0, 160.0, 0.7), (620.0, 300.0, 0.8), (1500.0, 900.0, 0.7), (3600.0, 2200.0, 0.5)),
        body_floor=0.6,
        noise=0.05,
    ),
    "sarod": PluckedString(
        pluck_at=0.16,
        slope=1.05,
        ring_s=3.0,
        blend=0.3,
        body=((230.0, 150.0, 0.9), (480.0, 260.0, 0.9), (1100.0, 700.0, 0.6), (2700.0, 1500.0, 0.35)),
        body_floor=0.5,
        noise=0.06,
    ),
    "veena": PluckedString(
        pluck_at=0.14,
        slope=1.15,
        ring_s=5.0,
        blend=0.22,
        jivari=0.22,
        band_top=14.0,
        band_rate=1.2,
        body=((180.0, 120.0, 0.9), (420.0, 220.0, 0.9), (950.0, 600.0, 0.6), (2400.0, 1600.0, 0.4)),
        body_floor=0.6,
        noise=0.03,
    ),
    "santoor": PluckedString(
        pluck_at=0.08,
        slope=0.75,
        ring_s=3.2,
        blend=0.34,
        body=((420.0, 260.0, 0.6), (900.0, 500.0, 0.8), (2300.0, 1400.0, 0.7), (5200.0, 3000.0, 0.4)),
        body_floor=0.6,
        noise=0.09,
        release_s=0.05,
        bends=False,
    ),
    "guitar": PluckedString(
        pluck_at=0.19,
        slope=1.1,
        ring_s=4.4,
        blend=0.24,
        body=((102.0, 40.0, 0.7), (205.0, 70.0, 0.9), (400.0, 220.0, 0.5), (1300.0, 900.0, 0.35)),
        body_floor=0.55,
        noise=0.045,
        release_s=0.03,
    ),
    "tanpura": PluckedString(
        pluck_at=0.5,
        slope=1.25,
        ring_s=9.0,
        blend=0.1,
        jivari=0.62,
        band_top=26.0,
        band_rate=0.9,
        band_width=4.0,
        body=((140.0, 120.0, 0.6), (350.0, 260.0, 0.6), (900.0, 700.0, 0.5)),
        body_floor=0.7,
        noise=0.0,
        length_s=9.0,
        frames=64,
        most_harmonics=72,
    ),
}


def frame_times(string: PluckedString) -> NDArray[np.float64]:
    """The moments that a table holds, denser at the beginning; seconds, (frames,)."""
    return np.asarray(string.length_s * np.linspace(0.0, 1.0, string.frames) ** 2, dtype=np.float64)


def amplitudes(string: PluckedString, hz: float, brightness: float) -> NDArray[np.float64]:
    """The harmonics' amplitudes at each moment, (frames, harmonics); the first moment has an RMS of 1."""
    number = harmonics(hz, string.most_harmonics)
    times = frame_times(string)[:, None]
    # A pluck in the very middle would leave out the even harmonics altogether; a finger is not so sharp.
    shape = np.abs(np.sin(np.pi * number * string.pluck_at)) + 0.12
    start = shape / number ** (string.slope + 0.5 * (1.0 - brightness))
    angle = 2.0 * np.pi * number * hz / SAMPLE_RATE_HZ
    filtered = np.abs((1.0 - string.blend) + string.blend * np.exp(-1j * angle))
    ring_s = string.ring_s * np.sqrt(220.0 / hz)
    loss = np.exp(-np.log(1000.0) / (ring_s * hz))
    spectrum = start * (loss * filtered) ** (hz * times)
    if string.jivari:
        center = string.band_low + string.band_top * brightness * np.exp(-string.band_rate * times)
        band = np.exp(-(((number - center) / string.band_width) ** 2) / 2.0)
        fed = np.sqrt((spectrum[:, :4] ** 2).sum(axis=1, keepdims=True)) * (1.0 - np.exp(-times / 0.02))
        spectrum = spectrum + string.jivari * fed * band / np.sqrt(np.maximum(number, 2.0) / 2.0)
    spectrum = spectrum * resonances(number * hz, string.body, string.body_floor)
    # A string swings in two planes that differ a little: each harmonic beats in its own slow time.
    generator = np.random.default_rng(round(hz * 100.0))
    beat_hz = generator.uniform(0.25, 1.3, len(number))
    start_at = generator.uniform(0.0, 2.0 * np.pi, len(number))
    swing = np.cos(2.0 * np.pi * beat_hz * times + start_at) - np.cos(start_at)
    spectrum = spectrum * (1.0 + 0.16 * swing * np.minimum(1.0, times / 0.3))
    return np.asarray(spectrum / np.sqrt((spectrum[0] ** 2).sum() / 2.0), dtype=np.float64)


@kept(64)
def string_table(name: str, hz: float, brightness: float) -> Table:
    """The table of one string at one pitch.

    Kept, 330 KB each: the strings of a raga return in every piece, and a piece for four takes some fifty.
    """
    string = STRINGS[name]
    return table(amplitudes(string, hz, brightness), seed=len(name) * 1000 + ord(name[0]))


@kept(8)
def string_path(name: str) -> Path:
    """The path through a string's moments as time goes by; (length_s x rate,)."""
    string = STRINGS[name]
    time = np.arange(int(string.length_s * SAMPLE_RATE_HZ), dtype=np.float32) / np.float32(
        string.length_s * SAMPLE_RATE_HZ
    )
    return path(np.sqrt(time) * np.float32(string.frames - 1), string.frames)


@kept(8)
def attack(name: str) -> NDArray[np.float32]:
    """The noise of a plectrum, nail or hammer on the string; (12 ms x rate,)."""
    count = int(0.012 * SAMPLE_RATE_HZ)
    noise = np.random.default_rng(ord(name[0]) + 7).standard_normal(count)
    spectrum = np.fft.rfft(noise)
    hz = np.fft.rfftfreq(count, 1.0 / SAMPLE_RATE_HZ)
    spectrum *= resonances(hz, ((2600.0, 2400.0, 1.0), (900.0, 600.0, 0.6)), 0.02)
    shaped = np.fft.irfft(spectrum, count) * np.exp(-np.arange(count) / (0.0025 * SAMPLE_RATE_HZ))
    shaped[:44] *= np.linspace(0.0, 1.0, 44)
    return np.asarray(shaped / np.sqrt(np.mean(shaped**2)) * STRINGS[name].noise, dtype=np.float32)
