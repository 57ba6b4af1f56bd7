"""From a shot to what a renderer is given, frame by frame."""

import math
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity.edges.bands import BandPixels, EdgeBands, EdgeEstimator, MixedPixels, PlacesFirst
from any2bokeh.errors import InputError
from any2bokeh.optics.breathing import zoomed
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.shot import Shot
from any2bokeh.video import Frame

if TYPE_CHECKING:
    from any2bokeh.plate.stream import PlateStream


@dataclass(frozen=True, slots=True, eq=False)
class ShotFrame:
    """One frame of a shot.

    Attributes:
        frame: as decoded.
        disparity: ``(1, H, W)`` at the size of the picture.
        given: what a renderer gets: its disparity is bent by the focus range, and its picture zoomed by breathing.
    """

    frame: Frame
    disparity: NDArray[np.float32]
    given: RenderInput


def frames_of(shot: Shot) -> Generator[ShotFrame, None, None]:
    """Decode every frame of a shot, and find what a renderer needs with it; fewer if the clip ends early.

    With a plate, frames around those that are wanted are read, too, so that a frame gets the same in any part.
    """
    if not (shot.plate and bool((shot.track.blur_strength > 0).any())):
        for frame, disparity in _read(shot, shot.start, shot.stop):
            bands = _bands_of(shot.edges if shot.blur_at(frame.index) > 0 else None, frame, disparity)
            yield _given(shot, _Treated.of(frame, bands), None)
        return
    from any2bokeh.plate.silhouette import REACH
    from any2bokeh.plate.stream import AHEAD, BACK, PlateStream

    back, ahead = BACK + REACH, AHEAD + REACH
    first = max(shot.start - back, shot.first_known)
    known = shot.disparity.frame_count if shot.is_part else shot.source.info.frame_count
    last = min(shot.stop + ahead, known)
    around = PlateStream()
    first_look = shot.edges.placed if isinstance(shot.edges, PlacesFirst) else shot.edges
    single: deque[_Single] = deque()  # until those around them are there
    waiting: deque[_Treated] = deque()
    last = max(min(last, shot.disparity.frame_count), shot.stop)  # maps after the part may be missing

    def steady(up_to: float) -> None:
        while single and single[0].treated.index <= up_to:
            treated = _steadied(single.popleft(), shot.edges, around)
            if shot.start <= treated.index < shot.stop:
                waiting.append(treated)

    for frame, disparity in _read(shot, first, last):
        index = frame.index
        is_looked_at = any(shot.blur_at(other) > 0 for other in range(index - ahead, index + back + 1))
        bands = _bands_of(first_look if is_looked_at else None, frame, disparity)
        if is_looked_at:
            around.add(index, frame.pixels, bands)
        single.append(_Single(_Treated.of(frame, bands), BandPixels.of(bands)))
        steady(index - REACH)
        while waiting and (waiting[0].index <= index - ahead or shot.blur_at(waiting[0].index) == 0):
            yield _with_plate(shot, waiting.popleft(), around)
    steady(math.inf)
    while waiting:
        yield _with_plate(shot, waiting.popleft(), around)


@dataclass(frozen=True, slots=True, eq=False)
class _Treated:
    """A frame with its map at the size of the picture, and the pixels that two surfaces share."""

    frame: Frame
    disparity: NDArray[np.float32]
    mixed: MixedPixels

    @classmethod
    def of(cls, frame: Frame, bands: EdgeBands) -> Self:
        return cls(frame, bands.disparity, MixedPixels.of(bands))

    @property
    def index(self) -> int:
        return self.frame.index


@dataclass(frozen=True, slots=True, eq=False)
class _Single:
    """A frame treated by itself, and the pixels of it that are in question."""

    treated: _Treated
    band: BandPixels


