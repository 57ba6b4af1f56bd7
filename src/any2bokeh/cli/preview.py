"""``any2bokeh preview``: one frame of what ``refocus`` would make, as a picture."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from any2bokeh.cli.clip_options import Input, ReadingOptions
from any2bokeh.cli.disparity_options import DisparityOptions
from any2bokeh.cli.edge_options import EdgeOptions
from any2bokeh.cli.engine_options import EngineOptions
from any2bokeh.cli.finish_options import FinishOptions
from any2bokeh.cli.focus_options import FocusOptions
from any2bokeh.cli.look_options import FocusRangeOptions, LookOptions
from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.plate_options import PlateOptions
from any2bokeh.cli.progress import ESTIMATING, progress_report
from any2bokeh.cli.report import disparity_facts, tell, warn
from any2bokeh.errors import InputError

if TYPE_CHECKING:
    from any2bokeh.video import VideoSource


def preview_command(
    input: Input,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="A .png file.")],
    disparity: DisparityOptions,
    edges: EdgeOptions,
    plate: PlateOptions,
    focus: FocusOptions,
    look: LookOptions,
    focus_range: FocusRangeOptions,
    engine: EngineOptions,
    finish: FinishOptions,
    reading: ReadingOptions,
    report: ReportOptions,
    frame: Annotated[
        int | None, option("--frame", help="Which frame, from 0; the first unless given.", metavar="N")
    ] = None,
    time: Annotated[float | None, option("--time", help="The frame shown at this second.", metavar="S")] = None,
    overlay: Annotated[
        bool, option("--overlay", help="Tint what is nearer than the focal plane, in it, and farther.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Render one frame as a PNG, as refocus would make it; a point or box is one of --focus-frame."""
    from any2bokeh.engines import make_renderer
    from any2bokeh.preview import preview, require_png_target, write_preview
    from any2bokeh.read_paths import ReadPaths

    settings = engine.settings()
    lens = focus.lens_with_look(settings.engine, None if report.quiet else warn)
    blur_strength = focus.blur_strength()
    notice = None if report.quiet else warn
    with (
        reading.opened(input, notice) as source,
        progress_report(quiet=report.quiet or report.json, doing=ESTIMATING) as estimating,
    ):
        require_png_target(output, source.info.path, overwrite=overwrite)
        read = ReadPaths([source.info.path, *paths_of(disparity, focus, look, engine)])
        read.require_kept(output)
        index = _frame_index(source, frame, time)
        script = focus.script(focus.seen_frame(source.info))
        renderer = make_renderer(settings, look.look(lens), source.info)
        # The whole clip: what is shown is what the whole run will make.
        maps = disparity.of(source, script, device=engine.device, progress=estimating, notice=notice)
        shown = preview(
            source,
            index,
            disparity=maps,
            disparity_reading=disparity.reading(),
            edges=edges.edges,
            plate=plate.plate,
            focus=script,
            tracker=focus.tracker_choice(),
            blur_strength=blur_strength,
            renderer=renderer,
            focus_range=focus_range.focus_range(),
            breathing=finish.breathed(),
            grain=finish.grain,
            estimating=estimating,
            notice=notice,
        )
    write_preview(shown, output, overlay=overlay, overwrite=overwrite)
    result = {
        "output": str(output),
        "frame": index,
        "width": shown.source.width,
        "height": shown.source.height,
        "engine": engine.engine,
        "focus_disparity": shown.given.focus_disparity,
        "blur_strength": shown.given.blur_strength,
        **disparity_facts(maps),
    }
    line = (
        f"{output}: frame {index}, focus disparity {shown.given.focus_disparity:.3f}, K {shown.given.blur_strength:g}"
    )
    tell(result, line, report)


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
