"""Notices, while a clip is read, that another shot has begun."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.stabilise.cuts import colour_distance, is_cut
from any2bokeh.disparity.stabilise.motion import MotionFinder, Thumbnail, thumbnail

# The least distance of colours at which `is_cut` looks any further.
_DIFFERENT = 0.1


class ShotWatch:
    """Compares each picture with the one before it.

    Args:
        first: ``(h, w, 3)`` uint8 RGB, the picture that the watch begins with.
    """

    def __init__(self, first: NDArray[np.uint8]) -> None:
        self._before = _thumbnail(first)
        self._motion = MotionFinder()

    def sees_cut(self, pixels: NDArray[np.uint8]) -> bool:
        """Whether a picture begins a new shot; it is compared with the one of the call before."""
        before, here = self._before, _thumbnail(pixels)
        self._before = here
        # Pictures of like colours are never told apart, which spares the search for motion between nearly all of them.
        return colour_distance(before, here) >= _DIFFERENT and is_cut(before, here, self._motion(here, before))


def _thumbnail(pixels: NDArray[np.uint8]) -> Thumbnail:
    return thumbnail(pixels.transpose(2, 0, 1).astype(np.float32) / np.float32(255))
