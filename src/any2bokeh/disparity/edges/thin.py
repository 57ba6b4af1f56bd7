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
_RIM_PX = 7  # rims are narrower
_MOST_OVERSHOOT = 0.15  # of the step


def evened(sharp: NDArray[np.float32], stride: int, most_px: int = MOST_PX) -> NDArray[np.float32]:
    """The map without rims: what is a little nearer than the near surface that it bounds, or farther than the far one.

    Args:
        sharp: ``(H, W)`` with steps in place of ramps.
        stride: lengths are multiplied by it.
        most_px: pixels that are looked at together.
    """
    even, side_px, reach_px = np.empty_like(sharp), _RIM_PX * stride | 1, _REACH_PX * stride
    for strip in strips(sharp.shape, align=1, margin=max(reach_px, side_px) + 1, most_px=most_px):
        low, high = _extremes(sharp[strip.rows], side_px)
        opened, closed = _without_narrow(low, high, side_px)
        farthest, nearest = _extremes_of(low, high, 2 * (reach_px - side_px // 2) + 1)
        nearest, farthest, opened, closed = (plane[strip.inner] for plane in (nearest, farthest, opened, closed))
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
    found, side_px, reach_px = [], width_px | 1, _REACH_PX * stride
    for strip in strips(sharp.shape, align=1, margin=max(reach_px, side_px) + 1, most_px=most_px):
        here = sharp[strip.rows]
        low, high = _extremes(here, side_px)
        without = _without_narrow(low, high, side_px)
        # All in reach is within squares of ``side_px`` around a few pixels.
        of_squares = (low, high, side_px // 2) if side_px // 2 <= reach_px else (here, here, 0)
        thin = _find_thin(here, strip.first - strip.top, strip.last - strip.top, without, of_squares, reach_px)
        found.append((thin[0] + np.int32(strip.top * sharp.shape[1]), *thin[1:]))
    at, is_thin, near, far, without = (np.concatenate(parts) for parts in zip(*found, strict=True))
    alone = are_specks(sharp, at, (near, far), is_thin, SPECK_PX * stride * stride)
    # Among such, a ripple of the surface that it lies in is no hair.
    here, to = sharp.ravel()[at], np.where(is_thin, near, far)
    ripples = at[alone & (np.abs(here - without) < _LEAST_OF_SPECK * np.abs(to - without))]
    lifted = sharp.copy()
    lifted.reshape(-1)[at] = to
    lifted.reshape(-1)[ripples] = sharp.ravel()[ripples]
    return lifted


def _extremes(sharp: NDArray[np.float32], side_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The farthest and the nearest disparity in squares."""
    return _extremes_of(sharp, sharp, side_px)


def _extremes_of(
    low: NDArray[np.float32], high: NDArray[np.float32], side_px: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The farthest of ``low`` and the nearest of ``high`` in squares: of extremes in squares, those in larger ones."""
    around = _square(side_px)
    return np.asarray(cv2.erode(low, around), np.float32), np.asarray(cv2.dilate(high, around), np.float32)


def _without_narrow(
    low: NDArray[np.float32], high: NDArray[np.float32], side_px: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A map without what is narrower than so much and nearer than its surroundings, and without what is farther, from
    its extremes in such squares."""
    without_gaps, without_thin = _extremes_of(high, low, side_px)
    return without_thin, without_gaps


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
def _find_thin(sharp, first, last, without, of_squares, reach_px):
    """Pixels of thin things and of gaps in some rows: which, whether thin, the nearest and the farthest disparity in
    reach, and that of the map without them.

    Args:
        sharp: ``(H, W)``.
        first, last: rows, the last exclusive.
        without: ``(H, W)`` each: the map without thin things and without gaps.
        of_squares: ``(H, W)`` each: the farthest and the nearest disparity in squares, and how far these reach.
        reach_px: no less than that.
    """
    without_thin, without_gaps = without
    least_step, least_share = np.float32(LEAST_STEP), np.float32(_LEAST_SHARE)
    width = sharp.shape[1]
    at, is_thin = np.empty((last - first) * width, np.int32), np.empty((last - first) * width, np.bool_)
    surfaces = np.empty((3, (last - first) * width), np.float32)
    count = 0
    for y in range(first, last):
        for x in range(width):
            here = sharp[y, x]
            may_be_thin, may_be_gap = here - without_thin[y, x] > least_step, without_gaps[y, x] - here > least_step
            if not (may_be_thin | may_be_gap):
                continue
            low, high = _extremes_at(of_squares, y, x, reach_px)
            least = least_share * (high - low)
            thin, gap = may_be_thin & (here - low > least), may_be_gap & (high - here > least)
            at[count], is_thin[count] = y * width + x, thin
            surfaces[0, count], surfaces[1, count] = high, low
            surfaces[2, count] = without_thin[y, x] if thin else without_gaps[y, x]
            count += thin | gap
    near, far, surroundings = surfaces[0, :count].copy(), surfaces[1, :count].copy(), surfaces[2, :count].copy()
    return at[:count].copy(), is_thin[:count].copy(), near, far, surroundings


@compiled(nogil=True)
def _extremes_at(of_squares, y, x, reach_px):
    """The farthest and the nearest disparity in reach of a pixel."""
    low, high, reach = of_squares
    height, width = low.shape
    most = reach_px - reach
    farthest, nearest = low[y, x], high[y, x]
    for down in range(-most, most + 2 * reach + 1, 2 * reach + 1):
        j = min(max(y + min(down, most), 0), height - 1)
        for along in range(-most, most + 2 * reach + 1, 2 * reach + 1):
            i = min(max(x + min(along, most), 0), width - 1)
            farthest, nearest = min(farthest, low[j, i]), max(nearest, high[j, i])
    return farthest, nearest
