"""What is blown, bowed or sung: bansuri, harmonium, violin, sarangi, and four voices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from music.instruments.wavetable import SAMPLE_RATE_HZ, Table, fade, harmonics, resonances, table
from music.memory import kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

Formants = tuple[tuple[float, float, float], ...]
"""Center in Hz, level in dB, bandwidth in Hz."""


@dataclass(frozen=True, slots=True)
class Sustained:
    """How a steady tone sounds, begins and ends.

    ``slope`` is the fall of the source's harmonics (amplitude 1 / n ** slope), ``even`` the level of the even
    ones. ``vowels`` are the frames of the table; an instrument without any has its ``body``. ``reeds``
    holds the mistuning in cents and the level of each reed that sounds with a tone.
    """

    slope: float
    even: float = 1.0
    most_harmonics: int = 60
    body: tuple[tuple[float, float, float], ...] = ()
    body_floor: float = 1.0
    vowels: tuple[Formants, ...] = ()
    attack_s: float = 0.05
    release_s: float = 0.07
    vibrato_cents: float = 0.0
    drift_cents: float = 0.0
    breath: float = 0.0
    reeds: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    bends: bool = True


def _vowels(*vowels: tuple[tuple[float, float], ...], bandwidths: tuple[float, ...]) -> tuple[Formants, ...]:
    return tuple(
        tuple((hz, level, width) for (hz, level), width in zip(vowel, bandwidths, strict=True))
        for vowel in vowels
    )


TONES: Final[dict[str, Sustained]] = {
    "bansuri": Sustained(
        slope=2.0,
        even=0.75,
        most_harmonics=9,
        attack_s=0.065,
        release_s=0.09,
        vibrato_cents=7.0,
        drift_cents=1.5,
        breath=0.035,
    ),
    "harmonium": Sustained(
        slope=0.85,
        even=0.8,
        most_harmonics=40,
        body=((420.0, 500.0, 0.6), (1250.0, 900.0, 0.7), (2900.0, 1400.0, 0.35)),
        body_floor=0.35,
        attack_s=0.035,
        release_s=0.06,
        reeds=((0.0, 1.0), (2.4, 0.3)),
        bends=False,
    ),
    "violin": Sustained(
        slope=1.0,
        most_harmonics=50,
        body=(
            (285.0, 60.0, 0.8),
            (460.0, 80.0, 1.0),
            (700.0, 160.0, 0.5),
            (1150.0, 320.0, 0.6),
            (2500.0, 900.0, 0.9),
        ),
        body_floor=0.22,
        attack_s=0.05,
        release_s=0.08,
        vibrato_cents=8.0,
        drift_cents=1.5,
        breath=0.006,
    ),
    "sarangi": Sustained(
        slope=0.85,
        most_harmonics=50,
        body=(
            (330.0, 90.0, 0.8),
            (620.0, 160.0, 0.9),
            (1250.0, 420.0, 1.0),
            (2300.0, 700.0, 0.8),
            (3600.0, 1200.0, 0.4),
        ),
        body_floor=0.15,
        attack_s=0.06,
        release_s=0.1,
        vibrato_cents=8.0,
        drift_cents=2.0,
        breath=0.01,
    ),
    "baritone": Sustained(
        slope=1.35,
        vowels=_vowels(
            ((600, 0), (1040, -7), (2250, -9), (2450, -9), (2750, -20)),
            ((400, 0), (1620, -12), (2400, -9), (2800, -12), (3100, -18)),
            ((250, 0), (1750, -30), (2600, -16), (3050, -22), (3340, -28)),
            ((400, 0), (750, -11), (2400, -21), (2600, -20), (2900, -40)),
            bandwidths=(60.0, 70.0, 110.0, 120.0, 130.0),
        ),
        attack_s=0.07,
        release_s=0.1,
        vibrato_cents=11.0,
        drift_cents=3.0,
        breath=0.004,
    ),
    "tenor": Sustained(
        slope=1.3,
        vowels=_vowels(
            ((650, 0), (1080, -6), (2650, -7), (2900, -8), (3250, -22)),
            ((400, 0), (1700, -14), (2600, -12), (3200, -14), (3580, -20)),
            ((290, 0), (1870, -15), (2800, -18), (3250, -20), (3540, -30)),
            ((400, 0), (800, -10), (2600, -12), (2800, -12), (3000, -26)),
            bandwidths=(80.0, 90.0, 120.0, 130.0, 140.0),
        ),
        attack_s=0.07,
        release_s=0.1,
        vibrato_cents=11.0,
        drift_cents=3.0,
        breath=0.004,
    ),
    "alto": Sustained(
        slope=1.35,
        vowels=_vowels(
            ((800, 0), (1150, -4), (2800, -20), (3500, -36), (4950, -60)),
            ((400, 0), (1600, -24), (2700, -30), (3300, -35), (4950, -60)),
            ((350, 0), (1700, -20), (2700, -30), (3700, -36), (4950, -60)),
            ((450, 0), (800, -9), (2830, -16), (3500, -28), (4950, -55)),
            bandwidths=(80.0, 90.0, 120.0, 130.0, 140.0),
        ),
        attack_s=0.07,
        release_s=0.1,
        vibrato_cents=12.0,
        drift_cents=3.0,
        breath=0.005,
    ),
    "soprano": Sustained(
        slope=1.35,
        vowels=_vowels(
            ((800, 0), (1150, -6), (2900, -32), (3900, -20), (4950, -50)),
            ((350, 0), (2000, -20), (2800, -15), (3600, -40), (4950, -56)),
            ((270, 0), (2140, -12), (2950, -26), (3900, -26), (4950, -44)),
            ((450, 0), (800, -11), (2830, -22), (3800, -22), (4950, -50)),
            bandwidths=(80.0, 90.0, 120.0, 130.0, 140.0),
        ),
        attack_s=0.07,
        release_s=0.1,
        vibrato_cents=12.0,
        drift_cents=3.0,
        breath=0.005,
    ),
}

VOWEL_A, VOWEL_E, VOWEL_I, VOWEL_O = 0, 1, 2, 3
SYLLABLE_VOWELS: Final = {
    "S": VOWEL_A,
    "R": VOWEL_E,
    "G": VOWEL_A,
    "M": VOWEL_A,
    "P": VOWEL_A,
    "D": VOWEL_A,
    "N": VOWEL_I,
}
"""The vowel of each sargam syllable: Sa Re Ga Ma Pa Dha Ni."""


@dataclass(frozen=True, slots=True)
class Consonant:
    """How a syllable begins: the voice is ``closed`` (1: not at all) for some time, with noise around a center."""

    closed: float
    closed_s: float
    noise_hz: float = 0.0
    noise_s: float = 0.0
    noise: float = 0.0


CONSONANTS: Final = {
    "S": Consonant(0.55, 0.05, 6200.0, 0.07, 0.1),
    "R": Consonant(0.5, 0.03),
    "G": Consonant(0.25, 0.03, 1900.0, 0.018, 0.08),
    "M": Consonant(0.45, 0.06),
    "P": Consonant(0.2, 0.035, 900.0, 0.016, 0.09),
    "D": Consonant(0.25, 0.03, 3600.0, 0.016, 0.08),
    "N": Consonant(0.45, 0.055),
}
"""The consonant of each sargam syllable."""


@kept(16)
def consonant(letter: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a consonant multiplies a voice's beginning by, and the noise that it adds; two of (samples,)."""
    spoken = CONSONANTS[letter]
    opening = spoken.closed + (1.0 - spoken.closed) * fade(int(spoken.closed_s * SAMPLE_RATE_HZ))
    count = int(spoken.noise_s * SAMPLE_RATE_HZ)
    if not count:
        return opening.astype(np.float32), np.zeros(0, dtype=np.float32)
    spectrum = np.fft.rfft(np.random.default_rng(ord(letter)).standard_normal(count))
    hz = np.fft.rfftfreq(count, 1.0 / SAMPLE_RATE_HZ)
    spectrum *= resonances(hz, ((spoken.noise_hz, 0.6 * spoken.noise_hz, 1.0),), 0.0)
    noise = np.fft.irfft(spectrum, count)
    rise = count // 4
    noise[:rise] *= fade(rise)
    noise[rise:] *= fade(count - rise)[::-1]
    return opening.astype(np.float32), (noise / np.sqrt(np.mean(noise**2)) * spoken.noise).astype(np.float32)


