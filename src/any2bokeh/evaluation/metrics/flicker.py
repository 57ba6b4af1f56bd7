"""Flicker along the motion of the source, over the source's own."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from any2bokeh.evaluation.metrics.edge_band import REACH_PX, edge_band
from any2bokeh.evaluation.metrics.misplaced_blur import distance_outside_px
from any2bokeh.evaluation.metrics.picture import Picture
from any2bokeh.evaluation.metrics.source_frame import SourceFrame
from any2bokeh.motion.warp import stays_inside, warp

Region = Callable[[SourceFrame], NDArray[np.bool_] | None]
"""``(H, W)`` pixels of a frame; None where the frame has no such region."""


def changes_along(before: Picture, after: Picture, flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(H, W)``: mean over channels of ``|W(after) - before|``, W following ``flow`` from the frame before."""
    return np.abs(warp(after, flow) - before).mean(axis=2, dtype=np.float32)


class FlickerMeter:
    """``flicker_<region>``: how much pixels of a region change along the motion, over how much those of the source do.

    ``sum |W(result) - result before| / sum |W(source) - source before|`` over the pixels of the region in the frame
    before and all pairs of frames; W follows the motion of the source, and what leaves the frame is left out. 1 where
    the result changes as its source does, 0 where it stands still along the motion. Blur averages noise and wrong
    motion away, so a steady blur has less than 1: compare methods on one clip, not clips.

    ``flicker_added_<region>``: the same of what pixels of the result change more than those of the source, 0 where
    none does. Where one method leaves more of a subject sharp than another, it changes more, as the source does, but
    adds no more of its own.

    Args:
        regions: by name.

    The paper: nothing of the kind. Warping error of Lai et al., Learning Blind Video Temporal Consistency, ECCV 2018,
    over that of the source, without a mask of what is hidden, which is the same for all methods.
    """

    def __init__(self, regions: Mapping[str, Region]) -> None:
        self._regions = regions
        self._before: Picture | None = None
        self._within: dict[str, NDArray[np.bool_] | None] = {}
        self._sums = {name: np.zeros(3) for name in regions}

    def add(self, prediction: Picture, frame: SourceFrame) -> None:
        """See ``Meter.add``."""
        if self._before is not None and frame.source_before is not None:
            flow = frame.source_flow
            changes = changes_along(self._before, prediction, flow)
            source_changes = changes_along(frame.source_before, frame.source, flow)
            added = np.maximum(changes - source_changes, 0)
            followed = stays_inside(flow)
            for name, region in self._within.items():
                if region is not None:
                    within = region & followed
                    sums = [one[within].sum(dtype=np.float64) for one in (changes, added, source_changes)]
                    self._sums[name] += sums
        self._before = prediction
        self._within = {name: find(frame) for name, find in self._regions.items()}

    def scores(self) -> dict[str, float]:
        """See ``Meter.scores``. A region that is never seen, or whose source stands still, is left out."""
        found: dict[str, float] = {}
        for name, (ours, added, source) in self._sums.items():
            if source > 1e-9:
                found |= {f"flicker_{name}": float(ours / source), f"flicker_added_{name}": float(added / source)}
        return found


def edges(frame: SourceFrame) -> NDArray[np.bool_]:
    """Within 12 px of steps of the disparity."""
    return edge_band(frame.disparity)


def inside(frame: SourceFrame) -> NDArray[np.bool_] | None:
    """The subject."""
    return frame.subject


def outside(frame: SourceFrame) -> NDArray[np.bool_] | None:
    """All that is not the subject."""
    return None if frame.subject is None else ~frame.subject


def outline(frame: SourceFrame) -> NDArray[np.bool_] | None:
    """Within 12 px of the subject's outline, on both sides."""
    if frame.subject is None:
        return None
    return (distance_outside_px(frame.subject) <= REACH_PX) & (distance_outside_px(~frame.subject) <= REACH_PX)
