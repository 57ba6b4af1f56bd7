"""Circle of confusion: how far out of focus a point is, in pixels."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

REFERENCE_LONG_SIDE_PX = 1024
"""Frame size for which the blur strength K is given."""


def defocus_px(
    disparity: ArrayLike, focus_disparity: float, blur_strength: float, long_side_px: int
) -> NDArray[np.float32]:
    """Signed defocus of a thin lens, positive in front of the focal plane.

    Args:
        disparity: ``(..., H, W)`` in [0, 1], 1 = nearest.
        focus_disparity: d_f, disparity of the focal plane, in [0, 1].
        blur_strength: K, radius per unit of disparity in a frame of 1024 px on its longer side.
        long_side_px: longer side of the frame that the radius is for.

    Returns:
        ``K * (long_side_px / 1024) * (disparity - focus_disparity)`` in pixels, shape of ``disparity``.

    Source: thin-lens equation in disparity; Peng et al., BokehMe, CVPR 2022, eq. 1.
    """
    scale = np.float32(blur_strength * long_side_px / REFERENCE_LONG_SIDE_PX)
    return scale * (np.asarray(disparity, np.float32) - np.float32(focus_disparity))


def coc_radius_px(
    disparity: ArrayLike, focus_disparity: float, blur_strength: float, long_side_px: int
) -> NDArray[np.float32]:
    """Circle-of-confusion radius in pixels: ``abs(defocus_px(...))``, same arguments and shape."""
    return np.abs(defocus_px(disparity, focus_disparity, blur_strength, long_side_px))
