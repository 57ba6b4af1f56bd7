"""The aspect that a map must share with its picture."""

import math

import numpy as np
from numpy.typing import NDArray

from any2bokeh.errors import InputError

# Depth models work on multiples of 14 or 32 pixels, and often leave the map at that size: at most 1.6% off the
# picture's aspect among common sizes (384x672 for 16:9). Cropped or padded pictures differ by more (1.85:1 for 1.9:1).
_TOLERANCE = 0.02
# Maps of models that squeeze the picture are brought back to its aspect; rounding to multiples of the patch costs less.
_RESAMPLED_ABOVE = 0.015


def require_same_aspect(
    noun: str, size: tuple[int, int], frame_size: tuple[int, int], *, frame_noun: str = "the clip"
) -> None:
    """Refuse a map that does not show the whole picture.

    Args:
        noun: what the map shows, for the message.
        size: ``(width, height)`` of the map.
        frame_size: ``(width, height)`` of the picture.
        frame_noun: what messages call the picture.

    Raises:
        InputError: the aspects differ by more than 2% and by more than rounding a side to whole pixels explains.
    """
    (width, height), (frame_width, frame_height) = size, frame_size
    ratio = width * frame_height / (height * frame_width)
    rounding = 0.5 / min(width, height, frame_width, frame_height)
    if max(ratio, 1 / ratio) > 1 + max(_TOLERANCE, 2 * rounding):
        raise InputError(
            f"{noun} is {width}x{height} but {frame_noun} is {frame_width}x{frame_height}; "
            f"export {noun} of the whole, upright picture, at any size of the same aspect"
        )


def in_aspect_of(raw: NDArray[np.float32], frame_shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A map in the aspect of its frame, of about as many pixels as it has.

    Args:
        raw: ``(h, w)``.
        frame_shape: ``(H, W)``.

    Returns:
        ``(1, h', w')`` float32; not resampled where the aspects already agree within 1.5%,
        which ``require_same_aspect`` allows for.
    """
    import cv2

    (height, width), (frame_height, frame_width) = raw.shape, frame_shape
    ratio = width * frame_height / (height * frame_width)
    if max(ratio, 1 / ratio) <= 1 + _RESAMPLED_ABOVE:
        return np.ascontiguousarray(raw, np.float32)[None]
    scale = math.sqrt(height * width / (frame_height * frame_width))
    size = (max(1, round(scale * frame_width)), max(1, round(scale * frame_height)))
    return np.asarray(cv2.resize(raw.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)[None]
