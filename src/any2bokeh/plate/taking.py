"""Samples of hidden background, taken from other frames."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.plate.passage import BELIEF, LIGHT, pixel_of, place_at, sampled
from any2bokeh.plate.view import View
from any2bokeh.plate.zone import NO_ZONE

_SAME_SURFACE = np.float32(0.3)  # of the step: how far disparity may differ within one background
_LEAST_TOLERANCE = np.float32(0.006)
_LEAST_LEFT = np.float32(0.02)  # of what is still wanted of a sample, at which no other frame is asked


def taken(
    disparity: NDArray[np.float32],
    zone: NDArray[np.float32],
    passages: NDArray[np.float32],
    sources: Sequence[View],
    tapers: Sequence[float],
    least_step: float,
) -> HiddenBackground:
    """Samples of the zone, each from the frames in which it is seen, those that come first before the others.

    Args:
        disparity: ``(1, H, W)`` of the frame.
        zone: see ``hidden_zone``.
        passages: to each source.
        sources: in the order in which they are asked.
        tapers: how far each counts, in [0, 1].
        least_step: of disparity, to what lies behind.
    """
    height, width = disparity.shape[1:]
    pixels = np.zeros((3, height, width), np.float32)
    behind = np.zeros((1, height, width), np.float32)
    known = np.zeros((height, width), np.float32)
    blocks = np.argwhere(zone != NO_ZONE).astype(np.int32)
    block_px = sources[0].block_px
    sums = np.zeros((len(blocks), block_px, block_px, 5), np.float32)
    sums[..., 4] = 1
    values = np.ascontiguousarray(disparity[0], np.float32)
    for view, passage, taper in zip(sources, passages, tapers, strict=True):
        _take(
            blocks, zone, values, np.float32(least_step), passage, view.codes, view.cover, block_px,
            np.float32(taper), sums,
        )  # fmt: skip
    _write(blocks, block_px, sums, pixels, behind[0], known)
    return HiddenBackground(pixels, behind, known)


@compiled(nogil=True, fastmath=True)
def _take(blocks, zone, disparity, least_step, passage, codes, cover, block_px, taper, sums):  # pragma: no cover
    """Add what one frame shows of the zone, as far as samples are still wanted.

    Args:
        sums: ``(blocks, block_px, block_px, 5)``: light times share, disparity times share, and the share still wanted.
    """
    height, width = disparity.shape
    found = np.empty(10, np.float32)
    for entry in range(blocks.shape[0]):
        row, column = blocks[entry, 0], blocks[entry, 1]
        far = zone[row, column]
        place_at(passage, np.float32(column), np.float32(row), far, found)
        belief = found[BELIEF] * taper
        if belief < _LEAST_LEFT:
            continue
        middle_x, middle_y = pixel_of(found[0], block_px), pixel_of(found[3], block_px)
        from_x, from_y = pixel_of(np.float32(column), block_px), pixel_of(np.float32(row), block_px)
        top, left = row * block_px, column * block_px
        for y in range(top, min(top + block_px, height)):
            for x in range(left, min(left + block_px, width)):
                step = disparity[y, x] - far
                at = sums[entry, y - top, x - left]
                if step <= least_step or at[4] < _LEAST_LEFT:
                    continue
                to_x = middle_x + found[1] * (x - from_x) + found[2] * (y - from_y)
                to_y = middle_y + found[4] * (x - from_x) + found[5] * (y - from_y)
                if not (to_x >= 0 and to_x < width - 1 and to_y >= 0 and to_y < height - 1):
                    continue
                there = np.float32(cover[int(to_y + np.float32(0.5)), int(to_x + np.float32(0.5))]) * np.float32(
                    1 / 65535
                )
                tolerance = max(_SAME_SURFACE * step, _LEAST_TOLERANCE)
                off = abs(there - far) / tolerance
                if off >= 1:
                    continue
                share = at[4] * belief * min(2 - 2 * off, np.float32(1))
                j, i = int(to_y), int(to_x)
                down, right = np.float32(to_y - j), np.float32(to_x - i)
                for c in range(3):
                    seen = sampled(codes, j, i, c, down, right) + found[LIGHT + c]
                    at[c] += share * max(seen, np.float32(0))
                at[3] += share * there
                at[4] -= share


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
