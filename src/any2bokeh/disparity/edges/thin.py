"""What soft maps have beside ramps: rims where a resampled step overshoots, and thin things that are all but lost.

Hair, twigs and gaps keep little of their own disparity, as their surroundings mix in.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.edges.ramps import LEAST_STEP
from any2bokeh.disparity.edges.specks import SPECK_PX, are_specks
from any2bokeh.disparity.edges.strips import MOST_PX, strips

_REACH_PX = 8  # how far away the thicker surface lies that a thin thing is part of
_LEAST_SHARE = 0.25  # of the difference of the two surfaces around, that must be left of a thin thing
_LEAST_OF_SPECK = 0.16  # of the difference of the surface around and the thicker one, left of a dot
_THIN, _GAP = 1, 2
_RIM_PX = 7  # rims are narrower
_MOST_OVERSHOOT = 0.15  # of the step


def evened(sharp: NDArray[np.float32], stride: int, most_px: int = MOST_PX) -> NDArray[np.float32]:
    """The map without rims: what is a little nearer than the near surface that it bounds, or farther than the far one.

    Args:
        sharp: ``(H, W)`` with steps in place of ramps.
        stride: lengths are multiplied by it.
        most_px: pixels that are looked at together.
    """
    even, side_px = np.empty_like(sharp), _RIM_PX * stride | 1
    for strip in strips(sharp.shape, align=1, margin=max(_REACH_PX * stride, side_px) + 1, most_px=most_px):
        here = sharp[strip.rows]
        around = (*_extremes(here, stride), *_without_narrow(here, side_px))
        nearest, farthest, opened, closed = (plane[strip.inner] for plane in around)
        _even(sharp[strip.own], nearest, farthest, opened, closed, even[strip.own])
    return even


def lifted(sharp: NDArray[np.float32], width_px: int, stride: int, most_px: int = MOST_PX) -> NDArray[np.float32]:
    """Thin things brought to the disparity of the surface beside them that they are most likely part of.

    What is nearer than both sides and thinner than the ramps of the map is given the nearest disparity in reach; a gap
    that is as narrow, the farthest.

    Args:
        sharp: ``(H, W)`` with steps in place of ramps.
        width_px: of the ramps.
        stride: lengths are multiplied by it.
        most_px: pixels that are looked at together.
    """
    lifted, found = np.empty_like(sharp), []
    for strip in strips(sharp.shape, align=1, margin=max(_REACH_PX * stride, width_px | 1) + 1, most_px=most_px):
        here, own = sharp[strip.rows], strip.own
        around = (*_extremes(here, stride), *_without_narrow(here, width_px | 1))
        nearest, farthest, without_thin, without_gaps = (plane[strip.inner] for plane in around)
        what = np.empty(nearest.shape, np.uint8)
        _lift(sharp[own], nearest, farthest, without_thin, without_gaps, lifted[own], what)
        at = np.flatnonzero(what != 0).astype(np.int32)
        is_thin = what.ravel()[at] == _THIN
        near, far = nearest.ravel()[at], farthest.ravel()[at]
        without = np.where(is_thin, without_thin.ravel()[at], without_gaps.ravel()[at])
        found.append((at + np.int32(strip.first * sharp.shape[1]), is_thin, near, far, without))
    at, is_thin, near, far, without = (np.concatenate(parts) for parts in zip(*found, strict=True))
    alone = are_specks(sharp, at, (near, far), is_thin, SPECK_PX * stride * stride)
    # Among such, a ripple of the surface that it lies in is no hair.
    here, to = sharp.ravel()[at], np.where(is_thin, near, far)
    ripples = at[alone & (np.abs(here - without) < _LEAST_OF_SPECK * np.abs(to - without))]
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


@compiled(nogil=True)
def _even(sharp, nearest, farthest, opened, closed, even):
    """See ``evened``."""
    most = np.float32(_MOST_OVERSHOOT)
    for y in range(sharp.shape[0]):
        for x in range(sharp.shape[1]):
            here, low, high = sharp[y, x], opened[y, x], closed[y, x]
            is_over = here - low < most * (low - farthest[y, x])
            is_under = high - here < most * (nearest[y, x] - high)
            even[y, x] = low if is_over else (high if is_under else here)


@compiled(nogil=True)
def _lift(sharp, nearest, farthest, without_thin, without_gaps, lifted, what):
    """See ``lifted``; ``what`` gets which pixels are of thin things and of gaps, 0 elsewhere."""
    least_step, least_share = np.float32(LEAST_STEP), np.float32(_LEAST_SHARE)
    for y in range(sharp.shape[0]):
        for x in range(sharp.shape[1]):
            here, high, low = sharp[y, x], nearest[y, x], farthest[y, x]
            least = least_share * (high - low)
            is_thin = (here - without_thin[y, x] > least_step) & (here - low > least)
            is_gap = (without_gaps[y, x] - here > least_step) & (high - here > least)
            what[y, x] = _THIN if is_thin else (_GAP if is_gap else 0)
            lifted[y, x] = high if is_thin else (low if is_gap else here)
