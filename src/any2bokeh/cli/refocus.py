"""``any2bokeh refocus``: a clip, through a fast lens."""

from pathlib import Path
from typing import Annotated

import typer

from any2bokeh.cli.aov_options import AovOptions
from any2bokeh.cli.clip_options import Input, RangeOptions, ReadingOptions
from any2bokeh.cli.disparity_options import DisparityOptions
from any2bokeh.cli.edge_options import EdgeOptions
from any2bokeh.cli.engine_options import EngineOptions
from any2bokeh.cli.finish_options import FinishOptions
from any2bokeh.cli.focus_options import FocusOptions
from any2bokeh.cli.look_options import FocusRangeOptions, LookOptions
from any2bokeh.cli.options import paths_of
from any2bokeh.cli.output_options import EncodingOptions, Overwrite, ReportOptions
from any2bokeh.cli.plate_options import PlateOptions
from any2bokeh.cli.progress import ESTIMATING, progress_report
from any2bokeh.cli.report import disparity_facts, refocus_summary, tell, warn


def refocus_command(
    input: Input,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help=".mp4 .mov .mkv .webm, or a folder.")],
    disparity: DisparityOptions,
    edges: EdgeOptions,
    plate: PlateOptions,
    focus: FocusOptions,
    look: LookOptions,
    focus_range: FocusRangeOptions,
    engine: EngineOptions,
    finish: FinishOptions,
    encoding: EncodingOptions,
    aovs: AovOptions,
    part: RangeOptions,
    reading: ReadingOptions,
    report: ReportOptions,
    overwrite: Overwrite = False,
) -> None:
    """Refocus a clip: the same frames, sound and timing, through a fast lens."""
    from any2bokeh.engines import make_renderer
    from any2bokeh.refocusing import refocus

    settings = engine.settings()
    lens = focus.lens_with_look(settings.engine, None if report.quiet else warn)
    blur_strength, request = focus.blur_strength(), aovs.request(output)
    quiet, notice = report.quiet or report.json, None if report.quiet else warn
    with (
        reading.opened(input, notice) as source,
        progress_report(quiet=quiet, doing=ESTIMATING) as estimating,
        progress_report(quiet=quiet) as progress,
    ):
        start, stop = part.of(source)
        encoding.require_effect(output)
        script = focus.script(focus.seen_frame(source.info), first_frame=start)
        renderer = make_renderer(settings, look.look(lens), source.info)
        maps = disparity.of(
            source, script, start=start, stop=stop, device=engine.device, progress=estimating, notice=notice
        )
        result = refocus(
            source,
            output,
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
            aovs=request,
            frames=(start, stop),
            encoding=encoding.encoding(),
            overwrite=overwrite,
            also_read=paths_of(disparity, focus, look, engine),
            progress=progress,
            estimating=estimating,
            notice=notice,
        )
    summary, line = refocus_summary(result, engine=engine.engine)
    tell(summary | disparity_facts(maps), line, report)
