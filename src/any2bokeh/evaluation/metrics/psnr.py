"""Peak signal-to-noise ratio."""

import numpy as np

from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame

CEILING_DB = 100.0
"""What identical pictures score, so that means stay finite."""


def psnr(prediction: Picture, truth: Picture) -> float:
    """Peak signal-to-noise ratio in dB, higher is better.

    Domain: code values in [0, 1], all three channels together. Range: up to 100 dB, where the mean squared error is cut
    off at 1e-10.

    The paper: PSNR, of 8-bit results. A clip's score is here the mean over its frames of the frames' PSNR, the usual
    habit; whether the paper averages so or takes the PSNR of a clip's mean error could not be found.
    """
    return from_mean_squared_error(float(np.mean(np.square(prediction.astype(np.float64) - truth))))


def from_mean_squared_error(error: float) -> float:
    """``-10 log10(error)``, cut off at ``CEILING_DB``."""
    return float(-10 * np.log10(max(error, 10 ** (-CEILING_DB / 10))))


class PsnrMeter:
    """``psnr_db``, the mean over frames, and ``psnr_edge_db``, the same in the edge band; see ``edge_band``."""

    def __init__(self) -> None:
        self.frames: list[float] = []
        self._edges: list[float] = []

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        squared = np.square(prediction.astype(np.float64) - frame.truth)
        self.frames.append(from_mean_squared_error(float(squared.mean())))
        if frame.edge_band.any():
            self._edges.append(from_mean_squared_error(float(squared[frame.edge_band].mean())))

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``. A clip without disparity edges has no ``psnr_edge_db``."""
        found = {"psnr_db": self.frames, "psnr_edge_db": self._edges}
        return {name: float(np.mean(values)) for name, values in found.items() if values}
