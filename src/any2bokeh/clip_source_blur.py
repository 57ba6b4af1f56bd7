"""The blur that a clip has already: what a recipe's choice comes to."""

from collections.abc import Callable
from pathlib import Path

from any2bokeh.clip_disparity import PartDisparity, frame_numbers
from any2bokeh.disparity import DisparitySource
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusTrack
from any2bokeh.recipe import Recipe
from any2bokeh.source_blur import RadiusMaps, SourceLens
from any2bokeh.video import VideoSource

# Less blur than this is not told: nobody sees it.
_TOLD_PX = 0.5


def found_source_blur(
    source: VideoSource,
    recipe: Recipe,
    maps: DisparitySource,
    *,
    stop: int,
    notice: Callable[[str], None] | None = None,
) -> SourceLens | RadiusMaps | None:
    """What blur the frames of a clip have already; None where they count as sharp.

    An estimate looks at a few frames of the whole clip, whichever part of it is wanted; at frames of the part only
    where disparity is known of nothing else.

    Args:
        source: the clip.
        recipe: what is wanted.
        maps: its disparity.
        stop: the frame after the last that is wanted.
        notice: told what was found.

    Raises:
        InputError: maps of radii, or the frames that are looked at, cannot be read.
    """
    choice = recipe.source_blur
    if isinstance(choice, SourceLens):
        return choice
    if choice != "auto":
        return opened_source_blur(source, recipe, stop=stop, notice=notice)
    from any2bokeh.source_blur.estimate import estimated_lens

    part = maps if isinstance(maps, PartDisparity) else None
    first = 0 if part is None else part.start
    last = min(source.info.frame_count, maps.frame_count) if part is None else part.frame_count
    found = estimated_lens(source, maps, range(first, last))
    if notice is not None:
        notice(str(found))
    return found.lens


def opened_source_blur(
    source: VideoSource, recipe: Recipe, *, stop: int, notice: Callable[[str], None] | None = None
) -> RadiusMaps | None:
    """The maps of radii that a recipe names; None where it names none. The arguments are those of `found_source_blur`.

    Raises:
        InputError: they cannot be read, or are those of another clip.
    """
    path = recipe.source_blur
    if not isinstance(path, Path):
        return None
    if not path.exists():
        raise InputError(
            f"source blur is {path}, and there is no such file; give auto, off, the lens of the source as K,D (such as "
            f"8,0.4), or maps of radii"
        )
    info = source.info
    return RadiusMaps(
        path,
        frame_size=(info.width, info.height),
        clip_frame_count=info.frame_count,
        stop=stop,
        frame_numbers=frame_numbers(source),
        dropped_frames=info.dropped_frames,
        notice=notice,
    )


def of_source_blur(lens: SourceLens, track: FocusTrack) -> tuple[str, ...]:
    """Remarks on what is to be in focus and was not in focus in the source."""
    blurred = track.blur_strength > 0
    if not blurred.any():
        return ()
    radius = lens.blur_strength * abs(track.focus_disparity - lens.focus_disparity) * blurred
    worst = int(radius.argmax())
    if radius[worst] < _TOLD_PX:
        return ()
    return (
        f"what is in focus is already blurred in the source, by a radius of up to {radius[worst]:.1f} px in a frame of "
        f"1024 px (at disparity {track.focus_disparity[worst]:.2f}); it cannot be sharpened",
    )
