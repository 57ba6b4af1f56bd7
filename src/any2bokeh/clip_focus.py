"""The focus of a clip: what a recipe's script or finder comes to, frame by frame."""

from contextlib import closing
from dataclasses import dataclass

from any2bokeh.clip_disparity import PartDisparity, frame_numbers
from any2bokeh.disparity import DisparitySource
from any2bokeh.focus import FocusScript, FocusTrack, resolve
from any2bokeh.focus.finder import Range
from any2bokeh.focus.pictures import LONG_SIDE_PX
from any2bokeh.focus.tracked_subjects import OnTrackedFrame, TrackedSubjects
from any2bokeh.optics.lens import Lens
from any2bokeh.recipe import Recipe
from any2bokeh.video import VideoSource
from any2bokeh.video.reduced import ReducedPictures


@dataclass(frozen=True, slots=True)
class ClipFocus:
    """The focus of frames of a clip.

    Attributes:
        script: what it was found from, counted like the clip.
        track: of the frames that are wanted; K is 0 where a lens gives it.
        over_all: of all frames of the clip, where it breathes; else None.
        reference: d_f of the clip's first frame, where a lens gives K; else None.
    """

    script: FocusScript
    track: FocusTrack
    over_all: FocusTrack | None
    reference: float | None


def found_focus(
    source: VideoSource,
    recipe: Recipe,
    maps: DisparitySource,
    *,
    start: int,
    stop: int,
    on_tracked_frame: OnTrackedFrame | None = None,
) -> ClipFocus:
    """Find the focus of the frames ``start <= index < stop``.

    Args:
        source: the clip.
        recipe: what is wanted.
        maps: its disparity; a ``PartDisparity`` makes the part a clip of its own.
        start, stop: the frames.
        on_tracked_frame: called with the frame and the tracked frame of every frame in which a subject is followed.

    Raises:
        InputError: anything wrong with the focus.
    """
    info, is_part = source.info, isinstance(maps, PartDisparity)
    first, known = (start, maps.part) if isinstance(maps, PartDisparity) else (0, maps)
    frame_count = stop - start if is_part else info.frame_count
    known_count = min(frame_count, known.frame_count)  # maps after the part may be missing
    told = None if on_tracked_frame is None else lambda frame, tracked: on_tracked_frame(frame + first, tracked)
    pictures = ReducedPictures(source, long_side_px=LONG_SIDE_PX, first=first)
    gives_lens = isinstance(recipe.blur_strength, Lens)
    with closing(TrackedSubjects(pictures, known, recipe.tracker, on_tracked_frame=told)) as subjects:
        if isinstance(recipe.focus, FocusScript):
            whole = recipe.focus
            script = whole.part(start, stop, fps=info.fps, frame_count=info.frame_count) if is_part else whole
        else:
            script = recipe.focus.find(subjects, Range(0, known_count, float(info.fps), first=first))
            whole = script.moved(first)

        def resolved(begin: int, end: int) -> FocusTrack:
            return resolve(
                script,
                disparity=known,
                frame_count=frame_count,
                fps=info.fps,
                start=begin,
                stop=end,
                frame_size=(info.width, info.height),
                frame_numbers=frame_numbers(source, first, stop if is_part else None),
                dropped_frames=() if is_part else info.dropped_frames,
                blur_strength=0.0 if isinstance(recipe.blur_strength, Lens) else recipe.blur_strength,
                subjects=subjects,
                finds_slab=recipe.focus_range.slab == "auto",
            )

        over_all = resolved(0, known_count) if recipe.breathing.strength != 0 else None
        part = slice(start - first, stop - first)
        track = resolved(part.start, part.stop) if over_all is None else over_all.part(part)
        needs_reference = gives_lens and not script.gives_blur_strength
        reference = float((over_all or resolved(0, 1)).focus_disparity[0]) if needs_reference else None
    return ClipFocus(whole, track, over_all, reference)
