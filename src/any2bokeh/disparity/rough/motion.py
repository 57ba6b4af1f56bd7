"""What moves against the camera's own motion."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# The camera's motion is fitted to flow on a grid of this spacing, with this tolerance of the inliers.
_GRID_PX = 8
_INLIER_PX = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Motion from a frame to another one.

    Attributes:
        flow: ``(h, w, 2)`` how far each pixel goes, x first.
        sources: ``(h, w, 2)`` where each pixel is in the other frame, x first.
        camera: ``(2, 3)`` affine motion of most of the picture, which the camera makes.
        residual_px: ``(h, w)`` length of what is left of the motion without the camera's.
    """

    flow: NDArray[np.float32]
    sources: NDArray[np.float32]
    camera: NDArray[np.float64]
    residual_px: NDArray[np.float32]


class MotionReader:
    """Dense optical flow (DIS: Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016)."""

    def __init__(self) -> None:
        self._flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def between(self, here: NDArray[np.uint8], there: NDArray[np.uint8]) -> Motion:
        """Motion from a grey frame ``(h, w)`` to another of its size."""
        height, width = here.shape
        flow = self._flow.calc(here, there, None)
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        place = np.stack([columns, rows], axis=-1)
        sources = place + flow
        grid = (slice(_GRID_PX // 2, None, _GRID_PX),) * 2
        fitted, _ = cv2.estimateAffine2D(
            place[grid].reshape(-1, 2),
            sources[grid].reshape(-1, 2),
            method=cv2.RANSAC,
            ransacReprojThreshold=_INLIER_PX,
        )
        # None of fewer points than the fit needs.
        camera = np.eye(2, 3) if fitted is None else np.asarray(fitted, np.float64)
        still = place @ camera[:, :2].T.astype(np.float32) + camera[:, 2].astype(np.float32)
        return Motion(flow, sources, camera, np.linalg.norm(sources - still, axis=-1).astype(np.float32))


def followed(values: NDArray[np.float32], motion: Motion, *, outside: float | None = None) -> NDArray[np.float32]:
    """Values of the other frame at the places that this frame's pixels come from.

    Args:
        values: ``(h, w)``.
        motion: from this frame to the other.
        outside: value of what comes from beyond the border; the nearest border pixel's where None.
    """
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    columns, rows = motion.sources[..., 0], motion.sources[..., 1]
    taken = cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=border, borderValue=(outside or 0.0,) * 4)
    return np.asarray(taken, np.float32)
