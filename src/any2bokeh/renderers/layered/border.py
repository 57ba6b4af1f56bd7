"""The frame's border: what goes on beyond it, and how what leaves goes out.

Nothing is known beyond the border. The outermost pixels repeat, so that borders do not darken; bright spots do not, for
they would shine several times as bright. A spot is taken to be as deep as it is wide, and what is missing of it lies
beyond. Once it has left it is gone, although half of its disc would still be seen: no more is added than half of what
is seen, and what a lamp has more than its surroundings fades within the outermost pixel.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.renderers.layered.layers import FRONT
from any2bokeh.renderers.layered.surroundings import TIMES_SURROUNDINGS, brightness, surroundings_at

_AT_BORDER, _FAR_OUT = np.float32(4.5), np.float32(1.4)  # times its surroundings: what is repeated at most
_OUT_PX = np.float32(2.5)  # over which the first becomes the second
_LAMP, _SURELY_LAMP = np.float32(4.5), np.float32(7)  # times its surroundings
_FIRST_REPEATED, _SECOND_REPEATED = np.float32(0.4), np.float32(0.1)  # of a lamp, 1 and 2 px beyond the border
_TEXTURE = np.float32(3.5)  # times its surroundings: what is no brighter may belong to a texture, which goes on
_SPOT_PX = 6  # a spot is smaller
_MOST_MISSING = 0.5  # of the depth of a spot that is seen
_OVER_RADIUS = np.float32(0.2)  # of a disc's radius: where the fade begins
_MOST_PX = np.float32(0.6)


@compiled(nogil=True)
def fade(surroundings, defocus, light):
    """Fade what is much brighter than its surroundings towards the border.

    Args:
        surroundings: ``(rows, columns)`` of blocks; see ``surroundings.py``.
        defocus: ``(H, W)`` signed pixels.
        light: ``(H, W, 4)`` linear; changed near the border.
    """
    height, width = defocus.shape
    depth = 2
    for y in range(height):
        inside = y < depth or y >= height - depth
        x = 0
        while x < width:
            if not inside and x == depth and width > 2 * depth:
                x = width - depth
            away = np.float32(min(y, height - 1 - y, x, width - 1 - x)) + np.float32(0.5)
            over = min(_OVER_RADIUS * abs(defocus[y, x]), _MOST_PX)
            if away < over:
                bound = np.float32(TIMES_SURROUNDINGS) * surroundings_at(surroundings, y, x)
                bright = brightness(light, y, x)
                if bright > bound:
                    left = away / over
                    left *= left * (3 - 2 * left)
                    kept = (bound + left * (bright - bound)) / bright
                    for c in range(3):
                        light[y, x, c] *= kept
            x += 1


@compiled(nogil=True, fastmath=True)
def repeated(light, layer, surroundings, y, x, beyond_px):
    """By what a sample's light is multiplied where it is repeated beyond the border: 1, or less for what is bright.

    A spot is taken to be as deep as it is wide, so what is not seen of its depth lies beyond the border. Of what is
    longer and as bright as a lamp it is not known whether it goes on: it is repeated by half a pixel in all. Farther
    away there is nothing brighter than its surroundings.

    Args:
        light: ``(3, H, W, 4)`` linear light multiplied by a weight, and the weight.
        layer: of the sample.
        surroundings: ``(rows, columns)`` of blocks.
        y, x: the sample's pixel.
        beyond_px: how far beyond the border, from 1 on.
    """
    around = light[layer, y, x, 3] * surroundings_at(surroundings, y, x)
    times = brightness(light[layer], y, x) / max(around, np.float32(1e-12))
    if times <= _FAR_OUT:
        return np.float32(1)
    bounded = min(times, _FAR_OUT + (_AT_BORDER - _FAR_OUT) * np.exp((1 - np.float32(beyond_px)) / _OUT_PX))
    over = min(max((times - _LAMP) / (_SURELY_LAMP - _LAMP), np.float32(0)), np.float32(1))
    bounded = (bounded + over * (1 - bounded)) / times
    tail = _FIRST_REPEATED if beyond_px == 1 else _SECOND_REPEATED if beyond_px == 2 else np.float32(0)
    long = bounded + over * tail * (1 - bounded)
    if times <= _TEXTURE:
        return long
    spot, missing_px = _spot_at_border(light[FRONT], surroundings, y, x)
    spot *= min(times - _TEXTURE, np.float32(1))
    goes_on = min(max(missing_px - np.float32(beyond_px - 1), np.float32(0)), np.float32(1))
    return long + spot * ((1 + goes_on * (times - 1)) / times - long)


@compiled(nogil=True, fastmath=True)
def _spot_at_border(front, surroundings, y, x):
    """How far what is bright at a border pixel is a spot, in [0, 1], and how much of its depth is missing, in pixels.

    What is missing is less than what is seen, so that a spot that leaves goes out slowly.
    """
    height, width = front.shape[:2]
    around = surroundings_at(surroundings, y, x)
    down = 1 if y == 0 else -1 if y == height - 1 else 0
    right = 0 if down != 0 else 1 if x == 0 else -1
    peak = brightness(front, y, x)
    for step in range(1, _SPOT_PX + 1):
        j, i = y + step * down, x + step * right
        if not (0 <= j < height and 0 <= i < width) or brightness(front, j, i) < _FAR_OUT * around:
            break
        peak = max(peak, brightness(front, j, i))
    span = max(peak - around, np.float32(1e-12))
    deep = _extent(front, around, span, y, x, down, right)
    wide = _extent(front, around, span, y, x, right, down) + _extent(front, around, span, y, x, -right, -down)
    wide -= min((brightness(front, y, x) - around) / span, np.float32(1))  # counted twice
    spot = min(max((np.float32(_SPOT_PX) - max(deep, wide)) / 2, np.float32(0)), np.float32(1))
    return spot, min(max(wide - deep, np.float32(0)), np.float32(_MOST_MISSING * deep))


@compiled(nogil=True, fastmath=True)
def _extent(front, around, span, y, x, down, right):
    """Pixels of a spot in one direction, from a pixel on; those that it covers in part count in part."""
    height, width = front.shape[:2]
    total = np.float32(0)
    for step in range(_SPOT_PX + 1):
        j, i = y + step * down, x + step * right
        if not (0 <= j < height and 0 <= i < width):
            break
        bright = brightness(front, j, i)
        if bright < _FAR_OUT * around:
            break
        total += min((bright - around) / span, np.float32(1))
    return total
