"""Pictures as metrics take them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
"""``(H, W, 3)`` float32 RGB code values in [0, 1]."""


def grey(picture: Picture) -> NDArray[np.float32]:
    """``(H, W)`` luma of BT.601, as OpenCV has it."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def high_pass(picture: Picture) -> NDArray[np.float32]:
    """``(H, W)`` Laplacian (4 neighbours) of the luma."""
    return np.asarray(cv2.Laplacian(grey(picture), cv2.CV_32F, ksize=1, borderType=cv2.BORDER_REFLECT_101), np.float32)


def gradient(picture: Picture) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sobel derivatives (3x3) of the luma, across and down, each ``(H, W)``."""
    luma = grey(picture)
    across, down = (
        cv2.Sobel(luma, cv2.CV_32F, dx, dy, ksize=3, borderType=cv2.BORDER_REFLECT_101) for dx, dy in ((1, 0), (0, 1))
    )
    return np.asarray(across, np.float32), np.asarray(down, np.float32)
