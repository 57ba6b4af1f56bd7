"""From evidence at each pixel to a matte with the picture's edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Window of the edge-aware smoothing, over the longer side, and the contrast of the guide that counts as an edge.
_WINDOW = 0.012
_EDGE_CONTRAST = 0.03
# Parts smaller than this share of the largest one are specks.
_SPECK = 0.03


def matte_from(
    evidence: NDArray[np.float32], guide: NDArray[np.float32], *, window: float = _WINDOW
) -> NDArray[np.float32]:
    """Matte in [0, 1] that follows the edges of a guide.

    Args:
        evidence: ``(h, w)`` log-odds that the pixel is the subject's.
        guide: ``(h, w)`` in [0, 1], the picture's lightness or its disparity.
        window: radius of the edge-aware smoothing, over the longer side.
    """
    likely = np.asarray(1 / (1 + np.exp(-evidence)), np.float32)
    smooth = guided_filter(likely, guide, radius_px=max(1, round(window * max(guide.shape))))
    return np.clip((smooth - 0.5) * 2 + 0.5, 0, 1)


def guided_filter(
    values: NDArray[np.float32], guide: NDArray[np.float32], *, radius_px: int, contrast: float = _EDGE_CONTRAST
) -> NDArray[np.float32]:
    """Smooth values without crossing the edges of a guide.

    Args:
        values, guide: ``(h, w)``.
        radius_px: half the window.
        contrast: standard deviation of the guide in a window, from which it is taken for an edge.

    Source: He, Sun and Tang, Guided Image Filtering, ECCV 2010, with a grey guide.
    """
    size = (2 * radius_px + 1, 2 * radius_px + 1)
    mean_guide, mean_values = cv2.blur(guide, size), cv2.blur(values, size)
    variance = cv2.blur(guide * guide, size) - mean_guide * mean_guide
    covariance = cv2.blur(guide * values, size) - mean_guide * mean_values
    slope = covariance / (variance + np.float32(contrast**2))
    offset = mean_values - slope * mean_guide
    return np.asarray(cv2.blur(slope, size) * guide + cv2.blur(offset, size), np.float32)


def connected_to(matte: NDArray[np.float32], anchor: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The matte without the parts that touch no pixel of the anchor, and without specks."""
    labels, area = _parts(matte, connectivity=4)
    touched = np.bincount(labels[anchor], minlength=len(area)) > 0
    touched[0] = False
    if not touched.any():
        return np.zeros_like(matte)
    return _kept(matte, labels, touched & (area >= _SPECK * area[touched].max()))


def without_specks(matte: NDArray[np.float32], *, share: float) -> NDArray[np.float32]:
    """The matte without parts that are no larger than this share of the largest one."""
    labels, area = _parts(matte, connectivity=8)
    return _kept(matte, labels, area > share * area.max())


def _parts(matte: NDArray[np.float32], *, connectivity: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number of the part that each pixel belongs to, 0 = none, and the area of each, that of none taken for 0."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((matte > 0.5).astype(np.uint8), connectivity=connectivity)
    area = np.asarray(stats[:, cv2.CC_STAT_AREA], np.int32)
    area[0] = 0
    return np.asarray(labels, np.int32), area


def _kept(matte: NDArray[np.float32], labels: NDArray[np.int32], wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The parts that are wanted, each with the soft pixels along its outline."""
    return matte * cv2.dilate(wanted[labels].astype(np.uint8), np.ones((3, 3), np.uint8))


def lightness(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A picture ``(h, w, 3)`` as a guide, ``(h, w)`` in [0, 1]."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)


def outside_distance_px(is_on: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance of each pixel to the nearest one that is on, 0 there; a large number where none is."""
    if not is_on.any():
        return np.full(is_on.shape, float(sum(is_on.shape)), np.float32)
    return np.asarray(cv2.distanceTransform((~is_on).astype(np.uint8), cv2.DIST_L2, 3), np.float32)
