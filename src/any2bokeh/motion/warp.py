"""What another frame holds along the motion."""

import cv2
import numpy as np
from numpy.typing import NDArray


def warp(
    values: NDArray[np.float32], flow: NDArray[np.float32], *, outside: float | None = None
) -> NDArray[np.float32]:
    """What another frame holds at the places that this frame's pixels move to.

    Args:
        values: ``(h, w)`` or ``(h, w, c)`` of the frame that the flow leads to.
        flow: ``(h, w, 2)`` motion in pixels, x then y.
        outside: value of what lies beyond the border; None = the nearest border pixel's.
    """
    columns, rows = _places(flow)
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    taken = cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=border, borderValue=(outside or 0.0,) * 4)
    return np.asarray(taken, np.float32)


def stays_inside(flow: NDArray[np.float32]) -> NDArray[np.bool_]:
    """``(h, w)``: whether the place that a pixel moves to is within the picture."""
    height, width = flow.shape[:2]
    columns, rows = _places(flow)
    return (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)


def composed(first: NDArray[np.float32], then: NDArray[np.float32]) -> NDArray[np.float32]:
    """Motion along ``first`` and, from there, along ``then``."""
    return first + warp(then, first)


def resized(flow: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Motion at another ``(height, width)``, in pixels of that size."""
    height, width = flow.shape[:2]
    if (height, width) == shape:
        return flow
    smaller = shape[0] < height
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    scaled = cv2.resize(flow, (shape[1], shape[0]), interpolation=interpolation)
    return np.asarray(scaled * np.array([shape[1] / width, shape[0] / height], np.float32), np.float32)


def _places(flow: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Column and row, each ``(h, w)``, that every pixel moves to."""
    height, width = flow.shape[:2]
    columns = np.arange(width, dtype=np.float32)[None] + flow[..., 0]
    rows = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    return columns, rows
