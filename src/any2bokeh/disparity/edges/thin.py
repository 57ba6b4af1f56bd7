"""What soft maps have beside ramps: rims where a resampled step overshoots, and thin things that are all but lost.

Hair, twigs and gaps keep little of their own disparity, as their surroundings mix in.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.ramps import LEAST_STEP
from any2bokeh.disparity.edges.specks import SPECK_PX, are_specks

_REACH_PX = 8  # how far away the thicker surface lies that a thin thing is part of
_LEAST_SHARE = 0.25  # of the difference of the two surfaces around, that must be left of a thin thing
_LEAST_OF_SPECK = (
    0.16  # of the difference of the surface around and the thicker one, left of what is no longer than a dot
)
_RIM_PX = 7  # rims are narrower
_MOST_OVERSHOOT = 0.15  # of the step


def evened(sharp: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """The map without rims: what is a little nearer than the near surface that it bounds, or farther than the far one.

    Args:
        sharp: ``(H, W)`` with steps in place of ramps.
        stride: lengths are multiplied by it.
    """
    nearest, farthest = _extremes(sharp, stride)
    opened, closed = _without_narrow(sharp, _RIM_PX * stride | 1)
    is_over = sharp - opened < _MOST_OVERSHOOT * (opened - farthest)
    is_under = closed - sharp < _MOST_OVERSHOOT * (nearest - closed)
    return np.asarray(np.where(is_over, opened, np.where(is_under, closed, sharp)), np.float32)


def lifted(sharp: NDArray[np.float32], width_px: int, stride: int) -> NDArray[np.float32]:
    """Thin things brought to the disparity of the surface beside them that they are most likely part of.

    What is nearer than both sides and thinner than the ramps of the map is given the nearest disparity in reach; a gap
    that is as narrow, the farthest.

    Args:
        sharp: ``(H, W)`` with steps in place of ramps.
        width_px: of the ramps.
        stride: lengths are multiplied by it.
    """
    nearest, farthest = _extremes(sharp, stride)
    without_thin, without_gaps = _without_narrow(sharp, width_px | 1)
    least = _LEAST_SHARE * (nearest - farthest)
    is_thin = (sharp - without_thin > LEAST_STEP) & (sharp - farthest > least)
    is_gap = (without_gaps - sharp > LEAST_STEP) & (nearest - sharp > least) & ~is_thin
    lifted = np.where(is_thin, nearest, np.where(is_gap, farthest, sharp)).astype(np.float32)
    at = np.flatnonzero(is_thin | is_gap).astype(np.int32)
    surfaces = nearest.ravel()[at], farthest.ravel()[at]
    alone = at[are_specks(sharp, at, surfaces, is_thin.ravel()[at], SPECK_PX * stride * stride)]
    # Among such, a ripple of the surface that it lies in is no hair.
    around, to = (np.where(is_thin, *two).ravel()[alone] for two in ((without_thin, without_gaps), (nearest, farthest)))
    here = sharp.ravel()[alone]
    ripples = alone[np.abs(here - around) < _LEAST_OF_SPECK * np.abs(to - around)]
    lifted.reshape(-1)[ripples] = sharp.ravel()[ripples]
    return lifted


def _extremes(sharp: NDArray[np.float32], stride: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The nearest and the farthest disparity in reach."""
    around = _square(2 * _REACH_PX * stride + 1)
    return np.asarray(cv2.dilate(sharp, around), np.float32), np.asarray(cv2.erode(sharp, around), np.float32)


def _without_narrow(sharp: NDArray[np.float32], side_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A map without what is narrower than so much and nearer than its surroundings, and without what is farther."""
    opened, closed = (cv2.morphologyEx(sharp, how, _square(side_px)) for how in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE))
    return np.asarray(opened, np.float32), np.asarray(closed, np.float32)


def _square(side_px: int) -> NDArray[np.uint8]:
    return np.ones((side_px, side_px), np.uint8)
