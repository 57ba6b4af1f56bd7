"""One frame of what ``refocus`` would make, and where its focal plane lies."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.aov.pictures import focus_overlay
from any2bokeh.clip_disparity import with_estimate
from any2bokeh.engines import make_renderer
from any2bokeh.errors import InputError
from any2bokeh.frame_shares import FrameShares
from any2bokeh.grain import MatchedGrain
from any2bokeh.pending_output import check_target
from any2bokeh.picture import write_picture
from any2bokeh.recipe import Recipe
from any2bokeh.refocusing import Progress
from any2bokeh.renderers.base import Renderer, RenderInput, TellsWithin
from any2bokeh.shot import Shot
from any2bokeh.shot_frames import frames_of
from any2bokeh.video import VideoInfo, VideoSource
from any2bokeh.video.dither import are_changed


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """One refocused frame.

    Attributes:
        source: what the clip is.
        index: which frame of the clip.
        given: what the renderer was given.
        pixels: ``(3, H, W)`` float32, what it made of it, in the transfer of the source.
        changed: ``(H, W)``, where that is not the source's own pixel, which is dithered in 8 bits; None = nowhere.
    """

    source: VideoInfo
    index: int
    given: RenderInput
    pixels: NDArray[np.float32]
    changed: NDArray[np.bool_] | None = None


def preview(
    source: VideoSource,
    index: int,
    recipe: Recipe,
    *,
    renderer: Renderer | None = None,
    estimating: Progress | None = None,
    notice: Callable[[str], None] | None = None,
    within: Callable[[float], None] | None = None,
) -> Preview:
    """Refocus one frame as a run of the whole clip does; the arguments are those of ``refocus``.

    Raises:
        InputError: bad input, or no such frame.
    """
    if not 0 <= index < source.info.frame_count:
        raise InputError(f"there is no frame {index}: {source.info.path} has frames 0 to {source.info.frame_count - 1}")
    # Of the whole clip: what is shown is what the whole run will make.
    recipe = with_estimate(recipe, source, progress=estimating, notice=notice)
    engine = renderer or make_renderer(recipe.engine, recipe.look, source.info, notice=notice)
    shares = None if within is None else FrameShares(within)
    if shares is not None and isinstance(engine, TellsWithin):
        engine.within = shares.rendered
    shot = Shot.open(source, recipe, start=index, stop=index + 1, estimating=estimating, notice=notice).seen_by(engine)
    each = next(frames_of(shot, told=shares and shares.treated), None)
    if each is None:
        raise InputError(
            f"{source.info.path} ends before frame {index}, although it states more frames; choose an earlier one"
        )
    for remark in shot.track.warnings if notice else ():
        notice(remark)  # pyright: ignore[reportOptionalCall]
    if notice and recipe.breathing.strength != 0 and bool((shot.zoom == 1).all()):
        notice(
            f"breathing {recipe.breathing.strength:g} has no effect on this frame, because the focus is nowhere "
            f"farther in the clip"
        )
    [pixels] = engine.render([each.given])
    if recipe.grain != 0:
        matched = MatchedGrain.of_clip(recipe.grain, source)
        if notice and not matched.is_known:
            notice("no grain could be measured in the clip, so none is restored")
        pixels = matched.put_back(each.given.pixels, pixels, each.frame.index)
    changed = are_changed(pixels, each.frame.pixels)
    return Preview(source.info, each.frame.index, each.given, pixels, changed)


def focal_plane_overlay(shown: Preview) -> NDArray[np.float32]:
    """The refocused frame, tinted by side of the focal plane; see ``focus_overlay``."""
    return focus_overlay(shown.given, _code_values(shown))


def write_preview(shown: Preview, path: str | Path, *, overlay: bool = False, overwrite: bool = False) -> None:
    """Write a preview as PNG, of 16 bits where the source has more than 8.

    Raises:
        InputError: the path does not end in .png, exists, or cannot be written.
    """
    pixels = focal_plane_overlay(shown) if overlay else _code_values(shown)
    require_png_target(path, shown.source.path, overwrite=overwrite)
    dither = None if overlay or shown.changed is None else (shown.changed, shown.index)
    write_picture(Path(path), pixels, bit_depth=shown.source.bit_depth, dither=dither)


def require_png_target(path: str | Path, source: Path, *, overwrite: bool) -> None:
    """Refuse a path that a preview cannot be written to.

    Raises:
        InputError: the path does not end in .png, exists, or cannot be written.
    """
    if Path(path).suffix.lower() != ".png":
        raise InputError(f"preview {path} is not a PNG; give a name that ends in .png")
    check_target(Path(path), source, overwrite=overwrite)


def _code_values(shown: Preview) -> NDArray[np.float32]:
    """Pixels as a screen takes them: scene-linear sources are encoded."""
    from any2bokeh.optics.transfer import srgb_encode

    return srgb_encode(shown.pixels) if shown.source.transfer == "linear" else np.clip(shown.pixels, 0, 1)
