"""What the lens does over a clip: the focal plane and the blur strength of every frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ScheduleKind = Literal["fixed", "ramp", "sweep"]
"""fixed: focus and K stay; ramp: K grows or falls; sweep: focus goes from near to far and back."""


@dataclass(frozen=True, slots=True, eq=False)
class LensSchedule:
    """``T`` frames.

    Attributes:
        kind: which schedule it is.
        focus_disparity: ``(T,)`` d_f in [0, 1].
        blur_strength: ``(T,)`` K.
    """

    kind: ScheduleKind
    focus_disparity: NDArray[np.float64]
    blur_strength: NDArray[np.float64]


def fixed(frame_count: int, focus_disparity: float, blur_strength: float) -> LensSchedule:
    """One focal plane and one K."""
    return LensSchedule("fixed", np.full(frame_count, focus_disparity), np.full(frame_count, float(blur_strength)))


def ramp(frame_count: int, focus_disparity: float, first: float, last: float) -> LensSchedule:
    """K goes evenly from ``first`` to ``last``."""
    return LensSchedule("ramp", np.full(frame_count, focus_disparity), np.linspace(first, last, frame_count))


def sweep(frame_count: int, near: float, far: float, blur_strength: float) -> LensSchedule:
    """Focus goes from disparity ``near`` to ``far`` and back, smoothly; the middle frame is the farthest."""
    phase = np.linspace(0, 2 * np.pi, frame_count) if frame_count > 1 else np.zeros(1)
    away = (1 - np.cos(phase)) / 2
    return LensSchedule("sweep", near + (far - near) * away, np.full(frame_count, float(blur_strength)))


def random_schedule(
    rng: np.random.Generator,
    frame_count: int,
    subject_disparities: Sequence[float],
    background_disparity: float,
    *,
    kinds: Sequence[ScheduleKind],
    blur_strength: tuple[float, float],
) -> LensSchedule:
    """A schedule drawn by chance.

    Args:
        rng: to draw from.
        frame_count: T.
        subject_disparities: of the subjects, in any order; focus lies mostly on one of them.
        background_disparity: focus lies there at times.
        kinds: to choose from, alike.
        blur_strength: least and greatest K, drawn evenly in its logarithm; alike: that one.
    """
    low, high = blur_strength
    strength = float(low if low == high else np.exp(rng.uniform(np.log(max(low, 1e-3)), np.log(high))))
    kind = kinds[int(rng.integers(len(kinds)))]
    if kind == "sweep":
        return sweep(frame_count, max(subject_disparities), background_disparity, strength)
    places = [*subject_disparities, *subject_disparities, background_disparity]
    focus = float(np.clip(places[int(rng.integers(len(places)))], 0, 1))
    if kind == "fixed":
        return fixed(frame_count, focus, strength)
    ends = (low, strength) if low < high else (0.0, strength)
    return ramp(frame_count, focus, *(ends if rng.uniform() < 0.5 else ends[::-1]))
