"""A tracker without weights: the matte moves with the optical flow and is mended by colour, and disparity or speed."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.motion.camera import Motion
from any2bokeh.motion.flow import FlowFinder
from any2bokeh.motion.warp import warp
from any2bokeh.subject.appearance import (
    DisparityModel,
    colour_bins,
    colour_evidence,
    colour_histogram,
    learnt_disparities,
    likeness,
)
from any2bokeh.subject.matte import connected_to, matte_from, outside_distance_px
from any2bokeh.subject.propagation import PropagatedMatte
from any2bokeh.subject.redetection import Portrait, find_again
from any2bokeh.subject.seed import PointSeed, Seed
from any2bokeh.subject.seeding import seed_matte
from any2bokeh.subject.tracker import TrackedFrame, View

# Weight of a cue's log-odds beside the others.
_COLOUR_WEIGHT, _DISPARITY_WEIGHT = 0.6, 1.0
# Log-odds of a place alone, inside the last guess, and per share of the longer side outside it. The first guess is what
# the flow gives. Each further one starts from the last and trusts looks more, so that what the flow lost grows back.
_PLACES = ((1.5, 125.0), (1.0, 60.0), (1.0, 60.0))
_OUTSIDE_MOST = 6.0
# How much of the subject's look is learnt anew in each frame, and how much the seed's look always counts.
_LEARNING = 0.08
_SEED_SHARE = 0.3
# A subject is lost below this share of its usual area, this likeness, or this confidence.
_LOST_AREA = 0.08
_LOST_LIKENESS = 0.5
_LOST_CONFIDENCE = 0.45
_AREA_LEARNING = 0.05
# Frames whose colours share less than this are of two shots.
_SAME_SHOT = 0.6


@dataclass(frozen=True, slots=True)
class ClassicalTracker:
    """Flow, colour histograms and disparity, or what moves where there is none; needs no weights and no network.

    A point without disparity says little of how large its subject is. What moves with it does: the view after the first
    is then read before the first is answered.
    """

    name: ClassVar[str] = "classical"

    def track(self, views: Iterable[View], seed: Seed) -> Iterator[TrackedFrame]:
        """See `Tracker.track`."""
        rest = iter(views)
        first = next(rest, None)
        if first is None:
            return
        if first.disparity is not None:
            matte = seed_matte(first, seed)
            run: _Run = _GuidedRun(first, matte)
            yield TrackedFrame(matte, 1.0, True)
        else:
            following = next(rest, None) if isinstance(seed, PointSeed) else None
            residual = None if following is None else _residual_px(first, following)
            matte = seed_matte(first, seed, residual)
            run = _UnguidedRun(first, matte, residual)
            yield TrackedFrame(matte, 1.0, True)
            if following is not None:
                yield run.advance(following)
        for view in rest:
            yield run.advance(view)


def _residual_px(first: View, following: View) -> NDArray[np.float32] | None:
    """What moves against the camera from a frame to the next; None where another shot follows."""
    ours, theirs = (_frame(view, colour_bins(view.pixels)) for view in (first, following))
    if likeness(ours.colours, theirs.colours) < _SAME_SHOT:
        return None
    return Motion.of(FlowFinder()(ours.grey, theirs.grey)).residual_px


@dataclass(slots=True, eq=False)
class _Frame:
    """What is kept of a frame for the next one."""

    grey: NDArray[np.uint8]
    colours: NDArray[np.float32]  # of the whole picture


@dataclass(slots=True, eq=False)
class _Mended:
    """A matte in the newest frame, and the log-odds that each pixel looks like the subject; both ``(h, w)``."""

    matte: NDArray[np.float32]
    look: NDArray[np.float32]


class _Run(ABC):
    """State of one run: the last frame, the matte in it, and what the subject looks like.

    It says when the subject is lost and where it is found again; those who inherit from it carry the matte.
    """

    def __init__(self, first: View, matte: NDArray[np.float32]) -> None:
        bins = colour_bins(first.pixels)
        self.matte = matte
        self.visible = True
        self.last = _frame(first, bins)
        self.seed_colours = colour_histogram(bins, matte)
        self.portrait = Portrait.of(first, matte, self.seed_colours)

    @abstractmethod
    def _carried(self, view: View, bins: NDArray[np.int32], grey: NDArray[np.uint8]) -> _Mended:
        """The last matte, carried to this frame."""

    @abstractmethod
    def _anew(self, view: View, bins: NDArray[np.int32], found: NDArray[np.float32]) -> _Mended:
        """The matte of a subject that was lost, and found again about here."""

    def advance(self, view: View) -> TrackedFrame:
        bins = colour_bins(view.pixels)
        frame = _frame(view, bins)
        mended: _Mended | None = None
        if self.visible and likeness(frame.colours, self.last.colours) >= _SAME_SHOT:
            mended = self._carried(view, bins, frame.grey)
        else:
            found_again = find_again(view, bins, self.portrait)
            if found_again is not None:
                mended = self._anew(view, bins, found_again)
        found = self._judged(view, bins, mended) if mended is not None else _unseen(view)
        self.last, self.visible = frame, found.visible
        if found.visible:
            self.matte = found.matte
        return found

    def _judged(self, view: View, bins: NDArray[np.int32], mended: _Mended) -> TrackedFrame:
        """Whether a matte is still the subject's."""
        matte = mended.matte
        if not (matte > 0.5).any():
            return _unseen(view)
        area = float(matte.sum())
        confidence = float((matte / (1 + np.exp(-mended.look))).sum() / area)
        colours = colour_histogram(bins, matte)
        alike = likeness(colours, self.portrait.colours)
        visible = (
            area >= _LOST_AREA * self.portrait.area * matte.size
            and alike >= _LOST_LIKENESS
            and confidence >= _LOST_CONFIDENCE
        )
        if not visible:
            return TrackedFrame(np.zeros_like(matte), confidence, False)
        self._learn(view, matte, colours)
        return TrackedFrame(matte, confidence, True)

    def _colour_look(self, bins: NDArray[np.int32], about: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-odds that each pixel is the subject's by its colour, with the subject about here."""
        surround = colour_histogram(bins, 1 - cv2.dilate(about, np.ones((3, 3))))
        return colour_evidence(bins, self.portrait.colours, surround)

    def _learn(self, view: View, matte: NDArray[np.float32], colours: NDArray[np.float32]) -> None:
        before = self.portrait
        fresh = Portrait.of(view, matte, colours)
        learnt = before.colours + _LEARNING * (colours - before.colours)
        self.portrait = Portrait(
            colours=np.asarray(learnt + _SEED_SHARE * _LEARNING * (self.seed_colours - learnt), np.float32),
            disparities=learnt_disparities(before.disparities, fresh.disparities),
            disparity=fresh.disparity,
            area=before.area + _AREA_LEARNING * (fresh.area - before.area),
            centre=fresh.centre,
        )


class _GuidedRun(_Run):
    """A run that is guided by disparity: it tells the subject from its surround, and has the edges."""

    def _carried(self, view: View, bins: NDArray[np.int32], grey: NDArray[np.uint8]) -> _Mended:
        flow = FlowFinder.of_thread("fast")  # many subjects may be followed side by side
        return self._anew(view, bins, warp(self.matte, flow(grey, self.last.grey), outside=0))

    def _anew(self, view: View, bins: NDArray[np.int32], found: NDArray[np.float32]) -> _Mended:
        disparity = view.disparity
        assert disparity is not None
        look, near, matte = self._look(disparity, bins, found), found > 0.5, found
        for inside, outside in _PLACES:
            distance = outside_distance_px(near) / max(view.shape)
            place = np.where(near, inside, -np.minimum(outside * distance, _OUTSIDE_MOST))
            matte = connected_to(matte_from((look + place).astype(np.float32), disparity), near)
            near = matte > 0.5
            if not near.any():
                break
        return _Mended(matte, look)

    def _look(
        self, disparity: NDArray[np.float32], bins: NDArray[np.int32], prior: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Log-odds that each pixel is the subject's, by what it looks like."""
        assert self.portrait.disparities is not None
        surround = DisparityModel.learn(disparity, prior).surround
        surface = DisparityModel(self.portrait.disparities, surround).evidence(disparity)
        return np.asarray(_COLOUR_WEIGHT * self._colour_look(bins, prior) + _DISPARITY_WEIGHT * surface, np.float32)


class _UnguidedRun(_Run):
    """A run without disparity: how things move against the camera counts in its place; see `PropagatedMatte`."""

    def __init__(self, first: View, matte: NDArray[np.float32], residual_px: NDArray[np.float32] | None) -> None:
        super().__init__(first, matte)
        self.flow = FlowFinder()
        self.propagated = PropagatedMatte(first.pixels, matte, residual_px)

    def _carried(self, view: View, bins: NDArray[np.int32], grey: NDArray[np.uint8]) -> _Mended:
        matte = self.propagated.advance(view.pixels, Motion.of(self.flow(grey, self.last.grey)))
        return _Mended(matte, self._colour_look(bins, matte))

    def _anew(self, view: View, bins: NDArray[np.int32], found: NDArray[np.float32]) -> _Mended:
        self.propagated = PropagatedMatte(view.pixels, found, None)
        return _Mended(found, self._colour_look(bins, found))


def _frame(view: View, bins: NDArray[np.int32]) -> _Frame:
    everywhere = np.ones(view.shape, np.float32)
    return _Frame(cv2.cvtColor(view.pixels, cv2.COLOR_RGB2GRAY), colour_histogram(bins, everywhere))  # pyright: ignore[reportArgumentType]


def _unseen(view: View) -> TrackedFrame:
    return TrackedFrame(np.zeros(view.shape, np.float32), 0.0, False)
