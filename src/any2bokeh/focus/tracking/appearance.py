"""What a subject looks like, against what surrounds it: log-likelihood ratios of colour and of disparity.

The histogram ratio as the measure of what tells a subject from its surround: Collins, Liu and Leordeanu, Online
Selection of Discriminative Tracking Features, TPAMI 2005.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_COLOUR_BINS = 16
_DISPARITY_BINS = 64
# Smoothing of the histograms, in bins: a change of light moves colours, a step towards the camera moves disparities.
_COLOUR_SIGMA = 0.7
_DISPARITY_SIGMA = 1.5
# Rows that stand in for one another where the surround is learnt, over the height.
_ROW_SIGMA = 0.02
# Share of a histogram that is spread evenly: what was never seen is unlikely, not impossible.
_EVEN_SHARE = 0.05
# No single cue decides alone.
_LIMIT = 4.0


def colour_bins(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number of the Lab colour bin of each pixel; ``(h, w, 3)`` RGB to ``(h, w)``."""
    lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab), np.uint8) >> 4
    return (lab[..., 0].astype(np.int32) * _COLOUR_BINS + lab[..., 1]) * _COLOUR_BINS + lab[..., 2]


def colour_histogram(bins: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smoothed distribution over the colour bins, of sum 1."""
    counts = np.bincount(bins.ravel(), weights.ravel(), minlength=_COLOUR_BINS**3).astype(np.float32)
    cube = counts.reshape(_COLOUR_BINS, _COLOUR_BINS, _COLOUR_BINS)
    near = np.float32(np.exp(-0.5 / _COLOUR_SIGMA**2))
    for axis in range(3):
        padded = np.pad(cube, [(1, 1) if axis == other else (0, 0) for other in range(3)])
        ends = [slice(None)] * 3
        before, after = ends.copy(), ends.copy()
        before[axis], after[axis] = slice(None, -2), slice(2, None)
        cube = cube + near * (padded[tuple(before)] + padded[tuple(after)])
    return (cube / max(float(cube.sum()), 1e-6)).ravel()


def likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Bhattacharyya coefficient of two distributions: 1 where they are equal, 0 where they share nothing."""
    return float(np.sqrt(first * second).sum())


def colour_evidence(
    bins: NDArray[np.int32], subject: NDArray[np.float32], surround: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Log-likelihood ratio of the subject over its surround at each pixel, in [-4, 4]."""
    even = np.float32(_EVEN_SHARE / len(subject))
    ratio = np.log((subject + even) / (surround + even)).astype(np.float32)
    return np.clip(ratio, -_LIMIT, _LIMIT)[bins]


@dataclass(frozen=True, slots=True, eq=False)
class DisparityModel:
    """Disparities of a subject, and those of its surround in each row of the picture.

    The surround is learnt row by row because the ground that a subject stands on is nearer in each lower row: at the
    height of its knees, the ground behind is farther than the subject; only where the two touch are they alike.

    Attributes:
        subject: ``(bins,)`` distribution.
        surround: ``(h, bins)`` distribution in each row.
    """

    subject: NDArray[np.float32]
    surround: NDArray[np.float32]

    @classmethod
    def learn(cls, disparity: NDArray[np.float32], matte: NDArray[np.float32]) -> "DisparityModel":
        """From a frame and the matte of the subject in it; both ``(h, w)``."""
        height = disparity.shape[0]
        bins = _disparity_bins(disparity)
        subject = np.bincount(bins.ravel(), matte.ravel(), minlength=_DISPARITY_BINS).astype(np.float32)
        rows = np.arange(height, dtype=np.int32)[:, None] * _DISPARITY_BINS
        surround = np.bincount((rows + bins).ravel(), 1 - matte.ravel(), minlength=height * _DISPARITY_BINS)
        by_row = surround.reshape(height, _DISPARITY_BINS).astype(np.float32)
        by_row = cv2.GaussianBlur(
            by_row,
            (0, 0),
            sigmaX=_DISPARITY_SIGMA,
            sigmaY=max(_ROW_SIGMA * height, 0.5),
            borderType=cv2.BORDER_REPLICATE,
        )
        blurred = cv2.GaussianBlur(subject[None], (0, 0), sigmaX=_DISPARITY_SIGMA)[0]
        return cls(_distribution(np.asarray(blurred, np.float32)), _distribution(np.asarray(by_row, np.float32)))

    def evidence(self, disparity: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-likelihood ratio of the subject over its surround at each pixel, in [-4, 4]."""
        even = np.float32(_EVEN_SHARE / _DISPARITY_BINS)
        ratio = np.log((self.subject[None] + even) / (self.surround + even))
        ratio = np.clip(ratio, -_LIMIT, _LIMIT).astype(np.float32)
        return np.take_along_axis(ratio, _disparity_bins(disparity), axis=1)


def _disparity_bins(disparity: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.clip(disparity * _DISPARITY_BINS, 0, _DISPARITY_BINS - 1).astype(np.int32)


def _distribution(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    return counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1e-6)
