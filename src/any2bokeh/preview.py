"""One frame of what ``refocus`` would make, and where its focal plane lies."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from any2bokeh.aov.pictures import focus_overlay
from any2bokeh.disparity import DisparityReading, DisparitySource
from any2bokeh.disparity.edges import EdgeTreatment
from any2bokeh.engines import EngineSettings, make_renderer
from any2bokeh.errors import InputError
from any2bokeh.focus import FocusFinder, FocusScript
from any2bokeh.focus.tracked_subjects import LoadsTracker
from any2bokeh.grain import MatchedGrain
from any2bokeh.optics.breathing import Breathing
from any2bokeh.optics.focus_range import FocusRange
from any2bokeh.optics.lens import Lens
from any2bokeh.optics.look import Look
from any2bokeh.pending_output import check_target
from any2bokeh.picture import write_picture
from any2bokeh.refocusing import Progress
from any2bokeh.renderers.base import Renderer, RenderInput
from any2bokeh.shot import Shot
from any2bokeh.video import VideoInfo, VideoSource


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
    *,
    disparity: str | Path | DisparitySource,
    focus: FocusScript | FocusFinder,
    tracker: LoadsTracker | None = None,
    blur_strength: float | Lens | None = None,
    disparity_reading: DisparityReading | None = None,
    edges: EdgeTreatment = "auto",
    renderer: Renderer | None = None,
    focus_range: FocusRange | None = None,
    breathing: Breathing | None = None,
    grain: float = 0.0,
    estimating: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> Preview:
    """Refocus one frame; the arguments are those of ``refocus``.

    Raises:
        InputError: bad input, or no such frame.
    """
    if not 0 <= index < source.info.frame_count:
        raise InputError(f"there is no frame {index}: {source.info.path} has frames 0 to {source.info.frame_count - 1}")
    shot = Shot.open(
        source,
        disparity,
        focus,
        tracker=tracker,
        blur_strength=blur_strength,
        disparity_reading=disparity_reading,
        edges=edges,
        focus_range=focus_range,
        breathing=breathing,
        start=index,
        stop=index + 1,
        estimating=estimating,
        notice=notice,
    )
    each = next(shot.frames(), None)
    if each is None:
        raise InputError(f"{source.info.path} ends before frame {index}, which it announces; choose an earlier one")
    for remark in shot.track.warnings if notice else ():
        notice(remark)  # pyright: ignore[reportOptionalCall]
    if notice and breathing is not None and breathing.strength != 0 and bool((shot.zoom == 1).all()):
        notice(f"breathing {breathing.strength:g} changes nothing in this frame: the clip's focus is nowhere farther")
    [pixels] = (renderer or make_renderer(EngineSettings(), Look(), source.info)).render([each.given])
    if grain != 0:
        matched = MatchedGrain.of_clip(grain, source)
        if notice and not matched.is_known:
            notice("no grain could be measured between its frames; none is put back")
        pixels = matched.put_back(each.given.pixels, pixels, each.frame.index)
    changed = (pixels != each.frame.pixels).any(axis=0)
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
