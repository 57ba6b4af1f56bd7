"""The sound of the clip: a music box over a soft pad, and the air of two toys passing. Synthesised with numpy."""

from __future__ import annotations

import numpy as np
import shot
from numpy.typing import NDArray

SAMPLE_RATE = 48000
Signal = NDArray[np.float64]


def _pan(signal: Signal, position: float) -> Signal:
    """Equal-power stereo, position -1 (left) to 1 (right); returns (2, N)."""
    angle = (position + 1) * np.pi / 4
    return np.stack([signal * np.cos(angle), signal * np.sin(angle)])


def _tine(frequency: float, seconds: float) -> Signal:
    """One plucked tine of a music box: a few inharmonic partials that die away."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    partials = ((1.0, 1.0, 2.6), (2.0, 0.22, 4.5), (3.01, 0.16, 7.0), (5.42, 0.10, 14.0))
    tone = sum(a * np.sin(2 * np.pi * frequency * k * t) * np.exp(-decay * t) for k, a, decay in partials)
    return np.asarray(tone) * np.minimum(t / 0.003, 1)


def _pad(frequency: float, t: Signal) -> Signal:
    """A slow, slightly detuned voice."""
    voices = [
        np.sin(2 * np.pi * frequency * (1 + detune) * t + phase)
        for detune, phase in ((-0.0017, 0), (0, 1), (0.0019, 2))
    ]
    return sum(voices) / 3 + 0.15 * np.sin(4 * np.pi * frequency * t)


def _passing_air(t: Signal) -> Signal:
    """Low-passed noise that swells where the two pass each other in the picture; drawn in the frequency domain."""
    spectrum = np.fft.rfft(np.random.default_rng(5).normal(size=len(t)))
    frequency = np.fft.rfftfreq(len(t), 1 / SAMPLE_RATE)
    spectrum *= (frequency / 250) / (1 + (frequency / 420) ** 3)
    noise = np.fft.irfft(spectrum, len(t))
    return noise / np.abs(noise).max() * np.exp(-(((t - shot.PASSING_FRAME / shot.FPS) / 0.38) ** 2))


def soundtrack() -> NDArray[np.float32]:
    """Stereo, (2, N) in [-1, 1], exactly as long as the picture."""
    count = shot.FRAME_COUNT * SAMPLE_RATE // shot.FPS
    t = np.arange(count) / SAMPLE_RATE
    mix = np.zeros((2, count))
    notes = {"D3": 50, "A3": 57, "F#4": 66, "D5": 74, "E5": 76, "F#5": 78, "A5": 81, "B5": 83, "D6": 86}  # MIDI
    hz = {name: 440 * 2 ** ((note - 69) / 12) for name, note in notes.items()}
    swell = np.minimum(t / 0.5, 1) * np.minimum((t[-1] - t) / 0.5, 1)
    for name, level, side in (("D3", 0.10, 0.0), ("A3", 0.07, -0.4), ("F#4", 0.04, 0.4)):
        mix += _pan(level * swell * _pad(hz[name], t), side)
    melody = ["A5", "F#5", "D5", "E5", "F#5", "A5", "B5", "D6"]
    tune = [*((0.08 + 0.32 * beat, name) for beat, name in enumerate(melody)), (2.32, "F#5")]
    for index, (start, name) in enumerate(tune):
        tine = _tine(hz[name], 3.0 - start)
        first = int(start * SAMPLE_RATE)
        for delay_s, level in ((0.0, 0.16), (0.19, 0.035), (0.37, 0.015)):  # the strike and two faint echoes
            at = first + int(delay_s * SAMPLE_RATE)
            length = max(min(len(tine), count - at), 0)
            mix[:, at : at + length] += _pan(
                level * tine[:length], 0.35 * (-1) ** index * (1 if delay_s == 0.19 else -0.6)
            )
    pan = np.clip((t - shot.PASSING_FRAME / shot.FPS) * 1.5, -0.8, 0.8)
    air = 0.10 * _passing_air(t)
    mix += np.stack([air * np.cos((1 - pan) * np.pi / 4), air * np.sin((1 - pan) * np.pi / 4)])
    mix *= np.minimum((t[-1] - t) / 0.25, 1) ** 2
    return np.tanh(mix * 1.3).astype(np.float32)
