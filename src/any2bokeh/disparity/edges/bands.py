"""What is known of the unknown ground around steps of disparity, and who finds it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class EdgeBands:
    """The bands around the steps of one map.

    Attributes:
        disparity: ``(1, H, W)`` float32: outside the bands as it came, inside that of the surface each pixel mostly
            shows; the very array that came where nothing was to be done.
        band: ``(H, W)`` bool: pixels that were in question.
        near, far: ``(H, W)`` float32: disparity of the two surfaces that a pixel of the band may show; elsewhere 0.
        near_share: ``(H, W)`` float32 in [0, 1]: how far the evidence speaks for the nearer of the two; elsewhere 0.
    """

    disparity: NDArray[np.float32]
    band: NDArray[np.bool_]
    near: NDArray[np.float32]
    far: NDArray[np.float32]
    near_share: NDArray[np.float32]

    @classmethod
    def none(cls, disparity: NDArray[np.float32]) -> "EdgeBands":
        """Those of a map that is left as it is."""
        shape = disparity.shape[1:]
        empty = np.zeros(shape, np.float32)
        return cls(disparity, np.zeros(shape, np.bool_), empty, empty, empty)


class EdgeEstimator(Protocol):
    """Finds the bands of one frame from its map and its picture alone, so that a frame gets the same wherever it lies.

    Args:
        disparity: ``(1, H, W)`` float32 in [0, 1].
        pixels: ``(3, H, W)`` float32, display-referred; values above 1 count as 1.
    """

    def __call__(self, disparity: NDArray[np.float32], pixels: NDArray[np.float32]) -> EdgeBands: ...
