"""Dense optical flow between two pictures."""

import threading
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Preset = Literal[
    "fast",  # enough to carry a matte
    "medium",
]
# Pictures with a shorter side are extended: the search has no room for its patches in them.
_SMALLEST_SIDE_PX = {"fast": 64, "medium": 32}
_of_thread = threading.local()


class FlowFinder:
    """Dense inverse search of OpenCV.

    Args:
        preset: of OpenCV, its trade of accuracy for time.

    Source: Kroeger, Timofte, Dai and Van Gool, Fast Optical Flow using Dense Inverse Search, ECCV 2016.
    """

    def __init__(self, preset: Preset = "medium") -> None:
        presets = {"fast": cv2.DISOPTICAL_FLOW_PRESET_FAST, "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM}
        self._search: Any = cv2.DISOpticalFlow.create(presets[preset])
        self._starts_at_rest = preset == "fast"
        self._smallest_side_px = _SMALLEST_SIDE_PX[preset]

    @classmethod
    def of_thread(cls, preset: Preset) -> "FlowFinder":
        """One that all who look for motion in this thread share: each holds memory of several pictures."""
        kept: dict[Preset, FlowFinder] = _of_thread.__dict__.setdefault("finders", {})
        if preset not in kept:
            kept[preset] = cls(preset)
        return kept[preset]

    def __call__(self, here: NDArray[np.uint8], there: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Motion from each pixel of one grey picture to where it is in another.

        Args:
            here, there: ``(h, w)`` of one size.

        Returns:
            ``(h, w, 2)`` in pixels, x then y.
        """
        height, width = here.shape
        down, right = (max(self._smallest_side_px - side, 0) for side in (height, width))
        pictures = [
            cv2.copyMakeBorder(grey, 0, down, 0, right, cv2.BORDER_REPLICATE) if down or right else grey
            for grey in (here, there)
        ]
        # Never a start from what was found last, which would make a result depend on what came before.
        start = np.zeros((*pictures[0].shape, 2), np.float32) if self._starts_at_rest else None
        flow = self._search.calc(*pictures, start)
        return np.ascontiguousarray(flow[:height, :width])