def _formant_gain(hz: NDArray[np.float64], formants: Formants) -> NDArray[np.float64]:
    """The vocal tract's gain: formants in parallel, each a resonance with its level."""
    gain = np.full(hz.shape, 0.004)
    for center, level_db, width in formants:
        # A second-order resonance falls by 12 dB an octave away from its center.
        gain = gain + 10.0 ** (level_db / 20.0) / (1.0 + ((hz - center) / (0.5 * width * 1.6)) ** 2) ** 0.75
    return gain


def amplitudes(tone: Sustained, hz: float, brightness: float) -> NDArray[np.float64]:
    """The harmonics' amplitudes, (vowels or 1, harmonics); each frame has an RMS of 1."""
    number = harmonics(hz, tone.most_harmonics)
    source = 1.0 / number ** (tone.slope + 0.3 * (1.0 - brightness))
    source = np.where(number % 2 == 0, tone.even, 1.0) * source
    if tone.vowels:
        frames = np.stack([source * _formant_gain(number * hz, vowel) for vowel in tone.vowels])
    else:
        frames = (source * resonances(number * hz, tone.body, tone.body_floor))[None, :]
    return np.asarray(frames / np.sqrt((frames**2).sum(axis=1, keepdims=True) / 2.0), dtype=np.float64)


@kept(160)
def tone_table(name: str, hz: float, brightness: float) -> Table:
    """The table of one tone: its frames are the vowels of a voice, or the one timbre of an instrument."""
    return table(amplitudes(TONES[name], hz, brightness), seed=len(name) * 977 + ord(name[-1]))


@kept(8)
def breath(name: str, hz: float) -> NDArray[np.float32]:
    """Four seconds of breath or bow noise around a pitch's upper harmonics, an RMS of 1, without a seam."""
    count = 4 * SAMPLE_RATE_HZ
    generator = np.random.default_rng(ord(name[0]) * 31)
    spectrum = np.fft.rfft(generator.standard_normal(count, dtype=np.float32))
    frequencies = np.fft.rfftfreq(count, 1.0 / SAMPLE_RATE_HZ)
    center = float(np.clip(4.0 * hz, 1200.0, 5000.0))
    spectrum *= resonances(frequencies, ((center, 1.6 * center, 1.0),), 0.0)
    spectrum[frequencies < 500.0] *= 0.1
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), dtype=np.float32)
