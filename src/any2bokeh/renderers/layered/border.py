"""The frame's border: what leaves the frame goes out slowly.

Nothing is known beyond the border, so a lamp is gone once it has left, although half of its disc would still be seen.
What it has more than its surroundings therefore fades as it comes near the border, over a part of its disc's radius.
"""

import numpy as np

from any2bokeh.compiled import compiled
from any2bokeh.renderers.layered.surroundings import TIMES_SURROUNDINGS, brightness, surroundings_at

_OVER_RADIUS = np.float32(0.2)  # of a disc's radius: where the fade begins
_MOST_PX = np.float32(1.5)


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
