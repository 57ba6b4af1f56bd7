"""What a stroke does to a map."""

import itertools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.mending.stroke import Stroke

_STEP_MAX = 0.25
"""By how much ``nearer`` and ``farther`` change disparity at strength 1."""

# A brush that is smaller than this at the size of the map still reaches a pixel.
_RADIUS_MIN_PX = 0.75


def painted(
    disparity: NDArray[np.float32], stroke: Stroke, points: NDArray[np.float32], scale: float
) -> NDArray[np.float32]:
    """A map with a stroke.

    Args:
        disparity: ``(h, w)`` in [0, 1]; it is not changed.
        stroke: its tool and its brush.
        points: ``(n, 2)``, x and y in 0..1, where the stroke lies in this frame.
        scale: how much larger its brush is in this frame than in its own.

    Returns:
        ``(h, w)`` in [0, 1]; the map itself where the stroke lies outside it.
    """
    height, width = disparity.shape
    radius_px = max(stroke.radius * scale * max(height, width), _RADIUS_MIN_PX)
    places = points * np.array([width, height], np.float32) - np.float32(0.5)
    reach = math.ceil(2 * radius_px) + 2  # smoothing and mattes look as far beyond the brush
    left, top = (max(math.floor(end) - reach, 0) for end in places.min(axis=0))
    right, bottom = (
        min(math.ceil(end) + reach + 1, size) for end, size in zip(places.max(axis=0), (width, height), strict=True)
    )
    if left >= right or top >= bottom:
        return disparity
    part = disparity[top:bottom, left:right]
    share = _coverage(part.shape, places - np.array([left, top], np.float32), radius_px, stroke.softness)
    if not share.any():
        return disparity
    share *= np.float32(stroke.strength)
    result = disparity.copy()
    if stroke.tool in ("nearer", "farther"):
        step = np.float32(_STEP_MAX if stroke.tool == "nearer" else -_STEP_MAX)
        result[top:bottom, left:right] = np.clip(part + step * share, 0, 1)
    else:
        aim = _aim(disparity, part, stroke, places[0], radius_px)
        result[top:bottom, left:right] = np.clip(part + share * (aim - part), 0, 1)
    return result


def _aim(
    disparity: NDArray[np.float32],
    part: NDArray[np.float32],
    stroke: Stroke,
    begin: NDArray[np.float32],
    radius_px: float,
) -> NDArray[np.float32] | np.float32:
    """What the tools that do not step bring the map to."""
    part = np.ascontiguousarray(part)
    match stroke.tool:
        case "same":
            return _mean_around(disparity, begin, radius_px / 2)
        case "smooth":
            return np.asarray(
                cv2.GaussianBlur(part, (0, 0), radius_px / 2, borderType=cv2.BORDER_REPLICATE), np.float32
            )
        case "front":
            return np.asarray(cv2.dilate(part, _square(radius_px)), np.float32)
        case _:
            return np.asarray(cv2.erode(part, _square(radius_px)), np.float32)


def _square(radius_px: float) -> NDArray[np.uint8]:
    side = 2 * math.ceil(radius_px) + 1
    return np.ones((side, side), np.uint8)


def _mean_around(disparity: NDArray[np.float32], place: NDArray[np.float32], radius_px: float) -> np.float32:
    """Mean within a square about a place, which is brought into the map if it has left it."""
    height, width = disparity.shape
    x, y = int(np.clip(round(float(place[0])), 0, width - 1)), int(np.clip(round(float(place[1])), 0, height - 1))
    reach = int(radius_px)
    seen = disparity[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
    return np.float32(seen.mean(dtype=np.float64))


def _coverage(
    shape: tuple[int, ...], places: NDArray[np.float32], radius_px: float, softness: float
) -> NDArray[np.float32]:
    """``(h, w)`` in [0, 1]: how far the brush covers each pixel on its way."""
    height, width = shape
    nearest = np.full((height, width), np.inf, np.float32)  # squared distance to the way
    ends = places if len(places) > 1 else np.concatenate([places, places])
    for start, end in itertools.pairwise(ends):
        _reach_of(nearest, start, end, radius_px)
    distance = np.sqrt(nearest) / np.float32(radius_px)
    if softness == 0:
        return (distance <= 1).astype(np.float32)
    inside = np.clip((1 - distance) / np.float32(softness), 0, 1)
    return np.asarray(inside * inside * (3 - 2 * inside), np.float32)


def _reach_of(nearest: NDArray[np.float32], start: NDArray[np.float32], end: NDArray[np.float32], reach: float) -> None:
    """Lower ``nearest`` around one segment of the way."""
    height, width = nearest.shape
    low, high = np.minimum(start, end) - reach, np.maximum(start, end) + reach
    left, top = max(math.floor(low[0]), 0), max(math.floor(low[1]), 0)
    right, bottom = min(math.ceil(high[0]) + 1, width), min(math.ceil(high[1]) + 1, height)
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right, dtype=np.float32)[None] - start[0]
    y = np.arange(top, bottom, dtype=np.float32)[:, None] - start[1]
    way = end - start
    length2 = float(way @ way)
    along = np.clip((x * way[0] + y * way[1]) / np.float32(max(length2, 1e-12)), 0, 1)
    distance2 = (x - along * way[0]) ** 2 + (y - along * way[1]) ** 2
    part = nearest[top:bottom, left:right]
    np.minimum(part, distance2, out=part)
