"""Which frames of a clip a depth model has to see before its focus can be found."""

from collections.abc import Callable
from dataclasses import replace

from any2bokeh.disparity import DepthModel
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
        device=recipe.engine.device,
        progress=progress,
        notice=notice,
    )
    return replace(recipe, disparity=estimate)


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
