"""Levels: shapes of a large radius are gathered among fewer, larger pixels.

A pixel of level n is a square of 2^n pixels of the frame. Each bin belongs to the first level in whose pixels no radius
of it is larger than a limit (``Limits``), so that what a pixel costs does not grow with the radius. At the
frame's own size four pixels share a sample where its radius is larger than another: it is the mean of
theirs, with the mean of their four shapes. There are a quarter of the samples, and what one adds is the same wherever
the four are alike. Along the bins from the nearest to the farthest, radii fall and rise again: bins that are treated
alike and follow one another make a run.

Straight edges and rims within a shape show larger pixels. So where a shape has any, levels begin at larger radii, and
are gathered of samples that four of their pixels share: what a point covers is known twice as finely as the points.
Where it is narrow, fewer samples are added up, whose errors show more, and pixels share samples of larger radii only.
"""

import math
from typing import NamedTuple

import numpy as np

from any2bokeh.renderers.layered import bins
from any2bokeh.renderers.layered.bins import BIN_COUNT, FOCUS_BIN, depth_bin, with_rounding

SHARED_LEAST_PX = 10.0
"""No radius of a bin whose pixels share samples at the frame's own size is smaller, which would show it."""

NARROW, ROUND = 0.7, 0.9
"""Of a disc's area: a triangle has 0.41, an oval of 2 to 1 has 0.5, five to seven straight blades 0.76 to 0.87."""


class Limits(NamedTuple):
    """Which radii are gathered of fewer samples.

    Attributes:
        level_px: in pixels of its level no radius is larger.
        shared_px: at the frame's own size, bins in which a radius is larger are gathered of samples that four pixels
            share.
        alone_px: no radius is larger where every pixel has a sample of its own.
        levels_share: at levels, too, four pixels share a sample.
    """

    level_px: float
    shared_px: float
    alone_px: float
    levels_share: bool


# Larger levels would not do: of a tile, its list has room for 3,584 samples, and there are places for 8,191.
OF_ROUND = Limits(20.0, 12.0, 20.0, levels_share=False)
OF_EDGED = Limits(44.0, 14.0, 16.0, levels_share=True)
OF_DETAILED = Limits(64.0, 24.0, 32.0, levels_share=True)
LIMITS = {"round": OF_ROUND, "edged": OF_EDGED, "detailed": OF_DETAILED}


def limits_of(area: float, *, has_detail: bool) -> Limits:
    """Those of a lens.

    Args:
        area: of the opening, of that of a disc.
        has_detail: whether a shape has more than its outline: a profile, a picture of an aperture, or vignetting's cut.
    """
    if has_detail or area < NARROW:
        return OF_DETAILED
    return OF_EDGED if area < ROUND else OF_ROUND


class Run(NamedTuple):
    """Bins of one level, front to back.

    Attributes:
        level: a pixel of it is 2^level pixels of the frame.
        cell_level: samples are means of squares of 2^cell_level pixels; 0 = every sample by itself. No less than
            ``level``, and one more where pixels of the level share samples.
        near_bin, far_bin: the first and the last.
        reach: pixels of the level; no shape reaches farther.
    """

    level: int
    cell_level: int
    near_bin: int
    far_bin: int
    reach: int


def runs_of(nearest_px: float, farthest_px: float, shift_px: float, limits: Limits) -> list[Run]:
    """The runs of a frame.

    Args:
        nearest_px, farthest_px: largest and least signed defocus of all samples.
        shift_px: added to it in the channel that is rendered.
        limits: see there.
    """
    farthest_px, nearest_px = with_rounding(farthest_px, nearest_px)
    runs: list[Run] = []
    for bin_ in range(depth_bin(np.float32(nearest_px)), depth_bin(np.float32(farthest_px)) - 1, -1):
        low, high = _defocus_of(bin_)
        low, high = max(low, farthest_px), min(high, nearest_px)
        widest = max(abs(low + shift_px), abs(high + shift_px))
        level = max(math.ceil(math.log2(max(widest, 1e-3) / limits.level_px)), 0)
        least = min(abs(low + shift_px), abs(high + shift_px)) if (low + shift_px) * (high + shift_px) > 0 else 0.0
        shares = widest > limits.shared_px and least > SHARED_LEAST_PX
        if not level and not shares and widest > limits.alone_px:
            level = 1  # a bin that a channel's own focal plane runs through
        cell_level = level + int(limits.levels_share) if level else int(shares)
        reach = math.ceil(min(widest / 2**level, limits.level_px)) + 1
        if runs and (runs[-1].level, runs[-1].cell_level) == (level, cell_level):
            last = runs.pop()
            runs.append(last._replace(far_bin=bin_, reach=max(last.reach, reach)))
        else:
            runs.append(Run(level, cell_level, bin_, bin_, reach))
    return runs


def _defocus_of(bin_: int) -> tuple[float, float]:
    """Least and largest signed defocus in a bin."""
    away = abs(bin_ - FOCUS_BIN)
    inner, outer = _radius_px(away), _radius_px(away + 1) if away < BIN_COUNT // 2 else math.inf
    if away == 0:
        return -outer, outer
    return (inner, outer) if bin_ > FOCUS_BIN else (-outer, -inner)


def _radius_px(away: int) -> float:
    """Radius at which the bin ``away`` from the one in focus begins."""
    if away <= bins._LINEAR_BINS + 1:
        return max(away - 0.5, 0.0)
    return (bins._LINEAR_BINS + 0.5) * math.exp((away - bins._LINEAR_BINS - 1) / bins._BINS_PER_E_FOLD)
