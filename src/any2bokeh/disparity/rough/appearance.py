"""Log-likelihood ratios of a subject over its surround, of colour and of how fast a pixel moves."""

import cv2
import numpy as np
from numpy.typing import NDArray

_COLOUR_LEVELS = 16
_SPEED_BINS = 20
# Share of a distribution that is spread evenly: what was never seen is unlikely, not impossible.
_EVEN_SHARE = 0.1
_LIMIT = 3.0


def colour_bins(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number of the Lab colour bin of each pixel; ``(h, w, 3)`` RGB to ``(h, w)``."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab).astype(np.int32) // (256 // _COLOUR_LEVELS)
    return (lab[..., 0] * _COLOUR_LEVELS + lab[..., 1]) * _COLOUR_LEVELS + lab[..., 2]


def colour_distribution(bins: NDArray[np.int32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distribution over the colour bins, spread a little over neighbouring colours."""
    levels = _COLOUR_LEVELS
    cube = np.bincount(bins.ravel(), weights.ravel(), minlength=levels**3).astype(np.float32)
    cube = cube.reshape(levels, levels, levels)
    for axis in range(3):
        before, after = np.roll(cube, 1, axis), np.roll(cube, -1, axis)
        cube = cube + np.float32(0.35) * (before + after)
    return (cube / max(float(cube.sum()), 1e-6)).ravel()


def evidence(
    bins: NDArray[np.int32], subject: NDArray[np.float32], surround: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Log-likelihood ratio at each pixel, in [-3, 3].

    Source: Collins, Liu and Leordeanu, Online Selection of Discriminative Tracking Features, TPAMI 2005.
    """
    even = np.float32(_EVEN_SHARE / len(subject))
    return np.clip(np.log((subject + even) / (surround + even)), -_LIMIT, _LIMIT).astype(np.float32)[bins]


def speed_evidence(residual_px: NDArray[np.float32], matte: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-likelihood ratio from the speed alone: none where subject and surround move alike.

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
    ratio = np.clip(np.log(distributions[0] / distributions[1]), -_LIMIT, _LIMIT).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(ratio[bins], (0, 0), 1.0), np.float32)
