"""Bins of defocus: the order in which surfaces hide one another."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.optics.radii import indexed_radii_px

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


def with_rounding(farthest_px: float, nearest_px: float) -> tuple[float, float]:
    """Least and largest signed defocus that the samples between two ends may have.

    A hidden sample is a mean of others, and the GPU rounds otherwise than the CPU: one at an end may come to lie a
    little beyond it, in a bin that no other sample is in.
    """
    return farthest_px - _rounding_px(farthest_px), nearest_px + _rounding_px(nearest_px)


def _rounding_px(defocus_px: float) -> float:
    return 1e-3 + 1e-4 * abs(defocus_px)


class BinTable(NamedTuple):
    """The bins of radii, for kernels that know the index of a radius: without a logarithm for each.

    Attributes:
        least: ``(R,)`` how many bins off the one in focus the least radius of an index lies.
        edges: ``(FOCUS_BIN + 2,)`` the least radius that lies as many bins off; the last is infinite.
    """

    least: NDArray[np.uint8]
    edges: NDArray[np.float32]


@lru_cache(maxsize=1)
def bin_table() -> BinTable:
    """That of all radii: no index is as wide as a bin, and beyond the table all is in the last bin."""
    edges = np.full(FOCUS_BIN + 2, np.inf, np.float32)
    edges[0] = 0
    for away in range(1, FOCUS_BIN + 1):
        below, above = (int(np.float32(radius).view(np.int32)) for radius in (edges[away - 1], 1e5))
        while above - below > 1:  # floats above 0 lie as their bits do
            middle = (below + above) // 2
            if depth_bin(np.int32(middle).view(np.float32)) - FOCUS_BIN >= away:
                above = middle
            else:
                below = middle
        edges[away] = np.int32(above).view(np.float32)
    radii = indexed_radii_px(float(edges[FOCUS_BIN])).astype(np.float32)
    lower = np.concatenate(([np.float32(0)], (radii[:-1] + radii[1:]) / 2))
    return BinTable((np.searchsorted(edges, lower, side="right") - 1).astype(np.uint8), edges)


@compiled(nogil=True, inline="always")
def bins_away(radius, index, table):
    """How many bins off the one in focus a radius lies; ``index`` is its ``radius_index``."""
    least, edges = table
    away = np.int64(least[min(np.uint64(index), np.uint64(least.shape[0] - 1))])
    return away + (1 if radius >= edges[away + 1] else 0)
