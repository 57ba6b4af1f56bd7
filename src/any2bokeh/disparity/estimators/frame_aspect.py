"""Maps of models that squeeze the picture, brought back to its aspect."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

# Rounding the sides to multiples of the patch size costs less than this; the rest of the pipeline allows for it.
_TOLERANCE = 0.015


def in_aspect_of(raw: NDArray[np.float32], frame_shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A map in the aspect of its frame, of about as many pixels as it has.

    Args:
        raw: ``(h, w)``.
        frame_shape: ``(H, W)``.

    Returns:
        ``(1, h', w')`` float32; not resampled where the aspects already agree within 1.5%.
    """
    (height, width), (frame_height, frame_width) = raw.shape, frame_shape
    ratio = width * frame_height / (height * frame_width)
    if max(ratio, 1 / ratio) <= 1 + _TOLERANCE:
        return np.ascontiguousarray(raw, np.float32)[None]
    scale = math.sqrt(height * width / (frame_height * frame_width))
    size = (max(1, round(scale * frame_width)), max(1, round(scale * frame_height)))
    return np.asarray(cv2.resize(raw.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)[None]
