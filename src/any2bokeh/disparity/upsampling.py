"""Disparity brought to the size of the picture, its edges to the edges of the picture."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.aspect import require_same_aspect

# Disparity that differs by less within 3x3 pixels of the small map is one surface, and is interpolated. So is a slope:
# it differs by up to this, and by much more within 5x5 pixels, where an edge already ends within 3x3.
_EDGE_RANGE = 0.05
_SLOPE_RANGE = 0.12
_SLOPE_SHARE = 0.7
# At an edge, values within this share of the range from its ends belong to a side; between them lies a mixture of both.
_SIDE_SHARE = 0.12
# Colours that differ by less (of 1) are alike, however little the two sides differ.
_COLOUR_SIGMA_MIN = 0.05
# How far the colour can overrule the place: odds that the nearer side of a pixel keeps, whatever its colour.
_PLACE_ODDS_MIN = 0.12

_WINDOW = np.ones((3, 3), np.uint8)
_LANES = 16  # the 9 pixels of a window, and so many that vectors hold them


def upsample(disparity: NDArray[np.float32], guide_pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Disparity at the size of a picture, edge-aware.

    Within a surface the map is interpolated. At an edge every pixel is given to one of the two sides, by its colour in
    the picture and by its place, and takes the disparity of that side alone: a disparity between the two belongs to
    nothing in the scene, and would float there when it is rendered. A map larger than the picture is sampled without
    mixing, for the same reason.

    Args:
        disparity: ``(1, h, w)`` in [0, 1].
        guide_pixels: ``(3, H, W)`` picture, display-referred in [0, 1] (values above 1 count as 1).

    Returns:
        ``(1, H, W)`` float32 in [0, 1]; the very array that went in where the sizes agree.

    Raises:
        InputError: the aspects differ.

    Source: joint bilateral upsampling, Kopf et al., SIGGRAPH 2007, with the choice of one hypothesis in place of the
    mean, after Yang et al., "Spatial-Depth Super Resolution for Range Images", CVPR 2007.
    """
    height, width = guide_pixels.shape[1:]
    small = np.ascontiguousarray(disparity[0], np.float32)
    if small.shape == (height, width):
        return disparity
    require_same_aspect("disparity", (small.shape[1], small.shape[0]), (width, height))
    if small.shape[0] >= height:
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)[None], np.float32)
    upsampled = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    farthest, nearest = cv2.erode(small, _WINDOW), cv2.dilate(small, _WINDOW)
    spread = nearest - farthest
    wider_spread = cv2.dilate(nearest, _WINDOW) - cv2.erode(farthest, _WINDOW)
    is_edge = (spread > _EDGE_RANGE) & ((spread > _SLOPE_RANGE) | (spread > _SLOPE_SHARE * wider_spread))
    colours = np.stack(
        [cv2.resize(plane, small.shape[::-1], interpolation=cv2.INTER_AREA) for plane in guide_pixels], axis=-1
    )
    _choose_sides(upsampled, small, is_edge, farthest, nearest, np.minimum(colours, 1), guide_pixels)
    # a median takes out single pixels of the wrong side, and mixes nothing
    return np.asarray(cv2.medianBlur(upsampled, 3)[None], np.float32)


@compiled(nogil=True, fastmath=True, error_model="numpy")
def _choose_sides(upsampled, small, is_edge, farthest, nearest, colours, guide):  # pragma: no cover (compiled)
    """Give each pixel near an edge of the small map to one side of it, in place."""
    height, width = upsampled.shape
    small_height, small_width = small.shape
    scale_y, scale_x = height / small_height, width / small_width
    one = np.float32(1)
    # Of the 3x3 pixels around: row, column, red, green, blue, disparity, 1 where near, 1 where far. What is neither, or
    # no pixel, has 0 twice and adds nothing: sums of a fixed length run in the lanes of vectors.
    around = np.zeros((8, _LANES), np.float32)
    for small_y in range(small_height):
        for small_x in range(small_width):
            if not is_edge[small_y, small_x]:
                continue
            low, high = farthest[small_y, small_x], nearest[small_y, small_x]
            top, bottom = max(small_y - 1, 0), min(small_y + 2, small_height)
            left, right = max(small_x - 1, 0), min(small_x + 2, small_width)
            near_from = high - np.float32(_SIDE_SHARE) * (high - low)
            far_to = low + np.float32(_SIDE_SHARE) * (high - low)
            around[6:] = 0
            count = 0
            for j in range(top, bottom):
                for i in range(left, right):
                    value = small[j, i]
                    around[0, count], around[1, count], around[5, count] = j, i, value
                    for channel in range(3):
                        around[2 + channel, count] = colours[j, i, channel]
                    around[6, count], around[7, count] = value >= near_from, value <= far_to
                    count += 1
            steepness = one / _colour_tolerance(around)
            # the pixels whose centres lie in this pixel of the small map
            first_y, last_y = math.ceil(small_y * scale_y - 0.5), math.ceil((small_y + 1) * scale_y - 0.5)
            first_x, last_x = math.ceil(small_x * scale_x - 0.5), math.ceil((small_x + 1) * scale_x - 0.5)
            for y in range(max(first_y, 0), min(last_y, height)):
                for x in range(max(first_x, 0), min(last_x, width)):
                    place_y = np.float32((y + 0.5) / scale_y - 0.5)
                    place_x = np.float32((x + 0.5) / scale_x - 0.5)
                    red, green, blue = min(guide[0, y, x], one), min(guide[1, y, x], one), min(guide[2, y, x], one)
                    near_weight = near_likeness = near_disparity = np.float32(0)
                    far_weight = far_likeness = far_disparity = np.float32(0)
                    for n in range(_LANES):
                        distance = (around[0, n] - place_y) ** 2 + (around[1, n] - place_x) ** 2
                        place = one / (one + distance * distance)
                        difference = (
                            (red - around[2, n]) ** 2 + (green - around[3, n]) ** 2 + (blue - around[4, n]) ** 2
                        )
                        alike = one / (one + difference * steepness)
                        alike *= place * alike
                        near_weight += around[6, n] * place
                        near_likeness += around[6, n] * alike
                        near_disparity += around[6, n] * alike * around[5, n]
                        far_weight += around[7, n] * place
                        far_likeness += around[7, n] * alike
                        far_disparity += around[7, n] * alike * around[5, n]
                    odds = (upsampled[y, x] - low) / (high - low)
                    odds = min(max(odds, np.float32(_PLACE_ODDS_MIN)), np.float32(1 - _PLACE_ODDS_MIN))
                    is_near = odds * near_likeness * far_weight > (one - odds) * far_likeness * near_weight
                    upsampled[y, x] = near_disparity / near_likeness if is_near else far_disparity / far_likeness


@compiled(nogil=True, fastmath=True, error_model="numpy", inline="always")
def _colour_tolerance(around):
    """Squared difference at which a colour is half as likely to be of a side: a quarter of how the two sides differ."""
    near_count = far_count = np.float32(0)
    for n in range(_LANES):
        near_count += around[6, n]
        far_count += around[7, n]
    difference = np.float32(0)
    for channel in range(2, 5):
        near = far = np.float32(0)
        for n in range(_LANES):
            near += around[6, n] * around[channel, n]
            far += around[7, n] * around[channel, n]
        difference += (near / near_count - far / far_count) ** 2
    return max(difference / np.float32(4), np.float32(_COLOUR_SIGMA_MIN**2))
