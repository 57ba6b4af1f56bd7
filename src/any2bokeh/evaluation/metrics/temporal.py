"""Temporal consistency along the motion of the scene."""

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame
from any2bokeh.motion.warp import stays_inside, warp


def warped_difference(
    before: Picture, prediction: Picture, truth_before: Picture, truth: Picture, flow: NDArray[np.float32]
) -> float:
    """``mean |(W(prediction) - before) - (W(truth) - truth_before)|``, 0 is best; W follows the motion of the truth.

    Args:
        before, prediction: two neighbouring frames of the result.
        truth_before, truth: the same of the truth.
        flow: ``(H, W, 2)`` motion of the truth in pixels, from the frame before.

    Along the motion a steady error cancels, wherever it is carried, and what flickers remains. Pixels that leave the
    frame are left out; hidden ones are not, as they are the same for all methods.

    The paper: nothing of the kind was found. The difference without warping is ``relation``.
    """
    warped, warped_truth, is_inside = warp(prediction, flow), warp(truth, flow), stays_inside(flow)
    if not is_inside.any():
        return 0.0
    return float(np.abs((warped - before) - (warped_truth - truth_before))[is_inside].mean(dtype=np.float64))


class TemporalMeter:
    """``temporal_warped``, the mean over pairs of neighbouring frames; left out for a single frame."""

    def __init__(self) -> None:
        self._before: Picture | None = None
        self._pairs: list[float] = []

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        if self._before is not None and frame.before is not None:
            self._pairs.append(warped_difference(self._before, prediction, frame.before, frame.truth, frame.flow))
        self._before = prediction

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return {"temporal_warped": float(np.mean(self._pairs))} if self._pairs else {}
