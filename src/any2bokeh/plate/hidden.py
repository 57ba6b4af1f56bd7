"""What is known of what a frame does not show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class HiddenBackground:
    """Background behind the near surfaces of one frame, and what lies around the frame, as other frames saw it.

    ``h`` and ``w`` are the sides of the frame and a margin on each side.

    Attributes:
        pixels: ``(3, h, w)`` float32, code values of the frame's kind; of no meaning where ``known`` is 0.
        disparity: ``(1, h, w)`` float32 in [0, 1]; likewise.
        known: ``(h, w)`` float32 in [0, 1], how far it is believed: within the frame, of the background that the frame
            hides, in whole or beside steps in part, and in the margin of what would be seen there.
        margin_px: around the frame, 0 or more.
    """

    pixels: NDArray[np.float32]
    disparity: NDArray[np.float32]
    known: NDArray[np.float32]
    margin_px: int = 0
