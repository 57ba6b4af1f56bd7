"""``any2bokeh refocus``: a clip, through a fast lens."""

from pathlib import Path
from typing import Annotated

import typer

from any2bokeh.cli.aov_options import AovOptions
from any2bokeh.cli.clip_options import DisparityOptions, Input, RangeOptions, ReadingOptions
from any2bokeh.cli.engine_options import EngineOptions
from any2bokeh.cli.finish_options import FinishOptions
from any2bokeh.cli.focus_options import FocusOptions
from any2bokeh.cli.look_options import LookOptions
from any2bokeh.cli.output_options import EncodingOptions, Overwrite, ReportOptions
from any2bokeh.cli.progress import ESTIMATING, progress_report
from any2bokeh.cli.report import disparity_facts, refocus_summary, tell, warn


def refocus_command(
    input: Input,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help=".mp4 .mov .mkv .webm, or a folder.")],
    disparity: DisparityOptions,
    focus: FocusOptions,
    look: LookOptions,
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
    from any2bokeh.refocus import refocus
    from any2bokeh.shot import frame_range

    blur_strength, request = focus.blur_strength(), aovs.request(output)
    quiet, notice = report.quiet or report.json, None if report.quiet else warn
    with (
        reading.opened(input, notice) as source,
        progress_report(quiet=quiet, doing=ESTIMATING) as estimating,
        progress_report(quiet=quiet) as progress,
    ):
        first_frame, stop = frame_range(source, part.start, part.end)
        script, renderer = focus.script(first_frame), engine.renderer(source.info, look, focus.named_lens())
        maps = disparity.of(
            source, script, start=first_frame, stop=stop, device=engine.device, progress=estimating, notice=notice
        )
        result = refocus(
            source,
            output,
            disparity=maps,
            polarity=disparity.disparity_polarity,
            focus=script,
            tracker=focus.tracker_choice(),
            blur_strength=blur_strength,
            renderer=renderer,
            focus_range=look.focus_range(),
            breathing=finish.breathed(),
            grain=finish.grain,
            aovs=request,
            start_s=part.start,
            end_s=part.end,
            encoding=encoding.encoding(),
            overwrite=overwrite,
            progress=progress,
            notice=notice,
        )
    summary, line = refocus_summary(result, engine=engine.engine)
    tell(summary | disparity_facts(maps), line, report)
