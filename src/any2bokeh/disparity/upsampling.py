"""Disparity brought to the size of the picture."""

import cv2
import numpy as np
from numpy.typing import NDArray


def upsample(disparity: NDArray[np.float32], guide_pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Disparity at the size of the guide: ``(1, h, w)`` and ``(3, H, W)`` give ``(1, H, W)``."""
    height, width = guide_pixels.shape[1:]
    if disparity.shape[1:] == (height, width):
        return disparity
    return cv2.resize(disparity[0], (width, height), interpolation=cv2.INTER_NEAREST_EXACT)[None]
