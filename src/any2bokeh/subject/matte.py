"""From evidence at each pixel to a matte with the picture's edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Window of the edge-aware smoothing, over the longer side, and the contrast of the guide that counts as an edge.
_WINDOW = 0.012
_EDGE_CONTRAST = 0.03
# The same of a guide in colour, as variance.
_COLOUR_EDGE = 1e-3
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


def colour_guided_filter(
    values: NDArray[np.float32], guide: NDArray[np.uint8], *, radius_px: int, edge: float = _COLOUR_EDGE
) -> NDArray[np.float32]:
    """Smooth values without crossing the edges of a picture, also those between colours of one lightness.

    Args:
        values: ``(h, w)``.
        guide: ``(h, w, 3)`` RGB.
        radius_px: half the window.
        edge: variance of the guide in a window, of a scale of 1, from which it is taken for an edge.

    Source: He, Sun and Tang, Guided Image Filtering, ECCV 2010, eq. 19-21.
    """
    size = (2 * radius_px + 1, 2 * radius_px + 1)

    def mean(array: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(np.asarray(array, np.float32), size), np.float32)

    r, g, b = (np.asarray(guide[..., channel], np.float32) / np.float32(255) for channel in range(3))
    mean_r, mean_g, mean_b, mean_values = mean(r), mean(g), mean(b), mean(values)
    rr, gg, bb = (mean(c * c) - m * m + np.float32(edge) for c, m in ((r, mean_r), (g, mean_g), (b, mean_b)))
    rg, rb, gb = mean(r * g) - mean_r * mean_g, mean(r * b) - mean_r * mean_b, mean(g * b) - mean_g * mean_b
    to_r, to_g, to_b = (mean(c * values) - m * mean_values for c, m in ((r, mean_r), (g, mean_g), (b, mean_b)))
    # The inverse of the symmetric covariance by its cofactors.
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - gg * rb
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    scale = 1 / (rr * c_rr + rg * c_rg + rb * c_rb)
    slope_r = (c_rr * to_r + c_rg * to_g + c_rb * to_b) * scale
    slope_g = (c_rg * to_r + c_gg * to_g + c_gb * to_b) * scale
    slope_b = (c_rb * to_r + c_gb * to_g + c_bb * to_b) * scale
    offset = mean_values - slope_r * mean_r - slope_g * mean_g - slope_b * mean_b
    filtered = mean(slope_r) * r + mean(slope_g) * g + mean(slope_b) * b + mean(offset)
    return np.asarray(filtered, np.float32)


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


def hanging_together(
    matte: NDArray[np.float32], about: NDArray[np.float32], *, reach: float, share: float
) -> NDArray[np.float32]:
    """The matte without what lies apart from the subject, such as somebody else of its colours.

    Args:
        matte: ``(h, w)``.
        about: ``(h, w)``, where the subject probably is; what covers most of it is kept.
        reach: gaps up to this, over the longer side, part nothing: a neck, a strap.
        share: parts that are no larger than this share of the largest one are specks all the same.
    """
    half = max(1, round(reach * max(matte.shape) / 2))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * half + 1, 2 * half + 1))
    is_on = (matte > 0.5).astype(np.uint8)
    _, found = cv2.connectedComponents(cv2.dilate(is_on, kernel), connectivity=8)
    labels = np.asarray(found, np.int32)
    # Where nothing is known to be, the largest counts.
    covered = np.bincount(labels.ravel(), (is_on * (about + np.float32(0.05))).ravel())
    covered[0] = 0
    together = (labels == covered.argmax()) & (is_on > 0)
    kept = matte * cv2.dilate(together.astype(np.uint8), np.ones((3, 3), np.uint8))
    return without_specks(kept, share=share)


def without_holes(matte: NDArray[np.float32], *, share: float) -> NDArray[np.float32]:
    """The matte with holes filled that are smaller than this share of it: eyes, a badge, but not a bent arm's."""
    is_off = (matte <= 0.5).astype(np.uint8)
    _, found, stats, _ = cv2.connectedComponentsWithStats(is_off, connectivity=4)
    labels, area = np.asarray(found, np.int32), stats[:, cv2.CC_STAT_AREA]
    is_hole = area < share * (is_off.size - np.count_nonzero(is_off))
    is_hole[0] = False
    for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        is_hole[np.unique(border)] = False
    inside = cv2.dilate(is_hole[labels].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(inside, np.float32(1), matte)


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
