"""Bins of defocus: the order in which surfaces hide one another."""

import numpy as np

from any2bokeh.compiled import compiled

BIN_COUNT = 129
"""Bins from the farthest, 0, to the nearest; the one in focus is in the middle."""

FOCUS_BIN = BIN_COUNT // 2

# One pixel wide up to 8 px of defocus, then a tenth of it: two surfaces in one bin mix where the nearer should hide
# the farther, which shows only as far as their circles of confusion differ.
_LINEAR_BINS = 8
_BINS_PER_E_FOLD = 10.0


@compiled(nogil=True, inline="always")
def depth_bin(defocus):
    """Bin of a signed defocus in pixels. Everything within half a pixel of focus is one bin."""
    radius = abs(defocus)
    if radius < 0.5:
        return FOCUS_BIN
    if radius < _LINEAR_BINS + 0.5:
        away = 1 + int(radius - np.float32(0.5))
    else:
        away = _LINEAR_BINS + 1 + int(np.log(radius / np.float32(_LINEAR_BINS + 0.5)) * np.float32(_BINS_PER_E_FOLD))
        away = min(away, FOCUS_BIN)
    return FOCUS_BIN + away if defocus > 0 else FOCUS_BIN - away
