"""The disparity at a point and in a box, read so that one surface answers, never a mean of two."""

import numpy as np
from numpy.typing import NDArray

# Neighbourhood of a point: radius over the longer side of the map, and at least this many pixels, so that it reaches
# past the blur of an edge.
_POINT_RADIUS = 0.015
_POINT_RADIUS_MIN_PX = 5
# Surfaces that are closer than a few of these bins count as one.
_BINS = 128
_BIN_SIGMA = 1.5
# A surface between two others needs this share of the neighbourhood, or it is taken for the blur of an edge.
_SHARE_BETWEEN = 0.25
# The nearest or farthest surface needs only this share, so that a pole or a wire can be clicked.
_SHARE_OUTERMOST = 0.05


def disparity_at_point(disparity: NDArray[np.float32], x: float, y: float) -> float:
    """Disparity of the surface that is at a point.

    The disparities around the point are divided into surfaces at the valleys of their histogram. The surface that the
    point's own value belongs to answers with its weighted median; where that value is a stray (noise, or the blur
    between two surfaces of a soft edge), the surface that most of the neighbourhood belongs to does.

    Args:
        disparity: ``(1, h, w)`` in [0, 1], 1 = nearest.
        x: position in 0..1 from the left edge.
        y: position in 0..1 from the top edge.

    Returns:
        Disparity in [0, 1].
    """
    height, width = disparity.shape[1:]
    column, row = min(int(x * width), width - 1), min(int(y * height), height - 1)
    radius = max(_POINT_RADIUS_MIN_PX, round(_POINT_RADIUS * max(width, height)))
    rows = np.arange(max(row - radius, 0), min(row + radius + 1, height))
    columns = np.arange(max(column - radius, 0), min(column + radius + 1, width))
    values = disparity[0, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float64)
    distance = np.hypot((rows - row)[:, None], columns - column)
    weights = np.exp(-0.5 * (distance / (radius / 2)) ** 2) * (distance <= radius)
    return _surface_disparity(values.ravel(), weights.ravel(), seed=float(disparity[0, row, column]))


def disparity_in_box(disparity: NDArray[np.float32], x0: float, y0: float, x1: float, y1: float) -> float:
    """Disparity of the surface that fills most of a box, its middle counting more than its border.

    Args:
        disparity: ``(1, h, w)`` in [0, 1], 1 = nearest.
        x0, y0, x1, y1: corners in 0..1 of width and height; a box smaller than a pixel is that pixel.

    Returns:
        Disparity in [0, 1].
    """
    height, width = disparity.shape[1:]
    left, top = min(int(x0 * width), width - 1), min(int(y0 * height), height - 1)
    right, bottom = max(int(np.ceil(x1 * width)), left + 1), max(int(np.ceil(y1 * height)), top + 1)
    values = disparity[0, top:bottom, left:right].astype(np.float64)
    across = np.linspace(-1, 1, values.shape[1] + 2)[1:-1]
    down = np.linspace(-1, 1, values.shape[0] + 2)[1:-1]
    weights = np.exp(-0.5 * (across**2 + down[:, None] ** 2) / 0.5**2)
    return _surface_disparity(values.ravel(), weights.ravel(), seed=None)


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The value at which half of the weight lies on each side."""
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2)])


def _surface_disparity(values: NDArray[np.float64], weights: NDArray[np.float64], *, seed: float | None) -> float:
    bins = np.clip((values * _BINS).astype(int), 0, _BINS - 1)
    surfaces = _surfaces(np.bincount(bins, weights, minlength=_BINS).astype(np.float64))
    share = np.bincount(surfaces[bins], weights, minlength=int(surfaces[-1]) + 1)
    share /= share.sum()
    chosen = int(np.argmax(share))
    if seed is not None:
        own = int(surfaces[min(max(int(seed * _BINS), 0), _BINS - 1)])
        present = np.flatnonzero(share)
        needed = _SHARE_OUTERMOST if own in (present[0], present[-1]) else _SHARE_BETWEEN
        chosen = own if share[own] >= needed else chosen
    belongs = surfaces[bins] == chosen
    return weighted_median(values[belongs], weights[belongs])


def _surfaces(histogram: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of the surface that each bin belongs to: hills of the smoothed histogram, parted at its valleys."""
    reach = int(np.ceil(3 * _BIN_SIGMA))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _BIN_SIGMA) ** 2)
    density = np.convolve(np.pad(histogram, reach), kernel, mode="valid")
    rising = np.sign(np.diff(density, prepend=density[0]))
    for i in range(1, len(rising)):  # a flat stretch goes on in the direction that led to it
        if rising[i] == 0:
            rising[i] = rising[i - 1]
    starts = (rising[1:] > 0) & (rising[:-1] <= 0) & (np.arange(1, len(rising)) > np.flatnonzero(density)[0])
    return np.concatenate([[0], np.cumsum(starts)])
