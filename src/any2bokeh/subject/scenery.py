"""Telling a subject, which can be followed, from scenery, which has no outline of its own."""

import numpy as np
from numpy.typing import NDArray

# Scenery covers this share of the picture, or reaches this many of its four borders.
_SHARE = 0.5
_BORDERS = 3
# The ground is scenery: what lies on it by more than this share.
_ON_GROUND = 0.5
# Width of the bands on both sides of an outline, over the longer side, and the step of disparity between them that
# makes it one.
_BAND = 0.015
_STEP = 0.01


def is_scenery(matte: NDArray[np.float32], disparity: NDArray[np.float32]) -> bool:
    """Whether what was pointed at is a wall, the ground or the like, rather than a subject.

    Args:
        matte: ``(h, w)`` in [0, 1], of what was pointed at.
        disparity: ``(h, w)`` of the same frame.
    """
    import cv2

    from any2bokeh.subject.ground import ground

    is_on = matte > 0.5
    if is_on.any() and ground(disparity)[is_on].mean() > _ON_GROUND:
        return True
    borders = (is_on[0], is_on[-1], is_on[:, 0], is_on[:, -1])
    if is_on.mean() > _SHARE or sum(bool(border.any()) for border in borders) >= _BORDERS:
        return True
    reach = 2 * max(2, round(_BAND * max(is_on.shape))) + 1
    kernel = np.ones((reach, reach), np.uint8)
    inner = is_on & ~(cv2.erode(is_on.astype(np.uint8), kernel, borderValue=1) > 0)
    # Beside and above: below, a subject stands on a ground that is as near as it is.
    outer = (cv2.dilate(is_on.astype(np.uint8), kernel) > 0) & ~is_on
    outer[np.flatnonzero(is_on.any(axis=1))[-1] :] = False
    if not inner.any() or not outer.any():
        return False
    from_inside = cv2.blur(np.where(inner, disparity, 0), (reach, reach)) / _share(inner, reach)
    steps = np.abs(disparity - from_inside)[outer]
    return bool(np.median(steps) < _STEP)


def _share(is_on: NDArray[np.bool_], size: int) -> NDArray[np.float32]:
    import cv2

    return np.maximum(cv2.blur(is_on.astype(np.float32), (size, size)), np.float32(1e-6)).astype(np.float32)
