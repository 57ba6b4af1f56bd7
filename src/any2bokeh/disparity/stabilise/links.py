"""What the frames of a shot say of one another's scale and shift, found in one pass."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.stabilise import missing
from any2bokeh.disparity.stabilise.relation import Relation, fit_relation
from any2bokeh.motion.flow import FlowFinder
from any2bokeh.motion.shots import is_cut
from any2bokeh.motion.thumbnail import Thumbnail
from any2bokeh.motion.trust import trust
from any2bokeh.motion.warp import composed, resized, warp

# Maps are compared at this size: fits of two numbers need no more, and averaging takes out fine noise.
_LONG_SIDE_PX = 256
# Every second sample of that in each direction is enough.
_STRIDE = 2
REFERENCE_SPACING = 12
"""Frames between the references that later frames are linked to, besides the frame before."""
REFERENCES = 3
"""References that are kept: links reach back three times the spacing at most."""


@dataclass(frozen=True, slots=True)
class Link:
    """How the map of a frame relates to that of an earlier one of its shot.

    Attributes:
        to: index of the earlier frame.
        relation: the earlier frame's values as a line of this one's.
    """

    to: int
    relation: Relation


@dataclass(frozen=True, slots=True)
class FrameStats:
    """One frame as the alignment sees it.

    Attributes:
        index: of the frame.
        begins_shot: whether it is the first frame of a shot.
        links: to earlier frames of the shot.
        middle: median of its known values; 0 where none is known.
        spread: distance of their 10th and 90th percentiles; 0 where none is known, or all are one.
    """

    index: int
    begins_shot: bool
    links: tuple[Link, ...]
    middle: float
    spread: float


@dataclass
class _Glance:
    """A frame at the size of the comparison, with the motion from the newest frame to it."""

    index: int
    picture: Thumbnail
    values: NDArray[np.float32]
    valid: NDArray[np.float32]
    motion: NDArray[np.float32] | None = None


class LinkFinder:
    """Takes the frames of a clip in order, and tells the links of each.

    A frame is linked to the one before and to up to three references, by motion that is composed on the way: a chain of
    neighbours alone would wander as its errors add up. Memory is that of five small pictures.

    Args:
        reference_spacing: frames from one reference to the next, counted from the first frame of a shot.
    """

    def __init__(self, reference_spacing: int = REFERENCE_SPACING) -> None:
        self._spacing = reference_spacing
        self._flow = FlowFinder()
        self._picture: Thumbnail | None = None
        self._before: _Glance | None = None
        self._references: deque[_Glance] = deque(maxlen=REFERENCES)
        self._index = -1
        self._shot_start = 0

    def add(self, disparity_map: NDArray[np.float32], picture: Thumbnail) -> FrameStats:
        """The next frame: its map ``(1, h, w)`` and its picture."""
        self._index += 1
        back = None if self._picture is None else self._flow(picture.grey, self._picture.grey)
        begins_shot = self._picture is None or back is None or is_cut(self._picture, picture, back)
        shape = _comparison_shape(picture.shape)
        small = picture.reduced(shape)
        known = missing.is_known(disparity_map[0]) & ~missing.is_sky(disparity_map[0])
        values, valid = missing.reduced(disparity_map[0], known, shape)
        here = _Glance(self._index, small, values, valid.astype(np.float32))
        if begins_shot or back is None or (self._before is not None and self._before.picture.shape != shape):
            self._references.clear()
            self._shot_start = self._index
            links: tuple[Link, ...] = ()
        else:
            links = self._links(here, resized(back, shape))
        if (self._index - self._shot_start) % self._spacing == 0:
            here_as_reference = _Glance(here.index, here.picture, here.values, here.valid)
            self._references.append(here_as_reference)
        self._picture, self._before = picture, here
        middle, spread = _level(values[valid])
        return FrameStats(self._index, begins_shot, links, middle, spread)

    def _links(self, here: _Glance, back: NDArray[np.float32]) -> tuple[Link, ...]:
        assert self._before is not None
        for reference in self._references:
            reference.motion = back if reference.motion is None else composed(back, reference.motion)
        self._before.motion = back
        others = [self._before, *(one for one in self._references if one.index != self._before.index)]
        links = []
        for other in others:
            relation = _relation(here, other)
            if relation is not None:
                links.append(Link(other.index, relation))
        return tuple(links)


def _comparison_shape(shape: tuple[int, int]) -> tuple[int, int]:
    share = min(1.0, _LONG_SIDE_PX / max(shape))
    return max(round(shape[0] * share), 1), max(round(shape[1] * share), 1)


def _relation(here: _Glance, other: _Glance) -> Relation | None:
    """Of the other frame's values to this one's, where the motion between them can be believed."""
    assert other.motion is not None
    weights = trust(other.motion, None, here.picture, other.picture) * here.valid
    weights *= warp(other.valid, other.motion) > 0.999
    there = warp(other.values, other.motion)
    step = slice(None, None, _STRIDE)
    return fit_relation(here.values[step, step], there[step, step], weights[step, step])


def _level(values: NDArray[np.float32]) -> tuple[float, float]:
    if values.size == 0:
        return 0.0, 0.0
    low, middle, high = np.quantile(values[::_STRIDE], (0.1, 0.5, 0.9))
    return float(middle), float(high - low)
