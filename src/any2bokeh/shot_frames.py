"""From a shot to what a renderer is given, frame by frame."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from any2bokeh.channel import made_ahead
from any2bokeh.disparity.edges.bands import LARGE_PX, EdgeBands
from any2bokeh.errors import InputError
from any2bokeh.optics.breathing import zoomed
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.optics.source_blur import without_source_blur
from any2bokeh.plate.hidden import HiddenBackground
from any2bokeh.renderers.base import RenderInput
from any2bokeh.shot import Shot
from any2bokeh.video import Frame

if TYPE_CHECKING:
    from any2bokeh.frame_treatment import FrameTreatment, TreatedFrame

_MOST_PX = 1e9  # far beyond what a renderer takes, and within what single precision holds


@dataclass(frozen=True, slots=True, eq=False)
class ShotFrame:
    """One frame of a shot.

    Attributes:
        frame: as decoded.
        disparity: ``(1, H, W)`` at the size of the picture.
        given: what a renderer gets: its disparity is bent by the focus range and by the blur that the source has,
            and its picture zoomed by breathing.
    """

    frame: Frame
    disparity: NDArray[np.float32]
    given: RenderInput


def frames_of(shot: Shot, *, told: Callable[[float], None] | None = None) -> Generator[ShotFrame, None, None]:
    """Decode every frame of a shot, and find what a renderer needs with it; fewer if the clip ends early.

    With a plate, frames around those that are wanted are read, too, so that a frame gets the same in any part.

    Args:
        shot: what is read.
        told: called while the edges of a large frame are treated, with how much of them is done, to 1; what it raises
            ends the work.
    """
    from any2bokeh.frame_treatment import AHEAD, BACK, FrameTreatment, SingleFrame, TreatedFrame

    if not (shot.plate and bool((shot.track.blur_strength > 0).any())):
        for frame, disparity in _read(shot, shot.start, shot.stop):
            edges = shot.edges if shot.blur_at(frame.index) > 0 else None
            treated = TreatedFrame.of(frame.index, frame.pixels, disparity, edges, told)
            yield _given(shot, frame, treated, None)
        return
    first = max(shot.start - BACK, shot.first_known)
    known = shot.disparity.frame_count if shot.is_part else shot.source.info.frame_count
    last = min(shot.stop + AHEAD, known)
    last = max(min(last, shot.disparity.frame_count), shot.stop)  # maps after the part may be missing
    treatment = FrameTreatment(shot.edges, told)
    decoded: dict[int, Frame] = {}

    def wanted(ready: Iterator[TreatedFrame]) -> Iterator[ShotFrame]:
        for treated in ready:
            frame = decoded.pop(treated.index)
            if shot.start <= treated.index < shot.stop:
                yield _with_plate(shot, frame, treated, treatment)

    def looked() -> Generator[tuple[Frame, SingleFrame], None, None]:
        for frame, disparity in _read(shot, first, last):
            index = frame.index
            is_looked_at = any(shot.blur_at(other) > 0 for other in range(index - AHEAD, index + BACK + 1))
            yield frame, treatment.look(index, frame.pixels, disparity, is_looked_at=is_looked_at)

    # Half of the time goes on a frame by itself, half on those around it: each in a thread of its own.
    with closing(made_ahead(looked(), name="any2bokeh look")) as singles:
        for frame, single in singles:
            decoded[frame.index] = frame
            is_blurred = shot.start <= frame.index < shot.stop and shot.blur_at(frame.index) > 0
            yield from wanted(treatment.take(single, is_blurred=is_blurred))
    yield from wanted(treatment.rest())


@dataclass(frozen=True, slots=True, eq=False)
class LookedAround:
    """A frame whose edges are treated, with what was seen of the frames around it, for any focus and blur.

    Attributes:
        frame: as decoded.
        treated: the same, its map at the size of the picture.
        treatment: what knows the frames around it.
    """

    frame: Frame
    treated: "TreatedFrame"
    treatment: "FrameTreatment"

    def given(self, shot: Shot) -> ShotFrame:
        """What a renderer gets of it in a shot of the same clip and disparity: just what ``frames_of`` gives."""
        return _with_plate(shot, self.frame, self.treated, self.treatment)


def looked_around(shot: Shot, *, told: Callable[[], None] = lambda: None) -> LookedAround:
    """Look at the frames around the one frame of a shot, as ``frames_of`` does, and keep what was seen.

    Args:
        shot: of one frame, which is blurred, with a plate.
        told: called before every frame; what it raises ends the work.

    Raises:
        InputError: the clip or its disparity cannot be read.
    """
    from any2bokeh.frame_treatment import AHEAD, BACK, FrameTreatment

    index, treatment, decoded = shot.start, FrameTreatment(shot.edges), None
    first = max(index - BACK, shot.first_known)
    known = shot.disparity.frame_count if shot.is_part else shot.source.info.frame_count
    last = max(min(index + 1 + AHEAD, known, shot.disparity.frame_count), index + 1)
    for frame, disparity in _read(shot, first, last):
        told()
        if frame.index == index:
            decoded = frame
        added = treatment.add(frame.index, frame.pixels, disparity, is_blurred=frame.index == index, is_looked_at=True)
        for treated in added:
            if treated.index == index and decoded is not None:
                return LookedAround(decoded, treated, treatment)
    for treated in treatment.rest():
        if treated.index == index and decoded is not None:
            return LookedAround(decoded, treated, treatment)
    raise InputError(f"{shot.source.info.path} ends before frame {index}, although it states more frames")


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


def _with_plate(shot: Shot, frame: Frame, treated: "TreatedFrame", treatment: "FrameTreatment") -> ShotFrame:
    blur_strength = shot.blur_at(treated.index)
    if blur_strength == 0:
        return _given(shot, frame, treated, None)
    focus_disparity = float(shot.track.focus_disparity[treated.index - shot.start])
    per_disparity = _px_per_disparity(shot, blur_strength)
    return _given(shot, frame, treated, treatment.hidden(treated, focus_disparity, per_disparity))


def _given(shot: Shot, frame: Frame, treated: "TreatedFrame", hidden: HiddenBackground | None) -> ShotFrame:
    """What the renderer gets: zoomed by breathing, bent by the focus range and by the blur that is there already."""
    at = treated.index - shot.start
    focus_disparity, zoom = float(shot.track.focus_disparity[at]), float(shot.zoom[at])
    blur_strength = shot.blur_at(treated.index) * zoom  # discs grow with the picture
    focus_range = shot.focus_range_at(treated.index)
    disparity = zoomed(treated.disparity, zoom, smooth=False)
    there = shot.source_blur_in(treated.index, treated.disparity) if blur_strength > 0 else None
    pixels = zoomed(frame.pixels, zoom, smooth=True)
    if frame.alpha is not None and zoom != 1:
        frame = replace(frame, alpha=zoomed(frame.alpha, zoom, smooth=True))

    def bent(values: NDArray[np.float32], seen: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        wanted = focus_range.applied(values, focus_disparity, blur_strength)
        if there is None:
            return wanted
        # Their ratio decides, which a zoom of the picture does not change.
        return without_source_blur(
            wanted, there.at(values) if seen is None else seen, focus_disparity, blur_strength / zoom
        )

    if hidden is not None:
        hidden = HiddenBackground(
            zoomed(hidden.pixels, zoom, smooth=False),
            bent(zoomed(hidden.disparity, zoom, smooth=False)),
            zoomed(hidden.known[None], zoom, smooth=False)[0],
            hidden.margin_px,
        )
    is_bent = not (focus_range.is_plain and there is None)
    bands, mixed = None, treated.mixed
    if zoom != 1 or disparity.size <= LARGE_PX:
        bands, mixed = _bands(treated, zoom), None
    if is_bent:
        bands, mixed = bands and bands.with_disparity(bent), mixed and mixed.with_disparity(bent)
    seen = None if there is None else zoomed(there.seen, zoom, smooth=False)
    added = bent(disparity, seen)
    given = RenderInput(pixels, added, focus_disparity, blur_strength, hidden=hidden, bands=bands, mixed=mixed)
    return ShotFrame(frame, disparity, given)


def _bands(treated: "TreatedFrame", zoom: float) -> EdgeBands | None:
    bands = treated.mixed.bands(treated.disparity)
    if bands is None or zoom == 1:
        return bands
    return bands.resampled(lambda planes: zoomed(planes, zoom, smooth=False))


def _px_per_disparity(shot: Shot, blur_strength: float) -> float:
    """Pixels by which surfaces shift at most, per unit of disparity."""
    long_side_px = max(shot.source.info.width, shot.source.info.height)
    range_ = shot.recipe.focus_range
    px = blur_strength * long_side_px / REFERENCE_LONG_SIDE_PX * max(range_.near, range_.far)
    return min(px, _MOST_PX)
