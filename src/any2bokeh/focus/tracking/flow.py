"""Dense motion between two small pictures."""

import cv2
import numpy as np
from numpy.typing import NDArray

# A search over fewer pixels than this has no room for its patches.
_SMALLEST_SIDE_PX = 64


def flow_between(here: NDArray[np.uint8], there: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Motion in pixels, x then y, from each pixel of one picture to where it is in another.

    Args:
        here, there: ``(h, w)`` uint8 of one size.

    Returns:
        ``(h, w, 2)`` float32.

    Source: Kroeger, Timofte, Dai and Van Gool, Fast Optical Flow using Dense Inverse Search, ECCV 2016.
    """
    height, width = here.shape
    down, right = max(_SMALLEST_SIDE_PX - height, 0), max(_SMALLEST_SIDE_PX - width, 0)
    if down or right:
        here, there = (
            np.asarray(cv2.copyMakeBorder(grey, 0, down, 0, right, cv2.BORDER_REPLICATE), np.uint8)
            for grey in (here, there)
        )
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = search.calc(here, there, np.zeros((*here.shape, 2), np.float32))
    return np.asarray(flow[:height, :width], np.float32)
