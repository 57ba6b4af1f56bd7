"""Flow difference: does the result move as the truth does?"""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame


def flow_difference(flow: NDArray[np.float32], truth_flow: NDArray[np.float32]) -> float:
    """Mean length in pixels of the difference of two flows ``(H, W, 2)``, 0 is best: the end-point error.

    Each is the optical flow between two neighbouring frames, one of the result, one of the truth. A clip's score is the
    mean over its pairs of frames. Blurred regions have little texture, so part of it is the estimator's own noise.

    The paper: FD, by RAFT. Its formula could not be found; the end-point error is what flows are compared by. Without
    weights of RAFT it is by OpenCV's DIS, and not to be compared with figures by RAFT.
    """
    return float(np.linalg.norm(flow - truth_flow, axis=2).mean(dtype=np.float64))


class FlowDifferenceMeter:
    """``fd_px``, the mean over pairs of neighbouring frames, by the estimator of the truth; left out for one frame."""

    def __init__(self) -> None:
        self._before: Picture | None = None
        self._pairs: list[float] = []

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        if self._before is not None and frame.before is not None:
            self._pairs.append(flow_difference(frame.estimator(self._before, prediction), frame.flow))
        self._before = prediction

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return {"fd_px": float(np.mean(self._pairs))} if self._pairs else {}
