"""A tracker without weights: the matte moves with the optical flow and is mended by colour and disparity."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.motion.flow import FlowFinder
from any2bokeh.motion.warp import warp
from any2bokeh.subject.appearance import (
    DisparityModel,
    colour_bins,
    colour_evidence,
    colour_histogram,
    likeness,
)
from any2bokeh.subject.matte import connected_to, lightness, matte_from, outside_distance_px
from any2bokeh.subject.redetection import Portrait, find_again
from any2bokeh.subject.seed import Seed
from any2bokeh.subject.seeding import seed_matte
from any2bokeh.subject.tracker import TrackedFrame, View

# Weight of a cue's log-odds beside the others.
_COLOUR_WEIGHT, _DISPARITY_WEIGHT, _COLOUR_WEIGHT_ALONE = 0.6, 1.0, 1.0
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
    """Flow, colour histograms and disparity; needs no weights and no network."""

    name: ClassVar[str] = "classical"

    def track(self, views: Iterable[View], seed: Seed) -> Iterator[TrackedFrame]:
        """See `Tracker.track`."""
        run: _Run | None = None
        for view in views:
            if run is None:
                matte = seed_matte(view, seed)
                run = _Run(view, matte)
                yield TrackedFrame(matte, 1.0, True)
            else:
                yield run.advance(view)


@dataclass(slots=True, eq=False)
class _Frame:
    """What is kept of a frame for the next one."""

    grey: NDArray[np.uint8]
    colours: NDArray[np.float32]  # of the whole picture


class _Run:
    """State of one run: the last frame, the matte in it, and what the subject looks like."""

    def __init__(self, first: View, matte: NDArray[np.float32]) -> None:
        bins = colour_bins(first.pixels)
        self.matte = matte
        self.visible = True
        self.flow = FlowFinder("fast")
        self.last = _frame(first, bins)
        self.seed_colours = colour_histogram(bins, matte)
        self.portrait = Portrait.of(first, matte, self.seed_colours)

    def advance(self, view: View) -> TrackedFrame:
        bins = colour_bins(view.pixels)
        frame = _frame(view, bins)
        same_shot = likeness(frame.colours, self.last.colours) >= _SAME_SHOT
        prior = self._moved(frame.grey) if self.visible and same_shot else None
        if prior is None:
            prior = find_again(view, bins, self.portrait)
        found = self._seen(view, bins, prior) if prior is not None else _unseen(view)
        self.last, self.visible = frame, found.visible
        if found.visible:
            self.matte = found.matte
        return found

    def _moved(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The last matte, moved to this frame."""
        return warp(self.matte, self.flow(grey, self.last.grey), outside=0)

    def _seen(self, view: View, bins: NDArray[np.int32], prior: NDArray[np.float32]) -> TrackedFrame:
        near = prior > 0.5
        if not near.any():
            return _unseen(view)
        look = self._look(view, bins, prior)
        matte = prior
        for inside, outside in _PLACES:
            distance = outside_distance_px(near) / max(view.shape)
            place = np.where(near, inside, -np.minimum(outside * distance, _OUTSIDE_MOST))
            matte = connected_to(matte_from((look + place).astype(np.float32), _guide(view)), near)
            near = matte > 0.5
            if not near.any():
                return _unseen(view)
        area = float(matte.sum())
        confidence = float((matte / (1 + np.exp(-look))).sum() / area)
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

    def _look(self, view: View, bins: NDArray[np.int32], prior: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-odds that each pixel is the subject's, by what it looks like."""
        surround = colour_histogram(bins, 1 - cv2.dilate(prior, np.ones((3, 3))))
        colour = colour_evidence(bins, self.portrait.colours, surround)
        if view.disparity is None or self.portrait.disparities is None:
            return np.asarray(_COLOUR_WEIGHT_ALONE * colour, np.float32)
        surface = DisparityModel(
            self.portrait.disparities, DisparityModel.learn(view.disparity, prior).surround
        ).evidence(view.disparity)
        return np.asarray(_COLOUR_WEIGHT * colour + _DISPARITY_WEIGHT * surface, np.float32)

    def _learn(self, view: View, matte: NDArray[np.float32], colours: NDArray[np.float32]) -> None:
        before = self.portrait
        fresh = Portrait.of(view, matte, colours)
        learnt = before.colours + _LEARNING * (colours - before.colours)
        self.portrait = Portrait(
            colours=np.asarray(learnt + _SEED_SHARE * _LEARNING * (self.seed_colours - learnt), np.float32),
            disparities=fresh.disparities,
            disparity=fresh.disparity,
            area=before.area + _AREA_LEARNING * (fresh.area - before.area),
            centre=fresh.centre,
        )


def _frame(view: View, bins: NDArray[np.int32]) -> _Frame:
    everywhere = np.ones(view.shape, np.float32)
    return _Frame(cv2.cvtColor(view.pixels, cv2.COLOR_RGB2GRAY), colour_histogram(bins, everywhere))  # pyright: ignore[reportArgumentType]


def _guide(view: View) -> NDArray[np.float32]:
    return lightness(view.pixels) if view.disparity is None else view.disparity


def _unseen(view: View) -> TrackedFrame:
    return TrackedFrame(np.zeros(view.shape, np.float32), 0.0, False)
