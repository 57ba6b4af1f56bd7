"""How much given disparity flickers, and whether it says anything at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.source import DisparitySource
from any2bokeh.video import VideoSource

if TYPE_CHECKING:
    from any2bokeh.motion.flow import FlowFinder
    from any2bokeh.motion.thumbnail import Thumbnail

# Runs of neighbouring frames that are looked at (at the beginning, in the middle, at the end), and their length.
_RUNS = 3
_RUN_FRAMES = 9
# Maps are compared at this size.
_LONG_SIDE_PX = 256
# There and back may miss by this before a match is not believed.
_ROUND_TRIP_PX = 0.7
# What has moved by less over many frames, and looks the same, has stood still.
_STILL_PX = 0.5
_STILL_COLOUR = 0.04
# Standing still can be told of pixels that differ from their neighbours, by this much of 255 in 5x5.
_TEXTURE = 4.0
# Share of a frame's textured pixels that stand still under a camera that does.
_STILL_SHARE = 0.4
# Matches fewer than this share of a frame say nothing.
_MATCHED_SHARE = 0.05
# A map whose values differ by less is flat: a step of 8 bits is 0.004.
_FLAT = 1e-3
# Maps that are looked at for it.
_FLAT_LOOKS = 8

# What is told, as shares of the range of the maps. Jitter: 0.0014 in exact maps of 8 bits (cards), 0.0007 in
# breakdance's, below 0.0001 in those of the bundled clip. With an error drawn for each frame, in four draws on
# breakdance and on the bundled clip: scale with a standard deviation of 1 %: 0.006 to 0.012; scale and shift so: 0.011
# to 0.021; scale with 10 %: 0.054 to 0.120; scale off by up to 10 %: 0.022 (worst of eleven draws on breakdance) to
# 0.069. Drift: at most 0.01 (breakdance); 0.22 where frames were normalised one by one.
TOLD_JITTER = 0.02
TOLD_DRIFT = 0.06


@dataclass(frozen=True, slots=True)
class Flicker:
    """How a clip's maps change where the scene does not.

    Attributes:
        jitter: typical change of the disparity of a surface from one frame to the next that does not go on in the frame
            after, over the range of the maps; 0 for steady maps.
        drift: change of the disparity of what stands still over the whole clip, over the range of the maps; 0 where the
            camera moves.
    """

    jitter: float
    drift: float

    def remark(self) -> str | None:
        """What a user must know of it, in one line; None where it is not worth a word."""
        remedy = "steady it with --scale-alignment whole-clip"
        if self.jitter > TOLD_JITTER:
            return (
                f"the given disparity flickers by {self.jitter:.0%} of its range from frame to frame on the same "
                f"surface, and so will the blur; {remedy}"
            )
        if self.drift > TOLD_DRIFT:
            return (
                f"the given disparity drifts by {self.drift:.0%} of its range on things that stand still, as happens "
                f"when maps are normalised frame by frame, and so will the blur; {remedy}"
            )
        return None


def flicker_of(disparity: DisparitySource, source: VideoSource, *, start: int, stop: int) -> Flicker:
    """Measure the flicker of a clip's maps against its pictures.

    Jitter: in three runs of nine frames, neighbouring maps are compared along optical flow, the near half of the range
    and the far half each by the median of what changed. A camera that moves changes them too, but steadily: only the
    part that differs from one frame to the next counts. Drift: the ends of the runs are compared with one another,
    where textured pixels have neither moved nor changed colour.

    Args:
        disparity: counted like ``source``.
        source: the pictures.
        start, stop: the frames that matter.
    """
    from any2bokeh.motion.flow import FlowFinder

    motion = FlowFinder()
    jumps: list[float] = []
    ends: list[_Look] = []
    for run in _runs(start, stop):
        looks = list(_looks(disparity, source, *run))
        changes = [_change_along_motion(*pair, motion) for pair in pairwise(looks)]
        for before, after in pairwise(changes):
            if before is not None and after is not None:
                # of three maps with independent errors; a pair of them differs by sqrt(3) less
                jumps.append(float(np.max(np.abs(after - before))) / np.sqrt(3))
        ends += [looks[0], looks[-1]]
    drifts = [
        float(np.max(np.abs(change)))
        for at, later in enumerate(ends)
        for change in [_change_of_what_stands(ends[0], later, motion)]
        if at and change is not None
    ]
    return Flicker(float(np.median(jumps)) if jumps else 0.0, max(drifts, default=0.0))


def is_flat(disparity: DisparitySource, *, start: int, stop: int) -> bool:
    """Whether every map that is looked at, up to eight spread over the frames, has one value throughout."""
    looked_at = np.unique(np.linspace(start, stop - 1, min(stop - start, _FLAT_LOOKS)).round()).astype(int)
    return all(float(np.ptp(disparity.at(int(index)))) <= _FLAT for index in looked_at)


@dataclass(frozen=True)
class _Look:
    """A frame and its map ``(h, w)``, both small."""

    picture: "Thumbnail"
    values: NDArray[np.float32]


def _runs(start: int, stop: int) -> list[tuple[int, int]]:
    if stop - start <= _RUNS * _RUN_FRAMES:
        return [(start, stop)]
    begins = np.linspace(start, stop - _RUN_FRAMES, _RUNS).round().astype(int)
    return [(int(begin), int(begin) + _RUN_FRAMES) for begin in begins]


def _looks(disparity: DisparitySource, source: VideoSource, start: int, stop: int) -> Iterator[_Look]:
    import cv2

    from any2bokeh.disparity.estimated import displayed_guide
    from any2bokeh.motion.thumbnail import thumbnail

    for frame, disparity_map in zip(source.frames(start, stop), disparity.frames(start, stop), strict=True):
        picture = thumbnail(displayed_guide(frame.pixels, source.info))
        share = min(1.0, _LONG_SIDE_PX / max(picture.shape))
        shape = max(round(picture.shape[0] * share), 1), max(round(picture.shape[1] * share), 1)
        values = cv2.resize(disparity_map[0], shape[::-1], interpolation=cv2.INTER_AREA)
        yield _Look(picture.reduced(shape), np.asarray(values, np.float32))


def _change_along_motion(before: _Look, here: _Look, motion: "FlowFinder") -> NDArray[np.float64] | None:
    """What the far and the near half of a map have changed by, over its range; None across a cut."""
    from any2bokeh.motion.shots import is_cut
    from any2bokeh.motion.warp import warp

    back = motion(here.picture.grey, before.picture.grey)
    if is_cut(before.picture, here.picture, back):
        return None
    round_trip = back + warp(motion(before.picture.grey, here.picture.grey), back)
    is_sure = np.hypot(round_trip[..., 0], round_trip[..., 1]) < _ROUND_TRIP_PX
    return _change(here.values, warp(before.values, back), is_sure)


def _change_of_what_stands(before: _Look, here: _Look, motion: "FlowFinder") -> NDArray[np.float64] | None:
    """The same of what has not moved since; None where the camera has."""
    import cv2

    back = motion(here.picture.grey, before.picture.grey)
    grey = here.picture.grey.astype(np.float32)
    variance = np.asarray(cv2.blur(grey * grey, (5, 5))) - np.asarray(cv2.blur(grey, (5, 5))) ** 2
    is_textured = variance > _TEXTURE**2
    is_alike = np.abs(here.picture.colours - before.picture.colours).max(axis=2) < _STILL_COLOUR
    stands = is_textured & is_alike & (np.hypot(back[..., 0], back[..., 1]) < _STILL_PX)
    if np.count_nonzero(stands) < _STILL_SHARE * max(np.count_nonzero(is_textured), 1):
        return None
    return _change(here.values, before.values, stands)


def _change(
    here: NDArray[np.float32], there: NDArray[np.float32], where: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Median change of the far and of the near half, over the range; None where too few pixels match."""
    if np.count_nonzero(where) < _MATCHED_SHARE * where.size:
        return None
    low, high = np.quantile(here, (0.02, 0.98))
    change, is_near = (there - here)[where], here[where] > (low + high) / 2
    halves = [float(np.median(change[half])) if half.any() else 0.0 for half in (~is_near, is_near)]
    return np.array(halves) / max(float(high - low), 1e-6)