def _read(shot: Shot, first: int, last: int) -> Iterator[tuple[Frame, NDArray[np.float32]]]:
    """Frames and their maps; those outside the part only as far as they can be read."""
    index = first
    try:
        frames, maps = shot.source.frames(first, last), shot.disparity.frames(first, last)
        for frame, disparity in zip(frames, maps, strict=True):
            if frame.is_past_end:
                return
            index = frame.index + 1
            yield frame, disparity
    except InputError:
        if index < shot.start:
            yield from _read(shot, shot.start, last)
        elif index < shot.stop or last == shot.stop:
            raise


def _bands_of(edges: EdgeEstimator | None, frame: Frame, disparity: NDArray[np.float32]) -> EdgeBands:
    """The map of a frame at the size of its picture, and what is known of its edges."""
    from any2bokeh.disparity import upsample
    from any2bokeh.disparity.edges import bands_at_size

    if edges is None:
        return EdgeBands.none(upsample(disparity, frame.pixels))
    return bands_at_size(edges, disparity, frame.pixels)


def _steadied(single: _Single, edges: EdgeEstimator | None, around: "PlateStream") -> _Treated:
    """A frame with its silhouettes as the frames around it show them."""
    treated, band = single.treated, single.band
    if band.at.size == 0:
        return treated
    disparity = around.steadied(treated.index, treated.disparity, band)
    if isinstance(edges, PlacesFirst):
        return _Treated.of(treated.frame, edges.with_shares(band.bands(disparity), treated.frame.pixels))
    # What was told of the shares of a pixel does not hold where it shows another surface.
    return _Treated(treated.frame, disparity, treated.mixed.without((disparity != treated.disparity)[0]))


def _with_plate(shot: Shot, treated: _Treated, around: "PlateStream") -> ShotFrame:
    blur_strength = shot.blur_at(treated.index)
    if blur_strength == 0:
        return _given(shot, treated, None)
    focus_disparity = float(shot.track.focus_disparity[treated.index - shot.start])
    per_disparity = _px_per_disparity(shot, blur_strength)
    return _given(shot, treated, around.hidden(treated.index, treated.disparity, focus_disparity, per_disparity))


def _given(shot: Shot, treated: _Treated, hidden: HiddenBackground | None) -> ShotFrame:
    """What the renderer gets: zoomed by breathing, and bent by the focus range."""
    at = treated.index - shot.start
    focus_disparity, zoom = float(shot.track.focus_disparity[at]), float(shot.zoom[at])
    blur_strength = shot.blur_at(treated.index) * zoom  # discs grow with the picture
    focus_range = shot.focus_range_at(treated.index)
    frame, disparity = treated.frame, zoomed(treated.disparity, zoom, smooth=False)
    pixels = zoomed(frame.pixels, zoom, smooth=True)
    if frame.alpha is not None and zoom != 1:
        frame = replace(frame, alpha=zoomed(frame.alpha, zoom, smooth=True))

    def bent(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return focus_range.applied(values, focus_disparity, blur_strength)

    if hidden is not None:
        hidden = HiddenBackground(
            zoomed(hidden.pixels, zoom, smooth=False),
            bent(zoomed(hidden.disparity, zoom, smooth=False)),
            zoomed(hidden.known[None], zoom, smooth=False)[0],
            hidden.margin_px,
        )
    bands = _bands(treated, zoom)
    if bands is not None and not focus_range.is_plain:
        bands = bands.with_disparity(bent)
    given = RenderInput(pixels, bent(disparity), focus_disparity, blur_strength, hidden=hidden, bands=bands)
    return ShotFrame(frame, disparity, given)


def _bands(treated: _Treated, zoom: float) -> EdgeBands | None:
    bands = treated.mixed.bands(treated.disparity)
    if bands is None or zoom == 1:
        return bands
    return bands.resampled(lambda planes: zoomed(planes, zoom, smooth=False))


def _px_per_disparity(shot: Shot, blur_strength: float) -> float:
    """Pixels by which surfaces shift at most, per unit of disparity."""
    long_side_px = max(shot.source.info.width, shot.source.info.height)
    range_ = shot.recipe.focus_range
    return blur_strength * long_side_px / REFERENCE_LONG_SIDE_PX * max(range_.near, range_.far)
