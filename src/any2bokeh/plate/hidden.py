"""What is known of the background that a frame does not show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class HiddenBackground:
    """Background behind the near surfaces of one frame, as other frames saw it.

    Attributes:
        pixels: ``(3, H, W)`` float32, code values of the frame's kind; of no meaning where ``known`` is 0.
        disparity: ``(1, H, W)`` float32 in [0, 1]; likewise.
        known: ``(H, W)`` float32 in [0, 1], how far it is believed.
    """

    pixels: NDArray[np.float32]
    disparity: NDArray[np.float32]
    known: NDArray[np.float32]
