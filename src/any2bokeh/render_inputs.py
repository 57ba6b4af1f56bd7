"""Frames in memory as a renderer takes them: edges treated, and with what the frames around them saw.

``shot_frames`` does the same for a clip that is decoded on the way, whose focus range and breathing it knows, too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat

from any2bokeh.disparity.edges import EdgeEstimator, EdgeTreatment, edge_estimator
from any2bokeh.disparity.edges.bands import MixedPixels
from any2bokeh.optics.coc import REFERENCE_LONG_SIDE_PX
from any2bokeh.plate.choice import PlateChoice, uses_plate
from any2bokeh.renderers.base import RenderInput


def render_inputs(
    frames: Iterable[RenderInput], *, edges: EdgeTreatment = "auto", plate: PlateChoice = "auto"
) -> Iterator[RenderInput]:
    """What ``refocus`` gives a renderer for the frames of a clip.

    With a plate, 6 frames are read ahead of the one that is given, and 12 before it are kept. A frame whose blur
    strength is 0 keeps its pixels, and its disparity is brought to their size.

    Args:
        frames: of one clip, in order, with disparity of any size and of the aspect of the picture.
        edges, plate: see ``Recipe``.

    Raises:
        InputError: an unknown treatment, or disparity of another aspect than its picture.
    """
    estimator = edge_estimator(edges)
    if uses_plate(plate):
        return _with_plate(frames, estimator)
    return (_Treated.of(frame, estimator).given() for frame in frames)


@dataclass(frozen=True, slots=True, eq=False)
class _Treated:
    """A frame with its map at the size of the picture, and the pixels that two surfaces share."""

    frame: RenderInput
    mixed: MixedPixels | None

    @classmethod
    def of(cls, frame: RenderInput, edges: EdgeEstimator | None, *, is_looked_at: bool = False) -> "_Treated":
        """Frames that are neither blurred nor looked at by another need no treatment."""
        from any2bokeh.disparity import upsample
        from any2bokeh.disparity.edges import bands_at_size

        if edges is None or not (frame.blur_strength > 0 or is_looked_at):
            return cls(replace(frame, disparity=upsample(frame.disparity, frame.pixels)), None)
        bands = bands_at_size(edges, frame.disparity, frame.pixels)
        return cls(replace(frame, disparity=bands.disparity), MixedPixels.of(bands))

    def given(self) -> RenderInput:
        bands = None if self.mixed is None else self.mixed.bands(self.frame.disparity)
        return replace(self.frame, bands=bands)


def _with_plate(frames: Iterable[RenderInput], edges: EdgeEstimator | None) -> Iterator[RenderInput]:
    from any2bokeh.plate.stream import AHEAD, BACK, PlateStream

    around = PlateStream()
    held: dict[int, RenderInput] = {}
    treated: dict[int, _Treated] = {}
    seen = 0  # the stream has been given no frame from here on
    for last, frame in enumerate(chain(frames, repeat(None, AHEAD))):
        if frame is not None:
            held[last] = frame
        index = last - AHEAD
        if index not in held:
            continue
        if held[index].blur_strength == 0 or len(held) == 1:
            given = treated.get(index) or _Treated.of(held[index], edges)
            yield given.given()
        else:
            # Only what a blurred frame looks at is treated, and looked at.
            for one in range(max(index - BACK, seen), last + 1):
                if one in held:
                    treated[one] = _Treated.of(held[one], edges, is_looked_at=True)
                    around.add(one, held[one].pixels, treated[one].frame.disparity)
            seen = last + 1
            given = treated[index].given()
            long_side_px = max(given.pixels.shape)
            px_per_disparity = given.blur_strength * long_side_px / REFERENCE_LONG_SIDE_PX
            hidden = around.hidden(index, given.disparity, given.focus_disparity, px_per_disparity)
            yield replace(given, hidden=hidden)
        held.pop(index - BACK, None)
        for old in [one for one in treated if one <= index]:
            del treated[old]
