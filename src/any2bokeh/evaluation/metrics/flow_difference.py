"""Flow difference (FD), as published: does the result move as its source does?"""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.flow import ResultFlow
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.source_frame import SourceFrame


def flow_difference(flow: NDArray[np.float32], source_flow: NDArray[np.float32]) -> float:
    """Mean absolute difference of the components of two flows ``(H, W, 2)``, in pixels; 0 is best.

    ``mean over pixels and components of |u - v|``: half the sum of the absolute differences of x and of y. Each is the
    optical flow, by RAFT, between two neighbouring frames, one of the result, one of the all-in-focus source. A clip's
    score is the mean over its pairs of frames.

    The paper: FD, so defined by its published code. What the flow of the result is held against where there is ground
    truth is not known here; the source is what every clip has.

    Source: Yang et al., Any-to-Bokeh, ICLR 2026; Teed and Deng, RAFT, ECCV 2020.
    """
    return float(np.abs(flow - source_flow).mean(dtype=np.float64))


class FlowDifferenceMeter:
    """``fd``, the mean over pairs of neighbouring frames; left out for one frame.

    Args:
        flow: of the result, which other metrics of it may share.
    """

    def __init__(self, flow: ResultFlow | None = None) -> None:
        self._flow = flow or ResultFlow()
        self._before: Picture | None = None
        self._pairs: list[float] = []

    def add(self, prediction: Picture, frame: SourceFrame) -> None:
        """See ``Meter.add``."""
        if self._before is not None and frame.source_before is not None:
            flow = self._flow(self._before, prediction, frame.estimator)
            self._pairs.append(flow_difference(flow, frame.source_flow))
        self._before = prediction

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return {"fd": float(np.mean(self._pairs))} if self._pairs else {}
