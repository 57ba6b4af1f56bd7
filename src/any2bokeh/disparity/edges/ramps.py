"""Ramps of disparity: where they are, how wide, and the two surfaces that they lead from and to."""

import math

import numpy as np

from any2bokeh.compiled import compiled

LEAST_STEP = 0.04
"""Disparities that differ by less are one surface."""

REACH_PX = 8
"""How far a ramp is followed to each side, in a picture of 1024 px on its longer side."""

_LEAST_GRADIENT = 0.004  # per px; less is a slope
_FLAT = np.float32(0.15)  # a ramp ends where it rises by less than this share of its steepest rise


@compiled(nogil=True, fastmath=True, error_model="numpy")
def find_ramps(disparity, stride, near, far, width):
    """Follow every ramp along its gradient to where it is flat on both sides.

    What goes on for ``REACH_PX`` on a side is a slanted surface and no ramp.

    Args:
        disparity: ``(H, W)``.
        stride: all lengths are multiplied by it, 1 or more.
        near, far: ``(H, W)`` float32, written on ramps: the values at their ends.
        width: ``(H, W)`` uint8, written: pixels from end to end, 2 at a clean step; 0 off ramps.
    """
    height, last = disparity.shape[0], disparity.shape[1] - 1
    least = np.float32(8 * _LEAST_GRADIENT / stride)
    is_steep = np.empty(last + 1, np.bool_)
    for y in range(height):
        above, here_row, below = disparity[max(y - 1, 0)], disparity[y], disparity[min(y + 1, height - 1)]
        _find_steep(above, here_row, below, least / np.float32(6), is_steep)
        width[y] = 0
        for x in range(last + 1):
            if not is_steep[x]:
                continue
            left, right, here = max(x - 1, 0), min(x + 1, last), here_row[x]
            across, down = here_row[right] - here_row[left], below[x] - above[x]
            slant, counter = below[right] - above[left], above[right] - below[left]
            gx, gy = 2 * across + slant + counter, 2 * down + slant - counter
            size = math.sqrt(gx * gx + gy * gy)
            if size < least:
                continue
            least_rise = _FLAT * np.float32(size / 8)
            reach = REACH_PX * stride
            up, steps_up = _end(disparity, y, x, gy / size, gx / size, np.float32(1), reach, least_rise)
            if steps_up == reach:
                continue
            down_to, steps_down = _end(disparity, y, x, gy / size, gx / size, np.float32(-1), reach, least_rise)
            if steps_down == reach or up - down_to < LEAST_STEP:
                continue
            near[y, x] = max(up, here)
            far[y, x] = min(down_to, here)
            width[y, x] = min(1 + steps_up + steps_down, 255)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _find_steep(above, here, below, least, is_steep):
    """Whether any of four differences across a pixel reaches ``least``. By itself, as it becomes vectors: most pixels
    lie in a surface."""
    last = here.shape[0] - 1
    for x in range(1, last):
        straight = max(abs(here[x + 1] - here[x - 1]), abs(below[x] - above[x]))
        aslant = max(abs(below[x + 1] - above[x - 1]), abs(above[x + 1] - below[x - 1]))
        is_steep[x] = max(straight, aslant) >= least
    for x in (0, last):
        left, right = max(x - 1, 0), min(x + 1, last)
        straight = max(abs(here[right] - here[left]), abs(below[x] - above[x]))
        aslant = max(abs(below[right] - above[left]), abs(above[right] - below[left]))
        is_steep[x] = max(straight, aslant) >= least


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _end(disparity, y, x, gy, gx, sign, reach, least_rise):
    """Value at the end of a ramp, and how many steps it is away, ``reach`` where none is found; ``sign`` 1 goes up."""
    height, width = disparity.shape
    value, count, steepest = disparity[y, x], np.int32(0), np.float32(0)
    gy, gx = sign * gy, sign * gx
    from_y, from_x = np.float32(y) + np.float32(0.5), np.float32(x) + np.float32(0.5)
    may_leave = min(y, x, height - 1 - y, width - 1 - x) <= reach
    at_y, at_x = np.uintp(y), np.uintp(x)
    for step in range(np.int32(1), np.int32(reach + 1)):
        away = np.float32(step)
        to_y, to_x = from_y + gy * away, from_x + gx * away
        if may_leave and (to_y < 0 or to_x < 0 or to_y >= height or to_x >= width):
            return value, np.int32(reach)  # a slope may leave the picture
        j, i = np.uintp(np.int32(to_y)), np.uintp(np.int32(to_x))
        rise = sign * (disparity[j, i] - value)
        steepest = max(steepest, rise)
        is_same = (j == at_y) & (i == at_x)  # a step across pixels may end in the one that it began in
        if ((rise <= 0) | (rise < least_rise) | (rise < _FLAT * steepest)) & (not is_same):
            break
        value, count = disparity[j, i], count if is_same else step
        at_y, at_x = j, i
    return value, count


@compiled(nogil=True, fastmath=True, error_model="numpy")
def toggle(disparity, near, far, width, sharp):
    """Give every pixel of a ramp to the nearer of its two ends: a step in place of each ramp, where its middle was."""
    for y in range(disparity.shape[0]):
        for x in range(disparity.shape[1]):
            here = disparity[y, x]
            if width[y, x] > 0:
                here = near[y, x] if 2 * here >= near[y, x] + far[y, x] else far[y, x]
            sharp[y, x] = here
