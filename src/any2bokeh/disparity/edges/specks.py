"""Specks: a few pixels that were given to a surface of which nothing lies beside them.

A surface that is not where a pixel lies is at another defocus: a single pixel of it stays sharp where all around it is
blurred, or the other way round, and shines as a dot.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

SPECK_PX = 6
"""As many pixels that touch nothing of their surface are none of it: an edge that moves takes along what lies beside
it, and what is found again is longer."""


def are_specks(
    disparity: NDArray[np.float32],
    at: NDArray[np.int32],
    surfaces: tuple[NDArray[np.float32], NDArray[np.float32]],
    to_near: NDArray[np.bool_],
    most_px: int,
) -> NDArray[np.bool_]:
    """Which of the pixels that change their surface would lie alone within the one that they leave, ``(N,)``.

    Args:
        disparity: ``(H, W)`` before any changes.
        at: ``(N,)`` which pixels change.
        surfaces: ``(N,)`` each, disparity of the nearer and the farther surface that they may show.
        to_near: ``(N,)`` whether they change to the nearer.
        most_px: how many may be a speck.
    """
    if at.size == 0:
        return np.zeros(0, np.bool_)
    part, count = _parts(disparity.shape, at, to_near)
    rows, columns = np.divmod(at, disparity.shape[1])
    height, width = disparity.shape
    changes = np.zeros((height + 2, width + 2), np.bool_)
    changes[rows + 1, columns + 1] = True
    middle = (surfaces[0] + surfaces[1]) / 2
    touches = np.zeros(at.size, np.bool_)
    for down in range(3):
        row = np.clip(rows + (down - 1), 0, height - 1)
        for right in range(3):
            beside = disparity[row, np.clip(columns + (right - 1), 0, width - 1)]
            touches |= ((beside > middle) == to_near) & ~changes[rows + down, columns + right]
    is_joined = np.bincount(part, weights=touches, minlength=count) > 0
    is_small = np.bincount(part, minlength=count) <= most_px
    return (is_small & ~is_joined)[part]


def _parts(shape: tuple[int, ...], at: NDArray[np.int32], to_near: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Which connected part each pixel belongs to, those that change one way apart from the others; how many."""
    part, count = np.empty(at.size, np.int32), 0
    for one_way in (to_near, ~to_near):
        mask = np.zeros(shape, np.uint8)
        mask.reshape(-1)[at[one_way]] = 1
        found, labels = cv2.connectedComponents(mask, connectivity=8)
        part[one_way] = np.asarray(labels, np.int32).reshape(-1)[at[one_way]] + count
        count += found
    return part, count
