"""How subjects and the camera move over a clip."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Deviation from the pose of the first frame, for each of ``T`` frames.

    Attributes:
        shift: ``(T, 3)``; for a subject in shares of its depth, for the camera in shares of the nearest depth.
        turn_deg: ``(T, 3)`` of roll, yaw and pitch.
    """

    shift: NDArray[np.float64]
    turn_deg: NDArray[np.float64]

    def __add__(self, other: "Motion") -> "Motion":
        return Motion(self.shift + other.shift, self.turn_deg + other.turn_deg)


def still(frame_count: int) -> Motion:
    """No motion."""
    return Motion(np.zeros((frame_count, 3)), np.zeros((frame_count, 3)))


def jitter(rng: np.random.Generator, frame_count: int, *, shift: float, turn_deg: float) -> Motion:
    """A new, independent deviation in every frame, as in the paper's clips: normal, of these standard deviations.

    Shift along z is a fifth of that across.
    """
    return Motion(
        rng.normal(0, shift, (frame_count, 3)) * [1, 1, 0.2], rng.normal(0, turn_deg, (frame_count, 3)) * [1, 0.5, 0.5]
    )


def smooth(rng: np.random.Generator, frame_count: int, *, shift: float, turn_deg: float) -> Motion:
    """A drift at constant speed and a swing. ``shift`` and ``turn_deg`` scale how far it goes over the clip."""
    time = np.arange(frame_count)[:, None] / max(frame_count - 1, 1)

    def way(scale: float) -> NDArray[np.float64]:
        drift = rng.normal(0, scale, 3) * time
        pace, phase = rng.uniform(0.3, 1.6, 3), rng.uniform(0, 2 * np.pi, 3)
        swing = rng.normal(0, scale / 3, 3) * (np.sin(2 * np.pi * pace * time + phase) - np.sin(phase))
        return drift + swing

    return Motion(way(shift), way(turn_deg))


def camera(rng: np.random.Generator, frame_count: int, *, strength: float = 1.0) -> Motion:
    """A hand-held, panning or travelling camera: smooth, with a little shake."""
    moving = smooth(rng, frame_count, shift=0.12 * strength, turn_deg=1.5 * strength)
    return moving + jitter(rng, frame_count, shift=0.001 * strength, turn_deg=0.03 * strength)
