"""End-point error: does the result move as the truth does? An index of ours."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.flow import ResultFlow
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame


def end_point_error(flow: NDArray[np.float32], truth_flow: NDArray[np.float32]) -> float:
    """Mean length in pixels of the difference of two flows ``(H, W, 2)``, 0 is best.

    Each is the optical flow between two neighbouring frames, one of the result, one of the truth. A clip's score is the
    mean over its pairs of frames. Blurred regions have little texture, so part of it is the estimator's own noise.

    Ours; the paper's FD is ``flow_difference``.

    Source: Otte and Nagel, Optical flow estimation: advances and comparisons, ECCV 1994.
    """
    return float(np.linalg.norm(flow - truth_flow, axis=2).mean(dtype=np.float64))


class EndPointErrorMeter:
    """``epe_px``, the mean over pairs of neighbouring frames, by the estimator of the truth; left out for one frame.

    Args:
        flow: of the result, which other metrics of it may share.
    """

    def __init__(self, flow: ResultFlow | None = None) -> None:
        self._flow = flow or ResultFlow()
        self._before: Picture | None = None
        self._pairs: list[float] = []

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        if self._before is not None and frame.before is not None:
            self._pairs.append(end_point_error(self._flow(self._before, prediction, frame.estimator), frame.flow))
        self._before = prediction

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return {"epe_px": float(np.mean(self._pairs))} if self._pairs else {}
