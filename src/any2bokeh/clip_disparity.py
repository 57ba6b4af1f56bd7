"""The disparity of a clip: which frames a depth model has to see, and how given maps are opened."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.disparity import (
    DepthModel,
    DisparityReading,
    DisparitySource,
    EstimatedDisparity,
    StabilisedDisparity,
    open_disparity,
)
from any2bokeh.disparity.mending.mended import MendedDisparity, mended
from any2bokeh.disparity.value_scale import DepthScale, DisparityScale
from any2bokeh.errors import InputError
from any2bokeh.focus import DisparityTarget, FocusFinder, FocusScript, MaskTarget, TextSubject
from any2bokeh.recipe import Recipe
from any2bokeh.video import VideoSource


def with_estimate(
    recipe: Recipe,
    source: VideoSource,
    *,
    start: int = 0,
    stop: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> Recipe:
    """The recipe with the estimate of its depth model in place of the model; others as they are.

    Frames ``start <= index < stop`` are estimated as a clip of their own, unless what is in focus is seen in others:
    then the whole clip is. Nothing is estimated before it is read.

    Args:
        recipe: whose focus also tells the built-in estimate where the subject is.
        source: the clip; it stays open.
        start, stop: the frames that are wanted; all of them unless given.
        progress: called while the disparity is estimated.
        notice: told what the user should know of the model, and of what is estimated.

    Raises:
        InputError: see ``DepthModel.estimated``.
    """
    _tell_without_effect(recipe, source, notice)
    model = recipe.disparity
    if not isinstance(model, DepthModel):
        return recipe
    stop = source.info.frame_count if stop is None else stop
    script = recipe.focus if isinstance(recipe.focus, FocusScript) else None
    is_enough = _lies_within(script, source, start, stop) and _is_seen_within(recipe.focus, start, stop)
    first, end = (start, stop) if is_enough else (0, source.info.frame_count)
    if notice is not None and (start, stop) != (0, source.info.frame_count):
        _tell_of_a_part(script, start, stop, notice, is_enough=is_enough)
    estimate = model.estimated(
        source,
        seed=None if script is None else script.first_subject(source.info.fps, first=first),
        start=first,
        stop=end,
        device=recipe.engine.model_device,
        progress=progress,
        notice=notice,
    )
    return replace(recipe, disparity=estimate)


def whole_estimate(
    recipe: Recipe,
    source: VideoSource,
    *,
    progress: Callable[[int, int], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> Recipe:
    """The recipe with files of the estimate of the whole clip in place of its depth model, also where a part is wanted.

    So does the studio, whose pictures of a part are those of the clip.

    Raises:
        InputError: see ``DepthModel.estimated``.
    """
    recipe = with_estimate(recipe, source, progress=progress, notice=notice)
    if not isinstance(recipe.disparity, EstimatedDisparity):
        return recipe
    return replace(recipe, disparity=recipe.disparity.estimate().maps)


def opened_maps(
    source: VideoSource,
    recipe: Recipe,
    *,
    start: int,
    stop: int,
    scale: DisparityScale | DepthScale | None = None,
    estimating: Callable[[int, int], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> DisparitySource:
    """The disparity of a recipe, counted like the clip's frames, whether it holds the whole clip or a part of it.

    Args:
        source: the clip.
        recipe: its depth model has given way to an estimate; see ``with_estimate``.
        start, stop: the frames that are wanted.
        scale: of files, as an earlier pass over them has found it; None = find it.
        estimating: called while disparity is estimated or stabilised, which is done now.
        notice: told what is odd about the disparity.

    Returns:
        A ``PartDisparity`` where it is known of the frames ``start <= index < stop`` alone.

    Raises:
        InputError: it cannot be read, or is that of another clip.
    """
    disparity, reading = recipe.disparity, recipe.disparity_reading
    maps = _GivenMaps(source, reading, start, stop, scale, estimating, notice).opened(disparity)
    if notice is not None:
        is_unaligned = isinstance(disparity, str | Path) and reading.scale_alignment is None
        _tell_what_is_odd(maps, source, start, stop, notice, may_flicker=is_unaligned)
    return with_strokes(maps, source, recipe)


def with_strokes(maps: DisparitySource, source: VideoSource, recipe: Recipe) -> DisparitySource:
    """The disparity of a recipe with its brush strokes: the one place where they come in.

    Raises:
        InputError: a stroke lies beyond the end of the clip.
    """
    if isinstance(maps, PartDisparity):
        return PartDisparity(mended(maps.part, source, recipe.strokes, first=maps.start), maps.start)
    return mended(maps, source, recipe.strokes)


def without_strokes(maps: DisparitySource) -> DisparitySource:
    """The maps that strokes lie on."""
    if isinstance(maps, PartDisparity):
        return PartDisparity(without_strokes(maps.part), maps.start)
    return maps.maps if isinstance(maps, MendedDisparity) else maps


class PartDisparity:
    """Disparity of a part of a clip, counted like the clip's frames, of which ``start`` is the first it knows."""

    def __init__(self, part: DisparitySource, start: int) -> None:
        self.part = part
        self.start = start

    @property
    def frame_count(self) -> int:
        return self.start + self.part.frame_count

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        return self.part.frames(start - self.start, None if stop is None else stop - self.start)

    def at(self, index: int) -> NDArray[np.float32]:
        return self.part.at(index - self.start)


def frame_numbers(source: VideoSource, start: int = 0, stop: int | None = None) -> tuple[int, ...] | None:
    """Numbers in the names of an image sequence's frames ``start`` to ``stop``; None where they have none."""
    return None if source.numbers is None else source.numbers.numbers[start:stop]


