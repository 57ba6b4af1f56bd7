"""Disparity whose edges are the edges of the picture."""

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.compiled import compiled
from any2bokeh.disparity.aspect import require_same_aspect

# Range of disparity within 3x3 pixels of the coarse map at which an edge begins to be one, and at which it is one.
_STEP_MIN, _STEP_SURE = 0.03, 0.08
# How much steeper than an interpolation a step is drawn, and again where it is to be hard.
_STEEPNESS, _HARDNESS = 2.0, 4.0
# Samples within this share of a step from its ends show one surface; between them lies a mixture.
_SIDE_SHARE = 0.25
# How far colour alone can move the odds of a pixel.
_COLOUR_SAY = 0.25
# Variance of colour (of 1) that is always there.
_COLOUR_VARIANCE_MIN = 0.03**2
# Rounds of making the refined map agree, cell by cell, with the map that it was made from.
_ROUNDS = 5
# Odds between these are uncertain: the band.
_BAND_ODDS = 0.1

_WINDOW = np.ones((3, 3), np.uint8)


Edges = Literal[
    "soft",  # as steep as the map supports
    "hard",  # from one surface to the other within about a pixel
]


@dataclass(frozen=True)
class Refined:
    """A map and how sure its edges are.

    Attributes:
        disparity: ``(1, H, W)`` float32.
        band: ``(1, H, W)`` bool, the pixels of which the map does not say for sure to which of two surfaces they
            belong; they may be mixtures of both. What a trimap calls unknown.
    """

    disparity: NDArray[np.float32]
    band: NDArray[np.bool_]


def refine(
    disparity: NDArray[np.float32], guide_pixels: NDArray[np.float32], *, edges: Edges = "soft"
) -> NDArray[np.float32]:
    """The map of `refined`, without its band."""
    return refined(disparity, guide_pixels, edges=edges).disparity


def refined(disparity: NDArray[np.float32], guide_pixels: NDArray[np.float32], *, edges: Edges = "soft") -> Refined:
    """A map at the size of a picture, its edges steep and where the picture has them.

    A small map is taken for what it is: the mean, over a cell of several pixels, of a disparity that steps. At a step
    the two surfaces are read off beside it. Where in the cell the step lies is decided by interpolation, drawn steeper;
    by colour, as far as the two sides differ in it more than within themselves; and by the mean of the cell, which says
    how much of it is near. The last is what keeps a wrong colour from moving an edge. Away from steps the map is
    interpolated, and no texture of the picture gets into it.

    A map of which each value is a sample of a single point (reduced without averaging) breaks that assumption; for such
    maps `upsample` is better.

    Args:
        disparity: ``(1, h, w)`` in [0, 1], finite.
        guide_pixels: ``(3, H, W)`` picture, display-referred in [0, 1] (values above 1 count as 1).
        edges: ``soft`` is closest to maps whose own edges are a few pixels wide, as those of depth models are; ``hard``
            steps within about a pixel, for renderers that would take a disparity between two surfaces for a third.

    Returns:
        The map, within the range of disparity around each pixel, and its band. A map of the picture's size comes back
        as the very array that went in, a larger one is sampled without mixing; neither has a band.

    Raises:
        InputError: the aspects differ.

    Source: the consistency is iterative back-projection, Irani and Peleg, CVGIP 1991; sides chosen by colour as in
    Kopf et al., Joint Bilateral Upsampling, SIGGRAPH 2007.
    """
    height, width = guide_pixels.shape[1:]
    coarse = np.ascontiguousarray(disparity[0], np.float32)
    require_same_aspect("disparity", (coarse.shape[1], coarse.shape[0]), (width, height))
    if coarse.shape[0] >= height:
        same = coarse.shape == (height, width)
        given = disparity if same else _resized(coarse, (height, width), cv2.INTER_NEAREST_EXACT)[None]
        return Refined(given, np.zeros((1, height, width), np.bool_))
    farthest = np.asarray(cv2.erode(coarse, _WINDOW), np.float32)
    nearest = np.asarray(cv2.dilate(coarse, _WINDOW), np.float32)
    is_step = nearest - farthest > _STEP_MIN
    beside_step = np.asarray(cv2.dilate(is_step.astype(np.uint8), _WINDOW))
    colours = np.stack(
        [cv2.resize(plane, coarse.shape[::-1], interpolation=cv2.INTER_AREA) for plane in guide_pixels], axis=-1
    )
    sides = _sides(coarse, np.minimum(colours, 1).astype(np.float32), is_step)
    low, high = (_resized(one, (height, width), cv2.INTER_LINEAR) for one in (farthest, nearest))
    fine = np.clip(_resized(coarse, (height, width), cv2.INTER_CUBIC), low, high)
    _draw_steps(fine, low, high, beside_step, sides, guide_pixels)
    fine = _made_consistent(fine, coarse, farthest, nearest)
    band = np.zeros((height, width), np.bool_)
    _finish_steps(fine, band, low, high, beside_step, np.float32(_HARDNESS if edges == "hard" else 1.0))
    if edges == "hard":
        # a median takes out single pixels of the wrong side, and mixes nothing
        fine = np.asarray(cv2.medianBlur(fine, 3), np.float32)
    return Refined(fine[None], band[None])


def _resized(values: NDArray[np.float32], shape: tuple[int, int], interpolation: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(values, (shape[1], shape[0]), interpolation=interpolation), np.float32)


