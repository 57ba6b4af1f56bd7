"""``any2bokeh track``: what is in focus, decided and written as a focus script."""

import math
from pathlib import Path
from typing import Annotated

import typer

from any2bokeh.cli.clip_options import Input, RangeOptions, ReadingOptions
from any2bokeh.cli.disparity_options import DisparityOptions
from any2bokeh.cli.focus_options import SubjectOptions
from any2bokeh.cli.option_groups import Group
from any2bokeh.cli.options import option, paths_of
from any2bokeh.cli.output_options import Overwrite, ReportOptions
from any2bokeh.cli.progress import ESTIMATING, progress_report
from any2bokeh.cli.report import disparity_facts, tell, warn
from any2bokeh.engines import Device, EngineSettings
from any2bokeh.errors import InputError

_TRACKING = "following the subject through {total} frames"


def _print_schema(asked: bool) -> None:
    if asked:
        from any2bokeh.focus.script_json import SCHEMA

        typer.echo(SCHEMA.read_text(encoding="utf-8"), nl=False)
        raise typer.Exit


def track_command(
    input: Input,
    output: Annotated[
        Path,
        option(
            "--output", "-o", metavar="OUT", help="JSON file for the focus script.", common=True, panel=Group.OUTPUT
        ),
    ],
    disparity: DisparityOptions,
    subject: SubjectOptions,
    part: RangeOptions,
    reading: ReadingOptions,
    report: ReportOptions,
    masks: Annotated[
        Path | None,
        option(
            "--masks",
            help="Folder to write the mattes of the subject to, for --focus-mask.",
            common="Folder for mattes of the subject.",
            panel=Group.OUTPUT,
            metavar="FOLDER",
        ),
    ] = None,
    bake: Annotated[
        bool,
        option(
            "--bake",
            help="Write the resulting focus, as keyframes of disparity, in place of the subjects.",
            common="Write keyframes of disparity, not subjects.",
            panel=Group.OUTPUT,
        ),
    ] = False,
    blur: Annotated[
        float | None,
        option(
            "--blur",
            help="Blur strength K to write into the script, 0 or more (default: none).",
            common="Blur strength K to write, 0 or more.",
            panel=Group.OUTPUT,
            metavar="K",
        ),
    ] = None,
    device: Annotated[
        Device, option("--device", help="Device that the depth model runs on.", common=True, panel=Group.ENGINE)
    ] = "auto",
    overwrite: Overwrite = False,
    schema: Annotated[
        bool,
        option(
            "--schema",
            help="Print the JSON Schema of focus scripts, with which editors complete and check them, and exit.",
            panel=Group.OUTPUT,
            at_once=_print_schema,
        ),
    ] = False,
) -> None:
    """Follow a subject, or choose subjects with --focus auto, and write a focus script for --focus-script."""
    from any2bokeh.recipe import Recipe
    from any2bokeh.track import track

    subject.require_one_focus()
    if subject.focus not in (None, "auto"):
        raise InputError(
            f"--focus {subject.focus} is a plane, which has no subject to follow; give --focus auto or a point"
        )
    subject.require_effect()
    if masks is not None and not subject.track:
        raise InputError(f"--masks {masks} needs a subject that is followed; leave --no-track out")
    if disparity.disparity is not None and device != "auto":
        raise InputError(
            f"--device {device} is for a depth model, and --disparity {disparity.disparity} needs none; leave it out"
        )
    if blur is not None and not (math.isfinite(blur) and blur >= 0):
        raise InputError(f"--blur is {blur:g}; give a finite number, 0 or more, such as 16")
    quiet, notice = report.quiet or report.json, None if report.quiet else warn
    with (
        reading.opened(input, notice) as source,
        progress_report(quiet=quiet, doing=ESTIMATING) as estimating,
        progress_report(quiet=quiet, doing=_TRACKING) as progress,
    ):
        start, stop = part.of(source)
        focus = subject.subject(subject.seen_frame(source.info))
        assert focus is not None
        recipe = Recipe(
            focus=focus,
            disparity=disparity.choice(),
            disparity_reading=disparity.reading(),
            tracker=subject.tracker_choice(),
            blur_strength=blur,
            engine=EngineSettings(device=device),
        )
        result = track(
            source,
            output,
            recipe,
            masks=masks,
            bake=bake,
            frames=(start, stop),
            overwrite=overwrite,
            also_read=paths_of(disparity, subject),
            progress=progress,
            estimating=estimating,
            notice=notice,
        )
    keyframes = len(result.script.keyframes)
    frames = result.stop - result.start
    summary = {
        "output": str(output),
        "masks": None if masks is None else str(masks),
        "frames": frames,
        "start_frame": result.start,
        "keyframes": keyframes,
        "seen_frames": result.seen_count,
        "focus_disparity": [round(float(value), 6) for value in result.track.focus_disparity],
        "warnings": list(result.track.warnings),
        "elapsed_s": round(result.elapsed_s, 3),
        **disparity_facts(result.recipe),
    }
    line = (
        f"{output}: {keyframes} keyframe{'s' if keyframes != 1 else ''}; the subject is seen in "
        f"{result.seen_count} of {frames} frames"
    )
    tell(summary, line, report)
