"""Specks: a few pixels that were given to a surface of which nothing lies beside them.

A surface that is not where a pixel lies is at another defocus: a single pixel of it stays sharp where all around it is
blurred, or the other way round, and shines as a dot.
"""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled

SPECK_PX = 6
"""As many pixels that touch nothing of their surface are none of it: an edge that moves takes along what lies beside
it, and what is found again is longer."""

_TO_NEAR, _TO_FAR = 1, 2  # pixels that change, by where to
_TOUCHES, _IS_SEEN, _IS_ALONE = 4, 8, 16  # beside its new surface; taken into a part; of a part that is a speck


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
    marks = np.zeros(disparity.shape, np.uint8)
    _mark(disparity, at, *surfaces, to_near, marks)
    _mark_specks(at, most_px, marks)
    return (marks.ravel()[at] & _IS_ALONE) > 0


@compiled(nogil=True)
def _mark(disparity, at, near, far, to_near, marks):
    """Where pixels change to, and which of them touch their new surface."""
    flat = marks.reshape(-1)
    for n in range(at.shape[0]):
        flat[at[n]] = _TO_NEAR if to_near[n] else _TO_FAR
    for n in range(at.shape[0]):
        if _touches(disparity, marks, at[n], np.float32(0.5) * (near[n] + far[n]), to_near[n]):
            flat[at[n]] |= _TOUCHES


@compiled(nogil=True)
def _touches(disparity, marks, at, middle, to_near):
    """Whether a pixel has one beside it, or beyond the border, that stays on the side of the middle that it goes to."""
    height, width = disparity.shape
    y, x = np.uint32(at) // np.uint32(width), np.uint32(at) % np.uint32(width)
    for j in range(np.int64(y) - 1, np.int64(y) + 2):
        for i in range(np.int64(x) - 1, np.int64(x) + 2):
            beside_y, beside_x = min(max(j, 0), height - 1), min(max(i, 0), width - 1)
            stays = marks[beside_y, beside_x] == 0 or beside_y != j or beside_x != i  # as all around the picture
            if stays and (disparity[beside_y, beside_x] > middle) == to_near:
                return True
    return False


@compiled(nogil=True)
def _mark_specks(at, most_px, marks):
    """Follow each connected part of the pixels that change one way, and mark it if it is small and touches nothing."""
    height, width = marks.shape
    flat = marks.reshape(-1)
    part = np.empty(at.shape[0], np.int32)
    for n in range(at.shape[0]):
        if flat[at[n]] & _IS_SEEN:
            continue
        part[0], count, done, touches = at[n], 1, 0, False
        flat[at[n]] |= _IS_SEEN
        while done < count:
            here = np.uint32(part[done])
            y, x = np.int64(here // np.uint32(width)), np.int64(here % np.uint32(width))
            way = flat[here] & (_TO_NEAR | _TO_FAR)
            touches |= flat[here] & _TOUCHES > 0
            done += 1
            for j in range(max(y - 1, 0), min(y + 2, height)):
                for i in range(max(x - 1, 0), min(x + 2, width)):
                    if marks[j, i] & way and not marks[j, i] & _IS_SEEN:
                        marks[j, i] |= _IS_SEEN
                        part[count] = j * width + i
                        count += 1
        if count <= most_px and not touches:
            for k in range(count):
                flat[part[k]] |= _IS_ALONE
