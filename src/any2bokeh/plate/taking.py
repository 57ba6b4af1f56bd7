"""Samples of hidden background, taken from other frames."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.plate.lattice import motion_at
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
    blocks, deepest = _wanted(zone, values, np.float32(least_step), block_px, margin_px)
    sums = np.zeros((len(blocks), block_px, block_px, 5), np.float32)
    sums[..., 4] = 1
    for view, passage, taper in zip(sources, passages, tapers, strict=True):
        _take(
            blocks, deepest, zone, values, np.float32(least_step), passage, view.codes, view.cover, block_px,
            margin_px, np.float32(taper), sums,
        )  # fmt: skip
    _write(blocks, block_px, sums, pixels, behind[0], known)
    inner = np.s_[..., margin_px : height - margin_px, margin_px : width - margin_px]
    if margin_px > 0 and not _knows_around(known, margin_px):
        return HiddenBackground(pixels[inner], behind[inner], known[inner])
    return HiddenBackground(pixels, behind, known, margin_px)


def _knows_around(known: NDArray[np.float32], margin_px: int) -> bool:
    strips = known[:margin_px], known[-margin_px:], known[:, :margin_px], known[:, -margin_px:]
    return any(bool(strip.any()) for strip in strips)


@compiled(nogil=True)
def _wanted(zone, disparity, least_step, block_px, margin_px):  # pragma: no cover (compiled)
    """Blocks of the zone that hide something, ``(n, 2)``, and by how much disparity the nearest of each stands off."""
    height, width = disparity.shape[0] + 2 * margin_px, disparity.shape[1] + 2 * margin_px
    blocks = np.empty((zone.size, 2), np.int32)
    deepest = np.empty(zone.size, np.float32)
    count = 0
    for row in range(zone.shape[0]):
        for column in range(zone.shape[1]):
            if zone[row, column] == NO_ZONE:
                continue
            top, left = row * block_px, column * block_px
            step = np.float32(0)
            for y in range(top, min(top + block_px, height)):
                for x in range(left, min(left + block_px, width)):
                    step = max(step, _step(disparity, y - margin_px, x - margin_px, zone[row, column]))
            if step > least_step:
                blocks[count, 0], blocks[count, 1] = row, column
                deepest[count] = step
                count += 1
    return blocks[:count].copy(), deepest[:count].copy()


@compiled(nogil=True, fastmath=True)
def _take(  # pragma: no cover (compiled)
    blocks, deepest, zone, disparity, least_step, passage, codes, cover, block_px, margin_px, taper, sums
):
    """Add what one frame shows of the zone, as far as samples are still wanted.

    Args:
        deepest: of each block, see ``_wanted``; becomes 0 where all that is wanted is there.
        sums: ``(blocks, block_px, block_px, 5)``: light times share, disparity times share, and the share still wanted.
    """
    frame_height, frame_width = disparity.shape
    height, width = frame_height + 2 * margin_px, frame_width + 2 * margin_px
    margin = margin_px // block_px
    found = np.empty(10, np.float32)
    half, one, two = np.float32(0.5 * block_px), np.float32(1), np.float32(2)
    last_x, last_y = np.float32(frame_width - 1), np.float32(frame_height - 1)
    for entry in range(blocks.shape[0]):
        if deepest[entry] == 0:
            continue
        row, column = blocks[entry, 0], blocks[entry, 1]
        far = zone[row, column]
        motion_at(passage, np.float32(column - margin), np.float32(row - margin), far, found)
        belief = found[BELIEF] * taper
        if belief < _LEAST_LEFT:
            continue
        middle_x, middle_y = pixel_of(found[0], block_px), pixel_of(found[3], block_px)
        if not _may_show(cover, middle_x, middle_y, half, far, max(_SAME_SURFACE * deepest[entry], _LEAST_TOLERANCE)):
            continue
        from_x, from_y = pixel_of(np.float32(column), block_px), pixel_of(np.float32(row), block_px)
        top, left = row * block_px, column * block_px
        is_done = True
        for y in range(top, min(top + block_px, height)):
            for x in range(left, min(left + block_px, width)):
                step = _step(disparity, y - margin_px, x - margin_px, far)
                m, n = y - top, x - left
                left_over = sums[entry, m, n, 4]
                if step <= least_step or left_over < _LEAST_LEFT:
                    continue
                is_done = False
                right_px, down_px = np.float32(x) - from_x, np.float32(y) - from_y
                to_x = middle_x + found[1] * right_px + found[2] * down_px
                to_y = middle_y + found[4] * right_px + found[5] * down_px
                if not (to_x >= np.float32(0) and to_x < last_x and to_y >= np.float32(0) and to_y < last_y):
                    continue
                there = disparity_of(cover, to_x, to_y)
                apart, tolerance = abs(there - far), max(_SAME_SURFACE * step, _LEAST_TOLERANCE)
                if apart >= tolerance:
                    continue
                share = left_over * belief * min(two - two * apart / tolerance, one)
                j, i = int(to_y), int(to_x)
                down, right = to_y - np.float32(j), to_x - np.float32(i)
                for c in range(3):
                    seen = sampled(codes, j, i, c, down, right) + found[LIGHT + c]
                    sums[entry, m, n, c] += share * max(seen, np.float32(0))
                sums[entry, m, n, 3] += share * there
                sums[entry, m, n, 4] = left_over - share
        if is_done:
            deepest[entry] = 0


@compiled(nogil=True, inline="always")
def _step(disparity, y, x, far):
    """By how much disparity a pixel stands off from what is looked for; outside the frame a number of its own."""
    if 0 <= y < disparity.shape[0] and 0 <= x < disparity.shape[1]:
        return disparity[y, x] - far
    return _OUTSIDE


@compiled(nogil=True, inline="always")
def _may_show(cover, x, y, half, far, tolerance):
    """Whether a block around a place may show the surface of a disparity: its middle or a corner does."""
    height, width = cover.shape
    for corner in range(5):
        to_x, to_y = x, y
        if corner < 4:
            to_x += half if corner % 2 else -half
            to_y += half if corner // 2 else -half
        to_x = min(max(to_x, np.float32(0)), np.float32(width - 1))
        to_y = min(max(to_y, np.float32(0)), np.float32(height - 1))
        if abs(disparity_of(cover, to_x, to_y) - far) < tolerance:
            return True
    return False


@compiled(nogil=True, fastmath=True)
def _write(blocks, block_px, sums, pixels, behind, known):  # pragma: no cover (compiled)
    height, width = known.shape
    for entry in range(blocks.shape[0]):
        top, left = blocks[entry, 0] * block_px, blocks[entry, 1] * block_px
        for y in range(top, min(top + block_px, height)):
            for x in range(left, min(left + block_px, width)):
                at = sums[entry, y - top, x - left]
                share = 1 - at[4]
                if share < _LEAST_LEFT:
                    continue
                known[y, x] = share
                behind[y, x] = at[3] / share
                for c in range(3):
                    pixels[c, y, x] = at[c] / share
