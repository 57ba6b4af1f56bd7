"""How often an estimate has a subject before what is behind it."""

import cv2
import numpy as np
from numpy.typing import NDArray

_PAIRS = 20_000
_GAP_PX = 3
_GROWN = 0.5
_BEHIND = 0.15
_TOLD_APART = 0.01


def pairs_in_order(
    estimate: NDArray[np.float32], truth: NDArray[np.floating], mask: NDArray[np.bool_], *, close_by: bool = False
) -> float:
    """Share of pixel pairs in which the subject's pixel is estimated nearer, by at least 0.01.

    A pair is a pixel of the mask and one outside it, more than 3 px from its outline, both drawn evenly. Only pairs
    count whose second pixel is truly behind: farther by 0.15 of the reference's scale.

    Args:
        estimate: ``(1, h, w)``.
        truth: ``(H, W)`` reference disparity in [0, 1].
        mask: ``(H, W)``.
        close_by: draw the second pixel from the mask's bounding box grown by half its size to each side, where an
            estimate fails most, instead of from the whole picture.
    """
    height, width = truth.shape
    values = cv2.resize(estimate[0], (width, height), interpolation=cv2.INTER_LINEAR).ravel()
    around = np.ones(mask.shape, bool)
    if close_by:
        windows = []
        for places in np.nonzero(mask):
            grow = int(_GROWN * (np.ptp(places) + 1))
            windows.append(slice(max(0, int(places.min()) - grow), int(places.max()) + 1 + grow))
        around = np.zeros(mask.shape, bool)
        around[tuple(windows)] = True
    around &= cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3) > _GAP_PX
    rng = np.random.default_rng(0)
    near, far = rng.choice(np.flatnonzero(mask), _PAIRS), rng.choice(np.flatnonzero(around), _PAIRS)
    truly = truth.ravel()[near] - truth.ravel()[far] > _BEHIND
    return float((values[near] > values[far] + _TOLD_APART)[truly].mean())
