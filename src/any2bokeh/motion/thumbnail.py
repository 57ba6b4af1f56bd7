"""Frames reduced to what motion and cuts are found on."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

THUMBNAIL_LONG_SIDE_PX = 512
"""Longer side of the pictures on which motion is found."""


@dataclass(frozen=True)
class Thumbnail:
    """A frame reduced to what motion and cuts are found on.

    Attributes:
        colours: ``(h, w, 3)`` float32, display-referred in [0, 1].
        grey: ``(h, w)`` uint8.
    """

    colours: NDArray[np.float32]
    grey: NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.grey.shape[0], self.grey.shape[1]

    def reduced(self, shape: tuple[int, int]) -> "Thumbnail":
        """The same at a smaller ``(height, width)``."""
        if shape == self.shape:
            return self
        size = shape[1], shape[0]
        colours = cv2.resize(self.colours, size, interpolation=cv2.INTER_AREA)
        grey = cv2.resize(self.grey, size, interpolation=cv2.INTER_AREA)
        return Thumbnail(np.asarray(colours, np.float32), np.asarray(grey, np.uint8))


def thumbnail(pixels: NDArray[np.float32]) -> Thumbnail:
    """A frame ``(3, H, W)``, display-referred, at most 512 px long; values beyond [0, 1] are clipped."""
    height, width = pixels.shape[1:]
    share = min(1.0, THUMBNAIL_LONG_SIDE_PX / max(height, width))
    size = max(round(width * share), 1), max(round(height * share), 1)
    planes = [cv2.resize(np.asarray(plane, np.float32), size, interpolation=cv2.INTER_AREA) for plane in pixels]
    colours = np.clip(np.nan_to_num(np.stack(planes, axis=-1)), 0, 1).astype(np.float32)
    codes = np.rint(colours * 255).astype(np.uint8)
    return Thumbnail(colours, np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY), np.uint8))
