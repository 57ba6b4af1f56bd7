"""The camera's own part of the motion, and what moves against it."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

CameraModel = Literal[
    "affine",  # by RANSAC, for pictures most of which the camera moves
    "similarity",  # shift, turn and zoom; by the least median of squares, for any half of the picture
]
# Points of an affine model may lie this far off and still be inliers.
_INLIER_PX = 0.7
# Fewer points fix no model; the camera is taken to stand still.
_POINTS_MIN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Motion from a frame to another one.

    Attributes:
        flow: ``(h, w, 2)`` how far each pixel goes, x first.
        camera: ``(2, 3)`` affine motion of most of the picture, which the camera makes.
        residual_px: ``(h, w)`` length of what is left of the motion without the camera's.
    """

    flow: NDArray[np.float32]
    camera: NDArray[np.float64]
    residual_px: NDArray[np.float32]

    @classmethod
    def of(cls, flow: NDArray[np.float32], *, model: CameraModel = "affine", spacing_px: int = 8) -> "Motion":
        """Split a flow into the camera's motion and the rest.

        Args:
            flow: ``(h, w, 2)``.
            model: of the camera's motion.
            spacing_px: of the grid of points that the model is fitted to.
        """
        height, width = flow.shape[:2]
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        here = np.stack([columns, rows], axis=-1)
        there = here + flow
        grid = (slice(spacing_px // 2, None, spacing_px),) * 2
        camera = _fitted(here[grid].reshape(-1, 2), there[grid].reshape(-1, 2), model)
        expected = here @ camera[:, :2].T.astype(np.float32) + camera[:, 2].astype(np.float32)
        return cls(flow, camera, np.linalg.norm(there - expected, axis=-1).astype(np.float32))


def _fitted(here: NDArray[np.float32], there: NDArray[np.float32], model: CameraModel) -> NDArray[np.float64]:
    if len(here) < _POINTS_MIN:
        return np.eye(2, 3)
    # OpenCV takes no points that are strided, as those of a grid of one row are.
    here, there = np.ascontiguousarray(here), np.ascontiguousarray(there)
    if model == "affine":
        camera, _ = cv2.estimateAffine2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=_INLIER_PX)
    else:
        camera, _ = cv2.estimateAffinePartial2D(here, there, method=cv2.LMEDS)
    # None of points that lie on a line.
    return np.eye(2, 3) if camera is None else np.asarray(camera, np.float64)
