"""Where blur is hardest: around the disparity discontinuities."""

import cv2
import numpy as np
from numpy.typing import NDArray

STEP = 0.03
"""Range of disparity in a window of 3x3 pixels from which it counts as a discontinuity."""
REACH_PX = 12
"""How far the band reaches from the discontinuity."""


def edge_band(disparity: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels within 12 px of a disparity discontinuity.

    Args:
        disparity: ``(H, W)`` in [0, 1].

    Returns:
        ``(H, W)``; nothing where no 3x3 window has a range above 0.03.

    PSNR in this band is ours, not the paper's: whole-frame PSNR is mostly about regions that every method gets right.
    """
    return distance_to_edges_px(disparity) <= REACH_PX


def distance_to_edges_px(disparity: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(H, W)`` distance of each pixel from the nearest disparity discontinuity; infinity where there is none."""
    window = np.ones((3, 3), np.uint8)
    is_edge = cv2.dilate(disparity, window) - cv2.erode(disparity, window) > STEP
    if not is_edge.any():
        return np.full(disparity.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(np.asarray(~is_edge, np.uint8), cv2.DIST_L2, 5), np.float32)
