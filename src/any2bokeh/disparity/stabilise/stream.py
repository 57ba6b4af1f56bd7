"""Maps of a clip that hold still."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import tee
from typing import TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.estimators.base import ScaleAlignment
from any2bokeh.disparity.stabilise import missing
from any2bokeh.disparity.stabilise.anchors import ANCHOR_SPACING, anchored, placed_on
from any2bokeh.disparity.stabilise.links import FrameStats, LinkFinder
from any2bokeh.disparity.stabilise.placement import RunningScaleShift, ScaleShift, solve_shot
from any2bokeh.disparity.stabilise.smoothing import smoothed
from any2bokeh.disparity.stabilise.windows import DisparityWindow, blended
from any2bokeh.motion.shots import shot_starts
from any2bokeh.motion.thumbnail import Thumbnail, thumbnail

Map = NDArray[np.float32]
Pixels = NDArray[np.float32]
Item = TypeVar("Item")
Maps = Iterable[Map | DisparityWindow] | Callable[[], Iterable[Map | DisparityWindow]]
Frames = Iterable[Pixels] | Callable[[], Iterable[Pixels]]


def stabilised(
    maps: Maps,
    frames: Frames,
    *,
    mode: ScaleAlignment = "whole-clip",
    smoothing_reach: int = 2,
    anchors: Mapping[int, Map] | None = None,
    anchor_spacing: int = ANCHOR_SPACING,
) -> Iterator[Map]:
    """Maps of a clip on one scale for each shot, without flicker and without gaps.

    `blend` is right where maps come in overlapping windows from a model for video (items are `DisparityWindow`s), and
    for streams that can be read only once. `whole-clip` is right for models that see one frame at a time and give each
    its own scale: nothing accumulates, as all frames are solved for at once. `anchors` is right where some maps are
    worth more than others, for instance from a slow metric model on every 24th frame (`anchors`), or from a model whose
    single frames are good and whose neighbours are not. `none` leaves scales alone.

    Scale and shift are those at which surfaces keep their disparity from frame to frame along the motion of the
    picture. A change of the true disparity of all that is seen at once, such as a camera that moves towards a wall,
    looks the same as a model that breathes, and is taken out as such over a few seconds.

    Args:
        maps: ``(1, h, w)`` float32 disparity of each frame, in order, all of one size, near large, in any range; or
            windows of such maps. NaN and infinities are missing; exactly 0 over an area is sky. A list, or a callable
            that opens the maps anew, where the mode takes two passes.
        frames: ``(3, H, W)`` float32 of each frame, display-referred, of any size. As for ``maps``.
        mode: see above.
        smoothing_reach: frames before and after each that flicker is averaged over; 0 for none.
        anchors: maps ``(1, h, w)`` of some frames, on one scale, that the mode `anchors` aligns all others to. Where
            None, every ``anchor_spacing``-th frame of each shot is one, aligned with one another first.
        anchor_spacing: frames between such anchors, 1 to 36.

    Yields:
        ``(1, h, w)`` float32 of each frame, finite. The range is that of the maps (of the anchors where those are
        given), not [0, 1].

    Raises:
        TypeError: the mode takes two passes and an input can be read only once.
        ValueError: the mode is unknown, the counts of maps and frames differ, or sizes of maps do.
    """
    if mode not in get_args(ScaleAlignment):
        raise ValueError(f"mode is {mode!r}; allowed is {', '.join(get_args(ScaleAlignment))}")
    if mode in ("blend", "none"):
        return _one_pass(maps, frames, mode, smoothing_reach)
    for name, items in (("maps", maps), ("frames", frames)):
        if isinstance(items, Iterator):
            raise TypeError(f"mode {mode} reads {name} twice; give a list or a callable that opens them anew")
    return _two_passes(maps, frames, anchors if mode == "anchors" else {}, anchor_spacing, smoothing_reach)


def _one_pass(maps: Maps, frames: Frames, mode: ScaleAlignment, reach: int) -> Iterator[Map]:
    running = RunningScaleShift()
    finder = LinkFinder()

    def placed() -> Iterator[_Placed]:
        for index, (disparity_map, is_window, picture) in enumerate(_together(maps, frames)):
            if mode == "none" or is_window:
                yield _Placed(disparity_map, ScaleShift(1.0, 0.0), 0.0, index == 0, picture)
            else:
                sighting = finder.add(disparity_map, picture)
                placement = running.add(sighting)
                yield _Placed(disparity_map, placement, placement.shift, sighting.begins_shot, picture)

    return smoothed(_filled(placed()), reach=reach)


def _two_passes(
    maps: Maps, frames: Frames, anchors: Mapping[int, Map] | None, anchor_spacing: int, reach: int
) -> Iterator[Map]:
    with_anchors = anchors is None or len(anchors) > 0
    finder = LinkFinder(anchor_spacing) if with_anchors else LinkFinder()
    sightings: list[FrameStats] = []
    given: dict[int, ScaleShift] = {}
    for disparity_map, _, picture in _together(maps, frames):
        sighting = finder.add(disparity_map, picture)
        sightings.append(sighting)
        if anchors and sighting.index in anchors:
            placement = placed_on(anchors[sighting.index], disparity_map)
            if placement is not None:
                given[sighting.index] = placement
    placements: list[ScaleShift] = []
    zeros: list[float] = []  # what 0 became, the same for a whole shot
    for shot in _shots(sightings):
        held = given if anchors else anchored(shot, anchor_spacing) if with_anchors else None
        placements += solve_shot(shot, held)
        zeros += [float(np.mean([one.shift for one in placements[-len(shot) :]]))] * len(shot)
    begins = [sighting.begins_shot for sighting in sightings]

    def placed() -> Iterator[_Placed]:
        items = zip(_together(maps, frames), placements, zeros, begins, strict=True)
        for (disparity_map, _, picture), placement, zero, begins_shot in items:
            yield _Placed(disparity_map, placement, zero, begins_shot, picture)

    yield from smoothed(_filled(placed()), reach=reach)


def _shots(sightings: list[FrameStats]) -> Iterator[list[FrameStats]]:
    if not sightings:
        return
    starts = [one.index for one in sightings if one.begins_shot]
    for start, stop in zip(starts, [*starts[1:], len(sightings)], strict=True):
        yield sightings[start:stop]


def _together(maps: Maps, frames: Frames) -> Iterator[tuple[Map, bool, Thumbnail]]:
    """Map, whether it came in a window, and picture of each frame; windows are blended on the way."""
    items = _opened(maps)
    pictures = (thumbnail(pixels) for pixels in _opened(frames))
    first = next(items, None)
    if isinstance(first, DisparityWindow):
        ahead, pictures = tee(pictures)  # read as far ahead as windows reach, and small
        singles: Iterator[Map] = blended(_windows(first, items), begins_shot=shot_starts(ahead))
        is_window = True
    else:
        singles = _singles(first, items)
        is_window = False
    shape: tuple[int, ...] | None = None
    for disparity_map, picture in zip(singles, pictures, strict=True):
        shape = shape or disparity_map.shape
        if disparity_map.shape != shape:
            raise ValueError(f"a map has the shape {disparity_map.shape}; the first has {shape}")
        yield disparity_map, is_window, picture


def _windows(first: DisparityWindow, rest: Iterator[Map | DisparityWindow]) -> Iterator[DisparityWindow]:
    yield first
    for item in rest:
        assert isinstance(item, DisparityWindow), "a clip is given either as windows or as single maps"
        yield item


def _singles(first: Map | None, rest: Iterator[Map | DisparityWindow]) -> Iterator[Map]:
    if first is not None:
        yield first
    for item in rest:
        assert not isinstance(item, DisparityWindow), "a clip is given either as windows or as single maps"
        yield item


@dataclass(frozen=True)
class _Placed:
    """A map as it came, and where it belongs."""

    disparity_map: Map
    placement: ScaleShift
    zero: float  # what 0, the value of sky, becomes
    begins_shot: bool
    picture: Thumbnail


def _filled(placed: Iterable[_Placed]) -> Iterator[tuple[Map, NDArray[np.bool_], Thumbnail]]:
    """Maps on the scale of their shot, sky and missing values filled; which values are known."""
    sky_level = missing.SkyLevel()
    for one in placed:
        given = np.asarray(one.disparity_map[0], np.float32)
        known, sky = missing.is_known(given), missing.is_sky(given)
        values = missing.filled(one.placement(given), known)
        if one.begins_shot:
            sky_level.reset()
        if sky.any():
            values = np.where(sky, np.float32(sky_level.next(values[known & ~sky], one.zero)), values)
        yield values, known, one.picture


def _opened(items: Iterable[Item] | Callable[[], Iterable[Item]]) -> Iterator[Item]:
    return iter(items()) if callable(items) else iter(items)
