"""``any2bokeh refocus``: a clip, through a fast lens."""

from pathlib import Path
from typing import Annotated

import typer

from any2bokeh.cli.aov_options import AovOptions
from any2bokeh.cli.clip_options import Input, RangeOptions, ReadingOptions
from any2bokeh.cli.options import option
from any2bokeh.cli.output_options import EncodingOptions, Overwrite, ReportOptions
from any2bokeh.cli.progress import ESTIMATING, JOINING, progress_report
from any2bokeh.cli.recipe_options import RecipeOptions
from any2bokeh.cli.report import disparity_facts, refocus_summary, tell, warn
from any2bokeh.cli.segment_options import ClusterOptions, SegmentOptions


def refocus_command(
    input: Input,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="Video file (.mp4, .mov, .mkv or .webm) or folder.")
    ],
    options: RecipeOptions,
    encoding: EncodingOptions,
    aovs: AovOptions,
    part: RangeOptions,
    segments: SegmentOptions,
    cluster: ClusterOptions,
    reading: ReadingOptions,
    report: ReportOptions,
    save_recipe: Annotated[
        Path | None,
        option(
            "--save-recipe",
            help="JSON file to save the options for disparity, focus, lens, engine and finish to, for --recipe.",
            metavar="FILE",
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Refocus a clip: the same frames, sound and timing, as if shot through a fast lens."""
    from any2bokeh import recipe_json
    from any2bokeh.refocusing import refocus

    cluster.require_ray()
    request, segmentation = aovs.request(output), segments.segmentation(cluster)
    quiet, notice = report.quiet or report.json, None if report.quiet else warn
    with (
        reading.opened(input, notice) as source,
        progress_report(quiet=quiet, doing=ESTIMATING) as estimating,
        progress_report(quiet=quiet) as progress,
        progress_report(quiet=quiet, doing=JOINING) as joining,
    ):
        start, stop = part.of(source)
        encoding.require_effect(output)
        recipe = options.made(source.info, first_frame=start, notice=notice)
        if save_recipe is not None:
            recipe_json.check_recipe_target(
                recipe, save_recipe, read=[source.info.path, *options.paths()], overwrite=overwrite
            )
        with cluster.workers() as workers:
            result = refocus(
                source,
                output,
                recipe,
                aovs=request,
                frames=(start, stop),
                encoding=encoding.encoding(),
                segmentation=segmentation,
                workers=workers,
                overwrite=overwrite,
                also_read=options.paths(),
                progress=progress,
                estimating=estimating,
                joining=joining,
                notice=notice,
            )
    if save_recipe is not None:
        recipe_json.save_recipe(recipe, save_recipe)
    summary, line = refocus_summary(result, engine=recipe.engine.engine)
    tell(summary | disparity_facts(result.recipe), line, report)
