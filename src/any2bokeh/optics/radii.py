"""The radii of the circle of confusion for which shapes are kept ready."""

import numpy as np

from any2bokeh.compiled import compiled

# Linear up to 16 px, then geometric. The largest rounding error of a radius is 1/64 px below 16 px and 0.1 % above,
# both far below what a picture of 16 bits can show of a disc's edge.
_LINEAR_STEPS_PER_PX = 32
LINEAR_LIMIT_PX = 16.0
_STEPS_PER_E_FOLD = 512
_LINEAR_COUNT = int(LINEAR_LIMIT_PX * _LINEAR_STEPS_PER_PX)

IDENTITY_RADIUS_PX = 0.5
"""Below half a pixel the disc lies inside its own pixel."""


@compiled(nogil=True, inline="always")
def radius_index(radius_px):
    """Index of a radius; 0 for every radius below half a pixel."""
    if radius_px < IDENTITY_RADIUS_PX:
        return 0
    if radius_px < LINEAR_LIMIT_PX:
        return int(radius_px * _LINEAR_STEPS_PER_PX + 0.5)
    return _LINEAR_COUNT + int(np.log(radius_px / LINEAR_LIMIT_PX) * _STEPS_PER_E_FOLD + 0.5)


def indexed_radius_px(index: int) -> float:
    """The radius that an index stands for; inverse of :func:`radius_index`."""
    if index < _LINEAR_COUNT:
        return index / _LINEAR_STEPS_PER_PX
    return LINEAR_LIMIT_PX * float(np.exp((index - _LINEAR_COUNT) / _STEPS_PER_E_FOLD))


def indexed_radii_px(max_radius_px: float) -> np.ndarray:
    """All of them up to ``max_radius_px`` at least, ``(R,)`` float64; the first stands for all below half a pixel."""
    largest = LINEAR_LIMIT_PX
    while largest < max_radius_px:
        largest *= 2
    return np.array([indexed_radius_px(index) for index in range(radius_index(largest) + 2)])
