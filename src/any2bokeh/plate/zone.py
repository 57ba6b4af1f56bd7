"""Where background is hidden that a lens may see past the edge of what hides it."""

import math

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.plate.view import View

NO_ZONE = np.float32(-1)

_LEAST_MARGIN, _MARGIN_STEP, _MOST_MARGIN = 0.5, 4, 24  # blocks
_STEP_PX = np.float32(1.0)  # of defocus between neighbouring pixels, as in the layered engine
_MARGIN_PX = np.float32(3.0)


def hidden_zone(view: View, px_per_disparity: float) -> NDArray[np.float32]:
    """``(h, w)`` float32: disparity of the background that is hidden in a block; ``NO_ZONE`` where none is wanted.

    Args:
        view: of the frame.
        px_per_disparity: pixels by which surfaces shift, per unit of disparity, from the middle of the lens to its rim.
    """
    zone = np.full(view.low.shape, NO_ZONE, np.float32)
    if float(view.step.max()) * px_per_disparity > _STEP_PX:
        _grow(view.low, view.high, view.step, np.float32(px_per_disparity), np.float32(view.block_px), zone)
    return zone


def with_margin(
    zone: NDArray[np.float32], view: View, focus_disparity: float, px_per_disparity: float
) -> tuple[NDArray[np.float32], int]:
    """A zone with what lies around the frame: the surfaces at its border go on, as far as they are blurred.

    Returns:
        ``(h + 2 m, w + 2 m)``, and m, in blocks.
    """
    focus, scale = np.float32(focus_disparity), np.float32(px_per_disparity / view.block_px)
    radius = np.maximum(np.abs(view.low - focus), np.abs(view.high - focus)) * scale
    widest = max(float(side.max()) for side in (radius[0], radius[-1], radius[:, 0], radius[:, -1]))
    if widest <= _LEAST_MARGIN:
        return zone, 0
    # In coarse steps, so that renderers can use their memory again.
    margin = min(math.ceil(widest / _MARGIN_STEP) * _MARGIN_STEP, _MOST_MARGIN)
    around = np.pad(zone, margin, constant_values=NO_ZONE)
    _surround(view.low, radius, margin, around)
    return around, margin


@compiled(nogil=True)
def _surround(low, radius, margin, around):  # pragma: no cover (compiled)
    height, width = low.shape
    for row in range(around.shape[0]):
        y = min(max(row - margin, 0), height - 1)
        for column in range(around.shape[1]):
            x = min(max(column - margin, 0), width - 1)
            # The last blocks of a frame may hold less than a block.
            off = max(abs(row - margin - y), abs(column - margin - x))
            is_last = y == height - 1 or x == width - 1
            if (off > 0 or is_last) and off <= radius[y, x] + 1 and around[row, column] == NO_ZONE:
                around[row, column] = low[y, x]


@compiled(nogil=True)
def _grow(low, high, step, px_per_disparity, block_px, zone):  # pragma: no cover (compiled)
    """Ring after ring from the steps inwards, as far as the two surfaces shift against one another."""
    height, width = low.shape
    source = np.empty((height, width), np.int32)
    ring = np.empty(height * width, np.int32)
    count = 0
    least = _STEP_PX / px_per_disparity
    for y in range(height):
        for x in range(width):
            if step[y, x] <= least:
                continue
            # A step that crosses the block, or lies at its lower or right border.
            far, near = low[y, x], high[y, x]
            for j in range(y, min(y + 2, height)):
                for i in range(x, min(x + 2, width)):
                    far = min(far, low[j, i])
                    near = max(near, high[j, i])
            if near - far > least:
                zone[y, x] = far
                source[y, x] = y * width + x
                ring[count] = y * width + x
                count += 1
    beside_steps = count
    begin, number = 0, 1
    while begin < count:
        end = count
        number += 1
        for entry in range(begin, end):
            y, x = ring[entry] // width, ring[entry] % width
            from_y, from_x = source[y, x] // width, source[y, x] % width
            far = zone[from_y, from_x]
            for j in range(max(y - 1, 0), min(y + 2, height)):
                for i in range(max(x - 1, 0), min(x + 2, width)):
                    if zone[j, i] != NO_ZONE or (number % 2 == 0 and j != y and i != x):
                        continue
                    apart = np.sqrt(np.float32((j - from_y) ** 2 + (i - from_x) ** 2)) * block_px
                    shift = (high[j, i] - far) * px_per_disparity
                    if shift > _STEP_PX and apart <= shift + _MARGIN_PX + block_px:
                        zone[j, i] = far
                        source[j, i] = source[y, x]
                        ring[count] = j * width + i
                        count += 1
        begin = end
    # On the far side of a step, too, the near surface hides a part of the pixels that both share.
    for entry in range(beside_steps):
        y, x = ring[entry] // width, ring[entry] % width
        for j in range(max(y - 1, 0), min(y + 2, height)):
            for i in range(max(x - 1, 0), min(x + 2, width)):
                if zone[j, i] == NO_ZONE:
                    zone[j, i] = zone[y, x]
