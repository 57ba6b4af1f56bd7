"""``any2bokeh refocus``: a clip, through a fast lens."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec

from any2bokeh.cli.aov_options import AovOptions
from any2bokeh.cli.clip_options import PipedReadingOptions, RangeOptions
from any2bokeh.cli.event_stream import current_events
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option
from any2bokeh.cli.output_options import EncodingOptions, Overwrite, ReportOptions
from any2bokeh.cli.progress import ESTIMATING, JOINING, progress_report
from any2bokeh.cli.project_options import ProjectInput, ProjectPath, ordered
from any2bokeh.cli.recipe_options import RecipeOptions
from any2bokeh.cli.report import disparity_facts, refocus_summary, tell, warn
from any2bokeh.cli.segment_options import ClusterOptions, SegmentOptions
from any2bokeh.events import ClipFinished, ClipStarted, RunFinished, RunPlanned

Told = ParamSpec("Told")


def refocus_command(
    options: RecipeOptions,
    encoding: EncodingOptions,
    aovs: AovOptions,
    part: RangeOptions,
    segments: SegmentOptions,
    cluster: ClusterOptions,
    reading: PipedReadingOptions,
    report: ReportOptions,
    input: ProjectInput = None,
    output: Annotated[
        Path | None,
        option(
            "--output",
            "-o",
            metavar="OUT",
            help="Video file (.mp4, .mov, .mkv or .webm) or folder, or - for standard output, as YUV4MPEG2 or, with "
            "--codec rawvideo, as raw frames. Needed, but for --project, whose default is NAME-bokeh.mp4 in the "
            "working directory.",
            common="Video (.mp4, .mov, .mkv, .webm), folder or -.",
            panel=Group.OUTPUT,
        ),
    ] = None,
    project: ProjectPath = None,
    save_recipe: Annotated[
        Path | None,
        option(
            "--save-recipe",
            help="JSON file to save the options for disparity, focus, lens, engine and finish to, for --recipe.",
            common="File to save these options to.",
            panel=Group.RECIPE,
            metavar="FILE",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Refocus a clip: the same frames, sound and timing, as if shot through a fast lens."""
    from any2bokeh import recipe_json
    from any2bokeh.clip_disparity import whole_estimate
    from any2bokeh.refocusing import refocus
    from any2bokeh.segments.sink import bytes_of

    events, began = current_events(), time.perf_counter()
    cluster.require_ray()
    order = ordered(project, input, output, options, encoding)
    output = order.output
    request, segmentation = aovs.request(output), segments.segmentation(cluster)
    quiet, notice = report.quiet or report.json, events.notice(None if report.quiet else warn)
    events.tell(RunPlanned([{"input": str(order.input), "output": str(output)}]))
    events.tell(ClipStarted(0, str(order.input), str(output)))
    with (
        reading.opened(order.input, notice) as source,
        progress_report(quiet=quiet, doing=ESTIMATING) as estimating,
        progress_report(quiet=quiet) as progress,
        progress_report(quiet=quiet, doing=JOINING) as joining,
    ):
        start, stop = part.of(source, order.frames)
        encoding.require_effect(output)
        recipe = order.recipe(source, start, notice)
        followed = recipe
        if order.project is not None and (start, stop) != (0, source.info.frame_count):
            followed = whole_estimate(recipe, source, progress=estimating, notice=notice)
        if save_recipe is not None:
            recipe_json.check_recipe_target(
                recipe, save_recipe, read=[source.info.path, *order.paths], overwrite=overwrite
            )
        rendering = events.frames("rendering")
        with cluster.workers() as workers:
            result = refocus(
                source,
                output,
                followed,
                aovs=request,
                frames=(start, stop),
                encoding=order.encoding,
                segmentation=segmentation,
                workers=workers,
                overwrite=overwrite,
                also_read=order.paths,
                within=_both(progress.within, rendering.within),
                progress=_both(progress, rendering),
                estimating=_both(estimating, events.frames("estimating")),
                joining=joining,
                notice=notice,
                watch=events.tell,
            )
    if save_recipe is not None:
        recipe_json.save_recipe(recipe, save_recipe)
    summary, line = refocus_summary(result, engine=recipe.engine.engine)
    summary |= disparity_facts(result.recipe)
    if events.is_on:
        seconds, size = round(time.perf_counter() - began, 3), bytes_of(result.output)
        events.tell(ClipFinished(0, "rendered", str(result.output), result.frame_count, size, seconds))
        events.tell(RunFinished(0, 1, 0, 0, events.seconds, summary))
    else:
        tell(summary, line, report)


def _both(one: Callable[Told, None], other: Callable[Told, None]) -> Callable[Told, None]:
    def report(*told: Told.args, **more: Told.kwargs) -> None:
        one(*told, **more)
        other(*told, **more)

    return report
