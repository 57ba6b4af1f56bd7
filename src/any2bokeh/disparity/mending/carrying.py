"""Strokes carried along with the motion, from the frame that they were painted on to the end of its shot."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.estimated import displayed_guide
from any2bokeh.disparity.mending.stroke import Stroke
from any2bokeh.motion.flow import FlowFinder
from any2bokeh.motion.shots import COLOURS_MIN, colour_distance, is_cut
from any2bokeh.motion.thumbnail import Thumbnail, thumbnail
from any2bokeh.video import VideoSource

# A way has no more points than this; each moves on its own, so that the stroke bends with what it lies on.
_MAX_POINTS = 48
# Motion is read at a point and around it, at this share of the radius of the brush.
_AROUND = 0.5
# By so much at most a brush grows or shrinks between two frames, and altogether.
_SCALE_STEP, _SCALE_MAX = 1.1, 4.0
# To seek costs as much as to carry on for some frames.
_READ_ON = 16


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where a stroke lies in a frame.

    Attributes:
        points: ``(n, 2)``, x and y in 0..1.
        scale: how much larger its brush is than in the frame that it was painted on.
    """

    points: NDArray[np.float32]
    scale: float


@dataclass(slots=True)
class _Way:
    """A stroke's placements from its own frame on; ``has_ended`` at the end of its shot, or of the clip."""

    placements: list[Placement]
    has_ended: bool = False


@dataclass(slots=True)
class StrokeCarrier:
    """Finds where strokes lie in later frames of a clip; what was found is kept for as long as a stroke is.

    A stroke is carried forward until the shot ends, or until a stroke that was painted on a later frame touches it and
    so takes its place. Where it lies depends on the clip and the stroke alone.

    Attributes:
        source: the clip.
    """

    source: VideoSource
    _ways: dict[Stroke, _Way] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def placed(
        self, strokes: Iterable[Stroke], index: int, *, stop: int | None = None
    ) -> list[tuple[Stroke, Placement]]:
        """The strokes that hold in a frame, and where they lie, in the order in which they are applied.

        Args:
            strokes: of the clip; what is known of others is forgotten.
            index: the frame.
            stop: frames up to here are wanted next; they are found in one pass.

        Raises:
            InputError: the clip cannot be read.
        """
        ordered = sorted(strokes, key=lambda stroke: stroke.frame)  # stable: in one frame as they were painted
        with self._lock:
            kept = set(ordered)
            for gone in [each for each in self._ways if each not in kept]:
                del self._ways[gone]
            live = [stroke for stroke in ordered if stroke.frame <= index]
            if live:
                count = self.source.info.frame_count
                last = min(index + _READ_ON, count - 1 if stop is None else min(stop, count) - 1)
                self._carry(live, index, max(last, index))
            return [
                (stroke, self._ways[stroke].placements[index - stroke.frame])
                for number, stroke in enumerate(live)
                if index - stroke.frame < len(self._ways[stroke].placements)
                and not self._is_replaced(stroke, live[number + 1 :])
            ]

    def _is_replaced(self, stroke: Stroke, later: list[Stroke]) -> bool:
        """Whether one that was painted on a later frame touches it there."""
        way = self._ways[stroke].placements
        for other in later:
            since = other.frame - stroke.frame
            if 0 < since < len(way) and self._touch(way[since], stroke, self._ways[other].placements[0], other):
                return True
        return False

    def _touch(self, mine: Placement, stroke: Stroke, theirs: Placement, other: Stroke) -> bool:
        info = self.source.info
        size = np.array([info.width, info.height], np.float32) / max(info.width, info.height)
        apart = (mine.points[:, None] - theirs.points[None]) * size
        reach = (stroke.radius * mine.scale + other.radius) / 2
        return bool((np.square(apart).sum(axis=-1) < reach * reach).any())

    def _carry(self, strokes: list[Stroke], index: int, last: int) -> None:
        """Find the ways of strokes up to a frame, if they are not known, and then up to ``last``."""
        for stroke in strokes:
            if stroke not in self._ways:
                self._ways[stroke] = _Way([Placement(_resampled(stroke), 1.0)])

        def reached(stroke: Stroke) -> int:
            return stroke.frame + len(self._ways[stroke].placements) - 1

        behind = [stroke for stroke in strokes if not self._ways[stroke].has_ended and reached(stroke) < index]
        if not behind:
            return
        first, flow = min(map(reached, behind)), FlowFinder()
        before: Thumbnail | None = None
        for frame in self.source.frames(first, last + 1):
            here = thumbnail(displayed_guide(frame.pixels, self.source.info))
            going = [each for each in behind if not self._ways[each].has_ended and reached(each) == frame.index - 1]
            if before is not None and going:
                is_end = _is_cut(before, here, flow)
                motion = None if is_end else flow(before.grey, here.grey)
                for stroke in going:
                    way = self._ways[stroke]
                    if motion is None:
                        way.has_ended = True
                    else:
                        way.placements.append(_moved(way.placements[-1], stroke, motion))
            before = here
        for stroke in behind:  # a clip that ends early
            self._ways[stroke].has_ended |= reached(stroke) < index


def _is_cut(before: Thumbnail, here: Thumbnail, flow: FlowFinder) -> bool:
    if colour_distance(before, here) < COLOURS_MIN:
        return False
    return is_cut(before, here, flow(here.grey, before.grey))


def _resampled(stroke: Stroke) -> NDArray[np.float32]:
    """The way as points no farther apart than half a radius, or as many as are allowed, ``(n, 2)``."""
    points = np.asarray(stroke.points, np.float64)
    lengths = np.hypot(*np.diff(points, axis=0).T) if len(points) > 1 else np.zeros(0)
    total = float(lengths.sum())
    if total == 0:
        return points[:1].astype(np.float32)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    count = int(np.clip(np.ceil(2 * total / stroke.radius) + 1, 2, _MAX_POINTS))
    at = np.linspace(0, total, count)
    return np.stack([np.interp(at, along, points[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


_RING = np.array([[np.cos(a), np.sin(a)] for a in np.arange(8) * np.pi / 4], np.float32)


def _moved(placement: Placement, stroke: Stroke, motion: NDArray[np.float32]) -> Placement:
    """A stroke one frame later: each point by the median of the motion around it."""
    height, width = motion.shape[:2]
    size = np.array([width, height], np.float32)
    around_px = max(stroke.radius * placement.scale * max(height, width) * _AROUND, 1.0)
    offsets = np.concatenate([np.zeros((1, 2), np.float32), _RING * np.float32(around_px)])
    centres = placement.points * size - np.float32(0.5)
    places = centres[:, None] + offsets[None]  # (n, 9, 2)
    moves = cv2.remap(
        motion,
        np.ascontiguousarray(places[..., 0]),
        np.ascontiguousarray(places[..., 1]),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).reshape(*places.shape)
    points = (centres + np.median(moves, axis=1) + np.float32(0.5)) / size
    apart = np.linalg.norm(offsets[None, 1:] + moves[:, 1:] - moves[:, :1], axis=-1) / np.float32(around_px)
    growth = float(np.clip(np.median(apart), 1 / _SCALE_STEP, _SCALE_STEP))
    scale = float(np.clip(placement.scale * growth, 1 / _SCALE_MAX, _SCALE_MAX))
    return Placement(np.asarray(points, np.float32), scale)