def _made_consistent(
    fine: NDArray[np.float32],
    coarse: NDArray[np.float32],
    farthest: NDArray[np.float32],
    nearest: NDArray[np.float32],
) -> NDArray[np.float32]:
    """A map whose means over the cells of the coarse one are those of the coarse one, as nearly as its range allows."""
    shape = fine.shape[0], fine.shape[1]
    low, high = (_resized(one, shape, cv2.INTER_NEAREST_EXACT) for one in (farthest, nearest))
    for _ in range(_ROUNDS):
        lack = coarse - _resized(fine, (coarse.shape[0], coarse.shape[1]), cv2.INTER_AREA)
        fine = np.minimum(np.maximum(fine + _resized(lack, shape, cv2.INTER_CUBIC), low), high)
    return fine


@compiled(nogil=True, fastmath=True)
def _sides(coarse, colours, is_step):  # pragma: no cover (compiled)
    """Per cell with a step: the axis in colour along which its two sides differ, its middle, and how far it is told.

    Linear discriminant with one variance for both sides: axis = difference of means / (variance + its square / 4), so
    that the score of a pixel is about -2 and 2 at the means of well separated sides, and about 0 for sides alike.
    """
    height, width = coarse.shape
    sides = np.zeros((height, width, 4), np.float32)
    for y in range(height):
        for x in range(width):
            if not is_step[y, x]:
                continue
            top, bottom, left, right = max(y - 2, 0), min(y + 3, height), max(x - 2, 0), min(x + 3, width)
            low = high = coarse[y, x]
            for j in range(max(y - 1, 0), min(y + 2, height)):
                for i in range(max(x - 1, 0), min(x + 2, width)):
                    low, high = min(low, coarse[j, i]), max(high, coarse[j, i])
            far_to, near_from = low + _SIDE_SHARE * (high - low), high - _SIDE_SHARE * (high - low)
            near, far, squares = np.zeros(3), np.zeros(3), 0.0
            near_count = far_count = 0
            for j in range(top, bottom):
                for i in range(left, right):
                    value = coarse[j, i]
                    # a third surface, beyond either side, tells nothing of these two
                    if value >= near_from and value <= 2 * high - near_from:
                        near_count += 1
                        for channel in range(3):
                            near[channel] += colours[j, i, channel]
                            squares += colours[j, i, channel] ** 2
                    elif value <= far_to and value >= 2 * low - far_to:
                        far_count += 1
                        for channel in range(3):
                            far[channel] += colours[j, i, channel]
                            squares += colours[j, i, channel] ** 2
            if near_count == 0 or far_count == 0:
                continue
            within = squares
            apart = 0.0
            for channel in range(3):
                within -= near[channel] ** 2 / near_count + far[channel] ** 2 / far_count
                near[channel] /= near_count
                far[channel] /= far_count
                apart += (near[channel] - far[channel]) ** 2
            variance = max(within / (near_count + far_count), 0) + _COLOUR_VARIANCE_MIN
            middle = 0.0
            for channel in range(3):
                along = (near[channel] - far[channel]) / (variance + apart / 4)
                sides[y, x, channel] = along
                middle += along * (near[channel] + far[channel]) / 2
            sides[y, x, 3] = middle
    return sides


@compiled(nogil=True, fastmath=True)
def _draw_steps(result, low, high, beside_step, sides, guide):  # pragma: no cover (compiled)
    """Steepen the steps of an interpolated map in place, towards the sides that colours tell."""
    height, width = result.shape
    coarse_height, coarse_width = beside_step.shape
    scale_y, scale_x = coarse_height / height, coarse_width / width
    for y in range(height):
        coarse_y = min(int((y + 0.5) * scale_y), coarse_height - 1)
        for x in range(width):
            coarse_x = min(int((x + 0.5) * scale_x), coarse_width - 1)
            if not beside_step[coarse_y, coarse_x]:
                continue
            step = high[y, x] - low[y, x]
            if step <= _STEP_MIN:
                continue
            odds = (result[y, x] - low[y, x]) / step
            score = -sides[coarse_y, coarse_x, 3]
            for channel in range(3):
                score += sides[coarse_y, coarse_x, channel] * min(guide[channel, y, x], 1)
            # a certain place is not overruled by colour: its say is largest where the odds are even
            say = _COLOUR_SAY * 4 * odds * (1 - odds)
            drawn = (odds - 0.5) * _STEEPNESS + 0.5 + say * math.tanh(score)
            drawn = min(max(drawn, 0.0), 1.0)
            sure = min((step - _STEP_MIN) / (_STEP_SURE - _STEP_MIN), 1.0)
            result[y, x] += sure * (low[y, x] + drawn * step - result[y, x])


@compiled(nogil=True, fastmath=True)
def _finish_steps(result, band, low, high, beside_step, hardness):  # pragma: no cover (compiled)
    """Mark the pixels between two sides, and then draw the steps harder, in place."""
    height, width = result.shape
    coarse_height, coarse_width = beside_step.shape
    scale_y, scale_x = coarse_height / height, coarse_width / width
    for y in range(height):
        coarse_y = min(int((y + 0.5) * scale_y), coarse_height - 1)
        for x in range(width):
            coarse_x = min(int((x + 0.5) * scale_x), coarse_width - 1)
            step = high[y, x] - low[y, x]
            if not beside_step[coarse_y, coarse_x] or step <= _STEP_MIN:
                continue
            odds = (result[y, x] - low[y, x]) / step
            sure = min((step - _STEP_MIN) / (_STEP_SURE - _STEP_MIN), 1.0)
            band[y, x] = sure >= 1 and _BAND_ODDS < odds < 1 - _BAND_ODDS
            drawn = min(max((odds - 0.5) * hardness + 0.5, 0.0), 1.0)
            result[y, x] += sure * (low[y, x] + drawn * step - result[y, x])
