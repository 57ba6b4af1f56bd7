"""Where motion can be believed, and what another frame's map says along it."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.motion.thumbnail import Thumbnail

TRUST_MIN = 0.05
"""A match that is believed less is left out."""

# Forward and backward motion may disagree by this much of their squared length, plus half a pixel squared.
_ROUND_TRIP_SHARE = 0.01
_ROUND_TRIP_PX2 = 0.5
# Mean difference of colour (of 1) at which a match is half believed.
_COLOUR_TOLERANCE = 0.08


def trust(
    flow: NDArray[np.float32], back: NDArray[np.float32] | None, here: Thumbnail, there: Thumbnail
) -> NDArray[np.float32]:
    """How far motion can be believed, ``(h, w)`` in [0, 1].

    0 where it leaves the frame, or where the way there and back does not end where it began (what is hidden in one of
    the two frames has no match); less the more the colours differ.

    Args:
        flow: from ``here`` to ``there``.
        back: from ``there`` to ``here``; the way back is not looked at where None.
        here: the frame that the result belongs to.
        there: the other.

    Source: forward-backward check of Sundaram, Brox and Keutzer, ECCV 2010, eq. 5.
    """
    sure = np.empty(flow.shape[:2], np.float32)
    looks_back = back is not None
    _weigh(flow, back if back is not None else flow, looks_back, here.colours, there.colours, sure)
    return sure


@compiled(nogil=True, fastmath=True)
def _weigh(flow, back, looks_back, here, there, sure):  # pragma: no cover (compiled)
    height, width = sure.shape
    for y in range(height):
        for x in range(width):
            step_x, step_y = flow[y, x, 0], flow[y, x, 1]
            to_x, to_y = x + step_x, y + step_y
            sure[y, x] = 0
            if not (to_x >= 0 and to_x <= width - 1 and to_y >= 0 and to_y <= height - 1):
                continue
            j, i = int(to_y), int(to_x)
            j_next, i_next = min(j + 1, height - 1), min(i + 1, width - 1)
            down, right = to_y - j, to_x - i
            a, b = (1 - down) * (1 - right), (1 - down) * right
            c, d = down * (1 - right), down * right
            if looks_back:
                miss = length = np.float32(0)
                for axis in range(2):
                    returned = a * back[j, i, axis] + b * back[j, i_next, axis]
                    returned += c * back[j_next, i, axis] + d * back[j_next, i_next, axis]
                    miss += (flow[y, x, axis] + returned) ** 2
                    length += flow[y, x, axis] ** 2 + returned**2
                if miss > _ROUND_TRIP_SHARE * length + _ROUND_TRIP_PX2:
                    continue
            difference = np.float32(0)
            for channel in range(3):
                seen = a * there[j, i, channel] + b * there[j, i_next, channel]
                seen += c * there[j_next, i, channel] + d * there[j_next, i_next, channel]
                difference += abs(seen - here[y, x, channel])
            share = (difference / (3 * _COLOUR_TOLERANCE)) ** 2
            sure[y, x] = 1 / (1 + share * share)


@compiled(nogil=True, fastmath=True)
def brought(other, known, way, sure, values, weights):  # pragma: no cover (compiled)
    """What another frame's map holds where each pixel moves to, and how far that is believed.

    Motion and trust are interpolated from the size of the thumbnail. ``known`` is of one pixel where all are.
    """
    height, width = values.shape
    small_height, small_width = sure.shape
    scale_y, scale_x = small_height / height, small_width / width
    look = known.shape[0] == height
    for y in range(height):
        at_y = min(max((y + 0.5) * scale_y - 0.5, 0.0), small_height - 1.0)
        j = min(int(at_y), max(small_height - 2, 0))
        below = min(j + 1, small_height - 1)
        down = np.float32(at_y - j)
        for x in range(width):
            at_x = min(max((x + 0.5) * scale_x - 0.5, 0.0), small_width - 1.0)
            i = min(int(at_x), max(small_width - 2, 0))
            beside = min(i + 1, small_width - 1)
            right = np.float32(at_x - i)
            a, b = (1 - down) * (1 - right), (1 - down) * right
            c, d = down * (1 - right), down * right
            weight = a * sure[j, i] + b * sure[j, beside] + c * sure[below, i] + d * sure[below, beside]
            if weight < TRUST_MIN:
                weights[y, x] = 0
                values[y, x] = 0
                continue
            move_x = a * way[j, i, 0] + b * way[j, beside, 0] + c * way[below, i, 0] + d * way[below, beside, 0]
            move_y = a * way[j, i, 1] + b * way[j, beside, 1] + c * way[below, i, 1] + d * way[below, beside, 1]
            to_x = min(max(x + move_x / scale_x, 0.0), width - 1.0)
            to_y = min(max(y + move_y / scale_y, 0.0), height - 1.0)
            k, m = int(to_y), int(to_x)
            k_next, m_next = min(k + 1, height - 1), min(m + 1, width - 1)
            share_y, share_x = np.float32(to_y - k), np.float32(to_x - m)
            top = other[k, m] + share_x * (other[k, m_next] - other[k, m])
            bottom = other[k_next, m] + share_x * (other[k_next, m_next] - other[k_next, m])
            values[y, x] = top + share_y * (bottom - top)
            if look and not (known[k, m] and known[k, m_next] and known[k_next, m] and known[k_next, m_next]):
                weight = np.float32(0)
            weights[y, x] = weight
