"""The picture in three parts that add up to it: what is in front of the focal plane, in it, and behind it.

The bins of a tile are taken front to back as for the picture, but each pixel keeps apart what comes from which part.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.renderers.layered.bins import BIN_COUNT, depth_bin
from any2bokeh.renderers.layered.cpu import (
    LEAST_COVERAGE,
    ROW_PIXELS,
    SLOT_PIXELS,
    TILE_WIDTH,
    share_taken,
    sum_tile,
)
from any2bokeh.renderers.layered.lamps import glow_of

NEAR, FOCUS, FAR = 0, 1, 2

ALPHA = 3
"""Of the four channels of a part; light comes first, multiplied by it."""


def separate_tile(tile, samples, rows, channel, shift_px, focus_px, accumulator, parts):
    """Render one tile in three parts.

    Args:
        tile, samples, rows, channel, shift_px, accumulator: as for ``cpu.render_tile``.
        focus_px: up to this radius a sample is in focus.
        parts: ``(3, 4, H, W)``: of ``NEAR``, ``FOCUS`` and ``FAR``, linear light multiplied by coverage, and coverage;
            the three coverages sum to 1. The tile's part is written; of one channel, that channel, and with green the
            coverage.
    """
    window, slot_of_bin, extents = sum_tile(tile, samples, rows, channel, shift_px, accumulator)
    glow = glow_of(window, samples, rows, shift_px, focus_px)
    _compose_parts(window, channel, focus_px, samples.backstop, glow, slot_of_bin, extents, accumulator, parts)


@compiled(nogil=True, fastmath=True)
def _compose_parts(window, channel, focus_px, backstop, glow, slot_of_bin, extents, accumulator, parts):
    """Take the bins front to back, each to its part, until the aperture is full; zero the sums."""
    top, bottom, left, right = window
    lanes = 4 if channel < 0 else 2
    nearest_far, farthest_near = depth_bin(-focus_px), depth_bin(focus_px)
    sums = np.empty((TILE_WIDTH, 3, 4), np.float32)
    full = np.empty(TILE_WIDTH, np.float32)
    lane = np.empty(4, np.float32)
    for y in range(bottom - top):
        sums[:] = 0
        full[:] = 0
        for bin_ in range(BIN_COUNT - 1, -1, -1):
            slot = slot_of_bin[bin_]
            if slot < 0 or y < extents[slot, 0] or y > extents[slot, 1]:
                continue
            which = NEAR if bin_ > farthest_near else FAR if bin_ < nearest_far else FOCUS
            lane[:] = 0
            begin = (slot * SLOT_PIXELS + y * ROW_PIXELS + extents[slot, 2]) * lanes
            at = begin
            for x in range(extents[slot, 2], min(extents[slot, 3] + 1, right - left)):
                for i in range(lanes):
                    lane[i] += accumulator[at + i]
                at += lanes
                coverage = lane[lanes - 1]
                part = share_taken(bin_, coverage, full[x], backstop[top + y, left + x])
                if part > 0:
                    full[x] += part * coverage
                    for i in range(lanes):
                        sums[x, which, i] += part * lane[i]
            accumulator[begin : (slot * SLOT_PIXELS + y * ROW_PIXELS + extents[slot, 4]) * lanes] = 0
        for which in range(3):
            for x in range(right - left):
                whole = max(full[x], np.float32(LEAST_COVERAGE))
                if channel < 0:
                    for i in range(4):
                        parts[which, i, top + y, left + x] = max(sums[x, which, i] / whole, np.float32(0))
                    if glow.shape[0]:
                        for i in range(3):
                            parts[which, i, top + y, left + x] += glow[which, y, x, i]
                else:
                    parts[which, channel, top + y, left + x] = max(sums[x, which, 0] / whole, np.float32(0))
                    if glow.shape[0]:
                        parts[which, channel, top + y, left + x] += glow[which, y, x, channel]
                    if channel == 1:
                        parts[which, ALPHA, top + y, left + x] = max(sums[x, which, 1] / whole, np.float32(0))
