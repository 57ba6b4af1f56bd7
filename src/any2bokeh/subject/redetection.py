"""Finding a subject again that was lost."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.subject.appearance import (
    DisparityModel,
    colour_evidence,
    colour_histogram,
    likeness,
)
from any2bokeh.subject.tracker import View

# What a candidate must be: so large against the usual area, so like the subject, and so near to its last disparity.
_AREA_FROM, _AREA_TO = 0.1, 4.0
_ALIKE = 0.7
_DISPARITY_REACH = 0.12
# Gaps within a candidate that are closed, over the longer side.
_CLOSING = 0.008


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """What is remembered of a subject.

    Attributes:
        colours: its colour distribution.
        disparities: its disparity distribution, None where there is no disparity.
        disparity: their median.
        area: share of the picture that it covers.
        centre: where it was seen last, ``(x, y)`` in 0..1.
    """

    colours: NDArray[np.float32]
    disparities: NDArray[np.float32] | None
    disparity: float | None
    area: float
    centre: tuple[float, float]

    @classmethod
    def of(cls, view: View, matte: NDArray[np.float32], colours: NDArray[np.float32]) -> "Portrait":
        """From a frame and the matte of the subject in it."""
        height, width = view.shape
        total = max(float(matte.sum()), 1e-6)
        x = float((matte.sum(axis=0) * (np.arange(width) + 0.5)).sum() / total / width)
        y = float((matte.sum(axis=1) * (np.arange(height) + 0.5)).sum() / total / height)
        if view.disparity is None:
            return cls(colours, None, None, total / matte.size, (x, y))
        inside = view.disparity[matte > 0.5]
        level = float(np.median(inside)) if inside.size else None
        return cls(colours, DisparityModel.learn(view.disparity, matte).subject, level, total / matte.size, (x, y))


def find_again(view: View, bins: NDArray[np.int32], portrait: Portrait) -> NDArray[np.float32] | None:
    """Where a lost subject is in a frame.

    Args:
        view: the frame.
        bins: its colour bins.
        portrait: what the subject looks like.

    Returns:
        ``(h, w)`` 0 or 1, the part of the picture whose colours are most like the subject's; None where none is.
    """
    everywhere = np.ones(view.shape, np.float32)
    likely = colour_evidence(bins, portrait.colours, colour_histogram(bins, everywhere)) > 0.5
    if view.disparity is not None and portrait.disparity is not None:
        likely &= np.abs(view.disparity - portrait.disparity) < _DISPARITY_REACH
    reach = max(1, round(_CLOSING * max(view.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    mask = cv2.morphologyEx(cv2.morphologyEx(likely.astype(np.uint8), cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    best, found = _ALIKE, None
    for label in range(1, count):
        share = stats[label, cv2.CC_STAT_AREA] / mask.size
        if not _AREA_FROM * portrait.area <= share <= _AREA_TO * portrait.area:
            continue
        part = (labels == label).astype(np.float32)
        alike = likeness(colour_histogram(bins, part), portrait.colours)
        if alike > best:
            best, found = alike, part
    return found
