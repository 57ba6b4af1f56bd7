"""``any2bokeh preview``: one frame of what ``refocus`` would make, as a picture."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from any2bokeh.cli.clip_options import Input, ReadingOptions
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.progress import ESTIMATING, Report, progress_report
from any2bokeh.cli.recipe_options import RecipeOptions
from any2bokeh.cli.report import disparity_facts, tell, warn
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.video import VideoSource

_LARGE = "rendering a large frame part by part"


def preview_command(
    input: Input,
    output: Annotated[
        Path,
        option(
            "--output",
            "-o",
            metavar="OUT",
            help="File for the frame, with the suffix .png.",
            common=True,
            panel=Group.OUTPUT,
        ),
    ],
    options: RecipeOptions,
    reading: ReadingOptions,
    report: ReportOptions,
    frame: Annotated[
        int | None,
        option(
            "--frame",
            help="Frame to render, counted from 0 (default: 0).",
            common="Frame to render, counted from 0 (default: 0).",
            panel=Group.PICTURE,
            metavar="N",
        ),
    ] = None,
    time: Annotated[
        float | None,
        option(
            "--time",
            help="Time of the frame to render, in seconds, in place of --frame.",
            common="Time of the frame, in seconds.",
            panel=Group.PICTURE,
            metavar="S",
        ),
    ] = None,
    overlay: Annotated[
        bool,
        option(
            "--overlay",
            help="Tint the frame by depth: in front of, in, and behind the focal plane.",
            common="Tint the frame by depth.",
            panel=Group.PICTURE,
        ),
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Render one frame to a PNG file, as refocus would render it."""
    from any2bokeh.clip_disparity import with_estimate
    from any2bokeh.preview import preview, require_png_target, write_preview
    from any2bokeh.read_paths import ReadPaths

    notice = None if report.quiet else warn
    with (
        reading.opened(input, notice) as source,
        progress_report(quiet=report.quiet or report.json, doing=ESTIMATING) as estimating,
        progress_report(quiet=report.quiet or report.json, doing=_LARGE) as rendering,
    ):
        require_png_target(output, source.info.path, overwrite=overwrite)
        ReadPaths([source.info.path, *options.paths()]).require_kept(output)
        index = _frame_index(source, frame, time)
        recipe = options.made(source.info, notice=notice)
        recipe = with_estimate(recipe, source, progress=estimating, notice=notice)
        within = _within(rendering)
        shown = preview(source, index, recipe, estimating=estimating, notice=notice, within=within)
    write_preview(shown, output, overlay=overlay, overwrite=overwrite)
    result = {
        "output": str(output),
        "frame": index,
        "width": shown.source.width,
        "height": shown.source.height,
        "engine": recipe.engine.engine,
        "focus_disparity": shown.given.focus_disparity,
        "blur_strength": shown.given.blur_strength,
        **disparity_facts(recipe),
    }
    line = (
        f"{output}: frame {index}, focus disparity {shown.given.focus_disparity:.3f}, K {shown.given.blur_strength:g}"
    )
    tell(result, line, report)


def _within(rendering: Report) -> Callable[[float], None]:
    """Tells how much of the frame is done, from the first part of a large one on."""
    is_begun = False

    def within(share: float) -> None:
        nonlocal is_begun
        if not is_begun:
            rendering(0, 1)
            is_begun = True
        rendering.within(share)

    return within


def _frame_index(source: "VideoSource", frame: int | None, time_s: float | None) -> int:
    if frame is not None and time_s is not None:
        raise InputError(f"--frame {frame} and --time {time_s:g} contradict each other; give one")
    if time_s is None:
        return 0 if frame is None else frame
    if not (math.isfinite(time_s) and time_s >= 0):
        raise InputError(f"--time is {time_s:g}; give seconds from the first frame, 0 or more")
    index = source.index_at(time_s)
    if index == source.info.frame_count:
        raise InputError(f"--time is {time_s:g}, but {source.info.path} ends after {float(source.info.duration_s):g} s")
    return index
