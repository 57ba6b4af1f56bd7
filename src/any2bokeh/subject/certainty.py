"""How sure one can be that a matte is one subject, and not a part of the scenery."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Subjects reach from the one to the other share of the picture at most; beyond, it is the scenery itself.
_LARGE, _TOO_LARGE = 0.2, 0.32
# Where the picture's edges under the outline stand among all of it, of 1: seen 0.7 to 0.9 of subjects, 0.5 to 0.7 of
# mattes that end within a wall or a crowd.
_NO_OUTLINE, _OUTLINE = 0.62, 0.72
# How far the guesses that were made from several sizes cover one another.
_AT_ODDS, _AGREED = 0.5, 0.8


def outline_certainty(pixels: NDArray[np.uint8], matte: NDArray[np.float32]) -> float:
    """0 where a matte is as large as scenery, or its outline is not one of the picture; 1 where it may be a subject's.

    Args:
        pixels: ``(h, w, 3)`` RGB.
        matte: ``(h, w)`` in [0, 1].
    """
    is_on = (matte > 0.5).astype(np.uint8)
    outline = cv2.morphologyEx(is_on, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    if not outline.any():
        return 0.0
    contrast = _contrast(pixels)
    rank = np.searchsorted(np.sort(contrast.ravel()), contrast[outline]).mean() / contrast.size
    small = 1 - _ramp(float(is_on.mean()), _LARGE, _TOO_LARGE)
    return small * _ramp(float(rank), _NO_OUTLINE, _OUTLINE)


def seed_certainty(agreement: float) -> float:
    """How sure the first matte is, from the share of all guesses at it that is common to them."""
    return _ramp(agreement, _AT_ODDS, _AGREED)


def _contrast(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab), np.float32)
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return np.asarray((across**2 + down**2).sum(axis=2), np.float32)


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
