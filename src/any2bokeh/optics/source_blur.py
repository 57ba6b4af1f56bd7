"""Blur that a picture has already, from the lens that it was shot through."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

MAX_BLUR_STRENGTH = 100_000.0
"""Beyond any lens: all that is out of focus is a hundred frames wide."""


@dataclass(frozen=True, slots=True)
class SourceLens:
    """The thin lens that a clip was shot through.

    Attributes:
        blur_strength: its K, 0 to `MAX_BLUR_STRENGTH`: radius in pixels per unit of disparity in a frame of 1024 px
            on its longer side.
        focus_disparity: disparity that it was focused at, on the scale of the clip's disparity. It may lie a little
            outside [0, 1], as nothing of the clip needs to be in focus.

    Raises:
        InputError: a number outside its range.
    """

    blur_strength: float
    focus_disparity: float

    def __post_init__(self) -> None:
        if not 0 <= self.blur_strength <= MAX_BLUR_STRENGTH:
            raise InputError(
                f"source blur strength is {self.blur_strength:g}; give a number from 0 to {MAX_BLUR_STRENGTH:g}"
            )
        if not -1 <= self.focus_disparity <= 2:
            raise InputError(f"source focus disparity is {self.focus_disparity:g}; it lies in -1 to 2")

    def radius(self, disparity: NDArray[np.float32]) -> NDArray[np.float32]:
        """Radius of the blur at a disparity of any shape, in pixels of a frame of 1024 px on its longer side."""
        away = np.asarray(disparity, np.float32) - np.float32(self.focus_disparity)
        return np.float32(self.blur_strength) * np.abs(away)


def without_source_blur(
    wanted: NDArray[np.float32],
    radius: NDArray[np.float32],
    focus_disparity: float,
    blur_strength: float,
) -> NDArray[np.float32]:
    """Disparity from which a thin lens adds just the blur that a picture lacks.

    Variances add when one blur follows another, and that of a uniform disc along an axis is a quarter of its squared
    radius. So a disc of ``sqrt(r_w^2 - r_s^2)`` after one of ``r_s`` has the second moment of one of ``r_w``; their
    shapes differ a little. Where ``r_s`` is larger than ``r_w``, nothing is added. The side of the focal plane is kept.

    Args:
        wanted: disparity of any shape, whose distance from the focal plane is the blur that is wanted.
        radius: of the blur that is there, in pixels of a frame of 1024 px on its longer side; broadcast to it.
        focus_disparity: d_f.
        blur_strength: K, above 0.

    Returns:
        The shape of ``wanted``. With the radii of a `SourceLens` of smaller K, what is in front of what is kept.
    """
    away = np.asarray(wanted, np.float32) - np.float32(focus_disparity)
    there = radius / np.float32(blur_strength)
    # The product, not the difference of squares: of two close numbers the latter loses what is left.
    lacking = np.maximum((np.abs(away) - there) * (np.abs(away) + there), np.float32(0))
    return np.float32(focus_disparity) + np.copysign(np.sqrt(lacking), away)
