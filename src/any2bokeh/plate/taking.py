"""Samples of hidden background, taken from other frames."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.plate.lattice import mean_at, motion_at
from any2bokeh.plate.passage import BELIEF, LIGHT, disparity_of, pixel_of, sampled
from any2bokeh.plate.view import View
from any2bokeh.plate.zone import NO_ZONE

_SAME_SURFACE = np.float32(0.3)  # of the step: how far disparity may differ within one background
_OUTSIDE = np.float32(0.1)  # the step that stands for what is not in the frame
_LEAST_TOLERANCE = np.float32(0.006)
_BESIDE = np.ones((3, 3), np.uint8)
_LEAST_LEFT = np.float32(0.02)  # of what is still wanted of a sample, at which no other frame is asked


def taken(
    disparity: NDArray[np.float32],
    zone: NDArray[np.float32],
    margin: int,
    passages: NDArray[np.float32],
    sources: Sequence[View],
    tapers: Sequence[float],
    least_step: float,
) -> HiddenBackground:
    """Samples of the zone, each from the frames in which it is seen, those that come first before the others.

    Args:
        disparity: ``(1, H, W)`` of the frame.
        zone, margin: see ``with_margin``.
        passages: to each source.
        sources: in the order in which they are asked.
        tapers: how far each counts, in [0, 1].
        least_step: of disparity, to what lies behind.
    """
    block_px = sources[0].block_px
    margin_px = margin * block_px
    height, width = (side + 2 * margin_px for side in disparity.shape[1:])
    pixels = np.zeros((3, height, width), np.float32)
    behind = np.zeros((1, height, width), np.float32)
    known = np.zeros((height, width), np.float32)
    # Of a pixel on the far side of a step, the near surface hides a part.
    values = np.asarray(cv2.dilate(np.ascontiguousarray(disparity[0], np.float32), _BESIDE), np.float32)
    blocks, tolerances, first, at, tolerance = _wanted(zone, values, np.float32(least_step), block_px, margin_px)
    left = np.ones(len(at), np.float32)
    sums = np.zeros((len(at), 4), np.float32)
    for view, passage, taper in zip(sources, passages, tapers, strict=True):
        _take(
            blocks, tolerances, first, at, tolerance, zone, passage, view.codes, view.cover, block_px, margin,
            np.float32(taper), left, sums,
        )  # fmt: skip
    _write(blocks, first, at, block_px, left, sums, pixels, behind[0], known)
    inner = np.s_[..., margin_px : height - margin_px, margin_px : width - margin_px]
    if margin_px > 0 and not _knows_around(known, margin_px):
        return HiddenBackground(pixels[inner], behind[inner], known[inner])
    return HiddenBackground(pixels, behind, known, margin_px)


def _knows_around(known: NDArray[np.float32], margin_px: int) -> bool:
    strips = known[:margin_px], known[-margin_px:], known[:, :margin_px], known[:, -margin_px:]
    return any(bool(strip.any()) for strip in strips)


@compiled(nogil=True)
def _wanted(zone, disparity, least_step, block_px, margin_px):  # pragma: no cover (compiled)
    """The pixels of the zone that hide something, block by block.

    Returns:
        ``(n, 2)`` int32, row and column of each block that has any; ``(n,)`` float32, how far disparity may differ from
        its background where it stands off most; ``(n + 1,)`` int32, its first pixel; ``(pixels, 2)`` uint8, row and
        column of each within its block; ``(pixels,)`` float32, how far disparity may differ there.
    """
    height, width = disparity.shape[0] + 2 * margin_px, disparity.shape[1] + 2 * margin_px
    count = 0
    for row in range(zone.shape[0]):
        for column in range(zone.shape[1]):
            count += zone[row, column] != NO_ZONE
    blocks = np.empty((count, 2), np.int32)
    tolerances = np.empty(count, np.float32)
    first = np.zeros(count + 1, np.int32)
    at = np.empty((count * block_px * block_px, 2), np.uint8)
    tolerance = np.empty(count * block_px * block_px, np.float32)
    count, pixels = 0, 0
    for row in range(zone.shape[0]):
        for column in range(zone.shape[1]):
            far = zone[row, column]
            if far == NO_ZONE:
                continue
            top, left = row * block_px, column * block_px
            most = np.float32(0)
            for y in range(top, min(top + block_px, height)):
                for x in range(left, min(left + block_px, width)):
                    step = _step(disparity, y - margin_px, x - margin_px, far)
                    if step > least_step:
                        at[pixels, 0], at[pixels, 1] = y - top, x - left
                        tolerance[pixels] = max(_SAME_SURFACE * step, _LEAST_TOLERANCE)
                        most = max(most, tolerance[pixels])
                        pixels += 1
            if pixels > first[count]:
                blocks[count, 0], blocks[count, 1] = row, column
                tolerances[count] = most
                count += 1
                first[count] = pixels
    return blocks[:count], tolerances[:count], first[: count + 1], at[:pixels], tolerance[:pixels]


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _take(  # pragma: no cover (compiled)
    blocks, tolerances, first, at, tolerance, zone, passage, codes, cover, block_px, margin, taper, left, sums
):
    """Add what one frame shows of the zone, as far as samples are still wanted.

    Args:
        tolerances: of each block, see ``_wanted``; becomes 0 where all that is wanted is there.
        left: ``(pixels,)``, the share that is still wanted of each.
        sums: ``(pixels, 4)``: light times share, and disparity times share.
    """
    height, width = cover.shape
    found, lighter = np.empty(6, np.float32), np.empty(3, np.float32)
    half, middle = np.float32(0.5 * block_px), np.float32(0.5 * (block_px - 1))
    zero, one, two = np.float32(0), np.float32(1), np.float32(2)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    for block in range(blocks.shape[0]):
        if tolerances[block] == 0:
            continue
        row, column = blocks[block, 0], blocks[block, 1]
        from_x, from_y, far = np.float32(column - margin), np.float32(row - margin), zone[row, column]
        belief = mean_at(passage, BELIEF, from_x, from_y, far) * taper
        if belief < _LEAST_LEFT:
            continue
        motion_at(passage, from_x, from_y, far, found)
        middle_x, middle_y = pixel_of(found[0], block_px), pixel_of(found[3], block_px)
        xx, xy, yx, yy = found[1], found[2], found[4], found[5]
        reach_x, reach_y = half * (abs(xx) + abs(xy)), half * (abs(yx) + abs(yy))
        if middle_x < -reach_x or middle_x > last_x + reach_x or middle_y < -reach_y or middle_y > last_y + reach_y:
            continue
        if not _may_show(cover, middle_x, middle_y, half, far, tolerances[block]):
            continue
        for c in range(3):
            lighter[c] = mean_at(passage, LIGHT + c, from_x, from_y, far)
        is_done = True
        for pixel in range(first[block], first[block + 1]):
            left_over = left[pixel]
            if left_over < _LEAST_LEFT:
                continue
            is_done = False
            right_px, down_px = np.float32(at[pixel, 1]) - middle, np.float32(at[pixel, 0]) - middle
            to_x = middle_x + xx * right_px + xy * down_px
            to_y = middle_y + yx * right_px + yy * down_px
            if not (to_x >= zero and to_x < last_x and to_y >= zero and to_y < last_y):
                continue
            there = disparity_of(cover, to_x, to_y)
            apart = abs(there - far)
            if apart >= tolerance[pixel]:
                continue
            share = left_over * belief * min(two - two * apart / tolerance[pixel], one)
            j, i = int(to_y), int(to_x)
            down, right = to_y - np.float32(j), to_x - np.float32(i)
            for c in range(3):
                seen = sampled(codes, j, i, c, down, right) + lighter[c]
                sums[pixel, c] += share * max(seen, zero)
            sums[pixel, 3] += share * there
            left[pixel] = left_over - share
        if is_done:
            tolerances[block] = 0


@compiled(nogil=True, inline="always")
def _step(disparity, y, x, far):
    """By how much disparity a pixel stands off from what is looked for; outside the frame a number of its own."""
    if 0 <= y < disparity.shape[0] and 0 <= x < disparity.shape[1]:
        return disparity[y, x] - far
    return _OUTSIDE


@compiled(nogil=True, inline="always")
def _may_show(cover, x, y, half, far, tolerance):
    """Whether a block around a place may show the surface of a disparity: its middle or a corner does."""
    last_x, last_y = np.float32(cover.shape[1] - 1), np.float32(cover.shape[0] - 1)
    left, middle_x, right = _within(x - half, last_x), _within(x, last_x), _within(x + half, last_x)
    top, middle_y, bottom = _within(y - half, last_y), _within(y, last_y), _within(y + half, last_y)
    # All five are looked at, as to guess which one decides takes longer.
    shows = abs(disparity_of(cover, middle_x, middle_y) - far) < tolerance
    shows |= abs(disparity_of(cover, left, top) - far) < tolerance
    shows |= abs(disparity_of(cover, right, top) - far) < tolerance
    shows |= abs(disparity_of(cover, left, bottom) - far) < tolerance
    shows |= abs(disparity_of(cover, right, bottom) - far) < tolerance
    return shows


@compiled(nogil=True, inline="always")
def _within(place, last):
    return min(max(place, np.float32(0)), last)


@compiled(nogil=True, fastmath=True)
def _write(blocks, first, at, block_px, left, sums, pixels, behind, known):  # pragma: no cover (compiled)
    for block in range(blocks.shape[0]):
        top, side = blocks[block, 0] * block_px, blocks[block, 1] * block_px
        for pixel in range(first[block], first[block + 1]):
            share = 1 - left[pixel]
            if share < _LEAST_LEFT:
                continue
            y, x = top + at[pixel, 0], side + at[pixel, 1]
            known[y, x] = share
            behind[y, x] = sums[pixel, 3] / share
            for c in range(3):
                pixels[c, y, x] = sums[pixel, c] / share
