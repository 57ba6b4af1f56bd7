"""Edges that a lamp behind them shines into.

A pixel whose centre lies on the foreground is foreground, though an edge may run through it: the part of it that shows
background matters little, unless that is a lamp. Then the pixel is a bright stitch along an edge in focus, and the lamp
lacks light. Such pixels are split as mixed ones on the other side of the edge are.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.renderers.layered.blocks import BLOCK
from any2bokeh.renderers.layered.layers import BEHIND, BESIDE_STEP, FRONT, HIDDEN, LIT, MIX_RADIUS, PATCH, SPLIT
from any2bokeh.renderers.layered.surroundings import TIMES_SURROUNDINGS, brightness, least_to_shine, surroundings_at

_LEAST_FOREGROUND, _MOST_FOREGROUND = np.float32(0.5), np.float32(0.98)  # the centre of the pixel is foreground


@compiled(nogil=True)
def find_lit(rows, brightest, surroundings, light, defocus, kind):
    """Find the foreground pixels of one row of blocks that a lamp behind shines into.

    They become ``LIT``, and their part of the foreground is written to ``PATCH``.
    """
    height, width = kind.shape
    for block in range(brightest.shape[1]):
        if brightest[rows, block] <= least_to_shine(surroundings, rows, block):
            continue
        for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
            for x in range(block * BLOCK, min((block + 1) * BLOCK, width)):
                if kind[y, x] == BESIDE_STEP:
                    _find_lit(surroundings, light, defocus, kind, y, x)


@compiled(nogil=True)
def _find_lit(surroundings, light, defocus, kind, y, x):
    bright = brightness(light[FRONT], y, x)
    bound = np.float32(TIMES_SURROUNDINGS) * surroundings_at(surroundings, y, x)
    if bright <= bound:
        return
    far, lamp = _far_side(light, defocus, y, x)
    if lamp <= bright:
        return
    red, green, blue = _foreground(light, defocus, kind, y, x, (far + defocus[FRONT, y, x]) / 2)
    own = max(red, green, blue)
    if own > bound:
        return
    share = min(max(1 - (bright - own) / (lamp - own), _LEAST_FOREGROUND), _MOST_FOREGROUND)
    light[PATCH, y, x, 0], light[PATCH, y, x, 1], light[PATCH, y, x, 2] = share * red, share * green, share * blue
    light[PATCH, y, x, 3] = share
    defocus[PATCH, y, x] = defocus[FRONT, y, x]
    kind[y, x] |= LIT


@compiled(nogil=True)
def split_lit(rows, light, defocus, kind):
    """Split those pixels: what is not foreground belongs to the hidden background, which is there by now."""
    height, width = kind.shape
    for y in range(rows * BLOCK, min((rows + 1) * BLOCK, height)):
        for x in range(width):
            if not kind[y, x] & LIT:
                continue
            kind[y, x] ^= LIT
            if not kind[y, x] & HIDDEN or kind[y, x] & SPLIT:
                continue
            kind[y, x] |= SPLIT
            for c in range(3):
                seen = (light[FRONT, y, x, c] - light[PATCH, y, x, c]) / (1 - light[PATCH, y, x, 3])
                light[BEHIND, y, x, c] = max(seen, light[BEHIND, y, x, c])


@compiled(nogil=True)
def _far_side(light, defocus, y, x):
    """Defocus of the farthest pixel around, and brightness of the brightest on its side of the step."""
    height, width = defocus.shape[1:]
    here = defocus[FRONT, y, x]
    far = here
    for j in range(max(y - 1, 0), min(y + 2, height)):
        for i in range(max(x - 1, 0), min(x + 2, width)):
            far = min(far, defocus[FRONT, j, i])
    brightest = np.float32(0)
    for j in range(max(y - 1, 0), min(y + 2, height)):
        for i in range(max(x - 1, 0), min(x + 2, width)):
            if defocus[FRONT, j, i] < (here + far) / 2:
                brightest = max(brightest, brightness(light[FRONT], j, i))
    return far, brightest


@compiled(nogil=True)
def _foreground(light, defocus, kind, y, x, threshold):
    """Mean colour of the pixels nearby that are nearer than ``threshold`` and beside no step.

    Where there is none, that of the darkest which is: a twig has no pure pixel.
    """
    height, width = kind.shape
    red, green, blue, count = np.float32(0), np.float32(0), np.float32(0), 0
    darkest = np.float32(np.inf)
    dark_y, dark_x = y, x
    for j in range(max(y - MIX_RADIUS, 0), min(y + MIX_RADIUS + 1, height)):
        for i in range(max(x - MIX_RADIUS, 0), min(x + MIX_RADIUS + 1, width)):
            if defocus[FRONT, j, i] <= threshold:
                continue
            if not kind[j, i] & BESIDE_STEP:
                red += light[FRONT, j, i, 0]
                green += light[FRONT, j, i, 1]
                blue += light[FRONT, j, i, 2]
                count += 1
            elif brightness(light[FRONT], j, i) < darkest:
                darkest = brightness(light[FRONT], j, i)
                dark_y, dark_x = j, i
    if count == 0:
        return light[FRONT, dark_y, dark_x, 0], light[FRONT, dark_y, dark_x, 1], light[FRONT, dark_y, dark_x, 2]
    share = np.float32(1) / count
    return red * share, green * share, blue * share
