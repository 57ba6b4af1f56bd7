"""Where one shot ends and the next begins."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from any2bokeh.motion.flow import FlowFinder
from any2bokeh.motion.thumbnail import Thumbnail, thumbnail
from any2bokeh.motion.warp import warp

# Cells that match better than this on the whole are of one shot, whatever the colours do. Neighbouring frames match by
# 0.97, unlike pictures by 0.1 to 0.45, as the search for motion bends one towards the other.
_STRUCTURE_MAX = 0.6
# Structure lost times distance of colour: below 0.01 in a shot, 0.13 between views of one street, else over 0.2.
_CHANGE_MIN = 0.1
_CELL_PX = 16
# Brightness (of 1) below which colours are noise.
_DARKEST = 0.04
_COLOUR_BINS = 6
COLOURS_MIN = _CHANGE_MIN
"""Frames whose colours differ less are of one shot: even if no structure were kept, it would be no change."""


class ShotDetector:
    """Tells, while a clip is read, where another shot begins.

    Args:
        first: ``(h, w, 3)`` uint8 RGB, the picture to begin with.
    """

    def __init__(self, first: NDArray[np.uint8]) -> None:
        self._before = _thumbnail(first)
        self._flow = FlowFinder()

    def begins_shot(self, pixels: NDArray[np.uint8]) -> bool:
        """Whether a picture begins a new shot; it is compared with the one of the call before."""
        before, here = self._before, _thumbnail(pixels)
        self._before = here
        # Pictures of like colours are never told apart, which spares the search for motion between nearly all of them.
        if colour_distance(before, here) < COLOURS_MIN:
            return False
        return is_cut(before, here, self._flow(here.grey, before.grey))


def _thumbnail(pixels: NDArray[np.uint8]) -> Thumbnail:
    return thumbnail(pixels.transpose(2, 0, 1).astype(np.float32) / np.float32(255))


def shot_starts(pictures: Iterable[Thumbnail]) -> Iterator[bool]:
    """Whether each frame begins a shot, in order; the first does. Reads one frame at a time.

    Args:
        pictures: of the frames, by `thumbnail`.
    """
    flow = FlowFinder()
    before: Thumbnail | None = None
    for here in pictures:
        yield before is None or is_cut(before, here, flow(here.grey, before.grey))
        before = here


def is_cut(before: Thumbnail, after: Thumbnail, back: NDArray[np.float32]) -> bool:
    """Whether two neighbouring frames belong to two shots.

    Two measures must agree. Structure: after the motion between the frames has been taken out, the correlation of small
    cells, each normalised, so that a flash, a fade of the exposure and fast motion leave it high. Colour: the distance
    of the histograms, which motion that cannot be followed (a whip pan) changes slowly. A dissolve is not a cut.

    Args:
        before: the earlier frame.
        after: the later one.
        back: ``(h, w, 2)`` motion from ``after`` to ``before``.
    """
    structure = _structure_kept(before, after, back)
    if structure >= _STRUCTURE_MAX:
        return False
    return (1 - structure) * colour_distance(before, after) >= _CHANGE_MIN


def _structure_kept(before: Thumbnail, after: Thumbnail, back: NDArray[np.float32]) -> float:
    """Median correlation, over textured cells, of a frame with the one before brought to it by motion."""
    moved = warp(before.grey.astype(np.float32), back)
    here = after.grey.astype(np.float32)
    cell = (_CELL_PX, _CELL_PX)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(values, cell)[:: _CELL_PX // 2, :: _CELL_PX // 2], np.float32)

    mean_moved, mean_here = mean(moved), mean(here)
    variance_moved = np.maximum(mean(moved * moved) - mean_moved**2, 0)
    variance_here = np.maximum(mean(here * here) - mean_here**2, 0)
    covariance = mean(moved * here) - mean_moved * mean_here
    # half a code value of noise has no structure
    textured = np.maximum(variance_moved, variance_here) > 9
    if np.count_nonzero(textured) < 4:
        return 1.0
    correlation = covariance / np.sqrt((variance_moved + 1) * (variance_here + 1))
    return float(np.median(correlation[textured]))


def colour_distance(before: Thumbnail, after: Thumbnail) -> float:
    """Bhattacharyya distance, 0 to 1, of the colour histograms of two frames.

    Both are brought to the brightness of the brighter one, so that shots in the dark differ as those in the light do.
    """
    gain = 1 / max(*(float(np.quantile(one.colours[::4, ::4], 0.99)) for one in (before, after)), _DARKEST)
    histograms = []
    for picture in (before, after):
        colours = np.minimum(cv2.GaussianBlur(picture.colours, (0, 0), 1.0) * gain, 1)
        codes = np.minimum((colours * _COLOUR_BINS).astype(np.int32), _COLOUR_BINS - 1)
        index = (codes[..., 0] * _COLOUR_BINS + codes[..., 1]) * _COLOUR_BINS + codes[..., 2]
        counts = np.bincount(index.ravel(), minlength=_COLOUR_BINS**3)
        histograms.append(counts / counts.sum())
    overlap = float(np.sqrt(histograms[0] * histograms[1]).sum())
    return float(np.sqrt(max(1 - overlap, 0)))
