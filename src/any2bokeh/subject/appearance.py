"""What tells a subject from its surround: log-likelihood ratios of colour, of disparity and of speed.

The histogram ratio as the measure of what tells a subject from its surround: Collins, Liu and Leordeanu, Online
Selection of Discriminative Tracking Features, TPAMI 2005.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_COLOUR_BINS = 16
_DISPARITY_BINS = 64
# What the colour beside one gets of it: a change of light moves colours.
_NEIGHBOUR = float(np.exp(-0.5 / 0.7**2))
# Smoothing in bins: a step towards the camera moves disparities.
_DISPARITY_SIGMA = 1.5
# Speeds are told apart in half octaves from an eighth of a pixel a frame.
_SPEED_BINS = 20
# Rows that stand in for one another where the surround is learnt, over the height.
_ROW_SIGMA = 0.02
# Share of a histogram that is spread evenly: what was never seen is unlikely, not impossible.
_EVEN_SHARE = 0.05
# A subject has the disparities that reach this share of its most frequent one, and gains those that are no more than so
# many bins away in a frame. Where less than a share remains, the disparity of the whole frame has changed.
_HAD, _GAIN_BINS, _MOVED = 0.1, 4, 0.5
# No single cue decides alone.
_LIMIT = 4.0


def colour_bins(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number of the Lab colour bin of each pixel; ``(h, w, 3)`` RGB to ``(h, w)``."""
    lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab), np.uint8) >> 4
    return (lab[..., 0].astype(np.int32) * _COLOUR_BINS + lab[..., 1]) * _COLOUR_BINS + lab[..., 2]


def colour_histogram(
    bins: NDArray[np.int32], weights: NDArray[np.float32], *, neighbour: float = _NEIGHBOUR, wraps: bool = False
) -> NDArray[np.float32]:
    """Distribution over the colour bins, of sum 1, spread a little over neighbouring colours.

    Args:
        bins: ``(h, w)``, see `colour_bins`.
        weights: ``(h, w)``.
        neighbour: what the bin beside one gets of it.
        wraps: whether the last bin is beside the first, so that the ends lose nothing.
    """
    counts = np.bincount(bins.ravel(), weights.ravel(), minlength=_COLOUR_BINS**3).astype(np.float32)
    cube = counts.reshape(_COLOUR_BINS, _COLOUR_BINS, _COLOUR_BINS)
    near = np.float32(neighbour)
    for axis in range(3):
        margins = [(1, 1) if axis == other else (0, 0) for other in range(3)]
        padded = np.pad(cube, margins, mode="wrap" if wraps else "constant")
        ends = [slice(None)] * 3
        before, after = ends.copy(), ends.copy()
        before[axis], after[axis] = slice(None, -2), slice(2, None)
        cube = cube + near * (padded[tuple(before)] + padded[tuple(after)])
    return (cube / max(float(cube.sum()), 1e-6)).ravel()


def likeness(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Bhattacharyya coefficient of two distributions: 1 where they are equal, 0 where they share nothing."""
    return float(np.sqrt(first * second).sum())


def colour_evidence(
    bins: NDArray[np.int32],
    subject: NDArray[np.float32],
    surround: NDArray[np.float32],
    *,
    even_share: float = _EVEN_SHARE,
    limit: float = _LIMIT,
) -> NDArray[np.float32]:
    """Log-likelihood ratio of the subject over its surround at each pixel.

    Args:
        bins: ``(h, w)``, see `colour_bins`.
        subject, surround: their `colour_histogram`.
        even_share: of a histogram that is spread evenly: what was never seen is unlikely, not impossible.
        limit: the ratio is at most this, and at least its negative: no single cue decides alone.
    """
    even = np.float32(even_share / len(subject))
    ratio = np.log((subject + even) / (surround + even)).astype(np.float32)
    return np.clip(ratio, -limit, limit)[bins]


def speed_evidence(residual_px: NDArray[np.float32], matte: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-likelihood ratio from the speed alone, in [-3, 3]: none where subject and surround move alike.

    Args:
        residual_px: ``(h, w)`` motion against the camera.
        matte: ``(h, w)`` about where the subject is.
    """
    bins = np.clip(np.log2(residual_px + 0.125) * 2 + 6, 0, _SPEED_BINS - 1).astype(np.int32)
    distributions = []
    for weights in (matte, 1 - matte):
        counts = np.bincount(bins.ravel(), weights.ravel(), minlength=_SPEED_BINS) + 1.0
        smooth = np.convolve(np.pad(counts, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
        distributions.append((smooth / smooth.sum()).astype(np.float32) + np.float32(0.02))
    ratio = np.clip(np.log(distributions[0] / distributions[1]), -3, 3).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(ratio[bins], (0, 0), 1.0), np.float32)


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


def learnt_disparities(
    before: NDArray[np.float32] | None, now: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    """What is learnt of a subject's disparities from a frame to the next, each ``(bins,)``, or None without disparity.

    Disparities far from all that the subject had are those of something that passes before or behind it, and has got
    into its matte: learnt once, they would take the matte over. Where most are such, all of the map has moved.
    """
    if before is None or now is None:
        return now
    had = (before > _HAD * before.max()).astype(np.float32)
    reach = np.convolve(had, np.ones(2 * _GAIN_BINS + 1, np.float32), mode="same") > 0
    kept = np.where(reach, now, 0).astype(np.float32)
    total = float(kept.sum())
    return now if total < _MOVED * float(now.sum()) else kept / np.float32(total)


def _disparity_bins(disparity: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.clip(disparity * _DISPARITY_BINS, 0, _DISPARITY_BINS - 1).astype(np.int32)


def _distribution(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    return counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1e-6)
