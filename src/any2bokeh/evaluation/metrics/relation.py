"""Relation metric: does the result change from frame to frame as the truth does?"""

import numpy as np

from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.truth import TruthFrame


def relation(before: Picture, prediction: Picture, truth_before: Picture, truth: Picture) -> float:
    """``mean |(prediction - before) - (truth - truth_before)|`` in code values, 0 is best.

    Of two neighbouring frames, over pixels and channels. A clip's score is the mean over its pairs of frames.

    The paper: RM, 0.007 on its 200 layered clips. Its formula could not be found. This is the pixel-wise temporal
    relation of Dai et al., Video Demoireing with Relation-Based Temporal Consistency, CVPR 2022, which introduced
    relations between frames as a measure of consistency; their loss also compares regions of several sizes, which is
    not done here. By this reading RM is the same as plain temporal consistency, ``temporal_warped`` being the other.
    """
    return float(np.mean(np.abs((prediction - before) - (truth - truth_before)), dtype=np.float64))


class RelationMeter:
    """``rm``, the mean over pairs of neighbouring frames; left out for a single frame."""

    def __init__(self) -> None:
        self._before: Picture | None = None
        self._pairs: list[float] = []

    def add(self, prediction: Picture, frame: TruthFrame) -> None:
        """See ``Meter.add``."""
        if self._before is not None and frame.before is not None:
            self._pairs.append(relation(self._before, prediction, frame.before, frame.truth))
        self._before = prediction

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``."""
        return {"rm": float(np.mean(self._pairs))} if self._pairs else {}
