"""The pictures of a clip, as finding the focus needs them, alone and with their disparity."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.source import DisparitySource
from any2bokeh.subject.tracker import View

LONG_SIDE_PX = 480
"""Longer side that is enough to follow a subject. More would only take longer."""


class Pictures(Protocol):
    """Reduced pictures of a clip; each call decodes the clip anew, so that memory does not grow with it."""

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.uint8]]:
        """Pictures ``start`` to ``stop`` (exclusive; the end where None), in order.

        Each is ``(h, w, 3)`` uint8 RGB, display-referred, with the aspect of the displayed clip.
        """
        ...


def views_of(pictures: Pictures, disparity: DisparitySource, start: int, stop: int | None = None) -> Iterator[View]:
    """Pictures of a clip, each with its disparity brought to the picture's size."""
    import cv2

    end = disparity.frame_count if stop is None else stop
    for pixels, full in zip(pictures.frames(start, end), disparity.frames(start, end), strict=True):
        height, width = pixels.shape[:2]
        reduced = full[0]
        if reduced.shape != (height, width):
            reduced = cv2.resize(reduced, (width, height), interpolation=cv2.INTER_AREA)
        yield View(pixels, np.asarray(reduced, np.float32))
