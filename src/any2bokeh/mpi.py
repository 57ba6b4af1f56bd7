"""Focal-plane adapted multi-plane image (MPI): which region of depth a pixel lies in, as seen from the focal plane.

Source: Yang et al., Any-to-Bokeh, ICLR 2026 (arXiv 2505.21593).
"""

import math

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

REGION_COUNT = 4
"""N of the paper: region 0 holds the focal plane, region N - 1 everything that is far from it."""

PAPER_ALPHA = 1.0
"""alpha of the paper and of the published training clips."""

PUBLISHED_INFERENCE_ALPHA = 1.5
"""alpha of the published inference."""


def disparity_difference(disparity: NDArray[np.float32], focus_disparity: float) -> NDArray[np.float32]:
    """V_D of the paper: how far each pixel is from the focal plane.

    Args:
        disparity: ``(..., H, W)`` in [0, 1], 1 = nearest.
        focus_disparity: d_f, disparity of the focal plane, in [0, 1].

    Returns:
        ``abs(disparity - focus_disparity)`` in [0, 1], same shape as ``disparity``.
    """
    return np.abs(np.asarray(disparity, np.float32) - np.float32(focus_disparity))


def region_thresholds(
    focus_disparity: float, *, alpha: float = PAPER_ALPHA, region_count: int = REGION_COUNT
) -> NDArray[np.float64]:
    """Distances from the focal plane at which one region ends and the next begins.

    Args:
        focus_disparity: d_f in [0, 1]. At 0 the thresholds are the limit, 0: all that is nearer than the focal
            plane lies in the last region.
        alpha: exponent, > 0; the larger, the thinner the regions of a far focal plane.
        region_count: N, at least 1.

    Returns:
        ``(N - 1,)``: ``(i / N) ** (1 / d_f ** alpha)`` for i = 1 .. N - 1, rising.

    Raises:
        InputError: an argument outside its range.
    """
    if not 0.0 <= focus_disparity <= 1.0:
        raise InputError(f"focus disparity is {focus_disparity:g}; it must lie in [0, 1]")
    if not (alpha > 0.0 and math.isfinite(alpha)):
        raise InputError(f"alpha of the MPI regions is {alpha:g}; it must be a finite number above 0")
    if region_count < 1:
        raise InputError(f"number of MPI regions is {region_count}; it must be at least 1")
    base = np.arange(1, region_count, dtype=np.float64) / region_count
    power = focus_disparity**alpha
    if power == 0.0:
        return np.zeros_like(base)
    return base ** np.float64(min(1.0 / power, np.finfo(np.float64).max))


def region_index(
    disparity: NDArray[np.float32],
    focus_disparity: float,
    *,
    alpha: float = PAPER_ALPHA,
    region_count: int = REGION_COUNT,
) -> NDArray[np.uint8]:
    """Region of every pixel: how many thresholds its distance from the focal plane passes.

    Args:
        disparity: ``(..., H, W)`` in [0, 1], 1 = nearest.
        focus_disparity: d_f in [0, 1].
        alpha, region_count: see ``region_thresholds``.

    Returns:
        ``(..., H, W)`` of 0 .. N - 1, 0 = around the focal plane.
    """
    difference = disparity_difference(disparity, focus_disparity)
    index = np.zeros(difference.shape, np.uint8)
    thresholds = region_thresholds(focus_disparity, alpha=alpha, region_count=region_count)
    for threshold in thresholds.astype(np.float32):  # as precise as the difference, so that equal stays equal
        index += difference > threshold
    return index
