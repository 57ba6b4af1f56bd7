"""The part of a picture that is looked at closely, and that part of a frame in final quality, by itself."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from any2bokeh.app.follower import FocusOfFrame
from any2bokeh.disparity.edges import edge_estimator
from any2bokeh.engines import make_renderer
from any2bokeh.errors import InputError
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.recipe import Recipe
from any2bokeh.renderers.base import RenderInput
from any2bokeh.video.info import VideoInfo

# Around what a blurred pixel reaches: edges are looked at in windows of their own.
_MARGIN_PX = 48
# Regions begin where a pixel of the map does, if there is such a place within so many pixels.
_SNAP_PX = 64


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture, in 0..1 of it.

    Raises:
        InputError: outside the picture, or nothing.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        # Not a number fails the comparison.
        if not (0 <= self.x0 < self.x1 <= 1 and 0 <= self.y0 < self.y1 <= 1):
            raise InputError("the region lies outside the picture; give x0 < x1 and y0 < y1, all from 0 to 1")

    def of(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], "Region"]:
        """Whole pixels of a picture ``(3, H, W)`` that cover it, and where these lie."""
        height, width = pixels.shape[1:]
        left, top = int(self.x0 * width), int(self.y0 * height)
        right, bottom = (min(int(np.ceil(end * size)), size) for end, size in ((self.x1, width), (self.y1, height)))
        right, bottom = max(right, left + 1), max(bottom, top + 1)
        return pixels[:, top:bottom, left:right], Region(left / width, top / height, right / width, bottom / height)


def by_itself(
    pixels: NDArray[np.float32],
    disparity: NDArray[np.float32],
    focus: FocusOfFrame,
    region: Region,
    recipe: Recipe,
    info: VideoInfo,
) -> tuple[NDArray[np.float32], Region]:
    """A region of a frame in full size and final quality, rendered with no more around it than its blur reaches.

    Args:
        pixels: ``(3, H, W)`` of the frame.
        disparity: ``(1, h, w)`` of the frame.
        focus: of the frame.
        region: of the picture.
        recipe: its look, and how edges of disparity are treated.
        info: of the clip.

    Returns:
        Pixels ``(3, h, w)``, and where they lie.
    """
    from any2bokeh.frame_treatment import TreatedFrame

    height, width = pixels.shape[1:]
    _, lies = region.of(pixels)
    d_f, strength = focus.focus_disparity, focus.blur_strength
    part = Region(0, 0, 1, 1)
    if recipe.look.vignetting().is_open:  # which looks at the place in the picture
        farthest = max(abs(float(disparity.max()) - d_f), abs(float(disparity.min()) - d_f))
        reach = strength * farthest * max(height, width) / REFERENCE_LONG_SIDE_PX + _MARGIN_PX
        part = _grown(lies, reach / width, reach / height, disparity.shape[1:], (height, width))
    rows, columns = _slices(part, height, width)
    map_rows, map_columns = _slices(part, *disparity.shape[1:])
    cut = np.ascontiguousarray(pixels[:, rows, columns])
    cut_map = np.ascontiguousarray(disparity[:, map_rows, map_columns])
    treated = TreatedFrame.of(0, cut, cut_map, edge_estimator(recipe.edges) if strength else None)
    range_, bands = FocusRange(slab=focus.slab), treated.mixed.bands(treated.disparity)

    def bent(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return range_.applied(values, d_f, strength)

    if bands is not None and not range_.is_plain:
        bands = bands.with_disparity(bent)
    # Radii stay, in pixels.
    in_part = strength * max(height, width) / max(cut.shape[1:])
    [rendered] = make_renderer(recipe.engine, recipe.look, info).render(
        [RenderInput(cut, bent(treated.disparity), d_f, in_part, bands=bands)]
    )
    wanted_rows, wanted_columns = _slices(lies, height, width)
    top, left = wanted_rows.start - rows.start, wanted_columns.start - columns.start
    shown = rendered[
        :,
        top : top + wanted_rows.stop - wanted_rows.start,
        left : left + wanted_columns.stop - wanted_columns.start,
    ]
    return shown, lies


def _slices(region: Region, height: int, width: int) -> tuple[slice, slice]:
    return (
        slice(round(region.y0 * height), round(region.y1 * height)),
        slice(round(region.x0 * width), round(region.x1 * width)),
    )


def _grown(region: Region, across: float, down: float, map_size: tuple[int, ...], size: tuple[int, int]) -> Region:
    """The region with a margin, its ends where a pixel of the map and of the picture begin; all where there is none."""
    ends: list[float] = []
    for low, high, margin, of_map, of_picture in (
        (region.x0, region.x1, across, map_size[1], size[1]),
        (region.y0, region.y1, down, map_size[0], size[0]),
    ):
        steps = math.gcd(of_map, of_picture)  # places where both begin
        if of_picture > _SNAP_PX * steps:
            ends += [0.0, 1.0]
            continue
        first, last = math.floor((low - margin) * steps), math.ceil((high + margin) * steps)
        ends += [max(first, 0) / steps, min(last, steps) / steps]
    x0, x1, y0, y1 = ends
    return Region(x0, y0, x1, y1)
