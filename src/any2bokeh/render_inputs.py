"""Frames in memory as a renderer takes them: edges treated, and with what the frames around them saw.

``shot_frames`` does the same for a clip that is decoded on the way, whose focus range and breathing it knows, too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from any2bokeh.disparity.edges import EdgeEstimator, EdgeTreatment, edge_estimator
from any2bokeh.disparity.edges.bands import LARGE_PX
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.plate.choice import PlateChoice, uses_plate
from any2bokeh.renderers.base import RenderInput
from any2bokeh.source_blur import RadiusMaps, SourceLens, blur_in_frame

if TYPE_CHECKING:
    from any2bokeh.frame_treatment import TreatedFrame


def render_inputs(
    frames: Iterable[RenderInput],
    *,
    edges: EdgeTreatment = "auto",
    plate: PlateChoice = "auto",
    source_blur: SourceLens | RadiusMaps | None = None,
) -> Iterator[RenderInput]:
    """What ``refocus`` gives a renderer for the frames of a clip.

    With a plate, 8 frames are read ahead of the one that is given, and what is known of the 14 before it is kept. A
    frame whose blur strength is 0 keeps its pixels, and its disparity is brought to their size.

    Args:
        frames: of one clip, in order, with disparity of any size and of the aspect of the picture.
        edges, plate: see ``Recipe``.
        source_blur: what blur they have already (see ``source_blur_of_frames``); None = they count as sharp.

    Raises:
        InputError: an unknown treatment, a map of radii that cannot be read, or disparity of another aspect than its
            picture.
    """
    treated = treated_inputs(frames, edge_estimator(edges), plate)
    if source_blur is None:
        return treated
    return (_lacking(index, frame, source_blur) for index, frame in enumerate(treated))


def treated_inputs(
    frames: Iterable[RenderInput], edges: EdgeEstimator | None, plate: PlateChoice = "auto"
) -> Iterator[RenderInput]:
    """``render_inputs`` with any estimator; None leaves maps as they come."""
    if uses_plate(plate):
        return _with_plate(frames, edges)
    return (_alone(frame, edges) for frame in frames)


def _alone(frame: RenderInput, edges: EdgeEstimator | None) -> RenderInput:
    from any2bokeh.frame_treatment import TreatedFrame

    return _given(frame, TreatedFrame.of(0, frame.pixels, frame.disparity, edges if frame.blur_strength > 0 else None))


def _with_plate(frames: Iterable[RenderInput], edges: EdgeEstimator | None) -> Iterator[RenderInput]:
    from any2bokeh.frame_treatment import FrameTreatment, TreatedFrame

    treatment = FrameTreatment(edges)
    held: dict[int, RenderInput] = {}

    def ready(done: Iterator[TreatedFrame]) -> Iterator[RenderInput]:
        for treated in done:
            frame = held.pop(treated.index)
            if frame.blur_strength == 0:
                yield _alone(frame, None)
                continue
            px_per_disparity = frame.blur_strength * max(frame.pixels.shape) / REFERENCE_LONG_SIDE_PX
            hidden = treatment.hidden(treated, frame.focus_disparity, px_per_disparity)
            yield replace(_given(frame, treated), hidden=hidden)

    for index, frame in enumerate(frames):
        held[index] = frame
        # Whether one of those to come is blurred, and looks at this one, is not known yet.
        is_blurred = frame.blur_strength > 0
        yield from ready(treatment.add(index, frame.pixels, frame.disparity, is_blurred=is_blurred, is_looked_at=True))
    yield from ready(treatment.rest())


def _given(frame: RenderInput, treated: "TreatedFrame") -> RenderInput:
    if treated.disparity.size > LARGE_PX:
        return replace(frame, disparity=treated.disparity, bands=None, mixed=treated.mixed)
    return replace(frame, disparity=treated.disparity, bands=treated.mixed.bands(treated.disparity), mixed=None)


def _lacking(index: int, frame: RenderInput, known: SourceLens | RadiusMaps) -> RenderInput:
    """A frame whose disparity asks only for the blur that it lacks."""
    if frame.blur_strength == 0:
        return frame
    there = blur_in_frame(known, index, frame.disparity)
    assert there is not None
    lens = {"focus_disparity": frame.focus_disparity, "blur_strength": frame.blur_strength}
    lacking = partial(there.lacking, **lens)
    return replace(
        frame,
        disparity=lacking(frame.disparity, seen=there.seen),
        hidden=frame.hidden and replace(frame.hidden, disparity=lacking(frame.hidden.disparity)),
        bands=frame.bands and frame.bands.with_disparity(lacking),
        mixed=frame.mixed and frame.mixed.with_disparity(lacking),
    )
