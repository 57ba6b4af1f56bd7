"""What a map does not tell: values that are missing, and sky."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Single pixels at 0 happen; a model that clamps the sky to 0 does so over an area.
_SKY_SHARE_MIN = 0.002


def is_known(disparity_map: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where a map ``(h, w)`` holds a number; NaN and infinities are missing."""
    return np.isfinite(disparity_map)


def is_sky(disparity_map: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where a map ``(h, w)`` is exactly 0 over an area.

    Models that end in a rectifier, and converted depth that was infinite, say 0 for everything that is far enough. Such
    a value is a bound and not a measurement: the scale and shift of a frame must not be fitted to it.
    """
    at_zero = disparity_map == 0
    return at_zero if np.count_nonzero(at_zero) >= _SKY_SHARE_MIN * at_zero.size else np.zeros_like(at_zero)


def filled(disparity_map: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A map ``(h, w)`` whose missing pixels take the value of the nearest known one, so that none lies between two.

    0 throughout where nothing is known.
    """
    if known.all():
        return disparity_map
    if not known.any():
        return np.zeros_like(disparity_map)
    _, found = cv2.distanceTransformWithLabels(
        np.asarray(~known, np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    labels = np.asarray(found, np.int64)
    value_of_label = np.zeros(int(labels.max()) + 1, np.float32)
    value_of_label[labels[known]] = disparity_map[known]
    return np.where(known, disparity_map, value_of_label[labels]).astype(np.float32)


def reduced(
    disparity_map: NDArray[np.float32], valid: NDArray[np.bool_], shape: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A map ``(h, w)`` at a smaller ``(height, width)``, and where nothing but valid values went into it."""
    size = shape[1], shape[0]
    if valid.all():
        return np.asarray(cv2.resize(disparity_map, size, interpolation=cv2.INTER_AREA), np.float32), np.ones(
            shape, np.bool_
        )
    values = cv2.resize(np.where(valid, disparity_map, 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    coverage = cv2.resize(valid.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(values, np.float32), np.asarray(coverage > 0.999)


class SkyLevel:
    """The disparity that sky is given: what 0 is on the scale of the shot, or the farthest seen in it if that is less.

    Neither depends on a single frame for long, so that sky holds still where the frames' own zeros do not.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what came before: a new shot."""
        self._frames = 0
        self._zero = 0.0
        self._farthest = np.inf

    def next(self, others: NDArray[np.float32], zero: float) -> float:
        """Level of the next frame.

        Args:
            others: disparity of what is not sky.
            zero: what a disparity of 0 became on the scale of the shot.
        """
        self._frames += 1
        self._zero += (zero - self._zero) / self._frames
        if others.size:
            self._farthest = min(self._farthest, float(np.quantile(others[::7], 0.001)))
        return min(self._zero, self._farthest)
