"""Thin things in a soft map: hair, twigs and gaps keep little of their own disparity, as their surroundings mix in."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.ramps import LEAST_STEP

_REACH_PX = 8  # how far away the thicker surface lies that a thin thing is part of
_LEAST_SHARE = 0.25  # of the difference of the two surfaces around, that must be left of a thin thing


def lifted(sharp: NDArray[np.float32], width_px: int, stride: int) -> NDArray[np.float32]:
    """Thin things brought to the disparity of the surface beside them that they are most likely part of.

    What is nearer than both sides and thinner than the ramps of the map is given the nearest disparity in reach; a gap
    that is as narrow, the farthest.

    Args:
        sharp: ``(H, W)`` with steps in place of ramps.
        width_px: of the ramps.
        stride: lengths are multiplied by it.
    """
    side = width_px | 1
    thin, around = np.ones((side, side), np.uint8), np.ones((2 * _REACH_PX * stride + 1,) * 2, np.uint8)
    without_thin, without_gaps = (cv2.morphologyEx(sharp, how, thin) for how in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE))
    nearest, farthest = cv2.dilate(sharp, around), cv2.erode(sharp, around)
    least = _LEAST_SHARE * (nearest - farthest)
    is_thin = (sharp - without_thin > LEAST_STEP) & (sharp - farthest > least)
    is_gap = (without_gaps - sharp > LEAST_STEP) & (nearest - sharp > least) & ~is_thin
    return np.asarray(np.where(is_thin, nearest, np.where(is_gap, farthest, sharp)), np.float32)
