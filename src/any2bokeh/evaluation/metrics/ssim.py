"""Structural similarity."""

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame

WINDOW_PX, SIGMA_PX = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def ssim(prediction: Picture, truth: Picture) -> float:
    """Structural similarity, in [-1, 1], 1 for identical pictures.

    Gaussian window of 11x11 and sigma 1.5, constants 0.01 and 0.03 of a range of 1, population (co)variances, each
    channel by itself; the mean over channels and over the pixels whose window lies inside the picture.

    The paper: SSIM; window and colour handling could not be found, and these are those of the original.

    Source: Wang et al., Image quality assessment, TIP 2004.
    """
    one, other = prediction.astype(np.float64), truth.astype(np.float64)
    mean_one, mean_other = _local_mean(one), _local_mean(other)
    variance_one = _local_mean(one * one) - mean_one**2
    variance_other = _local_mean(other * other) - mean_other**2
    covariance = _local_mean(one * other) - mean_one * mean_other
    similarity = (2 * mean_one * mean_other + _C1) * (2 * covariance + _C2)
    similarity /= (mean_one**2 + mean_other**2 + _C1) * (variance_one + variance_other + _C2)
    return float(similarity.mean())


def _local_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    half = WINDOW_PX // 2
    blurred = cv2.GaussianBlur(values, (WINDOW_PX, WINDOW_PX), SIGMA_PX, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float64)[half:-half, half:-half]


class SsimMeter:
    """``ssim``, the mean over frames; left out where frames are smaller than the window."""

    def __init__(self) -> None:
        self._frames: list[float] = []

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        if min(prediction.shape[:2]) >= WINDOW_PX:
            self._frames.append(ssim(prediction, frame.truth))

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return {"ssim": float(np.mean(self._frames))} if self._frames else {}
