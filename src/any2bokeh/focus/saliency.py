"""What draws the eye in a frame: what moves against the camera's motion, stands before its surround, is sharp and rare.

The parts are those of the classical models of attention (Itti, Koch and Niebur, TPAMI 1998: contrast of feature maps,
added), with disparity in place of orientation, and with the motion that a camera's move does not explain.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.motion.camera import Motion
from any2bokeh.motion.flow import FlowFinder
from any2bokeh.subject.tracker import View

LONG_SIDE_PX = 192
"""Longer side of a saliency map: a subject smaller than a few of its pixels is none."""

_WEIGHT_MOTION, _WEIGHT_NEAR, _WEIGHT_SHARP, _WEIGHT_RARE = 0.3, 0.4, 0.15, 0.15
# Motion over the longer side and frame that counts fully, and how far before its surround a subject is fully near.
_FULL_MOTION = 0.01
_FULL_NEARNESS = 0.15
# Standard deviation of the centre prior, over width and height.
_CENTRE_SIGMA = 0.35
_CENTRE_Y = 0.55
# Surround of a pixel in its row, over the width.
_SURROUND = 0.35
_BLUR_SIGMA = 0.015
_COLOUR_SHIFT = 5


def saliency(view: View, before: View | None) -> NDArray[np.float32]:
    """How much each part of a frame draws the eye.

    Args:
        view: the frame.
        before: the frame before it in the same shot, None where there is none.

    Returns:
        ``(h, w)`` float32 in [0, 1], reduced to `LONG_SIDE_PX`.
    """
    size = _reduced_size(view.shape)
    pixels = cv2.resize(view.pixels, size, interpolation=cv2.INTER_AREA)
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    parts = [(_WEIGHT_SHARP, _sharpness(grey)), (_WEIGHT_RARE, _rarity(np.asarray(pixels, np.uint8)))]
    if view.disparity is not None:
        disparity = cv2.resize(view.disparity, size, interpolation=cv2.INTER_AREA)
        parts.append((_WEIGHT_NEAR, _nearness(np.asarray(disparity, np.float32))))
    if before is not None:
        earlier = cv2.resize(before.pixels, size, interpolation=cv2.INTER_AREA)
        parts.append(
            (_WEIGHT_MOTION, _own_motion(grey, np.asarray(cv2.cvtColor(earlier, cv2.COLOR_RGB2GRAY), np.uint8)))
        )
    total = sum(weight for weight, _ in parts)
    joint = sum((weight / total * part for weight, part in parts), np.zeros(grey.shape, np.float32))
    blurred = cv2.GaussianBlur(joint * _centre(grey.shape), (0, 0), _BLUR_SIGMA * max(size))
    return np.asarray(blurred, np.float32)


def _reduced_size(shape: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, LONG_SIDE_PX / max(shape))
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def _own_motion(grey: NDArray[np.uint8], before: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Motion that one move of the camera (shift, turn, zoom) does not explain."""
    motion = Motion.of(FlowFinder("fast")(grey, before), model="similarity", spacing_px=max(1, max(grey.shape) // 32))
    return np.minimum(motion.residual_px / np.float32(_FULL_MOTION * max(grey.shape)), 1)


def _nearness(disparity: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each pixel stands before what is beside it in its row; the ground is as near as its row."""
    reach = max(3, 2 * round(_SURROUND * disparity.shape[1] / 2) + 1)
    low = cv2.blur(cv2.erode(disparity, np.ones((1, reach))), (reach, 1), borderType=cv2.BORDER_REPLICATE)
    return np.clip((disparity - low) / _FULL_NEARNESS, 0, 1).astype(np.float32)


def _sharpness(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    detail = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    local = cv2.GaussianBlur(detail, (0, 0), 2.0)
    return np.minimum(local / max(float(np.percentile(local, 95)), 1.0), 1).astype(np.float32)


def _rarity(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How rare each pixel's colour is in the frame."""
    lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab), np.uint8) >> _COLOUR_SHIFT
    bins = (lab[..., 0].astype(np.int32) << 6) | (lab[..., 1].astype(np.int32) << 3) | lab[..., 2]
    share = np.bincount(bins.ravel(), minlength=512) / bins.size
    return np.clip(-np.log10(share + 1e-4) / 4, 0, 1).astype(np.float32)[bins]


def _centre(shape: tuple[int, ...]) -> NDArray[np.float32]:
    height, width = shape
    x = (np.arange(width) + 0.5) / width - 0.5
    y = (np.arange(height) + 0.5) / height - _CENTRE_Y
    return np.exp(-0.5 * ((x[None] / _CENTRE_SIGMA) ** 2 + (y[:, None] / _CENTRE_SIGMA) ** 2)).astype(np.float32)