@dataclass(frozen=True, slots=True)
class _GivenMaps:
    """How the maps of a clip are opened; the arguments are those of ``opened_maps``."""

    source: VideoSource
    reading: DisparityReading
    start: int
    stop: int
    scale: DisparityScale | DepthScale | None
    estimating: Callable[[int, int], None] | None
    notice: Callable[[str], None] | None

    def opened(self, disparity: str | Path | DisparitySource | DepthModel) -> DisparitySource:
        """Disparity counted like the clip's frames, whether it holds the whole clip or just the frames wanted."""
        info, wanted = self.source.info, self.stop - self.start
        if isinstance(disparity, str | Path):
            try:
                return self._stabilised(self._read(disparity, is_part=False), disparity, first=0)
            except InputError:
                if wanted < info.frame_count:
                    with suppress(InputError):
                        part = self._stabilised(self._read(disparity, is_part=True), disparity, first=self.start)
                        return PartDisparity(part, self.start)
                raise
        assert not isinstance(disparity, DepthModel), "its estimate takes its place"
        if isinstance(disparity, EstimatedDisparity):
            disparity.estimate()  # now, and not within the thread that decodes
        if disparity.frame_count == info.frame_count:
            return disparity
        if disparity.frame_count == wanted:
            return PartDisparity(disparity, self.start)
        raise InputError(
            f"disparity has {disparity.frame_count} frames but the clip has {info.frame_count}; give one map for each "
            f"frame"
        )

    def _read(self, path: str | Path, *, is_part: bool) -> DisparitySource:
        info = self.source.info
        first, count = (self.start, self.stop - self.start) if is_part else (0, info.frame_count)
        remarks: list[str] = []
        maps = open_disparity(
            path,
            clip_frame_count=count,
            # What levels bend is stabilised before.
            reading=self.reading if self.reading.scale_alignment is None else replace(self.reading, levels=None),
            stop=None if is_part else self.stop,
            frame_size=(info.width, info.height),
            frame_numbers=frame_numbers(self.source, first, first + count),
            dropped_frames=() if is_part else info.dropped_frames,
            scale=self.scale,
            notice=remarks.append,
        )
        for remark in remarks if self.notice is not None else ():  # those of an attempt that succeeds only
            self.notice(remark)  # pyright: ignore[reportOptionalCall]
        return maps

    def _stabilised(self, maps: DisparitySource, path: str | Path, *, first: int) -> DisparitySource:
        reading = self.reading
        if reading.scale_alignment is None:
            return maps
        stabilised = StabilisedDisparity(
            maps,
            Path(path),
            self.source,
            scale_alignment=reading.scale_alignment,
            how_read=f"{reading.kind} {reading.polarity}",
            start=first,
            levels=reading.levels,
            progress=self.estimating,
            notice=self.notice,
        )
        stabilised.steady()  # now, and not within the thread that decodes
        return stabilised


def _tell_what_is_odd(
    maps: DisparitySource,
    source: VideoSource,
    start: int,
    stop: int,
    notice: Callable[[str], None],
    *,
    may_flicker: bool,
) -> None:
    from any2bokeh.disparity.flicker import flicker_of, is_flat

    if is_flat(maps, start=start, stop=stop):
        notice(
            "each disparity map has one value throughout, so nothing is nearer or farther than anything else: a frame "
            "is blurred evenly, or, with the focal plane at that value, not at all"
        )
    elif may_flicker and stop - start > 1:
        remark = flicker_of(maps, source, start=start, stop=stop).remark()
        if remark is not None:
            notice(remark)


def _tell_without_effect(recipe: Recipe, source: VideoSource, notice: Callable[[str], None] | None) -> None:
    of = recipe.disparity if isinstance(recipe.disparity, DepthModel) else recipe.disparity_reading
    alignment = of.scale_alignment
    if notice is not None and alignment not in (None, "none") and source.info.frame_count == 1:
        notice(f"--scale-alignment {alignment} has no effect on a single frame")


def _tell_of_a_part(
    script: FocusScript | None, start: int, stop: int, notice: Callable[[str], None], *, is_enough: bool
) -> None:
    if not is_enough:
        notice(
            f"the focus refers to a frame outside frames {start}:{stop}, so the disparity of the whole clip is "
            f"estimated; give --focus-frame {start} to estimate these frames only"
        )
    elif script is not None and any(isinstance(keyframe.target, DisparityTarget) for keyframe in script.keyframes):
        notice(
            f"the disparity of frames {start}:{stop} is estimated on its own, so its scale differs from that of the "
            f"whole clip, and a focus given as a number may lie at another distance; for one scale, estimate the whole "
            f"clip with any2bokeh depth first"
        )


def _lies_within(script: FocusScript | None, source: VideoSource, start: int, stop: int) -> bool:
    """Whether the focus of a part can be found from the part alone."""
    if script is None:
        return True
    places = [script.clip_frame(keyframe.frame, source.info.fps) for keyframe in script.keyframes]
    follows_masks = any(isinstance(keyframe.target, MaskTarget) for keyframe in script.keyframes)
    return script.dense is None and not follows_masks and all(start <= place < stop for place in places)


def _is_seen_within(focus: FocusScript | FocusFinder, start: int, stop: int) -> bool:
    """Whether the frame in which words name a subject belongs to a part."""
    seen = focus.frame if isinstance(focus, TextSubject) else None
    return seen is None or start <= seen < stop
