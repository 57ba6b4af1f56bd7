"""What soft maps have beside ramps: rims where a resampled step overshoots, and thin things that are all but lost.

Hair, twigs and gaps keep little of their own disparity, as their surroundings mix in.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.ramps import LEAST_STEP
from any2bokeh.disparity.edges.specks import SPECK_PX, are_specks
from any2bokeh.disparity.edges.strips import MOST_PX, strips

_REACH_PX = 8  # how far away the thicker surface lies that a thin thing is part of
_LEAST_SHARE = 0.25  # of the difference of the two surfaces around, that must be left of a thin thing
_LEAST_OF_SPECK = (
    0.16  # of the difference of the surface around and the thicker one, left of what is no longer than a dot
)
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
        here, own = sharp[strip.rows], strip.inner
        nearest, farthest, opened, closed = (
            plane[own] for plane in (*_extremes(here, stride), *_without_narrow(here, side_px))
        )
        is_over = here[own] - opened < _MOST_OVERSHOOT * (opened - farthest)
        is_under = closed - here[own] < _MOST_OVERSHOOT * (nearest - closed)
        even[strip.own] = np.where(is_over, opened, np.where(is_under, closed, here[own]))
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
        here, own = sharp[strip.rows], strip.inner
        nearest, farthest, without_thin, without_gaps = (
            plane[own] for plane in (*_extremes(here, stride), *_without_narrow(here, width_px | 1))
        )
        here = here[own]
        least = _LEAST_SHARE * (nearest - farthest)
        is_thin = (here - without_thin > LEAST_STEP) & (here - farthest > least)
        is_gap = (without_gaps - here > LEAST_STEP) & (nearest - here > least) & ~is_thin
        to = np.where(is_thin, nearest, np.where(is_gap, farthest, here))
        lifted[strip.own] = to
        at = np.flatnonzero(is_thin | is_gap).astype(np.int32)
        around = np.where(is_thin, without_thin, without_gaps)
        values = (is_thin, nearest, farthest, around, to)
        found.append((at + np.int32(strip.first * sharp.shape[1]), *(plane.ravel()[at] for plane in values)))
    at, is_thin, nearest, farthest, around, to = (np.concatenate(parts) for parts in zip(*found, strict=True))
    alone = are_specks(sharp, at, (nearest, farthest), is_thin, SPECK_PX * stride * stride)
    # Among such, a ripple of the surface that it lies in is no hair.
    here = sharp.ravel()[at]
    ripples = at[alone & (np.abs(here - around) < _LEAST_OF_SPECK * np.abs(to - around))]
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
