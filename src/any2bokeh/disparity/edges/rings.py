"""The band around clean steps: how far each pixel is from its step, and which two surfaces meet there."""

import numpy as np

from any2bokeh.compiled import compiled

OUTSIDE = 99.0
"""Distance of pixels that no band holds."""

SAME_SURFACE = 0.3
"""Of a step: how far disparity may differ within one of its surfaces."""


@compiled(nogil=True, fastmath=True, error_model="numpy")
def find_band(disparity, least_step, most_px, distance, side, near, far):
    """Rings around all steps, outwards from them, each within the surface that it began on.

    Args:
        disparity: ``(H, W)``, with steps from one pixel to the next.
        least_step: how much neighbours differ there.
        most_px: how far the band reaches on each side.
        distance: ``(H, W)`` float32, written: pixels to the step, from 0.5 on; ``OUTSIDE`` elsewhere.
        side: ``(H, W)`` int8, written: 1 on near sides, -1 on far ones, 0 outside.
        near, far: ``(H, W)`` float32, written in the band: disparity of the two surfaces.
    """
    height, width = disparity.shape
    found, source = np.empty(height * width + 1, np.uint32), np.empty((height, width), np.uint32)
    count = _beside_steps(disparity, least_step, distance, side, near, far, source, found)
    farther = _distances(most_px)
    one, two = np.uintp(1), np.uintp(2)  # unsigned: numba asks of each signed index whether it counts from the end
    rows, columns = np.uintp(height), np.uintp(width)
    first = 0
    while first < count:
        last = count
        for entry in range(first, last):
            y, x = np.uintp(found[entry] >> 16), np.uintp(found[entry] & 0xFFFF)
            beginning = source[y, x]
            from_y, from_x = np.uintp(beginning >> 16), np.uintp(beginning & 0xFFFF)
            origin, of_near, of_far = side[from_y, from_x], near[from_y, from_x], far[from_y, from_x]
            tolerance = SAME_SURFACE * (of_near - of_far)
            surface = of_near if origin > 0 else of_far
            for j in range(max(y, one) - one, min(y + two, rows)):
                down2 = (j - from_y) * (j - from_y)
                for i in range(max(x, one) - one, min(x + two, columns)):
                    away = farther[down2 + (i - from_x) * (i - from_x)]
                    if away >= distance[j, i]:
                        continue
                    here = disparity[j, i]
                    if abs(here - surface) > tolerance:
                        continue
                    found[count] = j << np.uintp(16) | i
                    count += distance[j, i] == OUTSIDE
                    distance[j, i], source[j, i], side[j, i] = away, beginning, origin
                    near[j, i], far[j, i] = (here, of_far) if origin > 0 else (of_near, here)
        first = last


@compiled(nogil=True)
def _distances(most_px):
    """From a step, by the square of how far a pixel is from the one beside it; very far beyond the last ring."""
    last = int(most_px) + 2
    away = np.float32(0.5) + np.sqrt(np.arange(last * last + 1).astype(np.float32))
    return np.where(away > most_px, np.float32(1e9), away)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _beside_steps(disparity, least_step, distance, side, near, far, source, found):
    height, width = disparity.shape
    count = 0
    is_step = np.empty(width, np.bool_)
    for y in range(height):
        distance[y] = OUTSIDE
        side[y] = 0
        row, above, below = disparity[y], disparity[max(y - 1, 0)], disparity[min(y + 1, height - 1)]
        _find_steps(row, above, below, least_step, is_step)
        for x in range(width):
            if not is_step[x]:
                continue
            here, left, right = row[x], row[max(x - 1, 0)], row[min(x + 1, width - 1)]
            low, high = min(here, above[x], below[x], left, right), max(here, above[x], below[x], left, right)
            is_near = high - here <= here - low  # between two steps, a pixel belongs to the side of the larger
            distance[y, x] = 0.5
            side[y, x] = 1 if is_near else -1
            near[y, x], far[y, x] = (here, low) if is_near else (high, here)
            source[y, x] = found[count] = y << 16 | x
            count += 1
    return count


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _find_steps(row, above, below, least_step, is_step):
    """Whether neighbours of a pixel differ by a step. By itself, as it becomes vectors: nearly all do not."""
    last = row.shape[0] - 1
    for x in range(1, last):
        low = min(min(row[x], above[x]), min(below[x], min(row[x - 1], row[x + 1])))
        high = max(max(row[x], above[x]), max(below[x], max(row[x - 1], row[x + 1])))
        is_step[x] = high - low >= least_step
    for x in (0, last):
        low, high = min(row[x], above[x], below[x]), max(row[x], above[x], below[x])
        beside = row[min(x + 1, last)] if x == 0 else row[x - 1]
        is_step[x] = max(high, beside) - min(low, beside) >= least_step
