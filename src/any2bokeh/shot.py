"""A clip with its disparity and its focus: what a renderer needs, checked and ready to be read."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from any2bokeh.clip_disparity import PartDisparity, opened_maps, with_estimate
from any2bokeh.clip_focus import ClipFocus, found_focus
from any2bokeh.clip_source_blur import found_source_blur, of_source_blur
from any2bokeh.disparity import DisparitySource, inverse_metres_per_unit
from any2bokeh.disparity.edges import EdgeEstimator, edge_estimator
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusScript, FocusTrack
from any2bokeh.focus.tracked_subjects import OnTrackedFrame
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.lens import Lens
from any2bokeh.plate.choice import uses_plate
from any2bokeh.recipe import Recipe
from any2bokeh.renderers.base import Renderer, TakesHidden
from any2bokeh.source_blur import FrameBlur, RadiusMaps, SourceLens, blur_in_frame
from any2bokeh.video import VideoInfo, VideoSource

FrameRange = tuple[int, int | None]
"""The frames ``first <= index < end`` of a clip; its end where the second is None."""

# Of disparity; a smaller slab changes nothing that could be seen.
_TOLD_SLAB = 0.005


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames of a clip with everything that a renderer needs to know of them, checked and ready to be read.

    Attributes:
        source: the pictures.
        recipe: what was wanted, with the estimate of its depth model in place of the model.
        disparity: counted like ``source``, from its first frame.
        start, stop: the frames ``start <= index < stop`` that are wanted.
        track: d_f and K of each of these, the first being those of frame ``start``.
        script: what the track was found from, counted like ``source``.
        lens: that gave K; None where K was given.
        inverse_metres_per_unit: 1/metres that disparity 1 stands for, where a lens or a metric model tells.
        zoom: by breathing, of each frame; 1 or more.
        strongest_blur: K of the frame of the clip that is blurred most, its zoom included.
        edges: what treats the edges of disparity once it has the picture's size; None = nothing.
        plate: whether frames are told what those around them saw of their hidden background.
        source_blur: what blur the frames have already; None = they count as sharp.
    """

    source: VideoSource
    recipe: Recipe
    disparity: DisparitySource
    start: int
    stop: int
    track: FocusTrack
    script: FocusScript
    lens: Lens | None
    inverse_metres_per_unit: float | None
    zoom: NDArray[np.float64]
    strongest_blur: float
    edges: EdgeEstimator | None = None
    plate: bool = False
    source_blur: SourceLens | RadiusMaps | None = None

    @classmethod
    def open(
        cls,
        source: VideoSource,
        recipe: Recipe,
        *,
        start: int = 0,
        stop: int | None = None,
        on_tracked_frame: OnTrackedFrame | None = None,
        estimating: Callable[[int, int], None] | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> Self:
        """Find the disparity and the focus of frames of a clip.

        A frame gets the same whether it is opened alone, in a part or in the whole clip: what refers to one frame (the
        distance of a lens) refers to the clip's first, and what refers to all (the least zoom of a lens that breathes,
        the subjects that autofocus picks) to all of the clip. Only disparity of a part makes the part a clip of its
        own, which the remarks of the track tell.

        Args:
            source: the clip; it stays open.
            recipe: what is wanted.
            start, stop: the frames; all of them unless given.
            on_tracked_frame: called with the frame and the tracked frame of every frame in which a subject is followed.
            estimating: called while disparity is estimated, and while the maps of files are stabilised.
            notice: told what is odd about the disparity, and what the user should know of its model.

        Raises:
            InputError: anything wrong with the disparity or the focus.
        """
        treats_edges, looks_around = edge_estimator(recipe.edges), uses_plate(recipe.plate)
        stop = source.info.frame_count if stop is None else stop
        recipe = with_estimate(recipe, source, start=start, stop=stop, progress=estimating, notice=notice)
        maps = opened_maps(source, recipe, start=start, stop=stop, estimating=estimating, notice=notice)
        focus = found_focus(source, recipe, maps, start=start, stop=stop, on_tracked_frame=on_tracked_frame)
        blur = _Blur.of(recipe, focus, inverse_metres_per_unit(maps.part if isinstance(maps, PartDisparity) else maps))
        zoom = np.ones(stop - start)
        if focus.over_all is not None:
            zooms = recipe.breathing.zoom(focus.over_all.focus_disparity)
            zoom = zooms if isinstance(maps, PartDisparity) else zooms[start:stop]
            blur = replace(blur, strongest=blur.strongest * float(zooms.max()))
        track = focus.track
        if blur.lens is not None:
            track = replace(track, blur_strength=np.full(stop - start, blur.of_lens))
        remarks = () if track.slab is None or track.slab.max() <= _TOLD_SLAB else (_of_the_slab(track.slab),)
        source_blur = None
        if bool((track.blur_strength > 0).any()):
            source_blur = found_source_blur(source, recipe, maps, stop=stop, notice=notice)
        if isinstance(source_blur, SourceLens):
            remarks += of_source_blur(source_blur, track)
        if isinstance(maps, PartDisparity):
            is_found = not isinstance(recipe.focus, FocusScript)
            remarks += _of_a_part(start, stop, blur.lens is not None, focus.over_all is not None, is_found)
        return cls(
            source=source,
            recipe=recipe,
            disparity=maps,
            start=start,
            stop=stop,
            track=replace(track, warnings=track.warnings + remarks),
            script=focus.script,
            lens=blur.lens,
            inverse_metres_per_unit=blur.inverse_metres_per_unit,
            zoom=zoom,
            strongest_blur=blur.strongest,
            edges=treats_edges,
            plate=looks_around and source.info.frame_count > 1,
            source_blur=source_blur,
        )

    def seen_by(self, renderer: Renderer) -> "Shot":
        """The shot as a renderer takes it: without a plate where the renderer does not take one."""
        return self if isinstance(renderer, TakesHidden) else replace(self, plate=False)

    def part(self, start: int, stop: int) -> "Shot":
        """Some of its frames, which come out as they do in all of it."""
        frames = slice(start - self.start, stop - self.start)
        return replace(self, start=start, stop=stop, track=self.track.part(frames), zoom=self.zoom[frames])

    @property
    def first_known(self) -> int:
        """The first frame of the clip whose disparity is known."""
        return self.disparity.start if isinstance(self.disparity, PartDisparity) else 0

    @property
    def is_part(self) -> bool:
        """Whether disparity is known of the part alone, which is then a clip of its own."""
        return isinstance(self.disparity, PartDisparity)

    def focus_range_at(self, index: int) -> FocusRange:
        """What stays in focus in a frame of the part."""
        slab = 0.0 if self.track.slab is None else float(self.track.slab[index - self.start])
        return self.recipe.focus_range.in_frame(slab)

    def source_blur_in(self, index: int, disparity: NDArray[np.float32]) -> FrameBlur | None:
        """What blur a frame with the disparity ``(1, H, W)`` has already; None where it counts as sharp."""
        return blur_in_frame(self.source_blur, index, disparity)

    def blur_at(self, index: int) -> float:
        """K of a frame of the clip, before its zoom; 0 outside the part."""
        return float(self.track.blur_strength[index - self.start]) if self.start <= index < self.stop else 0.0


@dataclass(frozen=True, slots=True)
class _Blur:
    """How strong the blur of a clip is.

    Attributes:
        lens: that gives K; None where K is given.
        of_lens: its K; 0 where it gives none.
        strongest: no K of the clip is larger.
        inverse_metres_per_unit: 1/metres that disparity 1 stands for, where a lens or a metric model tells.
    """

    lens: Lens | None
    of_lens: float
    strongest: float
    inverse_metres_per_unit: float | None

    @classmethod
    def of(cls, recipe: Recipe, focus: ClipFocus, metres: float | None) -> "_Blur":
        """That of a recipe, with disparity of which 1 stands for 1/``metres``.

        Raises:
            InputError: see ``Lens.blur_strength``.
        """
        lens = recipe.blur_strength
        if not isinstance(lens, Lens):
            return cls(None, 0.0, focus.script.strongest_blur(lens or 0.0), metres)
        if focus.reference is None:  # the script says how strong it is
            return cls(None, 0.0, focus.script.strongest_blur(0.0), metres)
        # One scale of disparity for the clip, so one K: racking the focus does not change the lens.
        of_lens = lens.blur_strength(focus.reference, metres)
        return cls(lens, of_lens, of_lens, 1 / (focus.reference * lens.distance_m(focus.reference, metres)))


def frame_range(
    source: VideoSource, start_s: float | None, end_s: float | None, frames: FrameRange | None = None
) -> tuple[int, int]:
    """The frames ``start <= index < stop`` of a part of a clip.

    Args:
        source: the clip.
        start_s, end_s: those shown at ``start_s <= time < end_s`` seconds from the first.
        frames: or their numbers from 0 on, the last exclusive; None there is the clip's end.

    Raises:
        InputError: times that are negative or not finite, numbers outside the clip, both, or that no frame lies
            between.
    """
    if frames is not None:
        if start_s is not None or end_s is not None:
            raise InputError("a part is given in frames and in seconds; give one of the two")
        return _numbered(source.info, *frames)
    for name, value in (("start", start_s), ("end", end_s)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise InputError(f"{name} is {value:g} s; give seconds from the first frame, 0 or more")
    start = 0 if start_s is None else source.index_at(start_s)
    stop = source.info.frame_count if end_s is None else source.index_at(end_s)
    if start >= stop:
        asked = f"from {start_s or 0:g} s to {'its end' if end_s is None else f'{end_s:g} s'}"
        raise InputError(
            f"{source.info.path} has no frame {asked}; it is {float(source.info.duration_s):.3f} s long, and the end "
            f"must lie after the start"
        )
    return start, stop


def _numbered(info: VideoInfo, first: int, end: int | None) -> tuple[int, int]:
    stop = info.frame_count if end is None else end
    if not 0 <= first < stop <= info.frame_count:
        raise InputError(
            f"frames {first}:{'' if end is None else end} are not in {info.path}, which has frames 0 to "
            f"{info.frame_count - 1}; give A:B with 0 <= A < B <= {info.frame_count}, B being the frame after the last"
        )
    return first, stop


def _of_the_slab(slab: NDArray[np.float64]) -> str:
    return (
        f"all of the subject that is followed stays sharp: the focus slab reaches up to {float(slab.max()):.2f} of "
        f"disparity to both sides of it; --focus-slab 0 leaves it out"
    )


def _of_a_part(start: int, stop: int, has_lens: bool, breathes: bool, is_found: bool) -> tuple[str, ...]:
    """What disparity of a part alone cannot tell of the clip."""
    on = {
        "the distance of the lens": has_lens,
        "the zoom of its breathing": breathes,
        "the choice of the subject": is_found,
    }
    counted = [what for what, depends in on.items() if depends]
    if not counted:
        return ()
    return (
        f"disparity is known of frames {start}:{stop} alone, so {' and '.join(counted)} refer to that part, and may "
        f"differ from a run of the whole clip; give the disparity of the whole clip (any2bokeh depth) to make them one",
    )
